"""Make databases for tests: each test has its own, cloned from a template in some milliseconds."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

NS16_SCHEMA = Path(__file__).parents[1] / "deploy" / "ns16-schema.sql"


def database_url(server: str, name: str) -> str:
    """Return the URL of the database ``name`` on the server that the URL ``server`` points to."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def create_ns16(url: str) -> None:
    """Create NS16's tables in an empty database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(NS16_SCHEMA.read_bytes())


def drop(server: str, name: str) -> None:
    """Drop a database whatever still hangs on it: sessions and prepared transactions."""
    with psycopg.connect(server, autocommit=True) as connection:
        prepared = connection.execute(
            "select gid from pg_prepared_xacts where database = %s", [name]
        ).fetchall()
        if prepared:
            with psycopg.connect(database_url(server, name), autocommit=True) as inside:
                for (gid,) in prepared:
                    inside.execute(sql.SQL("rollback prepared {}").format(gid))
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@contextmanager
def template(server: str, *fill: Callable[[str], None]) -> Iterator[str]:
    """Create a database, fill it by calling each of ``fill`` with its URL, and yield its name."""
    name = f"aiaccount_template_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    try:
        for step in fill:
            step(database_url(server, name))
        yield name
    finally:
        drop(server, name)


@contextmanager
def cloned(server: str, template_name: str) -> Iterator[str]:
    """Clone a template and yield the clone's URL; it is dropped afterwards."""
    name = f"aiaccount_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(template_name)
            )
        )
    try:
        yield database_url(server, name)
    finally:
        drop(server, name)
