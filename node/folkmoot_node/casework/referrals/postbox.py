"""Messages to services: kept with the referral, sent afterwards, tried again, or reported.

A message has a link and never says whom it is about. Its text is made when it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.referrals.models import LinkRow, MailRow, ReferralRow, ServiceRow
from folkmoot_node.casework.uk_time import uk_day_text
from folkmoot_web.site import State

SENT = "message sent"
FAILED = "message not sent"
"""Actions of the log."""
_MINUTE = 60
WAITS = tuple(_MINUTE * minutes for minutes in (1, 5, 15, 60, 240, 480, 720))
"""Seconds from one attempt to the next; after the last, a message counts as failed."""
_LEASE = 5 * _MINUTE
"""For which whoever sends a message keeps it from others."""


class MailKind(StrEnum):
    """What a message is about."""

    NEW = "new"
    REVOKED = "revoked"


class MailState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class MailFault(Exception):
    """Why a message could not be sent; says nothing of whom it is about.

    Attributes:
        is_passing: Whether to try again.
    """

    def __init__(self, words: str, *, is_passing: bool) -> None:
        super().__init__(words)
        self.is_passing = is_passing


@dataclass(frozen=True, slots=True)
class Message:
    """A message.

    Attributes:
        address: Of whom it goes to.
        subject: Its subject.
        text: Its text.
        reference: Its id.
    """

    address: str
    subject: str
    text: str
    reference: str


Send = Callable[[Message], None]
"""Sends a message, or raises `MailFault`."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What is known of a message.

    Attributes:
        kind: What it is about.
        address: Of the service.
        state: Where it stands.
        attempts: How often it was tried.
        next_at: When it is tried next, seconds since 1970-01-01T00:00:00Z, as `sent_at`.
        sent_at: When it was sent.
        fault: Why the last attempt failed.
    """

    kind: MailKind
    address: str
    state: MailState
    attempts: int
    next_at: int
    sent_at: int | None
    fault: str


def put(
    state: State, session: Session, kind: MailKind, referral_id: str, address: str,
    link_id: str | None = None,
) -> None:  # fmt: skip
    """Adds a message in the caller's transaction; it is sent after that."""
    now = state.clock()
    session.add(
        MailRow(
            mail_id=new_id(), referral_id=referral_id, link_id=link_id, kind=kind, address=address,
            state=MailState.WAITING, made_at=now, attempts=0, next_at=now, fault="",
        )
    )  # fmt: skip
    session.flush()


def tell_revoked(state: State, session: Session, row: ReferralRow, *, was_sent: bool) -> None:
    """Cancels what was not sent of a referral, and tells the service that was told of it."""
    waiting = (MailRow.referral_id == row.referral_id, MailRow.state == MailState.WAITING)
    session.execute(update(MailRow).where(*waiting).values(state=MailState.CANCELLED))
    told = select(MailRow.address).where(
        MailRow.referral_id == row.referral_id,
        MailRow.kind == MailKind.NEW,
        MailRow.state == MailState.SENT,
    )
    address = session.scalar(told.limit(1))
    if was_sent and address is not None:
        put(state, session, MailKind.REVOKED, row.referral_id, address)


class Postbox:
    """Sends messages."""

    def __init__(
        self, state: State, council: str, send: Send | None, address_of: Callable[[LinkRow], str]
    ) -> None:
        """Prepares to send.

        Args:
            state: The site's.
            council: Its name.
            send: What sends; None where mail is off.
            address_of: The address of a link.
        """
        self._state = state
        self._council = council
        self._send = send
        self._address_of = address_of

    @property
    def is_on(self) -> bool:
        """Whether the council sends messages."""
        return self._send is not None

    def send_due(self, referral_id: str | None = None) -> tuple[int, int]:
        """Sends what waits; how many were sent, and how many were not.

        Args:
            referral_id: Only of one referral.
        """
        sent = failed = 0
        for mail_id, message in self._due(referral_id):
            assert self._send is not None
            try:
                self._send(message)
            except MailFault as fault:
                self._failed(mail_id, fault)
                failed += 1
            else:
                self._sent(mail_id)
                sent += 1
        return sent, failed

    def of_referral(self, referral_id: str) -> list[Mail]:
        """The messages about a referral, oldest first."""
        query = select(MailRow).where(MailRow.referral_id == referral_id)
        with self._state.database.reading() as session:
            return [_mail(row) for row in session.scalars(query.order_by(MailRow.made_at))]

    def failed(self) -> list[tuple[str, str]]:
        """Messages that were given up: referral and why."""
        query = select(MailRow).where(MailRow.state == MailState.FAILED)
        with self._state.database.reading() as session:
            rows = session.scalars(query.order_by(MailRow.made_at))
            return [(row.referral_id, row.fault) for row in rows]

    def _due(self, referral_id: str | None) -> Iterator[tuple[str, Message]]:
        """Messages to send now, each kept from other processes for a while."""
        while self._send is not None:
            now = self._state.clock()
            with self._state.database.writing() as session:
                query = select(MailRow).where(
                    MailRow.state == MailState.WAITING, MailRow.next_at <= now
                )
                if referral_id is not None:
                    query = query.where(MailRow.referral_id == referral_id)
                row = session.scalar(
                    query.order_by(MailRow.next_at, MailRow.mail_id).limit(1).with_for_update()
                )
                if row is None:
                    return
                link = session.get(LinkRow, row.link_id) if row.link_id else None
                if row.kind == MailKind.NEW and (link is None or link.closed_at is not None):
                    row.state = MailState.CANCELLED
                    continue
                row.next_at = now + _LEASE
                row.attempts += 1
                found = row.mail_id, self._message(row, link)
            yield found

    def _message(self, row: MailRow, link: LinkRow | None) -> Message:
        if row.kind == MailKind.REVOKED or link is None:
            subject = f"A referral is revoked: {row.referral_id}"
            text = (
                f"{self._council} has revoked the referral {row.referral_id}.\n\n"
                "Please do not act on it any more, and delete what you have kept of it.\n"
            )
        else:
            subject = f"A referral waits for you: {row.referral_id}"
            text = (
                f"{self._council} has a referral for you. Its reference is {row.referral_id}.\n\n"
                f"Open it here: {self._address_of(link)}\n\n"
                f"It shows the referral once, until {uk_day_text(link.expires_at)}, and asks for a "
                "PIN that the council tells you by telephone. Never send the PIN by email.\n"
            )
        return Message(row.address, subject, text, row.mail_id)

    def _sent(self, mail_id: str) -> None:
        with self._state.database.writing() as session:
            row = session.get_one(MailRow, mail_id)
            row.state, row.sent_at, row.fault = MailState.SENT, self._state.clock(), ""
            self._note(session, SENT, row)

    def _failed(self, mail_id: str, fault: MailFault) -> None:
        with self._state.database.writing() as session:
            row = session.get_one(MailRow, mail_id)
            row.fault = str(fault)
            if fault.is_passing and row.attempts <= len(WAITS):
                row.next_at = self._state.clock() + WAITS[row.attempts - 1]
                return
            row.state = MailState.FAILED
            self._note(session, FAILED, row)

    def _note(self, session: Session, action: str, row: MailRow) -> None:
        session.flush()
        detail = {"referral": row.referral_id, "message": row.mail_id, "kind": row.kind}
        self._state.audit.record(session, action, "casework", detail)


def address_of_service(session: Session, service_id: str) -> str:
    """Where messages for a service go; empty for nowhere."""
    row = session.get(ServiceRow, service_id)
    return row.contact_email if row is not None else ""


def _mail(row: MailRow) -> Mail:
    return Mail(
        MailKind(row.kind),
        row.address,
        MailState(row.state),
        row.attempts,
        row.next_at,
        row.sent_at,
        row.fault,
    )
