"""Runs the migrations on the connection that `backend.storage.schema` hands over."""

from alembic import context

from backend.storage.fulltext import TABLE as TEXT_INDEX
from backend.storage.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    transactional_ddl=True,
    user_module_prefix="",
    include_name=lambda name, kind, _parents: kind != "table" or not (name or "").startswith(TEXT_INDEX),
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
