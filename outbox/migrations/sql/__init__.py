"""The migrations as SQL files, and how a version runs its own."""

from importlib.resources import files

from alembic import op


def run(file: str) -> None:
    """Run a file as it stands: the driver's own cursor takes several statements and no `%`."""
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("migrations run on a live connection")
    connection.execute(files(__name__).joinpath(file).read_text("utf-8"))
