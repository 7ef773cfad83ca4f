"""`Retry-After`: seconds or a date, and whatever else servers write there."""

import math
import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.retry_after import parse_retry_after

NOW = 784_111_777.0
"""Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples."""


@pytest.fixture
def far_east() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Kuala_Lumpur"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("1", 1.0),
        (" 120 ", 120.0),
        ("007", 7.0),
        ("999999999999999", 999_999_999_999_999.0),
        ("9" * 16, math.inf),
        ("9" * 5000, math.inf),
    ],
)
def test_seconds_are_read_however_many(text: str, seconds: float) -> None:
    assert parse_retry_after(text, NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:50:37 GMT",
        "Sun, 06 Nov 1994 08:50:37 -0000",
        "Sun, 06 Nov 1994 16:50:37 +0800",
        "Sunday, 06-Nov-94 08:50:37 GMT",
        "Sun Nov  6 08:50:37 1994",
    ],
)
@pytest.mark.usefixtures("far_east")
def test_a_date_in_each_form_is_the_time_until_then_wherever_we_run(text: str) -> None:
    assert parse_retry_after(text, NOW) == 60.0


@pytest.mark.parametrize("text", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT"])
def test_a_date_that_is_over_waits_for_nothing(text: str) -> None:
    assert parse_retry_after(text, NOW) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x10",
        "soon",
        "٣",
        "\uff13",
        "²",
        "1 2",
        "NaN",
        "inf",
        "\0",
        "1, 2",
    ],
)
def test_what_is_neither_is_unreadable(text: str | None) -> None:
    assert parse_retry_after(text, NOW) is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d+:\d+:\d+ [A-Z+0-9]*"))
def test_no_text_is_an_error_and_no_wait_is_negative(text: str) -> None:
    seconds = parse_retry_after(text, NOW)
    assert seconds is None or seconds >= 0
