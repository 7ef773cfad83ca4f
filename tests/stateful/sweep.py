"""What the statements of `outbox/due.sql` do, on the tables in memory: what is due goes into the outbox."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from tests.stateful.changes import Changes
from tests.stateful.database import Database, Given
from tests.stateful.gate import Share, share_of
from tests.stateful.tables import Task

HOUR, LEASE = 3600.0, 300.0
QUEUED, HANDED = 600.0, 10.0
"""Seconds: how long a document whose turn has passed waits for a call, and a handed out task for a claim."""


def take_due(changes: Changes, given: Given) -> list[Any]:
    """Take from tenant to tenant as many tasks as its share allows, live ones first, each with a lease."""
    database, most = changes.database, given["tasks"]
    now = database.now()
    under_way = [task for task in database.tables.tasks.values() if _under_way(task, now)]
    room = max(given["backfill"] - sum(task.lane == "backfill" for task in under_way), 0)
    shares = {tenant_id: _allowed(database, tenant_id, most) for tenant_id in _owing(database)}
    shares = {
        each: _more(database, each, share, under_way) for each, share in shares.items() if max(share) > 0
    }
    live = [
        task
        for tenant_id, share in shares.items()
        for task in islice(_due(database, tenant_id, "live"), max(share[0], 0))
    ][:most]
    unknown = [task for task in _due_now(database) if task.tenant_id is None]
    unknown = sorted(unknown, key=lambda task: task.lane, reverse=True)[: most - len(live)]
    later: list[Task] = []
    waiting = {task.tenant_id for task in _due_now(database) if task.lane == "backfill"}
    filling = {each: share for each, share in shares.items() if share[1] > 0 and each in waiting}
    for tenant_id, share in filling.items():
        used = sum(task.tenant_id == tenant_id for task in live)
        least = min(max(share[1] - used, 0), room // len(filling) + 1)
        later += islice(_due(database, tenant_id, "backfill"), least)
    later = later[: max(min(room, most - len(live) - len(unknown)), 0)]
    taken = [*live, *unknown, *later]
    for task in taken:
        lease = min(LEASE * 2 ** min(task.leases, 10), HOUR)
        database.tables.put_task(task, due_at=now + lease, leases=min(task.leases + 1, 100))
    changes.add(taken)
    return taken


def passed_breaker(changes: Changes, given: Given) -> list[Any]:
    """Name a breaker that a probe has passed."""
    del given
    return [key for key, each in changes.database.tables.breakers.items() if each.passed_at is not None][:1]


def let_go(changes: Changes, given: Given) -> list[Any]:
    """Make due some of what was blocked for a reason that is gone."""
    database = changes.database
    wanted = (given["tenant"], given["endpoint"], given["code"], "block")
    now = database.now()
    blocked = [
        row
        for row in database.tables.documents.values()
        if (row.tenant_id, row.endpoint, row.code, row.verdict) == wanted and row.accepted_at is None
    ]
    kept = {
        (row.endpoint, row.aggregate_id) for row in blocked if row.next_at is not None and row.next_at > now
    }
    keys = [key for key in sorted(kept)[: given["tasks"]] if key in database.tables.tasks]
    for row in blocked:
        if (row.endpoint, row.aggregate_id) in keys:
            database.tables.put_document(row, next_at=None)
    database.look_again([database.tables.tasks[key] for key in keys], leases=0)
    return [(len(keys),)]


def forget_breaker(changes: Changes, given: Given) -> list[Any]:
    """Forget a breaker that was passed."""
    key = tuple(given[name] for name in ("tenant", "endpoint", "code", "value"))
    known = changes.database.tables.breakers.get(key)
    if known is not None and known.passed_at is not None:
        del changes.database.tables.breakers[key]
    return []


def _owing(database: Database) -> list[int]:
    tasks = database.tables.tasks.values()
    return sorted(
        {task.tenant_id for task in tasks if task.due_at is not None and task.tenant_id is not None}
    )


def _allowed(database: Database, tenant_id: int, most: int) -> tuple[int, int]:
    """Say how many live tasks, and how many of backfills, a tenant may have under way."""
    if tenant_id not in database.tables.tenants:
        return most, most
    share = share_of(database, tenant_id)
    if share.closed_until > database.now():
        return 0, 0
    later = None if share.calls is None else share.calls - share.reserve
    return _times_over(share, share.calls, most), _times_over(share, later, most)


def _more(
    database: Database, tenant_id: int, share: tuple[int, int], under_way: list[Task]
) -> tuple[int, int]:
    """Say how many more a tenant may have under way: live ones, and of backfills."""
    tasks = [task for task in under_way if task.tenant_id == tenant_id][: max(share)]
    if tenant_id not in database.tables.tenants or not _queues(database, tenant_id):
        return share[0] - len(tasks), share[1] - len(tasks)
    given = share_of(database, tenant_id)
    calling = sum(task.calling_for is not None for task in tasks)
    asking = sum(task.calling_for is None and _soon(task, database.now()) for task in tasks)
    free = None if given.calls_at_once is None else given.calls_at_once - calling
    later = None if given.calls is None else given.calls - given.reserve
    return _least(given.calls, free) - asking, _least(later, free) - asking


def _least(*numbers: int | None) -> int:
    return min(number for number in numbers if number is not None)


def _queues(database: Database, tenant_id: int) -> bool:
    """Say whether documents of a tenant that has a share wait for their call."""
    share = share_of(database, tenant_id)
    return (share.calls is not None or share.calls_at_once is not None) and any(
        (row.tenant_id, row.code, row.verdict, row.accepted_at) == (tenant_id, "PACED", "retry", None)
        and row.next_at is not None
        and row.next_at > database.now() - QUEUED
        for row in database.tables.documents.values()
    )


def _soon(task: Task, now: float) -> bool:
    """Say whether a task that is under way asks for its call soon, if it needs one."""
    lease = min(LEASE * 2 ** min(task.leases - 1, 10), HOUR)
    return task.token is not None or (task.due_at or 0.0) > now - HANDED + lease


def _times_over(share: Share, calls: int | None, most: int) -> int:
    if calls is not None and calls <= 0:
        return 0
    at_once = most if share.calls_at_once is None else 4 * share.calls_at_once + 1
    return min(most if calls is None else 4 * calls + 1, at_once)


def _due(database: Database, tenant_id: int, lane: str) -> Iterator[Task]:
    """Give a tenant's tasks of a lane that are due, but those of an endpoint that is down."""
    now = database.now()
    down = {endpoint for endpoint, outage in database.tables.outages.items() if outage.probe_at > now}
    return (
        task
        for task in _due_now(database)
        if (task.tenant_id, task.lane) == (tenant_id, lane) and task.endpoint not in down
    )


def _due_now(database: Database) -> list[Task]:
    now = database.now()
    due = [task for task in database.tables.tasks.values() if task.due_at is not None and task.due_at <= now]
    return sorted(due, key=lambda task: task.due_at or 0.0)


def _under_way(task: Task, now: float) -> bool:
    return (task.token is not None or task.leases > 0) and task.due_at is not None and task.due_at > now
