"""`Retry-After`: seconds or a date, and whatever else servers write there."""

import math
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.retry_after import parse_retry_after

NOW = "Sun, 06 Nov 1994 08:49:37 GMT"
"""The date of RFC 9110's examples."""


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


@pytest.mark.parametrize("server_date", [None, "", "now", "784111777", "\0"])
def test_a_date_is_unreadable_where_the_server_does_not_tell_its_time(server_date: str | None) -> None:
    assert parse_retry_after(NOW, server_date) is None
    assert parse_retry_after("7", server_date) == 7.0


@given(st.datetimes(), st.integers(0, 10**7), st.sampled_from(["GMT", "+0800", "-0000"]))
def test_a_date_is_as_long_as_the_server_says_whatever_its_clock_and_ours_show(
    now: datetime, seconds: int, zone: str
) -> None:
    try:
        until = now + timedelta(seconds=seconds)
    except OverflowError:
        return
    form = "%d %b {:04d} %H:%M:%S " + zone
    told = parse_retry_after(until.strftime(form).format(until.year), now.strftime(form).format(now.year))
    readable = now.year >= 1970 and until.year < 9999  # two digits of a year mean our century
    assert told == seconds if readable else told is None or told >= 0


dates = st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d+:\d+:\d+ [A-Z+0-9]*")


@given(st.text() | dates, st.none() | st.text() | dates)
def test_no_text_is_an_error_and_no_wait_is_negative(text: str, server_date: str | None) -> None:
    seconds = parse_retry_after(text, server_date)
    assert seconds is None or seconds >= 0
