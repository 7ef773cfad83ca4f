"""Tasks that are due: a retry, a backfill, a claim whose holder died, all go into the outbox like a change.

Here is where pacing belongs: what is not taken now stays a due task and stands in nobody's way.
"""

import psycopg

from outbox.session import telling
from outbox.statements import statements

MOST_TASKS = 2_000
MOST_BACKFILL = 500
_SQL = statements("outbox", "due.sql")


def take_due(session: psycopg.Connection, tasks: int = MOST_TASKS, backfill: int = MOST_BACKFILL) -> int:
    """Take tasks that are due and put them into the outbox: live ones first, of each tenant its share.

    Args:
        session: In autocommit.
        tasks: The most at once.
        backfill: The most tasks of backfills that may be under way, of all tenants.

    Returns:
        How many were taken.

    Raises:
        DatabaseError: PostgreSQL gave up; nothing was taken.
    """
    with telling():
        return session.execute(_SQL["take_due"], {"tasks": tasks, "backfill": backfill}).rowcount


def release_passed(session: psycopg.Connection, tasks: int = MOST_TASKS) -> int:
    """Let go some of what a breaker blocked that a probe has passed; with the last the breaker is forgotten.

    Returns:
        How many tasks were made due; less than `tasks` where there is no more to do for now.

    Raises:
        DatabaseError: PostgreSQL gave up; nothing was let go.
    """
    with telling(), session.transaction():
        passed = session.execute(_SQL["passed_breaker"]).fetchone()
        if passed is None:
            return 0
        breaker = dict(zip(("tenant", "endpoint", "code", "value"), passed, strict=True))
        freed = session.execute(_SQL["let_go"], {**breaker, "tasks": tasks}).fetchall()[0][0]
        if freed < tasks:
            session.execute(_SQL["forget_breaker"], breaker)
        return int(freed)
