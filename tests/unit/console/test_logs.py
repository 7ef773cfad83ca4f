"""A unit of work is one line, for people or machines, and never holds a secret."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from console.logs import LogFormat, LogLevel, configure
from consumers.secret import Secret


@pytest.fixture
def stream() -> Iterator[StringIO]:
    """Give what is logged, and put the root logger back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_text_is_keys_and_values_with_the_fields_last(stream: StringIO) -> None:
    configure(LogFormat.TEXT, LogLevel.INFO, stream)
    logging.getLogger("aiaccount.test").info("delivered %d", 2, extra={"endpoint": "kol_bill", "code": "a b"})
    time, rest = stream.getvalue().split(" ", 1)
    assert time.startswith("time=20")
    assert time.endswith("Z")
    assert rest == 'level=info logger=aiaccount.test event="delivered 2" endpoint=kol_bill code="a b"\n'


def test_json_is_one_object_a_line(stream: StringIO) -> None:
    configure(LogFormat.JSON, LogLevel.INFO, stream)
    log = logging.getLogger("aiaccount.test")
    log.info("one", extra={"rows": 3})
    try:
        raise ValueError("two\nlines")  # noqa: TRY301 - the shortest way to a traceback
    except ValueError:
        log.exception("failed")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["rows"], first["level"]) == ("one", 3, "info")
    assert "ValueError: two\nlines" in second["traceback"]


@pytest.mark.parametrize("log_format", LogFormat)
def test_no_secret_passes_in_message_field_or_traceback(stream: StringIO, log_format: LogFormat) -> None:
    configure(log_format, LogLevel.DEBUG, stream)
    secret = Secret("sk-live-5rT9vQ2m")
    log = logging.getLogger("aiaccount.test")
    log.info(
        "sent with %s", secret.reveal(), extra={"header": f"Bearer {secret.reveal()}", "key": secret.reveal()}
    )
    log.info("fields", extra={"headers": {"x-key": secret.reveal()}})
    try:
        raise ValueError(secret.reveal())  # noqa: TRY301 - the same
    except ValueError:
        log.exception("failed")
    text = stream.getvalue()
    assert text.count("[secret]") == 5
    assert secret.reveal() not in text


def test_what_is_less_grave_than_asked_for_is_left_out(stream: StringIO) -> None:
    configure(LogFormat.TEXT, LogLevel.WARNING, stream)
    logging.getLogger("aiaccount.test").info("quiet")
    configure(LogFormat.TEXT, LogLevel.INFO, stream)
    logging.getLogger("alembic.client").info("chatter")
    assert not stream.getvalue()
    logging.getLogger("alembic.client").warning("trouble")
    assert "trouble" in stream.getvalue()
