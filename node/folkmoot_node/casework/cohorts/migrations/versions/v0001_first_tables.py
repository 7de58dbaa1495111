"""Cohorts, their runs, members, looks and decisions.

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
        "casework_cohorts",
        sa.Column("cohort_id", sa.String(16), primary_key=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("ends", sa.String(10), nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("saved_at", sa.BigInteger, nullable=False),
        sa.Column("saved_by", sa.String(254), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "casework_cohort_runs",
        sa.Column("run_id", sa.String(16), primary_key=True),
        sa.Column("cohort_id", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("ran_at", sa.BigInteger, nullable=False),
        sa.Column("ran_by", sa.String(254), nullable=False),
        sa.Column("scored_at", sa.BigInteger, nullable=False),
        sa.Column("scores_until", sa.String(10), nullable=False),
        sa.Column("scoring_run", sa.String(32), nullable=False),
        sa.Column("policy_digest", sa.String(64), nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.UniqueConstraint("cohort_id", "number"),
    )
    op.create_table(
        "casework_cohort_members",
        sa.Column("run_id", sa.String(16), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("household_id", sa.String(16), nullable=False),
        sa.Column("standing", sa.String(20), nullable=False),
        sa.Column("why_gone", sa.String(40)),
        sa.Column("band", sa.String(100)),
        sa.Column("information", sa.Text, nullable=False),
    )
    op.create_index(
        "casework_cohort_members_household", "casework_cohort_members", ["household_id"]
    )
    op.create_table(
        "casework_cohort_looks",
        sa.Column("look_id", sa.String(16), primary_key=True),
        sa.Column("account", sa.String(254), nullable=False),
        sa.Column("run_id", sa.String(16), nullable=False),
        sa.Column("household_id", sa.String(16)),
        sa.Column("looked_at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "ix_casework_cohort_looks_household_id", "casework_cohort_looks", ["household_id"]
    )
    op.create_index("casework_cohort_looks_of", "casework_cohort_looks", ["account", "run_id"])
    op.create_table(
        "casework_cohort_decisions",
        sa.Column("decision_id", sa.String(16), primary_key=True),
        sa.Column("cohort_id", sa.String(16), nullable=False),
        sa.Column("run_id", sa.String(16), nullable=False),
        sa.Column("household_id", sa.String(16), nullable=False),
        sa.Column("decided_at", sa.BigInteger, nullable=False),
        sa.Column("decided_by", sa.String(254), nullable=False),
        sa.Column("opens_case", sa.Boolean, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("case_id", sa.String(16)),
        sa.Column("band", sa.String(100)),
        sa.Column("information", sa.Text, nullable=False),
        sa.Column("seconds_looked", sa.Integer),
        sa.Column("in_bulk", sa.String(16)),
    )
    op.create_index("ix_casework_cohort_decisions_run_id", "casework_cohort_decisions", ["run_id"])
    op.create_index(
        "ix_casework_cohort_decisions_case_id", "casework_cohort_decisions", ["case_id"]
    )
    op.create_index(
        "casework_cohort_decisions_of", "casework_cohort_decisions", ["cohort_id", "household_id"]
    )
