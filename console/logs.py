"""How the program logs: one line for each unit of work, for people or for machines, and never a secret.

A record's message is the event; what is given as `extra` follows as fields.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

from consumers.redact import Redactor

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# What a library says below these levels our own lines say better: kafka-python calls each reconnect an error.
_LIBRARIES = {
    "kafka": logging.CRITICAL,
    "asyncio": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "alembic": logging.WARNING,
}


class LogFormat(StrEnum):
    """How a line of the log looks."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """What is logged: this and what is graver."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def configure(log_format: LogFormat, level: LogLevel, stream: TextIO = sys.stderr) -> None:
    """Let everything be logged to `stream` in this format, secrets masked."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if log_format is LogFormat.JSON else TextLines())
    handler.addFilter(Redactor())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in _LIBRARIES.items():
        logging.getLogger(name).setLevel(max(root.level, least))


class JsonLines(logging.Formatter):
    """Write a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps(_fields(record), ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """Write a record as `key=value`, quoted where a value has blanks; a traceback follows below."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = _fields(record)
        traceback = fields.pop("traceback", None)
        line = " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())
        return line if traceback is None else f"{line}\n{traceback}"


def _fields(record: logging.LogRecord) -> dict[str, object]:
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    fields: dict[str, object] = {
        "time": moment.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": record.getMessage(),
        **{name: value for name, value in vars(record).items() if name not in _OWN},
    }
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    if text := "\n".join(part for part in (record.exc_text, record.stack_info) if part):
        fields["traceback"] = text
    return fields


def _quoted(value: object) -> str:
    text = str(value)
    plain = text and not any(mark.isspace() or mark in '"=' for mark in text)
    return text if plain else json.dumps(text, ensure_ascii=False)
