"""Create the tables."""

from outbox.migrations.sql import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the file."""
    run("0001_tables.sql")
