"""Which attribute of its round a refusal is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("answers", sa.Column("attribute_number", sa.Integer))


def downgrade() -> None:
    op.drop_column("answers", "attribute_number")
