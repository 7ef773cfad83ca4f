"""The tables' migrations: plain SQL files under `sql`, run by Alembic in the order of `versions`."""
