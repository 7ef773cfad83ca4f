"""Create the tables."""

from importlib.resources import files

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the file as it stands: the driver's own cursor takes several statements and no `%`."""
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("migrations run on a live connection")
    connection.execute(files("outbox.migrations.sql").joinpath("0001_tables.sql").read_text("utf-8"))
