"""Runs the migrations on the connection that `Database` hands over."""

from folkmoot_operator.sql_migrations import run_migrations
from folkmoot_web.database.models import Base

run_migrations(Base.metadata)
