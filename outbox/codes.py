"""The keys of a tenant's codes: which tax code, payment account or account of the company is meant.

Source: rule 6 of the mapping. A key that no mapper ever asks for would hide a slip of the pen: it is refused.
"""

import json
import re
import unicodedata
from collections.abc import Mapping

from outbox.errors import UsageError

TAX_TYPES = ("none", "sales", "service")
ACCOUNTS = ("sales", "service_charge", "tips", "rounding", "expense", "wht_payable")
_TAX = re.compile(rf"tax:({'|'.join(TAX_TYPES)}):(0|[1-9]\d{{0,2}}|(?:0|[1-9]\d{{0,2}})\.\d{{0,3}}[1-9])")
_PAYMENT = re.compile(r"payment:[^:\s](?:[^:]*[^:\s])?:[A-Z]{3}")
_ACCOUNT = re.compile(rf"account:({'|'.join(ACCOUNTS)})")
_FORMS = (
    "tax:<none, sales or service>:<rate> such as tax:sales:10 (the rate of none is 0, and no zeros at a "
    "rate's end); payment:<method>:<currency> such as payment:cash:MYR (payment:none:MYR without a "
    f"method); account:<{', '.join(ACCOUNTS)}>"
)


def read_codes(data: bytes, source: str) -> dict[str, str]:
    """Read codes from JSON; `check_codes` says whether they can be.

    Raises:
        UsageError: It is no JSON object; `source` names where it came from.
    """
    try:
        codes = json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise UsageError(f"{source} is nested too deep") from None
    except ValueError as error:
        raise UsageError(f"{source} is not JSON: {error}") from None
    if not isinstance(codes, dict):
        raise UsageError(f'{source} is not a JSON object such as {{"account:sales": "40000"}}')
    return codes


def check_codes(codes: Mapping[str, str]) -> None:
    """Refuse a key of another form than the mapping's, or a code that is empty.

    Raises:
        UsageError: Names the key and the forms that there are.
    """
    for key, code in codes.items():
        if not _known(key) or not visible(key):
            raise UsageError(f"there is no code {key!r}; the keys are: {_FORMS}")
        if not isinstance(code, str) or not code.strip() or code != code.strip():
            raise UsageError(f"the code of {key!r} is empty, has blanks at its ends or is not a text")
        if not visible(code):
            raise UsageError(f"the code {code!r} of {key!r} has characters that nobody can see")


def visible(text: str) -> bool:
    """Say whether a person sees all of a text, and a database holds it: no control or half characters."""
    return not any(unicodedata.category(character).startswith("C") for character in text)


def _known(key: str) -> bool:
    if found := _TAX.fullmatch(key):
        return (found[1] == "none") <= (found[2] == "0")
    return bool(_PAYMENT.fullmatch(key) or _ACCOUNT.fullmatch(key))
