"""Runs the migrations on the connection that `Database` hands over."""

from folkmoot_coordinator.viewer.keys.models import Base
from folkmoot_operator.sql_migrations import run_migrations

run_migrations(Base.metadata)
