"""Cases.

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
        "casework_cases",
        sa.Column("case_id", sa.String(16), primary_key=True),
        sa.Column("household_id", sa.String(16), nullable=False),
        sa.Column("purpose", sa.String(100), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("cohort_id", sa.String(16)),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("team", sa.String(100)),
        sa.Column("worker", sa.String(254)),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("opened_by", sa.String(254), nullable=False),
        sa.Column("flagged_at", sa.BigInteger),
        sa.Column("band", sa.String(100)),
        sa.Column("assessment", sa.Text, nullable=False),
        sa.Column("review_on", sa.String(10)),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("outcome", sa.String(40)),
        sa.Column("version", sa.Integer, nullable=False),
    )
    for name in ("household_id", "state", "cohort_id", "team", "worker"):
        op.create_index(f"ix_casework_cases_{name}", "casework_cases", [name])
