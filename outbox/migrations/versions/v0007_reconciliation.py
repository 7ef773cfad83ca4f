"""Remember how far reconciliation has come."""

from outbox.migrations.sql import run

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the file."""
    run("0007_reconciliation.sql")
