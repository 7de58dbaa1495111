"""First tables: councils, invitations, certificates, rounds, answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "councils",
        sa.Column("code", sa.String(9), primary_key=True),
        sa.Column("enrolled_at", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger),
    )
    op.create_table(
        "invitations",
        sa.Column("token_digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("council", sa.String(9), nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.Column("key_digest", sa.LargeBinary(32)),
        sa.Column("serial", sa.String(64)),
    )
    op.create_table(
        "certificates",
        sa.Column("serial", sa.String(64), primary_key=True),
        sa.Column(
            "council", sa.String(9), sa.ForeignKey("councils.code"), nullable=False, index=True
        ),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("key_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "rounds",
        sa.Column("round_id", sa.String(32), primary_key=True),
        sa.Column("serialised", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.Integer, nullable=False, index=True),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("deadline", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
    )
    op.create_table(
        "invited",
        sa.Column("round_id", sa.String(32), sa.ForeignKey("rounds.round_id"), primary_key=True),
        sa.Column("council", sa.String(9), primary_key=True),
        sa.Index("ix_invited_council", "council"),
    )
    op.create_table(
        "answers",
        sa.Column("round_id", sa.String(32), sa.ForeignKey("rounds.round_id"), primary_key=True),
        sa.Column("council", sa.String(9), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("reason", sa.Integer),
        sa.Column("ledger_entry", sa.LargeBinary(32)),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("receipt", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
    )
    op.create_table(
        "cells",
        sa.Column("round_id", sa.String(32), primary_key=True),
        sa.Column("council", sa.String(9), primary_key=True),
        sa.Column("counts", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "cells",
        "answers",
        "invited",
        "rounds",
        "certificates",
        "invitations",
        "councils",
    ):
        op.drop_table(table)
