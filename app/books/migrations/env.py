"""What Alembic runs a migration in: the connection, and the transaction, of app.books.migrating."""

from alembic import context

from app.books.layout.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
