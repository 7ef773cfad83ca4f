"""What is shown fits a terminal, the worst first; a machine gets the same facts."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.board import UNSEEN, WIDTH, as_json, board, wrong
from console.pill import Facts, Failure, Waiting, Way, pill_of
from console.pipeline import Pipeline
from console.standing import Lead, Look, Standing
from outbox.broker import Lag
from outbox.endpoints import Endpoint
from outbox.metrics import Backlog

NOW = datetime(2026, 5, 15, 6, 30, tzinfo=UTC)
WAY = Way(captures=True, leads=True, moved_at=NOW)
FACTS = Facts(NOW, ZoneInfo("Asia/Kuala_Lumpur"), WAY)
SYNCED = replace(FACTS, last_at=NOW, rows=12)
LACKING = replace(
    SYNCED,
    failures=(
        Failure("blocked", "PAYMENT_METHOD_UNMAPPED", "payment:a-very-long-method:MYR", 1_200, NOW, "POS1"),
        Failure("blocked", "TAX_CODE_MISSING", "MY-SALES10", 3, NOW - timedelta(minutes=28), "POS2"),
    ),
)
LEAD = Lead(leads=True, by="a-machine", since=NOW - timedelta(hours=3), moved_at=NOW - timedelta(seconds=3))
PIPELINE = Pipeline(
    Backlog(rows=2, age=41.0, due=1_234, overdue=0),
    (Lag(Endpoint.POS_INVOICE, 1, 3.2), Lag(Endpoint.POS_RECEIPT, 0, 0.0)),
    None,
    {"pushed": 98_000, "blocked": 1_203},
)


def looked(*facts: Facts) -> Look:
    """Make a look at tenants with these facts at their first endpoint."""
    standings = [
        Standing(tenant, f"Kedai {tenant} {'Sdn Bhd ' * 20}", endpoint, each, pill_of(each))
        for tenant, own in enumerate(facts, 1)
        for endpoint, each in zip(Endpoint, (own, FACTS, FACTS, FACTS), strict=True)
    ]
    return Look(NOW, operator=True, lead=LEAD, captures=True, standings=tuple(standings))


def test_what_is_shown_is_80_wide_and_begins_with_who_needs_somebody() -> None:
    shown = board(looked(SYNCED, LACKING), PIPELINE).plain
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert shown.index("Kedai 2") < shown.index("Kedai 1")
    for part in (
        "\n  pos_invoice  Failed · No code set for payment:a-very-long-method:MYR · 1,200\n"
        + " " * 15
        + "documents",
        "\n  pos_invoice  Last sync 5/15 14:30 · 12 rows\n",
        "\n  outbox       2 rows not in Kafka yet, the oldest for 41 s\n",
        "\n  relay        a-machine leads since 5/15 03:30 UTC; its cursor moved 3 s ago\n",
        "\n  Kafka        pos_invoice  1 record behind, the oldest for 3 s\n"
        + " " * 15
        + "pos_receipt  0 records",
        "\n  tasks        1,234 due, 0 overdue\n",
        "\n  ledger       98,000 pushed, 1,203 blocked\n",
        "\n  unsent       the oldest: POS2 of tenant 2, since 5/15 06:02 UTC (28 min)",
    ):
        assert part in shown, shown


def test_who_sees_no_pipeline_is_told_so_and_who_sees_no_tenant_too() -> None:
    assert board(looked(SYNCED), None).plain.endswith(UNSEEN)
    assert board(looked(), None).plain.startswith("No tenant is there, or none that this login may see.")
    assert as_json(looked(), None)["pipeline"] is None


@pytest.mark.parametrize(
    ("facts", "bad"),
    [
        (SYNCED, False),
        (FACTS, False),
        (replace(SYNCED, waiting=Waiting(1, NOW)), False),
        (LACKING, True),
        (replace(SYNCED, pause="API_KEY_INVALID"), True),
        (replace(SYNCED, pause="TENANT_INACTIVE"), False),
        (replace(SYNCED, way=replace(WAY, captures=False)), True),
    ],
    ids=str,
)
def test_what_somebody_must_look_at_is_wrong(facts: Facts, bad: bool) -> None:  # noqa: FBT001 - a table's column
    assert wrong(looked(SYNCED, facts), PIPELINE) is bad
    assert wrong(looked(SYNCED), replace(PIPELINE, lags=(), unreached="no broker answers"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda look: replace(look, lead=Lead(leads=False, by=None, since=None, moved_at=NOW)),
            "nobody leads; the cursor moved last on",
        ),
        (
            lambda look: replace(look, lead=replace(LEAD, by=None, since=None)),
            "leads; its cursor moved 3 s",
        ),
        (lambda look: replace(look, captures=False), "capture      off: see"),
    ],
)
def test_what_is_wrong_with_the_pipeline_is_said(change: Callable[[Look], Look], said: str) -> None:
    assert said in board(change(looked(SYNCED)), PIPELINE).plain


def test_a_machine_gets_the_same_facts_with_moments_in_utc() -> None:
    found = json.loads(json.dumps(as_json(looked(LACKING), PIPELINE)))
    assert found["at"] == "2026-05-15T06:30:00Z"
    (tenant,) = found["tenants"]
    assert (tenant["tenant_id"], tenant["timezone"]) == (1, "Asia/Kuala_Lumpur")
    first = tenant["endpoints"][0]
    assert first["pill"]["kind"] == "failed"
    assert (first["last_sync_at"], first["rows_that_day"], first["waiting"]) == (
        "2026-05-15T06:30:00Z",
        12,
        0,
    )
    assert first["failures"][1] == {
        "state": "blocked",
        "code": "TAX_CODE_MISSING",
        "value": "MY-SALES10",
        "phrase": "Tax Code missing: MY-SALES10",
        "count": 3,
        "since": "2026-05-15T06:02:00Z",
        "number": "POS2",
    }
    assert found["pipeline"]["outbox"] == {"rows": 2, "age_seconds": 41.0}
    assert found["pipeline"]["kafka"]["groups"][0] == {
        "endpoint": "pos_invoice",
        "records": 1,
        "seconds": 3.2,
    }
    assert found["pipeline"]["ledger"]["parked"] == 0
    assert found["pipeline"]["oldest_unsent"] == {
        "tenant_id": 1,
        "endpoint": "pos_invoice",
        "number": "POS2",
        "since": "2026-05-15T06:02:00Z",
    }
