"""The logins of an installation: one for each kind of process, with the role that its work needs.

An operator makes them once and keeps a URL for each; here they have no password, for servers that trust
everyone on this machine.
"""

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from types import MappingProxyType

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url


class Login(StrEnum):
    """Who connects: the relay, the consumers, a person at the console, and who handles the stored keys."""

    RELAY = "sync_relay"
    CONSUMERS = "sync_consumers"
    CONSOLE = "sync_console"
    KEYS = "sync_keys"


_ROLES: Mapping[Login, tuple[str, ...]] = MappingProxyType(
    {
        Login.RELAY: ("aiaccount_relay",),
        Login.CONSUMERS: ("aiaccount_consumer",),
        Login.CONSOLE: ("aiaccount_admin",),
        Login.KEYS: ("aiaccount_admin", "aiaccount_keys"),
    }
)
_KEYS = (("credentials", "test"), ("credentials", "rotate"))


def make_logins(url: str) -> None:
    """Make them on the server of a database that was migrated; those that are there stay."""
    with psycopg.connect(url, autocommit=True) as connection:
        for login, roles in _ROLES.items():
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                statement = sql.SQL("create role {} login in role {}")
                names = sql.SQL(", ").join(map(sql.Identifier, roles))
                connection.execute(statement.format(sql.Identifier(login), names))


def login_of(arguments: tuple[str, ...]) -> Login | None:
    """Return who runs these arguments of `aiaccount-sync`; none for whoever migrates."""
    match arguments:
        case ("migrate", *_):
            return None
        case ("relay", *_):
            return Login.RELAY
        case ("consume", *_):
            return Login.CONSUMERS
        case ("reconcile", *options) if "--remote" in options:
            return Login.KEYS
        case _:
            return Login.KEYS if arguments[:2] in _KEYS else Login.CONSOLE


def as_login(url: str, login: Login) -> str:
    """Return a database's URL for a login."""
    return make_url(url).set(username=login.value).render_as_string(hide_password=False)
