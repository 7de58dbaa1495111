"""Runs the migrations on the connection that `Database.bring_up_to_date` hands over."""

from folkmoot_coordinator.drafts.models import Base
from folkmoot_operator.sql_migrations import run_migrations

run_migrations(Base.metadata)
