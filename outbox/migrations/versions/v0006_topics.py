"""Let the cursor name the topics that it sent to."""

from outbox.migrations.sql import run

revision = "0006"
down_revision = "0002"


def upgrade() -> None:
    """Run the file."""
    run("0006_topics.sql")
