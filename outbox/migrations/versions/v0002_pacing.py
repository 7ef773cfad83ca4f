"""Add paces, breakers, outages and attempts."""

from outbox.migrations.sql import run

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the file."""
    run("0002_pacing.sql")
