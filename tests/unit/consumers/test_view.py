"""What a delivery reads: a row of the database as values."""

import json
from decimal import Decimal
from typing import Any

import pytest

from consumers.breakers import Breaker
from consumers.entry import Entry, Verdict
from consumers.judge import Stop
from consumers.view import Outage, parse_snapshot, read_view, sent_of
from outbox.endpoints import Endpoint

NOW = 1_000.0


def found(**changes: Any) -> dict[str, Any]:
    return {
        "endpoint": "pos_invoice",
        "aggregate_id": 5,
        "number": "N1",
        "document": {"number": "N1", "total": "99.00"},
        "snapshot": '{"rate": 0.10, "id": 5}',
        "doubt_age": None,
        "remote_id": None,
        "verdict": None,
        "code": None,
        "reason": None,
        "attempts": 1,
        "first_age": 60.5,
        "next_in": None,
        **changes,
    }


def row(*entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "owner_id": 1,
        "tenant_id": 1,
        "active": True,
        "company_id": "C1",
        "settings_version": 3,
        "key_version": 2,
        "limited": False,
        "closed_in": None,
        "outage": None,
        "outage_probe_in": None,
        "breakers": None,
        "stop_code": None,
        "stop_reason": None,
        "snapshot": '{"rate": 0.10, "id": 5}',
        "digest": memoryview(b"digest"),
        "changed": False,
        "entries": json.dumps(entries) if entries else None,
        "decisions": None,
        "original_id": None,
        **changes,
    }


def read(*entries: dict[str, Any], **changes: Any) -> Any:
    return read_view(row(*entries, **changes), Endpoint.POS_INVOICE, 5, NOW)


def test_ages_become_times_of_our_own_clock() -> None:
    (entry,) = read(
        found(doubt_age=30.5, next_in=12.25, verdict="retry", code="X", reason="y")
    ).entries.values()
    assert entry == Entry(
        "N1",
        document={"number": "N1", "total": "99.00"},
        snapshot_text='{"rate": 0.10, "id": 5}',
        doubt_at=NOW - 30.5,
        verdict=Verdict.RETRY,
        code="X",
        reason="y",
        attempts=1,
        first_at=NOW - 60.5,
        next_at=NOW + 12.25,
    )


def test_numbers_of_a_snapshot_are_exact_and_a_row_that_is_gone_has_none() -> None:
    assert read().snapshot == {"rate": Decimal("0.10"), "id": 5}
    assert str(read().snapshot["rate"]) == "0.10"
    assert (read(snapshot=None).snapshot, read(snapshot=None).snapshot_text) == (None, None)
    assert parse_snapshot("[1]") is None


def test_what_is_of_another_endpoint_or_of_the_original_is_not_ours_to_change() -> None:
    told = read(
        found(),
        found(number="N1-R1", endpoint="pos_receipt", remote_id="D2"),
        found(number="M1", aggregate_id=4, remote_id="D3"),
        found(number="M1V", aggregate_id=4, doubt_age=3),
        found(number="M2", aggregate_id=4),
    )
    assert list(told.entries) == ["N1"]
    assert [(sent.number, sent.of_original, sent.in_doubt) for sent in told.others] == [
        ("N1-R1", False, False),
        ("M1", True, False),
        ("M1V", True, True),
    ]
    assert told.original_accepted == 1


@pytest.mark.parametrize("missing", ["tenant_id", "settings_version"])
def test_a_blogger_who_did_not_subscribe_is_no_tenant(missing: str) -> None:
    assert read(**{missing: None}).tenant is None
    assert read(**{missing: None}).owner_id == 1


def test_a_stop_is_read_with_its_reason() -> None:
    assert read(stop_code="API_KEY_INVALID", stop_reason="no").tenant.stop == Stop("API_KEY_INVALID", "no")
    assert read().tenant.stop is None


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        (Entry("N1"), None),
        (Entry("N1", {"number": "N1"}, "{}"), None),
        (Entry("N1", {"number": "N1"}, "{}", verdict=Verdict.CONFLICT), None),
        (Entry("N1", {"number": "N1"}, "{}", doubt_at=0.0), "in_doubt"),
        (Entry("N1", {"number": "N1"}, "{}", remote_id="D1"), "pushed"),
    ],
)
def test_the_mapper_hears_of_what_was_sent_or_may_have_been(entry: Entry, state: str | None) -> None:
    assert [sent.state for sent in sent_of("pos_invoice", [entry])] == ([] if state is None else [state])


def test_what_keeps_a_tenant_from_being_called_is_read_with_times_of_our_own_clock() -> None:
    lacking = [{"code": "TAX_CODE_MISSING", "value": "SR", "reason": "no SR", "probe_in": 12.5}]
    view = read(
        limited=True,
        closed_in=Decimal("2.5"),
        outage="HTTP 503",
        outage_probe_in=Decimal(-1),
        breakers=json.dumps(lacking),
    )
    assert view.tenant.limited
    assert view.closed_until == NOW + 2.5
    assert view.outage == Outage("HTTP 503", NOW - 1)
    assert view.breakers == (Breaker("TAX_CODE_MISSING", "SR", "no SR", NOW + 12.5),)
