"""Openings.

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
        "casework_openings",
        sa.Column("opening_id", sa.String(16), primary_key=True),
        sa.Column("account", sa.String(254), nullable=False),
        sa.Column("case_id", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
    )
    op.create_index("casework_openings_account", "casework_openings", ["account", "opened_at"])
    op.create_index("ix_casework_openings_case_id", "casework_openings", ["case_id"])
