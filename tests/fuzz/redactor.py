"""The redactor: no open secret and no header's key comes through, whatever stands around it."""

import logging

from consumers.redact import Redactor, redact
from consumers.secret import HIDDEN, Secret

CANARY = "canary+7d3f/9a=="
_OTHER = "sk_live_0a1b2c3d4e5f"
_UNKNOWN = "pk-9z8y7x6w"
_MARK = "\u241f"  # where the canary goes
_TEXTS = (
    f"push failed: {_MARK} was refused",
    f"{_MARK}{_MARK}",
    f"Authorization: Bearer {_MARK}",
    f'{{"authorization": "Bearer {_OTHER}", "n": 1}}',
    f"{{'Authorization': 'Bearer {_OTHER}', 'X': '{_MARK}'}}",
    f"x-api-key={_OTHER};api_key: {_OTHER}",
    f"GET /?apikey={_MARK}&page=2 HTTP/1.1",
    "Authorization: Bearer",
    "Proxy-Authorization: Basic\nX-Api-Key:",
    "nothing is secret here: 12 sales, 3 receipts",
)
SEEDS = [text.encode() for text in _TEXTS]


def check(data: bytes) -> None:
    """Redact a text in which an open secret stands at every mark."""
    secret = Secret(CANARY)
    text = data.decode("utf-8", "surrogateescape").replace(_MARK, CANARY)
    told = redact(text)
    assert CANARY not in told
    assert redact(told) == told, "once is enough"
    if told == text:
        assert CANARY not in text
    for header in (
        "Authorization: Bearer {}",
        "x-api-key: {}",
        "'api_key': '{}'",
        "BEARER {}",
        "Proxy-Authorization: Basic {}",
    ):
        assert _UNKNOWN not in redact(f"{text} {header.format(_UNKNOWN)}"), (
            "a header's key goes, known or not"
        )
    _check_record(text)
    assert secret.reveal() == CANARY, "it was open all the while"


def _check_record(text: str) -> None:
    error = ValueError(text)
    record = logging.LogRecord("n", logging.ERROR, __file__, 1, "%s", (text,), (ValueError, error, None))
    record.__dict__["field"] = {"nested": [text]}
    Redactor().filter(record)
    assert CANARY not in f"{record.getMessage()}{vars(record)['field']}{record.exc_text}"
    assert CANARY not in logging.Formatter().format(record)
    assert HIDDEN in record.getMessage() or CANARY not in text
