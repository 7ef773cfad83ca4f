"""The tables in Python are those of the migrations, column by column."""

import pytest
from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.dialects import postgresql

from outbox.inspection import TABLES
from outbox.tables import metadata

COLUMNS = text(
    """
    select column_name, udt_name, is_nullable = 'YES', is_generated = 'ALWAYS', is_identity = 'YES'
      from information_schema.columns
     where table_schema = 'aiaccount' and table_name = :table
     order by ordinal_position
    """
)
SHORT = {
    "BIGINT": "int8",
    "INTEGER": "int4",
    "SMALLINT": "int2",
    "REAL": "float4",
    "BOOLEAN": "bool",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


def mirrored(table: Table) -> list[tuple[str, str, bool, bool, bool]]:
    """Return what the catalogue should say of a table's columns."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    columns = []
    for column in table.columns:
        kind = column.type.compile(dialect)
        generated = column.computed is not None
        nullable = bool(column.nullable)
        columns.append(
            (column.name, SHORT.get(kind, kind.lower()), nullable, generated, column.identity is not None)
        )
    return columns


def test_every_table_of_ours_is_one_that_a_check_misses(connection: Connection) -> None:
    assert set(inspect(connection).get_table_names("aiaccount")) == set(TABLES)


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_a_table_has_the_columns_and_the_key_that_are_mirrored(connection: Connection, table: Table) -> None:
    there = [tuple(row) for row in connection.execute(COLUMNS, {"table": table.name})]
    assert mirrored(table) == there
    key = inspect(connection).get_pk_constraint(table.name, "aiaccount")["constrained_columns"]
    assert [column.name for column in table.primary_key] == key
