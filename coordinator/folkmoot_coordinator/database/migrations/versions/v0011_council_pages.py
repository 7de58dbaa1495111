"""What councils publish of how they score."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "council_pages",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("council", sa.String(9), sa.ForeignKey("councils.code"), nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("forgotten", sa.String, nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger),
        sa.Column("withdrawn_reason", sa.String),
    )
    op.create_index("ix_council_pages_council", "council_pages", ["council"])


def downgrade() -> None:
    op.drop_table("council_pages")
