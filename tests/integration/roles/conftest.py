"""Logins of each role, as an operator makes them."""

import secrets
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy.engine import make_url

Login = Callable[..., str]


@pytest.fixture
def login(database: str) -> Iterator[Login]:
    """Give a function that makes a login with these roles of ours and returns its URL."""
    made: list[str] = []
    with psycopg.connect(database, autocommit=True) as conn:

        def make(*roles: str) -> str:
            name = f"sync_{secrets.token_hex(4)}"
            conn.execute(f"create role {name} login")
            made.append(name)
            for role in roles:
                conn.execute(f"grant aiaccount_{role} to {name}")
            return make_url(database).set(username=name).render_as_string()

        yield make
        for name in made:
            conn.execute(f"drop owned by {name}; drop role {name}")
