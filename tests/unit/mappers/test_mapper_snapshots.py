"""Bad data that no rule names is refused by name, floats are refused, and settings are read strictly."""

import pickle
from typing import Any

import pytest

from mappers import Sent, Settings, SnapshotError, plan
from tests.unit.mappers.rows import (
    FILE,
    NUMBER,
    VOIDED,
    Ledger,
    item,
    original,
    refund,
    sale,
    settlement,
    tender,
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("receipt_no", None),
        ("receipt_no", 7),
        ("receipt_no", "\ud800"),
        ("txn_type", "gift"),
        ("status", "lost"),
        ("status", None),
        ("source", None),
        ("currency", None),
        ("completed_at", None),
        ("completed_at", "yesterday"),
        ("completed_at", "2026-05-01T06:00:00"),
        ("completed_at", 5),
        ("completed_at", "0001-01-01T00:00:00+14:00"),
        ("tax_inclusive", None),
        ("tax_type", "vat"),
        ("tax_rate", None),
        ("subtotal", "fifty"),
        ("subtotal", None),
        ("subtotal", True),
        ("subtotal", "NaN"),
        ("subtotal", "1_000"),
        ("subtotal", " 50"),
        ("subtotal", "5" * 21),
        ("total_amount", "Infinity"),
        ("total_amount", "1e999999"),
        ("exchange_rate", "x"),
        ("customer_id", True),
        ("customer_name", 5),
        ("store_code", 5),
        ("id", None),
    ],
)
def test_a_broken_field_of_a_sale_is_named(field: str, value: object) -> None:
    row = sale(customer_id=5)
    row["pos_transaction"][field] = value
    with pytest.raises(SnapshotError, match=field if "0001" not in str(value) else "calendar"):
        Ledger().plan("pos_invoice", row)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("line_no", None),
        ("line_no", "1.5"),
        ("line_no", -1),
        ("description", None),
        ("sku", 7),
        ("quantity", "many"),
        ("unit_price", None),
        ("line_discount", []),
        ("line_total", {}),
        ("tax_type", "vat"),
        ("tax_rate", "x"),
        ("tax_amount", "x"),
    ],
)
def test_a_broken_field_of_an_item_is_named(field: str, value: object) -> None:
    row = sale()
    row["items"][0][field] = value
    with pytest.raises(SnapshotError, match=f"items.{field}"):
        Ledger().plan("pos_invoice", row)


@pytest.mark.parametrize("field", ["receipt_no", "txn_type", "status", "owned", "refundable", "refunded"])
def test_a_missing_field_of_the_original_is_named(field: str) -> None:
    broken = original()
    del broken[field]
    with pytest.raises(SnapshotError, match=f"original.{field}"):
        Ledger().plan("pos_invoice", refund(of=broken))


@pytest.mark.parametrize(
    "tenders",
    [
        "cash",
        {"seq": 1},
        ["cash"],
        [{"seq": 1}],
        [tender(1, "x")],
        [{**tender(1, "1"), "seq": -1}],
        [{**tender(1, "1"), "seq": None}],
        [tender(1, "1", paid_at="soon")],
        [{**tender(1, "1"), "method": 5}],
    ],
)
def test_broken_tenders_are_named(tenders: object) -> None:
    row = sale()
    row["pos_transaction"]["tenders"] = tenders
    with pytest.raises(SnapshotError, match="tenders"):
        Ledger().plan("pos_receipt", row)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("settlement_no", ""),
        ("status", "new"),
        ("payer_type", None),
        ("payer_id", None),
        ("payee_kol_id", None),
        ("period_start", "April"),
        ("period_end", None),
        ("adjustments", "none"),
        ("adjustments", [{"amount": "1.00"}]),
        ("commission_amount", None),
        ("wht_amount", None),
    ],
)
def test_a_broken_field_of_a_settlement_is_named(field: str, value: object) -> None:
    row = settlement()
    row["kol_settlement"][field] = value
    with pytest.raises(SnapshotError, match=field):
        Ledger().plan("kol_bill", row)


def test_the_other_aggregates_snapshot_is_refused() -> None:
    with pytest.raises(SnapshotError, match="kol_settlement"):
        Ledger().plan("kol_bill", sale())
    with pytest.raises(SnapshotError, match="pos_transaction"):
        Ledger().plan("pos_receipt", settlement())


def test_items_that_are_no_list_are_named() -> None:
    row = sale()
    row["items"] = "T-shirt"
    with pytest.raises(SnapshotError, match="items"):
        Ledger().plan("pos_invoice", row)


def test_a_void_without_a_time_and_a_cancellation_without_one_are_named() -> None:
    ledger = Ledger().post("pos_invoice", sale())
    with pytest.raises(SnapshotError, match="voided_at"):
        ledger.plan("pos_invoice", sale(status="voided"))
    bill = Ledger().post("kol_bill", settlement())
    with pytest.raises(SnapshotError, match="cancelled_at"):
        bill.plan("kol_bill", settlement(status="cancelled"))


def test_refunds_that_are_not_known_forbid_nothing_silently() -> None:
    ledger = Ledger().post("pos_invoice", sale())
    row = sale(**VOIDED)
    del row["refunded"]
    with pytest.raises(SnapshotError, match="refunded"):
        ledger.plan("pos_invoice", row)


def test_an_empty_description_is_as_recorded() -> None:
    row = sale(item(1, "50.00", description=""))
    assert Ledger().pushed("pos_invoice", row)["lines"][0]["description"] == ""


def test_numbers_may_be_whole_json_numbers_and_seqs_strings() -> None:
    row = sale(subtotal=50, total_amount=50, tenders=[{**tender(1, "50.00"), "seq": "1", "amount": 50}])
    ledger = Ledger().post("pos_invoice", row)
    assert ledger.said("pos_receipt", row) == [f"push {NUMBER}-R1"]


def test_minus_zero_has_no_sign() -> None:
    row = sale(order_discount="-0.00", rounding_adjustment="-0")
    assert "-0" not in str(Ledger().pushed("pos_invoice", row)["totals"])


@pytest.mark.parametrize("place", ["pos_transaction", "items"])
def test_a_float_anywhere_in_a_snapshot_is_a_type_error(place: str) -> None:
    row = sale()
    (row["items"][0] if place == "items" else row["pos_transaction"])["created_at"] = 0.5
    with pytest.raises(TypeError, match="parse_float=Decimal"):
        Ledger().plan("pos_invoice", row)


def test_a_float_in_what_was_sent_is_a_type_error() -> None:
    ledger = Ledger().post_all(sale())
    ledger.sent[1].document["amount"] = 50.0  # type: ignore[index]
    with pytest.raises(TypeError, match="float"):
        ledger.plan("pos_receipt", sale(cashier_id=2))
    invoice = Ledger().post("pos_invoice", sale())
    invoice.sent[0].document["totals"]["net"] = 50.0
    with pytest.raises(TypeError):
        invoice.plan("pos_invoice", sale(**VOIDED))
    with pytest.raises(TypeError):
        invoice.doubt(NUMBER).plan("pos_invoice", sale())


def test_a_sent_document_that_no_mapper_made_is_refused() -> None:
    ledger = Ledger().post("pos_invoice", sale())
    del ledger.sent[0].document["lines"]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="has no lines"):
        ledger.plan("pos_invoice", sale(**VOIDED))
    ledger = Ledger().post("pos_invoice", sale())
    ledger.sent[0].document["document_type"] = "quote"  # type: ignore[index]
    with pytest.raises(ValueError, match="no reversal"):
        ledger.plan("pos_invoice", sale(**VOIDED))
    entry = Sent("pos_receipt", "strange", "pushed", {}, None)
    with pytest.raises(ValueError, match="strange"):
        plan("pos_receipt", Ledger().settings, sale(), [entry])


def test_an_unknown_endpoint_is_refused() -> None:
    with pytest.raises(ValueError, match="pos_invoice, pos_receipt, kol_bill, kol_payment"):
        plan("pos_quote", Ledger().settings, sale(), [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant_id", "1"),
        ("tenant_id", True),
        ("company_name", " "),
        ("kol_mode", "both"),
        ("owner_kol_id", "10"),
        ("home_currency", "myr"),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../etc/passwd"),
        ("timezone", 8),
        ("day_cutoff_hour", 24),
        ("day_cutoff_hour", -1),
        ("cutover_date", "2026-13-01"),
        ("cutover_date", None),
        ("wanted", []),
        ("wanted", {"invoices": []}),
        ("wanted", {"kol_bill": "2026"}),
        ("wanted", {"kol_bill": [["2026-01-01"]]}),
        ("wanted", {"kol_bill": [["2026-02-01", "2026-01-01"]]}),
        ("codes", []),
        ("codes", {"tax:none:0": ""}),
        ("codes", {"tax:none:0": 5}),
        ("currency", "MYR"),
    ],
)
def test_a_wrong_setting_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"settings.{field}"):
        Settings.from_json({**FILE["settings"], field: value})


@pytest.mark.parametrize("field", list(FILE["settings"]))
def test_a_missing_setting_is_named(field: str) -> None:
    with pytest.raises(ValueError, match=f"settings.{field} is missing"):
        Settings.from_json({key: value for key, value in FILE["settings"].items() if key != field})


def test_settings_are_an_object_that_can_be_stored() -> None:
    with pytest.raises(ValueError, match="settings must be an object"):
        Settings.from_json([])
    read = Settings.from_json(FILE["settings"])
    assert pickle.loads(pickle.dumps(read)) == read  # noqa: S301  # our own value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "quotes"),
        ("number", 5),
        ("state", "lost"),
        ("document", None),
        ("snapshot", []),
        ("of_original", "yes"),
        ("when", "now"),
    ],
)
def test_a_wrong_field_of_what_was_sent_is_named(field: str, value: object) -> None:
    entry: dict[str, Any] = {"endpoint": "pos_invoice", "number": NUMBER, "state": "pushed", "document": {}}
    assert Sent.from_json(entry).snapshot is None
    with pytest.raises(ValueError, match=f"sent.{field}"):
        Sent.from_json({**entry, field: value})
    with pytest.raises(ValueError, match="objects"):
        Sent.from_json("x")
