"""Runs the migrations on the connection that `Database.upgrade` hands over."""

from folkmoot_coordinator.database.models import Base
from folkmoot_operator.sql_migrations import run_migrations

run_migrations(Base.metadata)
