"""What each council offers, as it published it last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogues",
        sa.Column("council", sa.String(9), sa.ForeignKey("councils.code"), primary_key=True),
        sa.Column("serialised", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("serial", sa.String(64), sa.ForeignKey("certificates.serial"), nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("catalogues")
