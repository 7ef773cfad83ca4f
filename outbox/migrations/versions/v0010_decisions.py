"""Add what people did and decided."""

from outbox.migrations.sql import run

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Run the file."""
    run("0010_decisions.sql")
