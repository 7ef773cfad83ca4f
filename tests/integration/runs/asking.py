"""Ask for runs, carry them in this process, and count."""

from datetime import date
from typing import Any

from sqlalchemy import Engine

from outbox import runs
from outbox.carrying import Carrying
from outbox.endpoints import Endpoint
from outbox.failpoints import Reach, inert
from outbox.runs import Asked, Counts, Motion, Run
from tests.integration.delivery.world import TENANT, World

MAY = date(2026, 5, 1), date(2026, 5, 31)
EVERYTHING = tuple(Endpoint)


def ask(
    engine: Engine,
    dates: tuple[date, date] = MAY,
    endpoints: tuple[Endpoint, ...] = EVERYTHING,
    tenants: tuple[int, ...] = (TENANT,),
) -> int:
    """Record a run, and return its id."""
    with engine.begin() as connection:
        run = runs.record(connection, Asked(tenants, endpoints, *dates), "Mei")
    assert run is not None
    return run


def cancel(engine: Engine, run: int) -> None:
    """Cancel a run."""
    with engine.begin() as connection:
        runs.cancel(connection, run, "Mei")


def told(engine: Engine, run: int) -> Run:
    """Return a run."""
    with engine.begin() as connection:
        return runs.get(connection, run)


def counted(engine: Engine, run: int) -> Counts:
    """Count a run's rows."""
    with engine.begin() as connection:
        return runs.counts(connection, run)


def moving(engine: Engine, run: int) -> Motion:
    """Return what becomes of what is left of a run."""
    with engine.begin() as connection:
        return runs.motion(connection, run)


def totals(engine: Engine, run: int) -> dict[str, int]:
    """Count a run's rows by state."""
    return {str(state): rows for state, rows in counted(engine, run).total.items() if rows}


def carry(
    world: World, turns: int = 16, rows: int = 500, reach: Reach = inert, *, leads: bool = True
) -> None:
    """Let one that has just begun do so many turns: a find, a page, or a look, of each run."""
    carrying = Carrying(world.database, lambda: leads, rows=rows, reach=reach)
    try:
        for _ in range(turns):
            carrying.run_once()
    finally:
        carrying.close()


async def before_the_cutover(world: World) -> None:
    """Let the rows that come lie before the cut-over."""
    await world.sql(
        "update aiaccount.tenants set cutover_date = '2026-06-01', settings_version = settings_version + 1"
    )


async def task_of(world: World, endpoint: Endpoint, key: int) -> dict[str, Any] | None:
    """Return a task, if there is one."""
    rows = await world.sql(
        "select * from aiaccount.tasks where endpoint = %s and aggregate_id = %s", [endpoint, key]
    )
    return rows[0] if rows else None
