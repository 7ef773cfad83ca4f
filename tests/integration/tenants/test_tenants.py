"""What a person changes of a tenant is checked, versioned and tried at once."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, update

from outbox.errors import UsageError
from outbox.tables import documents, stops, tasks, tenants, wanted_ranges
from outbox.tenants import Tenant, add, change, connect, get, listed, read_settings

Given = Callable[..., None]
LATER = datetime(2100, 1, 1, tzinfo=UTC)
MEI = Tenant(8, "美美直播 Sdn Bhd", date(2026, 1, 1))


def due(connection: Connection) -> dict[int, str]:
    """Return each task's state by its aggregate: due now, later, again or never."""
    now = tasks.c.due_at <= func.clock_timestamp()
    rows = connection.execute(select(tasks.c.aggregate_id, tasks.c.due_at, tasks.c.again, now.label("now")))
    return {
        row.aggregate_id: "again"
        if row.again
        else "never"
        if row.due_at is None
        else "now"
        if row.now
        else "later"
        for row in rows
    }


def stopped(connection: Connection, tenant_id: int = 7) -> None:
    """Stop the tenant for a rejected key."""
    connection.execute(
        insert(stops).values(
            tenant_id=tenant_id,
            endpoint="*",
            code="API_KEY_INVALID",
            reason="no",
            key_version=1,
            settings_version=1,
        )
    )


def test_settings_come_back_in_the_mappers_form(connection: Connection) -> None:
    add(
        connection,
        replace(
            MEI, kol_mode="multi", owner_kol_id=10, day_cutoff_hour=4, codes={"tax:sales:10": "MY-SALES10"}
        ),
    )
    for first, last in (("2025-12-01", "2025-12-31"), ("2025-06-01", "2025-06-30")):
        row = {"from_date": date.fromisoformat(first), "to_date": date.fromisoformat(last)}
        connection.execute(insert(wanted_ranges).values(tenant_id=8, endpoint="pos_invoice", **row))
    assert read_settings(connection, 8) == {
        "tenant_id": 8,
        "company_name": "美美直播 Sdn Bhd",
        "kol_mode": "multi",
        "owner_kol_id": 10,
        "home_currency": "MYR",
        "timezone": "Asia/Kuala_Lumpur",
        "day_cutoff_hour": 4,
        "cutover_date": "2026-01-01",
        "wanted": {"pos_invoice": [["2025-06-01", "2025-06-30"], ["2025-12-01", "2025-12-31"]]},
        "codes": {"tax:sales:10": "MY-SALES10"},
    }


def test_a_tenant_is_added_once(connection: Connection) -> None:
    add(connection, MEI)
    with pytest.raises(UsageError, match="tenant 8 is there already"):
        add(connection, MEI)
    assert listed(connection) == [MEI]


def test_an_unknown_tenant_is_named(connection: Connection) -> None:
    with pytest.raises(UsageError, match="no tenant 9"):
        get(connection, 9)
    with pytest.raises(UsageError, match="no tenant 9"):
        change(connection, 9, lambda tenant: tenant)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tenant_id": 0}, "the tenant's id 0 is not"),
        ({"company_name": " "}, "the company's name is empty"),
        ({"company_name": "Mei "}, "blanks at its ends"),
        ({"kol_mode": "many"}, "kol_mode 'many'"),
        ({"owner_kol_id": -1}, "owner_kol_id -1"),
        ({"home_currency": "myr"}, "home_currency 'myr'"),
        ({"home_currency": "RM"}, "home_currency 'RM'"),
        ({"timezone": "Asia/KL"}, "no time zone 'Asia/KL'"),
        ({"timezone": "+08:00"}, "no time zone"),
        ({"day_cutoff_hour": 24}, "day_cutoff_hour 24"),
        ({"codes": {"tax:sales:10.0": "X"}}, "no code 'tax:sales:10.0'"),
        ({"codes": {"tax:none:6": "X"}}, "no code 'tax:none:6'"),
        ({"codes": {"tax:gst:6": "X"}}, "no code 'tax:gst:6'"),
        ({"codes": {"payment:cash": "X"}}, "no code 'payment:cash'"),
        ({"codes": {"payment:cash:myr": "X"}}, "no code 'payment:cash:myr'"),
        ({"codes": {"account:bank": "X"}}, "no code 'account:bank'"),
        ({"codes": {"account:sales": ""}}, "the code of 'account:sales' is empty"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_they_are_written(
    connection: Connection, wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        add(connection, replace(MEI, **wrong))  # type: ignore[arg-type]
    assert listed(connection) == []


def test_all_forms_of_codes_are_taken(connection: Connection) -> None:
    keys = [
        "tax:none:0",
        "tax:sales:10",
        "tax:service:7.5",
        "tax:sales:0",
        "tax:sales:0.125",
        "payment:none:MYR",
    ]
    keys += ["payment:e-wallet tng:SGD", "account:wht_payable", "account:rounding"]
    add(connection, replace(MEI, codes=dict.fromkeys(keys, "X")))
    assert sorted(get(connection, 8).codes) == sorted(keys)


def test_a_change_raises_the_version_and_one_that_changes_nothing_does_not(
    connection: Connection, tenant: Tenant
) -> None:
    assert change(connection, 7, lambda old: old).settings_version == 1
    assert change(connection, 7, lambda old: replace(old, codes={"tax:none:0": "NT"})).settings_version == 2
    assert change(connection, 7, lambda old: replace(old, tenant_id=9, settings_version=99)) == replace(
        tenant, codes={"tax:none:0": "NT"}, settings_version=2
    )


def test_a_wrong_change_leaves_everything_as_it_was(connection: Connection, tenant: Tenant) -> None:
    stopped(connection)
    with pytest.raises(UsageError, match="no time zone"):
        change(connection, 7, lambda old: replace(old, timezone="Mars"))
    assert get(connection, 7) == tenant
    assert connection.scalar(select(func.count()).select_from(stops)) == 1


def test_a_change_makes_open_tasks_due_and_asks_busy_ones_to_look_again(
    connection: Connection, tenant: Tenant, given_task: Given, given_document: Given
) -> None:
    add(connection, replace(tenant, tenant_id=8, company_id="C8"))
    stopped(connection)
    stopped(connection, 8)
    given_task(1, due_at=LATER)
    given_task(2)
    given_task(3, due_at=LATER, token=uuid.uuid4(), busy_until=LATER)
    given_task(4)
    given_document(4, verdict="block", code="TAX_CODE_UNMAPPED", next_at=LATER)
    given_task(5)
    given_document(5, verdict="conflict", code="DOCUMENT_CONFLICT")
    given_task(6, tenant_id=8, due_at=LATER)
    given_task(7, trouble_code="NO_COMPANY", trouble="not connected yet")
    given_task(8, due_at=LATER)
    given_document(8, verdict="retry", code="RATE_LIMITED", next_at=LATER)
    change(connection, 7, lambda old: replace(old, codes={"tax:none:0": "NT"}))
    assert due(connection) == {
        1: "now",
        2: "never",
        3: "again",
        4: "now",
        5: "never",
        6: "later",
        7: "now",
        8: "now",
    }
    assert connection.scalars(select(stops.c.tenant_id)).all() == [8]
    waiting = select(documents.c.aggregate_id).where(documents.c.next_at.is_not(None))
    assert connection.scalars(waiting).all() == [8]  # a server's Retry-After is kept
    assert connection.scalar(select(tasks.c.due_at).where(tasks.c.aggregate_id == 3)) == LATER


def test_a_task_that_is_overdue_keeps_its_turn(
    connection: Connection, tenant: Tenant, given_task: Given
) -> None:
    early = datetime(2026, 1, 1, tzinfo=UTC)
    given_task(1, due_at=early)
    change(connection, tenant.tenant_id, lambda old: replace(old, company_name="Mei Live (2026)"))
    assert connection.scalar(select(tasks.c.due_at)) == early


def test_an_earlier_cut_over_looks_again_at_what_was_skipped_behind_live_sales(
    connection: Connection, tenant: Tenant, given_task: Given, given_document: Given
) -> None:
    given_task(1)
    given_document(1, verdict="skip", code="BEFORE_CUTOVER")
    given_task(2, due_at=LATER)
    change(connection, tenant.tenant_id, lambda old: replace(old, cutover_date=date(2025, 1, 1)))
    assert due(connection) == {1: "now", 2: "now"}
    lanes = select(tasks.c.lane).order_by(tasks.c.aggregate_id)
    assert connection.scalars(lanes).all() == ["backfill", "live"]


def test_a_company_belongs_to_one_active_tenant(connection: Connection, tenant: Tenant) -> None:
    add(connection, MEI)
    with pytest.raises(UsageError, match="company C7 belongs to tenant 7 already"):
        connect(connection, 8, "C7", "MYR")
    with pytest.raises(UsageError, match="company C7 belongs to tenant 7 already"):
        add(connection, replace(MEI, tenant_id=9, company_id="C7"))
    change(connection, tenant.tenant_id, lambda old: replace(old, active=False))
    assert connect(connection, 8, "C7", "MYR").company_id == "C7"
    with pytest.raises(UsageError, match="company C7 belongs to tenant 8 already"):
        change(connection, tenant.tenant_id, lambda old: replace(old, active=True))


def test_the_first_company_needs_no_new_cut_over_and_the_next_one_does(connection: Connection) -> None:
    add(connection, MEI)
    first = connect(connection, 8, "C1", "SGD")
    assert (first.company_id, first.home_currency, first.cutover_date) == ("C1", "SGD", MEI.cutover_date)
    assert connect(connection, 8, "C1", "SGD") == first
    with pytest.raises(UsageError, match="--new-company and --cutover-date"):
        connect(connection, 8, "C2", "SGD")
    moved = connect(connection, 8, "C2", "MYR", new_cutover=date(2026, 7, 1))
    assert (moved.company_id, moved.cutover_date, moved.settings_version) == ("C2", date(2026, 7, 1), 3)


def test_two_changes_at_once_are_both_kept(engine: Engine) -> None:
    with engine.begin() as first:
        add(first, MEI)
    with engine.connect() as first, engine.connect() as second:
        change(first, 8, lambda old: replace(old, codes={**old.codes, "tax:none:0": "NT"}))
        second.exec_driver_sql("set lock_timeout = '50ms'")
        with pytest.raises(Exception, match="lock timeout"):
            change(second, 8, lambda old: replace(old, codes={**old.codes, "account:sales": "40000"}))
        second.rollback()
        first.commit()
        done = change(second, 8, lambda old: replace(old, codes={**old.codes, "account:sales": "40000"}))
    assert done.codes == {"tax:none:0": "NT", "account:sales": "40000"}


def test_the_time_of_a_change_is_noted(connection: Connection, tenant: Tenant) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    connection.execute(update(tenants).values(updated_at=past))
    change(connection, tenant.tenant_id, lambda old: replace(old, active=False))
    assert connection.scalar(select(tenants.c.updated_at > past))
