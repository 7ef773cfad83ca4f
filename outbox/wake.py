"""Make a tenant's open tasks look again, in the transaction of the change that may have mended them."""

from sqlalchemy import Connection

from outbox.statements import statements


def wake(connection: Connection, tenant_id: int, *, everything: bool = False) -> None:
    """Lift the tenant's stops, free what is blocked and make due now all that is not final.

    Args:
        connection: In the transaction that changed the tenant's settings or key.
        tenant_id: Whose tasks.
        everything: Also tasks that are done with, in the backfill lane: the change may call for what was
            skipped.
    """
    named = statements("outbox", "wake.sql")
    steps = ["lift_stops", "lock_tasks", "wake_open", *(["wake_final"] if everything else []), "free_blocked"]
    for step in steps:
        connection.exec_driver_sql(named[step], {"tenant": tenant_id})
