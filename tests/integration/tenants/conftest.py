"""Connections to a fresh database of ours, and rows to try things on."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert
from sqlalchemy.engine import make_url

from outbox.tables import documents, tasks
from outbox.tenants import Tenant, add

Given = Callable[..., None]


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """Give an engine on a database with all of ours."""
    engine = create_engine(make_url(database).set(drivername="postgresql+psycopg"))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that ends with the test."""
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def tenant(connection: Connection) -> Tenant:
    """Give a tenant that was added: 7, connected to the company C7."""
    tenant = Tenant(7, "Mei Live Sdn Bhd", date(2026, 1, 1), company_id="C7")
    add(connection, tenant)
    return tenant


@pytest.fixture
def given_task(connection: Connection) -> Given:
    """Give a function that puts a task into the table."""

    def given(aggregate_id: int, **values: object) -> None:
        row = {"endpoint": "pos_invoice", "tenant_id": 7, "aggregate_id": aggregate_id, **values}
        connection.execute(insert(tasks).values(**row))

    return given


@pytest.fixture
def given_document(connection: Connection) -> Given:
    """Give a function that puts a document into the ledger."""

    def given(aggregate_id: int, **values: object) -> None:
        row = {
            "company_id": "C7",
            "endpoint": "pos_invoice",
            "aggregate_id": aggregate_id,
            "number": f"N{aggregate_id}",
            "tenant_id": 7,
            **values,
        }
        connection.execute(insert(documents).values(**row))

    return given
