"""An index of answers by council: each node asks at each visit which of its are held."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_answers_council", "answers", ["council"])


def downgrade() -> None:
    op.drop_index("ix_answers_council", "answers")
