"""Tasks that are due: a retry, a backfill, a claim whose holder died, all go into the outbox like a change.

Here is where pacing belongs: what is not taken now stays a due task and stands in nobody's way.
"""

import psycopg

from outbox.session import telling
from outbox.statements import statements

MOST_TASKS = 2_000
_SQL = statements("outbox", "due.sql")


def take_due(session: psycopg.Connection, tasks: int = MOST_TASKS) -> int:
    """Take up to `tasks` tasks that are due, live ones first, and put them into the outbox.

    Returns:
        How many were taken.

    Raises:
        DatabaseError: PostgreSQL gave up; nothing was taken.
    """
    with telling():
        return session.execute(_SQL["take_due"], {"tasks": tasks}).rowcount
