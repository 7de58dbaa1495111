"""Whose signature of its release policy counts at each council, and when that was stated first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_keys",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("council", sa.String(9), sa.ForeignKey("councils.code"), nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("stated_at", sa.BigInteger, nullable=False),
        sa.Column("accepted_at", sa.BigInteger),
    )
    op.create_index("ix_policy_keys_council", "policy_keys", ["council"])


def downgrade() -> None:
    op.drop_table("policy_keys")
