"""Requests of councils whose certificate has ended, until a person of the region decides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enrolment_requests",
        sa.Column("council", sa.String(9), sa.ForeignKey("councils.code"), primary_key=True),
        sa.Column("key_digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("ended", sa.String(64), sa.ForeignKey("certificates.serial"), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("approved_at", sa.BigInteger),
        sa.Column("refused_at", sa.BigInteger),
        sa.Column("serial", sa.String(64)),
    )


def downgrade() -> None:
    op.drop_table("enrolment_requests")
