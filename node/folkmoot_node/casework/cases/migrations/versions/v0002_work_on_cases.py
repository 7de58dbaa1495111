"""What people record in cases, and who changed them.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "casework_cases_one_at_a_time",
        "casework_cases",
        ["household_id", "purpose"],
        unique=True,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "casework_case_changes",
        sa.Column("case_id", sa.String(16), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("by", sa.String(254), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.JSON, nullable=False),
    )
    _entries(
        "casework_contacts",
        sa.Column("happened_at", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    _entries("casework_notes", sa.Column("text", sa.Text, nullable=False))
    _entries(
        "casework_assessments",
        sa.Column("is_need_found", sa.Boolean, nullable=False),
        sa.Column("needs", sa.JSON, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    _entries("casework_plans", sa.Column("text", sa.Text, nullable=False))
    _entries(
        "casework_actions",
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("due_on", sa.String(10), nullable=False, index=True),
        sa.Column("done_by", sa.String(254)),
        sa.Column("done_at", sa.BigInteger),
    )
    op.create_table(
        "casework_first_looks",
        sa.Column("case_id", sa.String(16), primary_key=True),
        sa.Column("account", sa.String(254), primary_key=True),
        sa.Column("view", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("band", sa.String(100)),
        sa.Column("is_upper", sa.Boolean),
    )
    op.create_table(
        "casework_case_moves",
        sa.Column("case_id", sa.String(16), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("left", sa.String(16), nullable=False, index=True),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _entries(name: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("entry_id", sa.String(16), primary_key=True),
        sa.Column("case_id", sa.String(16), nullable=False, index=True),
        sa.Column("by", sa.String(254), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("removed_by", sa.String(254)),
        sa.Column("removed_at", sa.BigInteger),
        *columns,
    )
