"""Ids of households.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "casework_households",
        sa.Column("household_id", sa.String(16), primary_key=True),
        sa.Column("uprn", sa.BigInteger, nullable=False, unique=True),
    )
