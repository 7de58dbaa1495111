"""The reference date of the scores that a release counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cells", sa.Column("scores_of", sa.Date))


def downgrade() -> None:
    op.drop_column("cells", "scores_of")
