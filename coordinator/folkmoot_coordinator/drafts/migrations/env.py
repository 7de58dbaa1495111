"""Runs the migrations on the connection that `Database.bring_up_to_date` hands over."""

from alembic import context

from folkmoot_coordinator.drafts.models import VERSION_TABLE, Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
