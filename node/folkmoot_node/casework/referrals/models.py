"""Tables of referrals.

Times are seconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from folkmoot_operator.sql_migrations import Tables

REFERRALS = Tables("casework_referrals", Path(__file__).parent / "migrations", "0001")
"""For the site, which makes the tables when it starts."""


class Base(DeclarativeBase):
    """Base of the tables."""


class ServiceRow(Base):
    """A service of the council's directory."""

    __tablename__ = "casework_services"

    service_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    directory_id: Mapped[str] = mapped_column(String(100), unique=True)
    """Its id in the directory from which it came."""
    name: Mapped[str] = mapped_column(String(200))
    document: Mapped[str] = mapped_column(Text)
    """A `ServiceDocument` as JSON."""
    contact_name: Mapped[str] = mapped_column(String(200))
    contact_email: Mapped[str] = mapped_column(String(254))
    contact_telephone: Mapped[str] = mapped_column(String(50))
    capacity: Mapped[int | None] = mapped_column(Integer)
    """Referrals that it takes in a week; null for no limit."""
    retired_at: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(Integer)


class ConsentRow(Base):
    """Consent of a household to be referred to a service."""

    __tablename__ = "casework_consents"

    consent_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(16), index=True)
    household_id: Mapped[str] = mapped_column(String(16), index=True)
    service_id: Mapped[str] = mapped_column(String(16))
    how: Mapped[str] = mapped_column(String(20))
    """A `ConsentHow`."""
    given_by: Mapped[str] = mapped_column(String(60))
    """A `ConsentBy`."""
    fields: Mapped[str] = mapped_column(Text)
    """Names of what may be handed over, as a JSON list."""
    note: Mapped[str] = mapped_column(Text)
    given_on: Mapped[str] = mapped_column(String(10))
    """Date as ISO 8601."""
    recorded_at: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[str] = mapped_column(String(254))
    withdrawn_at: Mapped[int | None] = mapped_column(BigInteger)
    withdrawn_by: Mapped[str | None] = mapped_column(String(254))
    """Who recorded that."""


class ReferralRow(Base):
    """A referral of a household to a service."""

    __tablename__ = "casework_referrals"

    referral_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(16), index=True)
    household_id: Mapped[str] = mapped_column(String(16), index=True)
    service_id: Mapped[str] = mapped_column(String(16), index=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    """A `ReferralState`."""
    consent_id: Mapped[str | None] = mapped_column(String(16), index=True)
    override_id: Mapped[str | None] = mapped_column(String(16))
    """That in force; null while none is approved."""
    content: Mapped[str] = mapped_column(Text)
    """What is handed over: a JSON list of field, title and value."""
    urgency: Mapped[str] = mapped_column(String(20))
    """An `Urgency`."""
    band: Mapped[str | None] = mapped_column(String(100))
    """Of the case, for the order."""
    way: Mapped[str | None] = mapped_column(String(10))
    """A `Way`; null until it is sent."""
    drafted_at: Mapped[int] = mapped_column(BigInteger)
    drafted_by: Mapped[str] = mapped_column(String(254))
    waiting_since: Mapped[int | None] = mapped_column(BigInteger)
    """Since when it waits for a place."""
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(Integer)


class OverrideRow(Base):
    """A legal ground on which a household is referred without consent."""

    __tablename__ = "casework_overrides"

    override_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    referral_id: Mapped[str] = mapped_column(String(16), index=True)
    ground: Mapped[str] = mapped_column(String(40))
    """A `Ground`."""
    reason: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[int] = mapped_column(BigInteger)
    asked_by: Mapped[str] = mapped_column(String(254))
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(String(254))
    approved: Mapped[bool | None] = mapped_column(Boolean)


class EventRow(Base):
    """A change of a referral."""

    __tablename__ = "casework_referral_events"

    event_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    referral_id: Mapped[str] = mapped_column(String(16), index=True)
    at: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(20))
    """In which it was afterwards."""
    note: Mapped[str] = mapped_column(Text)


class LinkRow(Base):
    """A one-time link by which a service sees a referral."""

    __tablename__ = "casework_links"

    link_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    referral_id: Mapped[str] = mapped_column(String(16), index=True)
    made_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[int | None] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(Integer)
    """Wrong PINs."""
    closed_at: Mapped[int | None] = mapped_column(BigInteger)


class VisitRow(Base):
    """A browser that has shown the PIN of a link."""

    __tablename__ = "casework_link_visits"

    link_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    browser: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the browser's cookie, hexadecimal."""
    ends_at: Mapped[int] = mapped_column(BigInteger)
    sees_content: Mapped[bool] = mapped_column(Boolean)
    """Whether it was the one that opened the link."""


class MailRow(Base):
    """A message to a service; its text is made when it is sent."""

    __tablename__ = "casework_mail"

    mail_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    referral_id: Mapped[str] = mapped_column(String(16), index=True)
    link_id: Mapped[str | None] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(20))
    """A `MailKind`."""
    address: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(20), index=True)
    """A `MailState`."""
    made_at: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[int] = mapped_column(BigInteger)
    """Not tried before."""
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    fault: Mapped[str] = mapped_column(Text)
    """Why the last attempt failed; names nobody."""
