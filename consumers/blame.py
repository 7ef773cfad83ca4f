"""What a refusal blames: the code of it where only its text tells, and the value that it names.

The value tells apart what must be mended in the books (the tax code `SR`, the account `40000`), so that what
is blocked by one does not wait for the other.
"""

import re
from collections.abc import Mapping

from consumers.reply import fit, problems_of

VALUE_LENGTH = 100

_ABSENT = ("missing", "not found", "does not exist", "not exist", "unknown", "not enabled")
_THINGS = (
    ("tax code", "TAX_CODE_MISSING"),
    ("currency", "CURRENCY_NOT_ENABLED"),
    ("account", "ACCOUNT_MISSING"),
)
_CLAUSES = re.compile(r"[;\n]|\.(?=\s)")
# After the thing: a text in quotes, or a word that looks like a code: with a digit, or in capitals.
_NAMED = r"""(?x:
    (?i:[ _]codes?)?+ [\s:]+
    (?: ['"\u2018\u201c] (?P<quoted>[^'"\u2019\u201d]+) ['"\u2019\u201d]
      | (?! (?i:missing|not|is|does|was|unknown|exist)\b)
        (?P<bare> (?=[\w.-]*\d) [\w.-]+ | [A-Z][A-Z.-]+ ) (?!\w) ) )"""
_IN_TEXT: Mapping[str, re.Pattern[str]] = {
    "TAX_CODE_MISSING": re.compile(r"(?i:tax)" + _NAMED),
    "CURRENCY_NOT_ENABLED": re.compile(r"(?i:currency)" + _NAMED),
    "ACCOUNT_MISSING": re.compile(r"(?i:account)" + _NAMED),
    "ACCOUNT_NOT_SELECTABLE": re.compile(r"(?i:account)" + _NAMED),
    "BANK_CURRENCY_MISMATCH": re.compile(r"(?i:account)" + _NAMED),
    "CONTACT_INVALID": re.compile(r"(?i:contact)" + _NAMED),
}
_LOCKED, _INCORPORATED = "PERIOD_LOCKED", "DATE_BEFORE_INCORPORATION"
_LOCKED_UNTIL = re.compile(r"(?i:locked\s+(?:until|up\s+to|to))\s+(\d{4}-\d{2}-\d{2})(?!\d)", re.ASCII)


def code_in(reason: str) -> str | None:
    """Find the refusal that a text describes, such as "Tax Code 'SR' not found"; None where it names none."""
    for said in _CLAUSES.split(reason.lower().replace("_", " ")):
        if any(word in said for word in _ABSENT):
            for thing, code in _THINGS:
                if thing in said:
                    return code
    return None


def value_in(body: Mapping[str, object], code: str, reason: str) -> str | None:
    """Find the value that a refusal names.

    Args:
        body: The error body; empty where it was no JSON.
        code: The refusal's code.
        reason: Its text.

    Returns:
        1 to 100 characters that the ledger can hold: the tax code, the currency, the account or the contact
        that is wrong; for a locked period until when; None where the refusal does not say. A document's own
        date is never a value: every date of a locked period waits for the same mend.
    """
    if code == _INCORPORATED:
        return None
    field = "locked_until" if code == _LOCKED else "value"
    named = (_text(problem.get(field)) for problem in problems_of(body) if problem.get("code") == code)
    return next((value for value in named if value is not None), None) or _in_text(code, reason)


def _in_text(code: str, reason: str) -> str | None:
    if code == _LOCKED:
        locked = _LOCKED_UNTIL.search(reason)
        return locked[1] if locked else None
    pattern = _IN_TEXT.get(code)
    named = pattern.search(reason) if pattern else None
    return _text(named["quoted"] or named["bare"]) if named else None


def _text(value: object) -> str | None:
    """Read a value: a text, or a whole number as one; None for anything else and for blanks."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**VALUE_LENGTH else None
    return fit(value).strip()[:VALUE_LENGTH].strip() or None if isinstance(value, str) else None
