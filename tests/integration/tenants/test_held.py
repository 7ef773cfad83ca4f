"""What waits for a person is found by filters and let go as asked, and nothing else is."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, text

from console.held import Filter, held, let_go, stopped
from outbox.endpoints import Endpoint
from outbox.tables import documents, stops, tasks
from outbox.tenants import Tenant, get
from tests.waiting import wait_for

Given = Callable[..., None]
LATER = datetime(2100, 1, 1, tzinfo=UTC)
EARLY = datetime(2026, 1, 1, tzinfo=UTC)
SENT = {"document": {"number": "N"}, "snapshot": {}}


@pytest.fixture
def waiting(given_task: Given, given_document: Given) -> None:
    """Put a document of each kind into the ledger, and a task that is in trouble."""
    for row in range(1, 8):
        given_task(row, due_at=LATER)
    given_document(1, verdict="block", code="TAX_CODE_MISSING", next_at=LATER)
    given_document(2, verdict="conflict", code="DOCUMENT_CONFLICT", **SENT)
    given_document(3, verdict="park", code="VALIDATION_FAILED", next_at=LATER, **SENT)
    given_document(4, verdict="retry", code="RATE_LIMITED", next_at=LATER)
    given_document(5, verdict="skip", code="ZERO_TOTAL")
    given_document(6, accepted_at=EARLY, remote_id="d6", verdict="conflict", code="SOURCE_GONE", **SENT)
    given_document(7, accepted_at=EARLY, remote_id="d7", **SENT)
    given_document(4, company_id="OLD", verdict="block", code="TAX_CODE_MISSING", next_at=LATER)
    given_task(8, trouble_code="NOT_CONNECTED", trouble="no company yet")
    given_task(9, endpoint="kol_bill", due_at=LATER, token=uuid.uuid4(), busy_until=LATER)
    given_document(9, endpoint="kol_bill", verdict="block", code="ACCOUNT_UNMAPPED")


def rows(connection: Connection, chosen: Filter) -> list[int]:
    """Return the rows that wait."""
    return [one.aggregate_id for one in held(connection, chosen)]


@pytest.mark.usefixtures("tenant", "waiting")
def test_filters_find_what_waits_and_nothing_that_is_settled(connection: Connection) -> None:
    assert rows(connection, Filter()) == [9, 1, 2, 3, 4, 6, 8]
    assert rows(connection, Filter(tenant_id=8)) == []
    assert rows(connection, Filter(endpoint=Endpoint.KOL_BILL)) == [9]
    assert rows(connection, Filter(code="TAX_CODE_MISSING")) == [1]
    assert rows(connection, Filter(code="NOT_CONNECTED")) == [8]
    assert rows(connection, Filter(states=("conflict",))) == [2, 6]
    assert rows(connection, Filter(states=("parked", "trouble"))) == [3, 8]


@pytest.mark.usefixtures("tenant", "waiting")
def test_what_is_let_go_is_due_now_and_a_busy_one_looks_again(connection: Connection) -> None:
    freed = let_go(connection, Filter())
    assert (freed.tasks, freed.documents) == (7, 6)
    now = tasks.c.due_at <= func.clock_timestamp()
    due = connection.scalars(select(tasks.c.aggregate_id).where(now).order_by(tasks.c.aggregate_id)).all()
    assert due == [1, 2, 3, 4, 6, 8]
    assert connection.scalars(select(tasks.c.aggregate_id).where(tasks.c.again)).all() == [9]
    waits = select(documents.c.company_id).where(documents.c.next_at.is_not(None))
    assert connection.scalars(waits).all() == ["OLD"]


@pytest.mark.usefixtures("tenant", "waiting")
def test_only_a_conflict_that_was_not_accepted_is_tried_again(connection: Connection) -> None:
    let_go(connection, Filter(states=("conflict",)))
    found = select(documents.c.aggregate_id, documents.c.verdict, documents.c.code).where(
        documents.c.aggregate_id.in_([2, 6])
    )
    assert connection.execute(found.order_by(documents.c.aggregate_id)).all() == [
        (2, "retry", "DOCUMENT_CONFLICT"),
        (6, "conflict", "SOURCE_GONE"),
    ]


@pytest.mark.usefixtures("tenant", "waiting")
def test_what_the_filter_leaves_out_stays_as_it_is(connection: Connection) -> None:
    freed = let_go(connection, Filter(code="TAX_CODE_MISSING"))
    assert (freed.tasks, freed.documents) == (1, 1)
    later = select(tasks.c.aggregate_id).where(tasks.c.due_at == LATER).order_by(tasks.c.aggregate_id)
    assert connection.scalars(later).all() == [2, 3, 4, 5, 6, 7, 9]


@pytest.mark.usefixtures("tenant", "waiting")
def test_a_stop_is_lifted_and_processes_that_remember_it_forget(connection: Connection) -> None:
    row = {"code": "SUBSCRIPTION_INACTIVE", "reason": "unpaid", "key_version": 1, "settings_version": 1}
    connection.execute(insert(stops).values(tenant_id=7, endpoint="*", **row))
    assert [one.code for one in stopped(connection, Filter(endpoint=Endpoint.KOL_BILL))] == [row["code"]]
    assert let_go(connection, Filter(code="TAX_CODE_MISSING")).stops == 0
    assert get(connection, 7).settings_version == 1
    assert let_go(connection, Filter(tenant_id=7)).stops == 1
    assert stopped(connection, Filter()) == []
    assert get(connection, 7).settings_version == 2


def dated(number: str, day: str) -> dict[str, object]:
    """Return what a document needs that was made for a date."""
    return {"number": number, "document": {"number": number, "date": day}, "snapshot": {}, "verdict": "park"}


@pytest.mark.usefixtures("tenant")
def test_numbers_and_business_dates_choose_too(
    connection: Connection, given_task: Given, given_document: Given
) -> None:
    number = connection.scalar(
        text(
            "insert into pos_transactions (blogger_id, store_code, receipt_no, subtotal, total_amount,"
            " status, completed_at) values (7, 'S1', 'POS1', 5, 5, 'completed', '2026-05-03 04:00Z')"
            " returning id"
        )
    )
    for row in (number, 901, 902):
        given_task(row, due_at=LATER)
    given_document(number, number="POS1", verdict="block", code="TAX_CODE_MISSING")
    given_document(901, code="VALIDATION_FAILED", **dated("POS901", "2026-05-04"))
    given_document(902, code="VALIDATION_FAILED", **dated("POS902", "2026-06-04"))
    given_task(903, trouble_code="MAPPING_FAILED", trouble="no such tax type")
    chosen = {
        Filter(dates=(date(2026, 5, 3), date(2026, 5, 3))): [number],
        Filter(dates=(date(2026, 5, 3), date(2026, 5, 31))): [number, 901],
        Filter(numbers=("POS902", "POS1")): [number, 902],
        Filter(numbers=("POS902",), dates=(date(2026, 5, 1), date(2026, 5, 31))): [],
        Filter(numbers=("POS903",)): [],
    }
    for filter_, expected in chosen.items():
        assert rows(connection, filter_) == expected
    freed = let_go(connection, Filter(dates=(date(2026, 5, 3), date(2026, 5, 4))))
    assert (freed.tasks, freed.documents) == (2, 2)
    assert let_go(connection, Filter(numbers=("POS902",))).tasks == 1


@pytest.mark.usefixtures("tenant", "waiting")
def test_who_asks_for_numbers_or_dates_lifts_no_stop_of_a_whole_tenant(connection: Connection) -> None:
    row = {"code": "SUBSCRIPTION_INACTIVE", "reason": "unpaid", "key_version": 1, "settings_version": 1}
    connection.execute(insert(stops).values(tenant_id=7, endpoint="*", **row))
    for chosen in (Filter(numbers=("N1",)), Filter(dates=(date(2026, 1, 1), date(2026, 12, 31)))):
        assert let_go(connection, chosen).stops == 0
    assert len(stopped(connection, Filter())) == 1


def test_who_lifts_a_stop_waits_for_who_has_the_tenant_and_holds_up_nobody(
    engine: Engine, connection: Connection, tenant: Tenant
) -> None:
    stopped_by = {"code": "API_KEY_INVALID", "reason": "no", "key_version": 1, "settings_version": 1}
    connection.execute(insert(stops).values(tenant_id=tenant.tenant_id, endpoint="*", **stopped_by))
    connection.commit()

    def lift() -> int:
        with engine.begin() as other:
            return let_go(other, Filter(tenant_id=tenant.tenant_id)).stops

    waits = text(
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor() as beside:
        with engine.begin() as recording, engine.connect() as watching:
            watching.execution_options(isolation_level="AUTOCOMMIT")  # else it sees one moment for ever
            recording.execute(text("select from aiaccount.tenants for no key update"))
            lifted = beside.submit(lift)
            wait_for(lambda: watching.execute(waits).all(), 10, "the lift to wait")
            recording.execute(text("set local lock_timeout = '2s'"))
            recording.execute(text("update aiaccount.stops set settings_version = settings_version + 1"))
        assert lifted.result() == 1
