"""Objections, requests, legal holds, erasures.

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
        "casework_objections",
        sa.Column("objection_id", sa.String(16), primary_key=True),
        sa.Column("household_id", sa.String(16), nullable=False),
        sa.Column("case_id", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("field", sa.String(63)),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("said_by", sa.Text, nullable=False),
        sa.Column("received_on", sa.String(10), nullable=False),
        sa.Column("due_on", sa.String(10), nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.String(254), nullable=False),
        sa.Column("answerer", sa.String(254)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("effect", sa.String(20)),
        sa.Column("withholds", sa.Boolean),
        sa.Column("answer", sa.Text),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("answered_by", sa.String(254)),
        sa.Column("seen", sa.Text),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.String(254)),
        sa.Column("ended_why", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
    )
    for name in ("household_id", "case_id", "due_on", "answerer", "state"):
        op.create_index(f"ix_casework_objections_{name}", "casework_objections", [name])
    op.create_table(
        "casework_requests",
        sa.Column("request_id", sa.String(16), primary_key=True),
        sa.Column("household_id", sa.String(16), nullable=False),
        sa.Column("case_id", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("received_on", sa.String(10), nullable=False),
        sa.Column("due_on", sa.String(10), nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.String(254), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("shown", sa.Text),
        sa.Column("hidden", sa.Text),
        sa.Column("reviewed_at", sa.BigInteger),
        sa.Column("reviewed_by", sa.String(254)),
        sa.Column("answer", sa.Text),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("answered_by", sa.String(254)),
        sa.Column("version", sa.Integer, nullable=False),
    )
    for name in ("household_id", "case_id", "due_on", "state"):
        op.create_index(f"ix_casework_requests_{name}", "casework_requests", [name])
    op.create_table(
        "casework_holds",
        sa.Column("hold_id", sa.String(16), primary_key=True),
        sa.Column("household_id", sa.String(16), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sa.Column("placed_at", sa.BigInteger, nullable=False),
        sa.Column("placed_by", sa.String(254), nullable=False),
        sa.Column("lifted_at", sa.BigInteger),
        sa.Column("lifted_by", sa.String(254)),
    )
    op.create_index("ix_casework_holds_household_id", "casework_holds", ["household_id"])
    op.create_table(
        "casework_erasures",
        sa.Column("household_id", sa.String(16), primary_key=True),
        sa.Column("ground", sa.String(40), nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.Column("erased_by", sa.String(254), nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
    )
