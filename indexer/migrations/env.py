"""Alembic's entry: migrate the database whose open connection `indexer.schema.migrate` hands over."""

from alembic import context

from indexer.schema import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables)
context.run_migrations()
