"""Tables of the coordinator's database.

Times are seconds since 1970-01-01T00:00:00Z. SQL stays portable between SQLite and
PostgreSQL.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of the tables."""


class CouncilRow(Base):
    """A council that has enrolled at least once."""

    __tablename__ = "councils"

    code: Mapped[str] = mapped_column(String(9), primary_key=True)
    enrolled_at: Mapped[int] = mapped_column(BigInteger)
    last_seen: Mapped[int | None] = mapped_column(BigInteger)


class InvitationRow(Base):
    """An invitation; the token itself is not kept, only its SHA-256."""

    __tablename__ = "invitations"

    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    council: Mapped[str] = mapped_column(String(9), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    key_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    serial: Mapped[str | None] = mapped_column(String(64))


class CertificateRow(Base):
    """A certificate made for a node."""

    __tablename__ = "certificates"

    serial: Mapped[str] = mapped_column(String(64), primary_key=True)
    council: Mapped[str] = mapped_column(ForeignKey("councils.code"), index=True)
    certificate: Mapped[bytes] = mapped_column(LargeBinary)
    key_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    issued_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)


class EnrolmentRequestRow(Base):
    """A request for a certificate in place of one that has ended; a person decides about it."""

    __tablename__ = "enrolment_requests"

    council: Mapped[str] = mapped_column(ForeignKey("councils.code"), primary_key=True)
    key_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """SHA-256 of the new public key; people of both sides compare its beginning."""
    ended: Mapped[str] = mapped_column(ForeignKey("certificates.serial"))
    """The certificate that has ended, whose key has signed the request."""
    asked_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    approved_at: Mapped[int | None] = mapped_column(BigInteger)
    refused_at: Mapped[int | None] = mapped_column(BigInteger)
    serial: Mapped[str | None] = mapped_column(String(64))
    """The certificate that was issued; null until the node has fetched it."""


class CatalogueRow(Base):
    """What a council offers, as it published it last; decides nothing."""

    __tablename__ = "catalogues"

    council: Mapped[str] = mapped_column(ForeignKey("councils.code"), primary_key=True)
    serialised: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    """By the key of the certificate `serial`, ECDSA with SHA-256, DER."""
    serial: Mapped[str] = mapped_column(ForeignKey("certificates.serial"))
    stored_at: Mapped[int] = mapped_column(BigInteger)


class PolicyKeyRow(Base):
    """A key that a council's node has stated: its signature of the release policy counts there."""

    __tablename__ = "policy_keys"

    number: Mapped[int] = mapped_column(primary_key=True)
    council: Mapped[str] = mapped_column(ForeignKey("councils.code"), index=True)
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
    stated_at: Mapped[int] = mapped_column(BigInteger)
    accepted_at: Mapped[int | None] = mapped_column(BigInteger)
    """When the region pinned it; null where it has only been shown to the region."""


class RoundRow(Base):
    """A round; `serialised` is what was signed, and what the other columns repeat.

    The unique index keeps two processes from opening the same round of a series.
    """

    __tablename__ = "rounds"
    __table_args__ = (
        Index("ix_rounds_series", "series_id", "series_position", unique=True),
        Index("uq_rounds_origin", "origin", unique=True),
    )

    round_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    serialised: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    state: Mapped[int] = mapped_column(index=True)
    opened_at: Mapped[int] = mapped_column(BigInteger)
    deadline: Mapped[int] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    planning: Mapped[str | None]
    """What of the round's file is not in the question, as JSON: how the weights came about, and
    what people call the codes. Null where weights are as written and codes have no names."""
    series_id: Mapped[str | None] = mapped_column(String(32))
    series_position: Mapped[int | None]
    series_ends_at: Mapped[int | None] = mapped_column(BigInteger)
    origin: Mapped[str | None] = mapped_column(String(200))
    """What it was opened from, `draft ID` or `schedule NAME TIME`, so that each is opened once.
    Null where a person opened the round from a file."""
    withdrawn_at: Mapped[int | None] = mapped_column(BigInteger)
    """When its result was marked as wrong; null where it stands."""
    withdrawn_reason: Mapped[str | None]


class PolicyRow(Base):
    """A risk stratification policy, as the region added it. Councils send its digest alone."""

    __tablename__ = "policies"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    file_name: Mapped[str] = mapped_column(String(255))
    added_at: Mapped[int] = mapped_column(BigInteger)


class CouncilPageRow(Base):
    """What a council publishes of how it scores, as a person of the region added it."""

    __tablename__ = "council_pages"

    number: Mapped[int] = mapped_column(primary_key=True)
    council: Mapped[str] = mapped_column(ForeignKey("councils.code"), index=True)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The file, byte for byte; null once it was withdrawn."""
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    made_at: Mapped[int] = mapped_column(BigInteger)
    """When the council's node wrote the file, as it says."""
    added_at: Mapped[int] = mapped_column(BigInteger)
    forgotten: Mapped[str]
    """Approved versions that earlier files named and this one does not, as JSON: number, digest."""
    withdrawn_at: Mapped[int | None] = mapped_column(BigInteger)
    withdrawn_reason: Mapped[str | None]


class AuditRow(Base):
    """An entry of the audit log; triggers forbid changes, the chain shows them."""

    __tablename__ = "audit"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str]
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)


class ScheduledRow(Base):
    """A time at which a recurring round was due, and what became of it."""

    __tablename__ = "scheduled"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    """`opened`, `draft`, `retry` or `failed`."""
    detail: Mapped[str]
    """Id of the round or draft; or why there is none."""
    settings: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the entry in the settings and of its file: what failed is tried again when
    either was changed."""
    noted_at: Mapped[int] = mapped_column(BigInteger)


class ExportRow(Base):
    """A round that was exported when it closed, or could not be."""

    __tablename__ = "exports"

    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.round_id"), primary_key=True)
    noted_at: Mapped[int] = mapped_column(BigInteger)
    stated: Mapped[str]
    """What the files depend on apart from the round: whether results were withdrawn."""
    failure: Mapped[str | None]
    """Why there are no files; null if there are."""


class InvitedRow(Base):
    """A council invited to a round."""

    __tablename__ = "invited"
    __table_args__ = (Index("ix_invited_council", "council"),)

    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.round_id"), primary_key=True)
    council: Mapped[str] = mapped_column(String(9), primary_key=True)


class AnswerRow(Base):
    """A council's one answer to a round.

    The primary key is what makes a second answer impossible, whatever races.
    """

    __tablename__ = "answers"
    __table_args__ = (Index("ix_answers_council", "council"),)

    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.round_id"), primary_key=True)
    council: Mapped[str] = mapped_column(String(9), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    reason: Mapped[int | None]
    """Reason of a refusal; null for a release."""
    attribute_number: Mapped[int | None]
    """Which attribute of the round a refusal is about, from 1; null where it states none."""
    ledger_entry: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    received_at: Mapped[int] = mapped_column(BigInteger)
    receipt: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class CellsRow(Base):
    """The noisy counts of a release, apart from `answers` so that those stay small."""

    __tablename__ = "cells"

    round_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    council: Mapped[str] = mapped_column(String(9), primary_key=True)
    counts: Mapped[bytes] = mapped_column(LargeBinary)
    """Little-endian int64, in the cell order of the round."""
    series_step: Mapped[int | None]
    """What it measures of a series, `SeriesRow.step`; null for a round that is in none."""
    series_cohort: Mapped[int | None]
    """`SeriesRow.cohort`; null for a round that is in none."""
    scores_of: Mapped[date | None]
    """Reference date of the scores that were counted; null where the release does not state it."""
