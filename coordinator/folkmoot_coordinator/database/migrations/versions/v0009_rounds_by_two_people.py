"""Withdrawn results, policies, the audit log, and rounds that come from a draft or a schedule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEEPS = {
    "sqlite": (
        """CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END""",
        """CREATE TRIGGER audit_stays BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit entries are never deleted'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'audit entries are never changed or deleted'; END $$""",
        """CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()""",
    ),
}


def upgrade() -> None:
    op.add_column("rounds", sa.Column("origin", sa.String(200)))
    op.add_column("rounds", sa.Column("withdrawn_at", sa.BigInteger))
    op.add_column("rounds", sa.Column("withdrawn_reason", sa.String))
    # An index: for a constraint SQLite would make the table again, to which answers refer.
    op.create_index("uq_rounds_origin", "rounds", ["origin"], unique=True)
    op.create_table(
        "policies",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    )
    for statement in _KEEPS.get(op.get_bind().dialect.name, ()):
        op.execute(statement)
    op.create_table(
        "scheduled",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("due_at", sa.BigInteger, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("settings", sa.LargeBinary(32), nullable=False),
        sa.Column("noted_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "exports",
        sa.Column("round_id", sa.String(32), sa.ForeignKey("rounds.round_id"), primary_key=True),
        sa.Column("noted_at", sa.BigInteger, nullable=False),
        sa.Column("stated", sa.String, nullable=False),
        sa.Column("failure", sa.String),
    )


def downgrade() -> None:
    for table in ("exports", "scheduled", "audit", "policies"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_kept")
    op.drop_index("uq_rounds_origin", "rounds")
    for column in ("withdrawn_reason", "withdrawn_at", "origin"):
        op.drop_column("rounds", column)
