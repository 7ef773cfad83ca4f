"""A pill says in one line how documents are doing, and never that all is well while something waits long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.pill import Facts, Failure, Kind, Pill, Waiting, Way, pill_of

KL, NEW_YORK = ZoneInfo("Asia/Kuala_Lumpur"), ZoneInfo("America/New_York")
NOW = datetime(2026, 5, 15, 6, 30, 0, tzinfo=UTC)  # 14:30 in Kuala Lumpur
OPEN = Way(captures=True, leads=True, moved_at=NOW - timedelta(seconds=4))
QUIET = Facts(NOW, KL, OPEN)
SYNCED = replace(QUIET, last_at=NOW, rows=12)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def lacking(count: int = 3, value: str | None = "MY-SALES10", since: datetime | None = None) -> Failure:
    return Failure("blocked", "TAX_CODE_MISSING", value, count, since or ago(minutes=28), "POS1")


def waits(count: int, **time: float) -> Waiting:
    return Waiting(count, ago(**time))


@pytest.mark.parametrize(
    ("facts", "kind", "text"),
    [
        (QUIET, Kind.NO_DATA, "No data to push"),
        (SYNCED, Kind.LAST_SYNC, "Last sync 5/15 14:30 · 12 rows"),
        (replace(SYNCED, rows=1), Kind.LAST_SYNC, "Last sync 5/15 14:30 · 1 row"),
        (replace(SYNCED, rows=9_800), Kind.LAST_SYNC, "Last sync 5/15 14:30 · 9,800 rows"),
        (replace(SYNCED, rows=10_001), Kind.LAST_SYNC, "Last sync 5/15 14:30 · 10,000+ rows"),
        (replace(SYNCED, zone=NEW_YORK), Kind.LAST_SYNC, "Last sync 5/15 02:30 · 12 rows"),
        (replace(SYNCED, last_at=ago(hours=15)), Kind.LAST_SYNC, "Last sync 5/14 23:30 · 12 rows"),
        (
            replace(SYNCED, last_at=ago(hours=14, minutes=30)),
            Kind.LAST_SYNC,
            "Last sync 5/15 00:00 · 12 rows",
        ),
        (replace(SYNCED, last_at=ago(days=200)), Kind.LAST_SYNC, "Last sync 2025-10-27 14:30 · 12 rows"),
        (replace(SYNCED, waiting=waits(12, seconds=40)), Kind.SYNCING, "Syncing · 12 waiting · oldest 40 s"),
        (replace(QUIET, waiting=waits(1, seconds=0)), Kind.SYNCING, "Syncing · 1 waiting · oldest 0 s"),
        (replace(QUIET, waiting=Waiting(1, moves=True)), Kind.SYNCING, "Syncing · 1 waiting"),
        (
            replace(SYNCED, waiting=waits(98_000, hours=3)),  # a backfill that goes on
            Kind.SYNCING,
            "Syncing · 98,000 waiting · oldest 3 h",
        ),
        (
            replace(QUIET, waiting=Waiting(2, ago(minutes=9), moves=True)),
            Kind.SYNCING,
            "Syncing · 2 waiting · oldest 9 min",
        ),
        (
            replace(SYNCED, failures=(lacking(),)),
            Kind.FAILED,
            "Failed · Tax Code missing: MY-SALES10 · 3 documents since 14:02",
        ),
        (
            replace(SYNCED, failures=(lacking(1, None, ago(hours=15)),)),
            Kind.FAILED,
            "Failed · Tax Code missing · 1 document since 5/14 23:30",
        ),
        (
            replace(SYNCED, zone=NEW_YORK, failures=(lacking(),)),
            Kind.FAILED,
            "Failed · Tax Code missing: MY-SALES10 · 3 documents since 02:02",
        ),
        (
            replace(SYNCED, failures=(lacking(1, "MY-SST8"), lacking(2), lacking(2, "ZZ"))),
            Kind.FAILED,
            "Failed · Tax Code missing: MY-SALES10 · 2 documents since 14:02 · 2 other reasons",
        ),
        (
            replace(QUIET, failures=(Failure("trouble", "MAPPING_FAILED", None, 1, ago(minutes=1)),)),
            Kind.FAILED,
            "Failed · Row cannot be mapped · 1 row since 14:29",
        ),
        (replace(SYNCED, pause="API_KEY_INVALID"), Kind.PAUSED, "Paused · API key refused"),
        (replace(QUIET, pause="NOT_CONNECTED"), Kind.PAUSED, "Paused · No company connected"),
        (
            replace(SYNCED, way=replace(OPEN, captures=False)),
            Kind.STALLED,
            "Stalled · changes are not captured",
        ),
        (
            replace(SYNCED, way=replace(OPEN, leads=False, moved_at=ago(minutes=28))),
            Kind.STALLED,
            "Stalled · no relay leads since 14:02",
        ),
        (
            replace(QUIET, way=replace(OPEN, moved_at=ago(seconds=31)), waiting=waits(12, seconds=3)),
            Kind.STALLED,
            "Stalled · the relay stands still since 14:29 · 12 waiting",
        ),
        (
            replace(SYNCED, way=replace(OPEN, down_since=ago(minutes=28)), waiting=waits(2, seconds=3)),
            Kind.STALLED,
            "Stalled · AiAccount is down here since 14:02 · 2 waiting",
        ),
        (
            replace(SYNCED, way=replace(OPEN, unread_since=ago(minutes=3)), last_at=ago(hours=1)),
            Kind.STALLED,
            "Stalled · changes wait for the relay since 14:27",
        ),
        (
            replace(SYNCED, way=replace(OPEN, unheard_since=ago(minutes=3)), last_at=ago(hours=1)),
            Kind.STALLED,
            "Stalled · no consumer takes changes since 14:27",
        ),
        (
            replace(QUIET, waiting=waits(4, minutes=28)),
            Kind.STALLED,
            "Stalled · nothing moves since 14:02 · 4 waiting",
        ),
        (
            replace(QUIET, waiting=Waiting(4, ago(minutes=28), "HTTP_5XX")),
            Kind.STALLED,
            "Stalled · AiAccount has an error since 14:02 · 4 waiting",
        ),
    ],
    ids=str,
)
def test_a_pill_says_in_one_line_how_documents_are_doing(facts: Facts, kind: Kind, text: str) -> None:
    assert pill_of(facts) == Pill(kind, text)


WORST = replace(
    SYNCED,
    pause="API_KEY_INVALID",
    failures=(lacking(),),
    way=replace(OPEN, leads=False, moved_at=ago(hours=1)),
    waiting=waits(3, hours=1),
)


def test_the_worst_is_shown_first() -> None:
    mended: list[dict[str, object]] = [
        {},
        {"pause": None},
        {"failures": ()},
        {"way": OPEN},
        {"waiting": Waiting()},
        {"last_at": None},
    ]
    facts, shown = WORST, []
    for change in mended:
        facts = replace(facts, **change)  # type: ignore[arg-type]
        shown.append(pill_of(facts).kind)
    assert shown == list(Kind)


@pytest.mark.parametrize(
    "way",
    [
        replace(OPEN, captures=False),
        replace(OPEN, moved_at=ago(minutes=1)),
        replace(OPEN, leads=False, moved_at=ago(minutes=1)),
        replace(OPEN, unread_since=ago(minutes=3)),
        replace(OPEN, unheard_since=ago(minutes=3)),
        OPEN,
    ],
    ids=str,
)
def test_no_pill_is_green_while_something_waits_too_long(way: Way) -> None:
    facts = replace(SYNCED, last_at=ago(hours=1), way=way, waiting=waits(1, minutes=10))
    assert pill_of(facts).kind is Kind.STALLED


@pytest.mark.parametrize(
    "way", [replace(OPEN, moved_at=ago(seconds=29)), replace(OPEN, leads=False)], ids=str
)
def test_a_relay_that_has_just_stopped_may_be_starting_again(way: Way) -> None:
    assert pill_of(replace(SYNCED, way=way)).kind is Kind.LAST_SYNC


@pytest.mark.parametrize("waiting", [Waiting(), Waiting(3, ago(seconds=5), moves=True)], ids=str)
def test_a_relay_that_is_far_behind_stalls_though_something_was_accepted_just_now(waiting: Waiting) -> None:
    behind = replace(SYNCED, way=replace(OPEN, unread_since=ago(minutes=10)), waiting=waiting)
    assert pill_of(behind).text.startswith("Stalled · changes wait for the relay since 14:20")


def test_an_endpoint_that_is_down_is_no_matter_where_nothing_waits() -> None:
    assert pill_of(replace(SYNCED, way=replace(OPEN, down_since=ago(hours=1)))).kind is Kind.LAST_SYNC
