"""Openings, restrictions, searches and exports.

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
        sa.Column("renews", sa.Boolean, nullable=False),
    )
    op.create_index("casework_openings_account", "casework_openings", ["account", "opened_at"])
    op.create_index("ix_casework_openings_case_id", "casework_openings", ["case_id"])
    op.create_table(
        "casework_restrictions",
        sa.Column("restriction_id", sa.String(16), primary_key=True),
        sa.Column("household_id", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ends_on", sa.String(10), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.String(254), nullable=False),
        sa.Column("lifted_at", sa.BigInteger),
    )
    op.create_index(
        "ix_casework_restrictions_household_id", "casework_restrictions", ["household_id"]
    )
    op.create_table(
        "casework_bars",
        sa.Column("bar_id", sa.String(16), primary_key=True),
        sa.Column("household_id", sa.String(16), nullable=False),
        sa.Column("account", sa.String(254), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.String(254), nullable=False),
        sa.Column("lifted_at", sa.BigInteger),
    )
    op.create_index("casework_bars_account", "casework_bars", ["account", "household_id"])
    op.create_table(
        "casework_searches",
        sa.Column("search_id", sa.String(16), primary_key=True),
        sa.Column("account", sa.String(254), nullable=False),
        sa.Column("searched_at", sa.BigInteger, nullable=False),
        sa.Column("household_id", sa.String(16)),
    )
    op.create_index("casework_searches_account", "casework_searches", ["account", "searched_at"])
    op.create_table(
        "casework_exports",
        sa.Column("export_id", sa.String(16), primary_key=True),
        sa.Column("account", sa.String(254), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(200), nullable=False),
    )
    op.create_index("casework_exports_account", "casework_exports", ["account", "made_at"])
