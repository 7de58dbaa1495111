"""Accounts, set-up links, sessions, attempts, audit log.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQLITE = (
    """\
CREATE TRIGGER web_audit_keeps BEFORE UPDATE ON web_audit
BEGIN SELECT RAISE(ABORT, 'web_audit entries are never changed'); END""",
    """\
CREATE TRIGGER web_audit_stays BEFORE DELETE ON web_audit
BEGIN SELECT RAISE(ABORT, 'web_audit entries are never deleted'); END""",
)
_POSTGRESQL = (
    """\
CREATE FUNCTION web_audit_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'web_audit entries are never changed or deleted'; END $$""",
    """\
CREATE TRIGGER web_audit_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON web_audit
FOR EACH STATEMENT EXECUTE FUNCTION web_audit_keeps()""",
)


def upgrade() -> None:
    op.create_table(
        "web_accounts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(254), nullable=False, unique=True),
        sa.Column("display_name", sa.String(100), nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("issuer", sa.String(500)),
        sa.Column("subject", sa.String(255)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("signed_in_at", sa.BigInteger),
        sa.Column("is_disabled", sa.Boolean, nullable=False),
        sa.UniqueConstraint("issuer", "subject", name="web_accounts_subject"),
    )
    op.create_table(
        "web_setup_links",
        sa.Column("token_digest", sa.String(64), primary_key=True),
        sa.Column("account", sa.Integer, sa.ForeignKey("web_accounts.id"), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_index("ix_web_setup_links_account", "web_setup_links", ["account"])
    op.create_table(
        "web_sessions",
        sa.Column("token_digest", sa.String(64), primary_key=True),
        sa.Column("account", sa.Integer, sa.ForeignKey("web_accounts.id"), nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_web_sessions_account", "web_sessions", ["account"])
    op.create_table(
        "web_attempts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key_digest", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("web_attempts_recent", "web_attempts", ["key_digest", "at"])
    op.create_index("ix_web_attempts_at", "web_attempts", ["at"])
    op.create_table(
        "web_audit",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)
