"""The facts that decide the pills, as the database has them: what waits, what failed, what is in the way."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from console.pill import Kind
from console.standing import Look, Standing, ledger, look, settle
from outbox.endpoints import Endpoint
from outbox.leadership import Leadership
from outbox.metrics import backlog
from outbox.statements import statements
from tests.integration.capture.till import Connection, connected
from tests.integration.roles.conftest import Login, login
from tests.integration.roles.test_readers import may_read

__all__ = ["login"]

_SQL = statements("tests.integration.status", "rows.sql")


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    """Give a connection to a database with two tenants, whose relay has just moved."""
    with connected(database) as conn:
        conn.execute(_SQL["tenants"])
        conn.execute(_SQL["moved"])
        yield conn


def document(conn: Connection, at: int, **more: object) -> None:
    """Write a document of the tenant 7's invoices, unless told otherwise."""
    usual = {"company": "C7", "tenant": 7, "endpoint": "pos_invoice", "accepted": None, "verdict": None}
    usual |= {"code": None, "reason": None, "age": timedelta(), "looked": timedelta()}
    conn.execute(_SQL["document"], usual | more | {"id": at})


def task(conn: Connection, at: int, due: timedelta | None, **more: object) -> None:
    """Write a task of the tenant 7's invoices; `due` from now on, its claim ended the time `died` ago."""
    usual = {"tenant": 7, "endpoint": "pos_invoice", "leases": 0, "busy": False, "trouble": None}
    usual |= {"handled": timedelta(), "died": None}
    conn.execute(_SQL["task"], usual | more | {"id": at, "due": due})


def seen(conn: Connection, *tenants: int) -> Look:
    """Look as the command does."""
    settle(conn)
    return look(conn, tenants or None)


def of(found: Look, tenant: int = 7, endpoint: Endpoint = Endpoint.POS_INVOICE) -> Standing:
    """Return one standing."""
    (one,) = [each for each in found.standings if (each.tenant_id, each.endpoint) == (tenant, endpoint)]
    return one


def test_tenants_without_anything_have_no_data(conn: Connection) -> None:
    found = seen(conn)
    assert [(each.tenant_id, each.endpoint) for each in found.standings] == [
        (tenant, endpoint) for tenant in (7, 8) for endpoint in Endpoint
    ]
    assert {each.pill.kind for each in found.standings} == {Kind.NO_DATA}
    assert (found.operator, found.captures, found.lead.leads) == (True, True, False)


def test_rows_are_those_of_the_last_ones_day_in_the_tenants_zone_and_of_the_company_of_now(
    conn: Connection,
) -> None:
    for at, accepted in enumerate(
        ("2026-05-14 15:59Z", "2026-05-14 16:00Z", "2026-05-15 03:59Z", "2026-05-15 06:30Z")
    ):
        document(conn, at, accepted=accepted)
        document(conn, at, accepted=accepted, tenant=8, company="C8")
        document(conn, at, accepted="2026-05-16 00:00Z", company="C-OLD")
    document(conn, 9, accepted="2026-05-16 00:00Z", endpoint="pos_receipt")
    found = seen(conn)
    assert of(found).pill.text == "Last sync 5/15 14:30 · 3 rows"
    assert of(found, 8).pill.text == "Last sync 5/15 02:30 · 1 row"
    assert of(found, 7, Endpoint.POS_RECEIPT).pill.text == "Last sync 5/16 08:00 · 1 row"
    assert {each.tenant_id for each in seen(conn, 8).standings} == {8}


def test_failures_are_told_by_reason_and_value(conn: Connection) -> None:
    hour = timedelta(hours=1)
    said = {"code": "TAX_CODE_MISSING", "verdict": "block"}
    document(conn, 1, reason="Tax Code 'MY-SALES10' not found", age=hour, **said)
    document(conn, 2, reason="line 2: Tax Code 'MY-SALES10' not found", age=2 * hour, **said)
    document(conn, 3, reason="Tax Code 'SV6' not found", **said)
    document(
        conn,
        4,
        accepted="2026-05-14",
        verdict="conflict",
        code="AMENDED_AFTER_PUSH",
        age=9 * hour,
        looked=hour,
    )
    document(conn, 5, verdict="skip", code="ZERO_TOTAL")
    task(conn, 6, timedelta(days=1), trouble="MAPPING_FAILED", handled=hour)
    one = of(seen(conn))
    assert [(each.code, each.value, each.count, each.number) for each in one.facts.failures] == [
        ("TAX_CODE_MISSING", "MY-SALES10", 2, "N2"),
        ("AMENDED_AFTER_PUSH", None, 1, "N4"),
        ("MAPPING_FAILED", None, 1, None),
        ("TAX_CODE_MISSING", "SV6", 1, "N3"),
    ]
    assert one.facts.now - one.facts.failures[0].since >= 2 * hour
    assert (
        one.facts.now - next(each for each in one.facts.failures if each.state == "conflict").since < 2 * hour
    )
    assert one.pill.text.startswith("Failed · Tax Code missing: MY-SALES10 · 2 documents since ")
    assert one.pill.text.endswith(" · 3 other reasons")
    assert ledger(conn) == {"blocked": 3, "conflict": 1, "skipped": 1}


def test_what_waits_is_counted_once(conn: Connection) -> None:
    minute = timedelta(minutes=1)
    task(conn, 1, -minute)
    document(conn, 1, verdict="retry", code="HTTP_5XX", age=minute)
    task(conn, 2, 10 * minute)
    document(conn, 2, verdict="retry", code="HTTP_5XX", age=3 * minute)
    document(conn, 3, verdict="wait")
    task(conn, 4, 5 * minute, leases=1)
    task(conn, 5, minute, busy=True)
    task(conn, 6, 10 * minute)  # looked at later: nothing waits for it
    task(conn, 7, None)
    waiting = of(seen(conn)).facts.waiting
    assert (waiting.count, waiting.code, waiting.moves) == (5, "HTTP_5XX", True)
    assert waiting.since is not None
    assert of(seen(conn)).pill.text == "Syncing · 5 waiting · oldest 3 min"


def test_what_was_handed_out_and_not_claimed_waits_since_it_was_due(conn: Connection) -> None:
    task(conn, 1, timedelta(minutes=4), leases=3)  # of 5, 10 and 20 minutes
    one = of(seen(conn))
    assert (
        timedelta(minutes=31)
        <= one.facts.now - (one.facts.waiting.since or one.facts.now)
        < timedelta(minutes=32)
    )
    assert one.pill.kind is Kind.STALLED
    assert one.pill.text.startswith("Stalled · nothing moves since ")


def test_what_a_dead_consumer_held_waits_since_its_claim_ended(conn: Connection) -> None:
    task(conn, 1, timedelta(minutes=3), leases=1, died=timedelta(minutes=4))
    one = of(seen(conn))
    assert (one.facts.waiting.count, one.facts.waiting.moves) == (1, False)
    assert one.pill.kind is Kind.STALLED
    assert backlog(conn).overdue == 0
    conn.execute("update aiaccount.tasks set leases = 2, due_at = now() + interval '9.5 minutes'")
    assert of(seen(conn)).pill.kind is Kind.STALLED
    assert backlog(conn).overdue == 1


def test_a_change_whose_claim_ended_is_taken_by_no_consumer(conn: Connection) -> None:
    conn.execute(_SQL["change"], {"id": 1, "age": timedelta(minutes=3)})
    conn.execute(_SQL["moved"])
    held = {"tenant": None, "handled": None, "leases": 1}
    for endpoint in (Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT):
        task(conn, 1, timedelta(minutes=4), endpoint=endpoint, died=timedelta(minutes=1), **held)
    assert of(seen(conn)).pill.text.startswith("Stalled · no consumer takes changes since ")
    conn.execute("update aiaccount.tasks set busy_until = due_at, leases = 0")
    assert of(seen(conn)).pill.kind is Kind.NO_DATA


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("insert into aiaccount.stops values (7, '*', 'API_KEY_INVALID', 'no', 1, 1)", "API key refused"),
        (
            "insert into aiaccount.stops values (7, 'pos_invoice', 'SCOPE_MISSING', 'no', 1, 1)",
            "API key may not do this",
        ),
        ("insert into aiaccount.stops values (7, '*', 'API_KEY_INVALID', 'of old settings', 1, 0)", None),
        ("insert into aiaccount.stops values (7, 'kol_bill', 'SCOPE_MISSING', 'elsewhere', 1, 1)", None),
        ("update aiaccount.tenants set active = false where tenant_id = 7", "Tenant is inactive"),
        ("update aiaccount.tenants set company_id = null where tenant_id = 7", "No company connected"),
    ],
)
def test_a_tenant_that_is_not_called_is_paused(conn: Connection, change: str, said: str | None) -> None:
    conn.execute(change)
    found = seen(conn)
    assert of(found).pill.text == ("No data to push" if said is None else f"Paused · {said}")
    assert of(found, 8).pill.kind is Kind.NO_DATA


def test_what_is_blocked_for_want_of_a_key_pauses(conn: Connection) -> None:
    document(conn, 1, verdict="block", code="API_KEY_MISSING", reason="no API key was entered")
    assert of(seen(conn)).pill.text == "Paused · No API key"


def test_capture_that_is_off_stalls_every_tenant(conn: Connection) -> None:
    conn.execute("alter table kol_settlements disable trigger aiaccount_update")
    found = seen(conn)
    assert not found.captures
    assert {each.pill.text for each in found.standings} == {"Stalled · changes are not captured"}


@pytest.mark.parametrize("mode", ["always", "replica"])
def test_a_trigger_that_always_fires_captures_and_one_of_a_replica_does_not(
    conn: Connection, mode: str
) -> None:
    conn.execute(f"alter table kol_settlements enable {mode} trigger aiaccount_update")
    assert seen(conn).captures == (mode == "always")


def test_a_cursor_that_stands_still_stalls_every_tenant_and_who_leads_is_named(
    conn: Connection, database: str
) -> None:
    leadership = Leadership(database, "test")
    try:
        assert leadership.take() is not None
        conn.execute("update aiaccount.relay_cursor set moved_at = now() - interval '31 seconds'")
        found = seen(conn)
        assert found.lead.leads
        assert found.lead.by
        assert found.lead.since is not None
        assert {each.pill.text.partition(" since ")[0] for each in found.standings} == {
            "Stalled · the relay stands still"
        }
    finally:
        leadership.drop()


def test_a_change_that_waits_for_the_relay_stalls(conn: Connection) -> None:
    conn.execute(_SQL["change"], {"id": 1, "age": timedelta(minutes=3)})
    assert of(seen(conn)).pill.text.startswith("Stalled · changes wait for the relay since ")
    conn.execute(_SQL["moved"])
    assert of(seen(conn)).facts.way.unread_since is None


def test_changes_that_no_consumer_takes_stall_their_endpoints_alone(conn: Connection) -> None:
    conn.execute(_SQL["change"], {"id": 1, "age": timedelta(minutes=3)})
    conn.execute(_SQL["moved"])
    task(conn, 1, None, endpoint="pos_receipt", handled=timedelta(minutes=2))
    found = seen(conn)
    assert of(found).pill.text.startswith("Stalled · no consumer takes changes since ")
    assert of(found, 8).pill.kind is Kind.STALLED
    assert {of(found, 7, each).pill.kind for each in Endpoint if each is not Endpoint.POS_INVOICE} == {
        Kind.NO_DATA
    }
    task(conn, 2, timedelta(minutes=1), busy=True, tenant=8)
    assert of(seen(conn)).pill.kind is Kind.NO_DATA


def test_a_row_of_a_tenant_not_known_yet_that_waits_too_long_stalls_its_endpoint(conn: Connection) -> None:
    task(conn, 1, timedelta(minutes=2), leases=1, died=timedelta(minutes=3), tenant=None)
    found = seen(conn)
    assert of(found).pill.text.startswith("Stalled · no consumer takes changes since ")
    assert of(found, 8).pill.kind is Kind.STALLED
    assert of(found, 7, Endpoint.POS_RECEIPT).pill.kind is Kind.NO_DATA
    conn.execute("update aiaccount.tasks set due_at = now() + interval '4 minutes'")  # handed out just now
    assert of(seen(conn)).pill.kind is Kind.NO_DATA
    conn.execute(
        "update aiaccount.tasks set due_at = now() - interval '3 minutes',"
        " leases = 0, token = null, busy_until = null"
    )
    assert of(seen(conn)).pill.kind is Kind.STALLED
    task(conn, 2, timedelta(minutes=1), busy=True, tenant=8)
    assert of(seen(conn)).pill.kind is Kind.NO_DATA


def test_a_change_that_no_consumer_takes_is_seen_behind_many_of_another_kind(conn: Connection) -> None:
    conn.execute(_SQL["settlement"], {"id": 1, "age": timedelta(minutes=5)})
    for at in range(250):
        conn.execute(_SQL["change"], {"id": at, "age": timedelta(minutes=3)})
        for endpoint in (Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT):
            task(conn, at, None, endpoint=endpoint, handled=timedelta(minutes=2))
    conn.execute(_SQL["moved"])
    found = seen(conn)
    assert of(found, 7, Endpoint.KOL_BILL).pill.text.startswith("Stalled · no consumer takes changes since ")
    assert of(found).pill.kind is Kind.NO_DATA


def test_an_outage_stalls_what_waits(conn: Connection) -> None:
    conn.execute(
        "insert into aiaccount.outages (endpoint, reason, probe_at) values ('pos_invoice', 'down', now())"
    )
    assert of(seen(conn)).pill.kind is Kind.NO_DATA
    task(conn, 1, timedelta())
    assert of(seen(conn)).pill.text.startswith("Stalled · AiAccount is down here since ")


def test_a_reader_sees_the_same_pills_of_its_tenants_and_no_pipeline(
    conn: Connection, database: str, login: Login
) -> None:
    document(conn, 1, accepted="2026-05-15 06:30Z")
    document(conn, 2, verdict="block", code="ACCOUNT_UNMAPPED", reason="account:tips")
    document(conn, 3, tenant=8, company="C8", verdict="block", code="NO_LINES")
    task(conn, 1, timedelta(minutes=-1))
    conn.execute("insert into aiaccount.stops values (7, 'kol_bill', 'SCOPE_MISSING', 'no', 1, 1)")
    url = login("reader")
    may_read(database, url, 7)
    with connected(url) as reading:
        mine = seen(reading)
    whole = seen(conn)
    assert not mine.operator
    assert [each.pill for each in mine.standings] == [
        each.pill for each in whole.standings if each.tenant_id == 7
    ]
    assert [each.pill.kind for each in mine.standings] == [
        Kind.FAILED,
        Kind.NO_DATA,
        Kind.PAUSED,
        Kind.NO_DATA,
    ]
    with connected(login("reader")) as stranger:
        assert seen(stranger).standings == ()


def test_a_login_without_a_role_sees_nothing(conn: Connection, login: Login) -> None:
    assert seen(conn)
    with connected(login()) as stranger, pytest.raises(psycopg.errors.InsufficientPrivilege):
        stranger.execute("select from aiaccount.pulse")
