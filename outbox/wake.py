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
    finals = ("wake_final",) if everything else ()
    _run(
        connection,
        tenant_id,
        "lift_stops",
        "forget_breakers",
        "lock_tasks",
        "wake_open",
        *finals,
        "free_blocked",
    )


def forgive(connection: Connection, tenant_id: int) -> None:
    """Wake a tenant whose settings are as they were: its key is new, or is taken again, as a person says.

    The settings' version rises: processes remember refusals by it, and by it first deliveries look again.
    """
    raise_version(connection, tenant_id)
    wake(connection, tenant_id)


def raise_version(connection: Connection, tenant_id: int) -> None:
    """Let the tenant's settings stand under a new version, as they are."""
    _run(connection, tenant_id, "raise_version")


def _run(connection: Connection, tenant_id: int, *steps: str) -> None:
    named = statements("outbox", "wake.sql")
    for step in steps:
        connection.exec_driver_sql(named[step], {"tenant": tenant_id})
