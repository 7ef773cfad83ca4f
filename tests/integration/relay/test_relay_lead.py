"""One relay leads, and a cursor that means nothing here begins anew."""

import psycopg
import pytest

from outbox.errors import Fenced, InstallationError
from outbox.leadership import REANCHORED, Leadership
from outbox.metrics import RelayMetrics
from outbox.relay import Relay
from outbox.session import STANDSTILL
from tests.integration.reconcile.looking import looked
from tests.integration.relay.conftest import MakeRelay
from tests.integration.relay.recorder import ENVIRONMENT, Recorder, change, drain
from tests.waiting import wait_for

TENANT = """
insert into aiaccount.tenants (tenant_id, company_name, kol_mode, cutover_date, active)
values (7, 'Kedai Tujuh', 'single', '2026-01-01', %s)
"""
SALE = """
insert into pos_transactions (blogger_id, store_code, receipt_no, subtotal, total_amount)
values (7, 'KL', 'POS2026010100001', 10, 10) returning id
"""
DIGEST = """
select sha256(convert_to(coalesce(snapshot, 'null'::jsonb)::text, 'UTF8'))
from aiaccount.pos_transaction_snapshot where id = %s
"""


def epoch(writer: psycopg.Connection) -> int:
    return int(writer.execute("select epoch from aiaccount.relay_cursor").fetchall()[0][0])


def place(writer: psycopg.Connection) -> str:
    return str(writer.execute("select ctid::text from aiaccount.relay_cursor").fetchall()[0][0])


def test_a_second_relay_stands_by_and_takes_over_when_the_first_is_gone(
    make_relay: MakeRelay, relay: Relay, writer: psycopg.Connection
) -> None:
    mine = Recorder()
    second = make_relay(mine)
    assert not second.run_once().leading
    before = epoch(writer)
    relay.close()
    change(writer, 1)
    wait_for(lambda: second.run_once().leading, 5, "the lead")
    drain(second)
    assert epoch(writer) == before + 1
    assert mine.ids == [1]


def test_a_relay_that_stands_still_within_a_transaction_loses_it_and_the_lead(
    database: str, make_relay: MakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outbox.session._SETTINGS", dict.fromkeys(STANDSTILL, "200ms"))
    lead = Leadership(database, ENVIRONMENT)
    Relay(lead, Recorder, ENVIRONMENT, watcher=RelayMetrics()).run_once()
    assert lead.session is not None
    lead.session.execute("begin")
    lead.session.execute("select from aiaccount.relay_cursor for update")
    second = make_relay(Recorder())
    wait_for(lambda: second.run_once().leading, 5, "the lead")
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        lead.session.execute("commit")
    lead.drop()


def test_a_relay_that_lost_the_lead_without_knowing_moves_the_cursor_no_more(
    database: str, make_relay: MakeRelay, writer: psycopg.Connection
) -> None:
    old_sent, new_sent = Recorder(), Recorder()
    lead = Leadership(database, ENVIRONMENT)
    old = Relay(lead, lambda: old_sent, ENVIRONMENT, watcher=RelayMetrics())
    old.run_once()
    assert lead.session is not None
    lead.session.execute("select pg_advisory_unlock_all()")
    new = make_relay(new_sent)
    assert new.run_once().leading
    change(writer, 1)
    with pytest.raises(Fenced):
        drain(old)
    drain(new)
    assert new_sent.ids == [1], "the old one's tick moved nothing"
    old.close()
    change(writer, 2)
    drain(new)
    assert new_sent.ids == [1, 2]


def test_a_relay_that_lost_the_lead_is_fenced_though_the_cursor_stands_where_it_left_it(
    database: str, make_relay: MakeRelay, writer: psycopg.Connection
) -> None:
    """A move finds the row by its place, and another relay's version may come to stand there."""
    lead = Leadership(database, ENVIRONMENT)
    old = Relay(lead, Recorder, ENVIRONMENT, watcher=RelayMetrics())
    old.run_once()
    left = place(writer)
    assert lead.session is not None
    lead.session.execute("select pg_advisory_unlock_all()")
    sent = Recorder()
    new = make_relay(sent)
    assert new.run_once().leading
    writer.execute("vacuum full aiaccount.relay_cursor")
    for _ in range(300):
        if place(writer) == left:
            break
        writer.execute("update aiaccount.relay_cursor set moved_at = moved_at")
    assert place(writer) == left
    change(writer, 1)
    with pytest.raises(Fenced):
        drain(old)
    drain(new)
    assert sent.ids == [1], "the old one's tick moved nothing"
    old.close()


@pytest.mark.parametrize("column", ["system_identifier", "timeline_id"])
def test_a_cursor_of_another_cluster_or_timeline_begins_anew_and_all_is_looked_at_again(
    make_relay: MakeRelay, recorder: Recorder, writer: psycopg.Connection, column: str
) -> None:
    writer.execute(TENANT, [True])
    (fresh,), (handled,) = (
        writer.execute(SALE).fetchall()[0],
        writer.execute(SALE.replace("00001", "00002")).fetchall()[0],
    )
    digest = writer.execute(DIGEST, [handled]).fetchall()[0][0]
    writer.execute("delete from aiaccount.outbox")
    writer.execute(
        "insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id, digest)"
        " values ('pos_invoice', %(handled)s, 7, %(digest)s), ('pos_receipt', %(handled)s, 7, '\\x00'),"
        " ('pos_invoice', 999, 7, '\\x00')",
        {"handled": handled, "digest": digest},
    )
    writer.execute(
        "insert into aiaccount.outbox (xid, aggregate_type, aggregate_id) values ('1', 'pos_transaction', 5),"
        " ('999999999', 'pos_transaction', 6)"
    )
    writer.execute(
        f"update aiaccount.relay_cursor set {column} = 12345, from_snapshot = '999999999:999999999:'"
    )
    relay = make_relay(recorder)
    relay.run_once()
    looked(writer.info.dsn)
    looked_for = {
        (fresh, "pos_invoice"),
        (fresh, "pos_receipt"),
        (handled, "pos_receipt"),
        (999, "pos_invoice"),
    }

    def seen() -> set[tuple[int, str | None]]:
        drain(relay)  # a relay that was slow to look for due tasks looks again a little later
        return {(each.aggregate_id, each.endpoint) for each in recorder.envelopes}

    wait_for(lambda: looked_for <= seen(), 20, "what a reconciliation made due")
    assert seen() == {(5, None), (6, None), *looked_for}
    relay.close()
    kinds = writer.execute("select kind from aiaccount.alerts order by id").fetchall()
    assert kinds == [(REANCHORED,), ("missed_changes",)]
    again = Recorder()
    drain(make_relay(again))
    assert again.ids == []


def test_a_tenant_that_is_not_active_is_not_looked_at_after_a_restore(
    make_relay: MakeRelay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    writer.execute(TENANT, [False])
    writer.execute(SALE)
    writer.execute("delete from aiaccount.outbox")
    writer.execute("update aiaccount.relay_cursor set system_identifier = 1")
    relay = make_relay(recorder)
    relay.run_once()
    looked(writer.info.dsn)
    drain(relay)
    relay.close()
    assert recorder.ids == []


def test_a_busy_task_is_asked_for_another_look_after_a_restore(
    make_relay: MakeRelay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    writer.execute(TENANT, [True])
    (sale,) = writer.execute(SALE).fetchall()[0]
    writer.execute("delete from aiaccount.outbox")
    writer.execute(
        "insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id, token, busy_until, due_at)"
        " values ('pos_invoice', %s, 7, gen_random_uuid(), now() + '1 min', now() + '1 min')",
        [sale],
    )
    writer.execute("update aiaccount.relay_cursor set timeline_id = 99")
    relay = make_relay(recorder)
    relay.run_once()
    looked(writer.info.dsn)
    drain(relay)
    relay.close()
    again, later = writer.execute(
        "select again, due_at > now() from aiaccount.tasks where endpoint = 'pos_invoice'"
    ).fetchall()[0]
    assert again
    assert later


def test_another_environments_database_is_refused(database: str) -> None:
    with pytest.raises(InstallationError, match="belongs to environment 'test'"):
        Leadership(database, "production").take()


def test_a_database_without_its_cursor_is_refused(database: str, writer: psycopg.Connection) -> None:
    writer.execute("delete from aiaccount.relay_cursor")
    with pytest.raises(InstallationError, match="cursor is missing"):
        Leadership(database, ENVIRONMENT).take()
