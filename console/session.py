"""What every command of one run shares: its options, its configuration and its database."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import psycopg
import typer
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from outbox.environment import Config, read_config
from outbox.errors import DatabaseError, InstallationError
from outbox.installation import verify
from outbox.reconcile import open_reconciliation
from outbox.session import open_session, telling

CONNECT_SECONDS = 10


class Session:
    """One run of the command line; `debug` is an option of it."""

    debug = False

    @cached_property
    def config(self) -> Config:
        """The configuration, read when a command first asks, so that help needs none."""
        return read_config()


def session_of(context: typer.Context) -> Session:
    """Return the run's session."""
    session: Session = context.obj
    return session


@contextmanager
def transaction(config: Config) -> Iterator[Connection]:
    """Open one transaction on the database, once it is known to be this environment's.

    Raises:
        UsageError: The database's URL or the environment's name is not set.
        InstallationError: Nothing is installed there, it is another environment's, or a privilege is missing.
        DatabaseError: PostgreSQL cannot be reached or gave up.
    """
    url, environment = config.require_database(), config.require_environment()
    engine = create_engine("postgresql+psycopg://", creator=lambda: _connected(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            driver = connection.connection.driver_connection
            if not isinstance(driver, psycopg.Connection):
                raise TypeError("the engine's driver is not psycopg")
            verify(driver, environment)
            yield connection
    except (OperationalError, InterfaceError) as error:
        raise DatabaseError(f"PostgreSQL: {error.orig}") from error
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise InstallationError(
                f"the database login lacks a role of this command's (its --help names it): {error.orig}"
            ) from error
        if isinstance(error.orig, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
            said = "the database is of an older program: run `aiaccount-sync migrate`"
            raise InstallationError(f"{said} ({error.orig})") from error
        raise
    except psycopg.OperationalError as error:
        raise DatabaseError(f"PostgreSQL: {error}") from error


def _connected(url: str) -> psycopg.Connection:
    return psycopg.connect(url, connect_timeout=CONNECT_SECONDS, application_name="aiaccount-sync")


@contextmanager
def comparing(config: Config) -> Iterator[psycopg.Connection]:
    """Open a connection for a reconciliation by hand; raises as `transaction` does."""
    url, environment = config.require_database(), config.require_environment()
    with _naming_what_lacks(), open_reconciliation(url) as session:
        with telling():
            verify(session, environment)
        yield session


@contextmanager
def looking(config: Config) -> Iterator[psycopg.Connection]:
    """Open a connection that looks and changes nothing; raises as `transaction` does."""
    url, environment = config.require_database(), config.require_environment()
    with _naming_what_lacks(), open_session(url, "aiaccount-sync status") as session:
        with telling():
            verify(session, environment)
        yield session


@contextmanager
def _naming_what_lacks() -> Iterator[None]:
    """Say so where the login lacks a role, or the database is of an older program."""
    try:
        yield
    except DatabaseError as error:
        if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
            raise InstallationError(
                f"the database login lacks a role of this command's (its --help names it): {error}"
            ) from error
        if isinstance(error.__cause__, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
            said = "the database is of an older program: run `aiaccount-sync migrate`"
            raise InstallationError(f"{said} ({error})") from error
        raise
