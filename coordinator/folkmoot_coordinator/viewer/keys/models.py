"""The table of API keys, in the viewer's own database.

Times are seconds since 1970-01-01T00:00:00Z. Keys are kept as their SHA-256, in hex.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

API_KEYS = Tables("api_keys", Path(__file__).parent / "migrations", "0001")
"""For the site, which makes the table when it starts."""


class Base(DeclarativeBase):
    """Base of the table."""


class ApiKeyRow(Base):
    """An API key."""

    __tablename__ = "api_keys"

    key_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    """What people and logs call it; not secret."""
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the key: nobody who reads the table can use it."""
    name: Mapped[str] = mapped_column(String(100))
    """What it is for, in the words of whoever made it."""
    account: Mapped[str | None] = mapped_column(String(254), index=True)
    """Name of the account whose key it is; null for one that belongs to nobody."""
    scopes: Mapped[str] = mapped_column(Text)
    """Separated by line breaks."""
    purposes: Mapped[str] = mapped_column(Text)
    """Of the rounds it may read, separated by line breaks; empty for all."""
    rounds: Mapped[str] = mapped_column(Text)
    """Ids of the rounds it may read, separated by line breaks; empty for all."""
    made_by: Mapped[str] = mapped_column(String(254))
    made_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    """When it was last used, to the minute; null if never."""
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
