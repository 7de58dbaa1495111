"""Runs the migrations on the connection that `Database` hands over."""

from folkmoot_node.casework.rights.models import Base
from folkmoot_operator.sql_migrations import run_migrations

run_migrations(Base.metadata)
