"""The last line against a secret in a log: whatever is about to be written is searched for secrets.

Secrets do not print, so this should find nothing. It is for what we did not think of: a library that logs a
header, an error whose text quotes a request.
"""

import logging
import re

from consumers.secret import HIDDEN, open_texts

_NAME = r"(?:authorization|x-api-key|api[_-]?key)\b"
_VALUE = rf"(?!(?:[\w-]*-)?{_NAME})[^\s'\",;]+"  # where a header is empty, the next one's name is no value
_PATTERNS = (
    re.compile(rf"(\b(?:Bearer\s+)+){_VALUE}", re.IGNORECASE),
    re.compile(
        rf"(\b{_NAME}['\"]?\s*[:=]\s*['\"]?)(?!Bearer\b)(?:(?:Basic|Digest|Token|ApiKey)\s+)?{_VALUE}",
        re.IGNORECASE,
    ),
)
_FORMATTER = logging.Formatter()
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redact(text: str) -> str:
    """Mask in `text` every secret that is open now, and all that looks like an API key in a header."""
    for secret in sorted(open_texts(), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


class Redactor(logging.Filter):
    """Mask secrets in a record's message, fields, traceback and stack; put it on each handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and let it pass."""
        record.msg, record.args = redact(record.getMessage()), None
        for name in vars(record).keys() - _OWN:
            value = getattr(record, name)
            if not isinstance(value, bool | int | float | None):
                setattr(record, name, redact(str(value)))
        if record.exc_info and not record.exc_text:
            record.exc_text = _FORMATTER.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True
