import psycopg
import pytest


def _tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("select relname from pg_class where relnamespace = 'public'::regnamespace")
        return {name for (name,) in rows}


@pytest.mark.parametrize("test", ["first", "second"])
def test_a_database_is_fresh_for_each_test(bare_database: str, test: str) -> None:
    assert "pos_transactions" in _tables(bare_database)
    assert "left_behind" not in _tables(bare_database), test
    with psycopg.connect(bare_database, autocommit=True) as connection:
        connection.execute("create table left_behind ()")
        connection.execute("begin")
        connection.execute("create table prepared_and_left ()")
        connection.execute("prepare transaction 'left by a test'")
