"""Add who may read which tenants."""

from outbox.migrations.sql import run

revision = "0009"
down_revision = "0007"


def upgrade() -> None:
    """Run the file."""
    run("0009_readers.sql")
