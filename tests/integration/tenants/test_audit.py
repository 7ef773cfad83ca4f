"""What was done stands for good: the database refuses to change it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from outbox.audit import Deed, changes, read, write


def test_a_deed_is_read_as_it_was_written_with_the_role_and_the_time(connection: Connection) -> None:
    write(connection, Deed("mei", "credentials set", 7, None, {"version": 2}))
    write(connection, Deed("siti", "resolve --accept", 8, "POS1"), succeeded=False)
    first, second = read(connection)
    assert (first.actor, first.action, first.tenant_id, first.detail) == (
        "mei",
        "credentials set",
        7,
        {"version": 2},
    )
    assert first.role == connection.scalar(text("select session_user"))
    assert (second.subject, second.succeeded) == ("POS1", False)
    assert first.at <= second.at <= datetime.now(UTC)


def test_what_is_read_is_filtered_and_the_newest_of_it(connection: Connection) -> None:
    for tenant_id in (7, 8, 7):
        write(connection, Deed("mei", "tenants set", tenant_id))
    assert [one.tenant_id for one in read(connection, tenant_id=7)] == [7, 7]
    assert [one.tenant_id for one in read(connection, last=2)] == [8, 7]
    assert read(connection, since=datetime(2100, 1, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize("table", ["audit", "decisions"])
@pytest.mark.parametrize("change", ["update aiaccount.{} set tenant_id = 1", "delete from aiaccount.{}"])
def test_the_database_refuses_to_change_what_was_done(
    connection: Connection, table: str, change: str
) -> None:
    with pytest.raises(ProgrammingError, match="append-only"):
        connection.execute(text(change.format(table)))


@pytest.mark.parametrize("table", ["audit", "decisions"])
def test_the_database_refuses_to_empty_the_record(connection: Connection, table: str) -> None:
    with pytest.raises(ProgrammingError, match="append-only"):
        connection.execute(text(f"truncate aiaccount.{table}"))


def test_changes_name_what_differs_only() -> None:
    assert changes({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "d": 5}) == {
        "b": [2, 4],
        "c": [3, None],
        "d": [None, 5],
    }
