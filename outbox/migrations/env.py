"""Run the migrations on the connection that `outbox.migrate` hands over; Alembic asks for this file."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table_schema="aiaccount")
with context.begin_transaction():
    context.run_migrations()
