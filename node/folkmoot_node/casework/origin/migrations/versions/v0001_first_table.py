"""Which node the database belongs to.

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
        "casework_origin",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("council", sa.String(9), nullable=False),
        sa.Column("node_id", sa.String(32), nullable=False),
        sa.CheckConstraint("number = 1", name="casework_one_origin"),
    )
