"""Add what people asked to be synced again."""

from outbox.migrations.sql import run

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run the file."""
    run("0011_runs.sql")
