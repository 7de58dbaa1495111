"""Drafts, and what people decided about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("draft_id", sa.String(32), primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("author_kind", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("round_id", sa.String(32)),
        sa.Column("note", sa.String),
    )
    op.create_index("ix_drafts_state", "drafts", ["state"])
    op.create_table(
        "draft_decisions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("draft_id", sa.String(32), sa.ForeignKey("drafts.draft_id"), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String),
    )
    op.create_index("ix_draft_decisions_draft_id", "draft_decisions", ["draft_id"])


def downgrade() -> None:
    op.drop_table("draft_decisions")
    op.drop_table("drafts")
