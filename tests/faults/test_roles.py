"""The main job runs with every process as a login of its own, which may do its work and no more."""

import psycopg
from psycopg.rows import TupleRow

from deploy.stack.logins import Login
from tests.faults.field import Field, ready
from tests.waiting import wait_for

ACTS = 60
SECONDS = 20.0


def connected(field: Field) -> set[TupleRow]:
    """Return who is connected as what: the first word after our name, and the login."""
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        return set(
            connection.execute(
                "select split_part(application_name, ' ', 2), usename from pg_stat_activity"
                " where datname = current_database() and application_name like 'aiaccount-sync %'"
            )
        )


def test_relay_and_consumers_each_do_their_work_as_their_own_login(field: Field) -> None:
    relay, consumers = field.relay(), field.consumers()
    ready(relay, consumers)
    field.trade.play(ACTS)
    field.drain()
    who = {("relay", Login.RELAY), ("housekeeping", Login.RELAY), ("consume", Login.CONSUMERS)}
    wait_for(lambda: connected(field) >= who, SECONDS, "our processes to be connected as their logins")
    assert {login for _, login in connected(field)} == {Login.RELAY, Login.CONSUMERS}
    verdict = field.settle()
    assert verdict.clean
    assert "permission denied" not in "".join(log.read_text("utf-8") for log in field.logs())
