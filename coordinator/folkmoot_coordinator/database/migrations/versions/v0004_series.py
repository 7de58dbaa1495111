"""Series: which round is which of a series, and what a release measures of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rounds", sa.Column("series_id", sa.String(32)))
    op.add_column("rounds", sa.Column("series_position", sa.Integer))
    op.add_column("rounds", sa.Column("series_ends_at", sa.BigInteger))
    op.create_index("ix_rounds_series", "rounds", ["series_id", "series_position"], unique=True)
    op.add_column("cells", sa.Column("series_step", sa.Integer))
    op.add_column("cells", sa.Column("series_cohort", sa.Integer))


def downgrade() -> None:
    op.drop_column("cells", "series_cohort")
    op.drop_column("cells", "series_step")
    op.drop_index("ix_rounds_series", "rounds")
    op.drop_column("rounds", "series_ends_at")
    op.drop_column("rounds", "series_position")
    op.drop_column("rounds", "series_id")
