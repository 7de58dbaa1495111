"""Tables of the kit: who may sign in, who is signed in, and what was done.

Times are seconds since 1970-01-01T00:00:00Z. Tokens are kept as their SHA-256, in hex.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

KIT = Tables("web", Path(__file__).parent / "migrations", "0001")
"""The tables of this module."""


class Base(DeclarativeBase):
    """Base of the kit's tables."""


class AccountRow(Base):
    """Somebody who may sign in."""

    __tablename__ = "web_accounts"
    __table_args__ = (UniqueConstraint("issuer", "subject", name="web_accounts_subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(254), unique=True)
    """What they sign in with, in lower case: usually an email address."""
    display_name: Mapped[str] = mapped_column(String(100))
    roles: Mapped[str] = mapped_column(Text)
    """Names of roles, separated by line breaks."""
    password_hash: Mapped[str | None] = mapped_column(String(200))
    """Argon2id; null before a set-up link was used, and for accounts of a provider."""
    issuer: Mapped[str | None] = mapped_column(String(500))
    """The OpenID provider whose account it is; null for a local one."""
    subject: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[int] = mapped_column(BigInteger)
    signed_in_at: Mapped[int | None] = mapped_column(BigInteger)
    is_disabled: Mapped[bool] = mapped_column(Boolean)


class SetUpLinkRow(Base):
    """A link with which somebody chooses a password, once."""

    __tablename__ = "web_setup_links"

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[int] = mapped_column(ForeignKey("web_accounts.id"), index=True)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int | None] = mapped_column(BigInteger)


class SessionRow(Base):
    """Somebody who is signed in."""

    __tablename__ = "web_sessions"

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[int] = mapped_column(ForeignKey("web_accounts.id"), index=True)
    begun_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)


class AttemptRow(Base):
    """A failed sign-in, kept as long as it counts."""

    __tablename__ = "web_attempts"
    __table_args__ = (Index("web_attempts_recent", "key_digest", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key_digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the account's name or of the address."""
    at: Mapped[int] = mapped_column(BigInteger, index=True)


class AuditRow(Base):
    """An entry of the audit log; see `folkmoot_web.audit`."""

    __tablename__ = "web_audit"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
