"""A tenant's codes from a file: each of a form that a mapper asks for and the ledger holds, or refused."""

import json
import re

from outbox.codes import check_codes, read_codes
from outbox.errors import UsageError

_GOOD = {
    "tax:none:0": "NT",
    "tax:sales:10": "MY-SALES10",
    "tax:service:6.125": "SV6",
    "payment:cash:MYR": "12100",
    "payment:touch 'n go:MYR": "12200",
    "account:sales": "40000",
    "account:wht_payable": "20100",
}
SEEDS = [json.dumps(_GOOD).encode(), json.dumps({"account:tips": "小费"}, ensure_ascii=False).encode()]
_KEY = re.compile(r"(tax|payment|account):.+", re.DOTALL)


def check(data: bytes) -> None:
    """Read a file of codes and check them."""
    try:
        codes = read_codes(data, "the file codes.json")
        check_codes(codes)
    except UsageError as error:
        assert str(error), "a person is told what is wrong"
        return
    written = json.dumps(codes, ensure_ascii=False).encode()
    assert read_codes(written, "again") == codes == json.loads(data)
    for key, code in codes.items():
        assert _KEY.fullmatch(key)
        assert code == code.strip() != ""
        for text in (key, code):
            assert "\0" not in text, "PostgreSQL holds no zero byte"
            assert text.encode().decode() == text
            assert not set(text) & set("\r\n\t\x1b\u202e\u200b"), "a person can see what it is"
