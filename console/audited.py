"""Write down who does what, failed tries too: the change and its record together, a failure by itself."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import typer

from console.entering import person
from console.session import transaction
from consumers.redact import redact
from outbox import audit
from outbox.audit import Deed
from outbox.environment import Config
from outbox.errors import DatabaseError, InstallationError, UsageError

log = logging.getLogger("aiaccount.audit")


@contextmanager
def on_record(
    config: Config, action: str, *, tenant_id: int | None = None, subject: str | None = None
) -> Iterator[Deed]:
    """Give a deed for the transaction of the change to write; what raises is written down as failed.

    The record of a failure has a transaction of its own, since the change was rolled back. Where the database
    itself is what failed, there is nowhere to write.
    """
    deed = Deed(person(), action, tenant_id, subject)
    try:
        yield deed
    except Exception as error:
        failed(config, replace(deed, detail={"error": _sentence(error)}))
        raise


def failed(config: Config, deed: Deed) -> None:
    """Write down a try that failed."""
    try:
        with transaction(config) as connection:
            audit.write(connection, deed, succeeded=False)
    except (InstallationError, DatabaseError, UsageError) as error:  # this is being said
        log.debug("a failed try could not be written down", extra={"error": str(error)})


def _sentence(error: Exception) -> str:
    """Say why it failed, without a secret."""
    if isinstance(error, typer.Exit):
        return "refused"
    return redact(" ".join(str(error).split()) or type(error).__name__)
