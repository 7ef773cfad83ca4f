"""What the mappers' reasons mean, in a sentence each, for who asks why a row is not posted."""

MEANINGS = {
    "NOT_OWNED": "the money is not the tenant's own: an e-commerce order, or a settlement that another pays",
    "KOL_MODE_SINGLE": "the tenant's kol_mode is single: it owes no KOL a commission",
    "SELF_PAYEE": "the payee is the tenant's own KOL",
    "VOIDED_BEFORE_PUSH": "it was voided before anything was sent",
    "CANCELLED_BEFORE_PUSH": "it was cancelled before anything was sent",
    "BEFORE_CUTOVER": "it is dated before the tenant's cut-over date and in no range that a backfill named",
    "ZERO_TOTAL": "its total is zero: there is nothing to post",
    "NUMBER_TOO_LONG": "its number would have more than 20 characters",
    "NO_LINES": "it has no items",
    "CURRENCY_PRECISION": "an amount has more decimals than its currency",
    "SOURCE_TOTAL_MISMATCH": "its amounts, as recorded, do not add up",
    "REFUND_OF_REFUND": "it refunds a refund",
    "ORIGINAL_VOIDED": "the sale that it refunds is voided",
    "REFUND_EXCEEDS_ORIGINAL": "more was refunded than was sold",
    "TENDER_MISMATCH": "its payments do not fit its total",
    "EXCHANGE_RATE_MISSING": "it is in a foreign currency and has no exchange rate",
    "TAX_CODE_UNMAPPED": "the tenant's codes lack this key: set it with `tenants set --code`",
    "PAYMENT_METHOD_UNMAPPED": "the tenant's codes lack this key: set it with `tenants set --code`",
    "ACCOUNT_UNMAPPED": "the tenant's codes lack this key: set it with `tenants set --code`",
    "AMENDED_AFTER_PUSH": "it was sent, and its row says something else now: a person decides",
    "VOIDED_AFTER_REFUND": "it was sent and refunded, and then voided: a person decides",
    "SOURCE_GONE": "it was sent, and its row is gone: a person decides",
}


def meaning(code: str) -> str:
    """Return what a reason means, or nothing for one that says so itself."""
    return MEANINGS.get(code, "")
