"""Add what tells how the synchronization is doing."""

from outbox.migrations.sql import run

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run the file."""
    run("0012_pulse.sql")
