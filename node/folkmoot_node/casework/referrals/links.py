"""Signed one-time links by which a service sees a referral without an account.

An address holds the id of the link and a code that only the council's key makes (HMAC-SHA256), so
nobody guesses or changes one, and who reads the database cannot make one. The PIN reaches the
service another way. To open the address shows nothing: only the PIN, sent by a form, does, in the
browser that sent it, for half an hour. After that the same link takes only reports about how it
goes on.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from folkmoot_node.casework.ids import LENGTH, new_id
from folkmoot_node.casework.referrals.content import Item, items_of
from folkmoot_node.casework.referrals.kinds import OUTSIDE, ReferralState
from folkmoot_node.casework.referrals.models import LinkRow, ReferralRow, ServiceRow, VisitRow
from folkmoot_node.casework.referrals.transitions import find_referral, move
from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.private_files import make_private_folder, write_private
from folkmoot_web.errors import WebProblem
from folkmoot_web.site import State
from folkmoot_web.tokens import digest

OPENED = "referral shown to service"
REFUSED = "referral not shown to service"
MADE = "link made"
"""Actions of the log."""
VISIT_SECONDS = 30 * 60
"""For which a browser that showed the PIN sees the page."""
TRIES = 5
"""Wrong PINs, after which a link is closed."""
PATH = "/hand-over"
_DAY = 24 * 60 * 60
_CODE = re.compile(rf"([a-z0-9]{{{LENGTH}}})\.([A-Za-z0-9_-]{{43}})")
_KEY_BYTES = 32
_LOST_KEY = "Restore it from backup, or delete it and make new links: those that were sent end"


class LinkKey:
    """The key of links: codes and PINs."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def read(cls, path: Path) -> LinkKey:
        """The key in a file, which is made if there is none.

        Raises:
            Problem: Exit code SETTINGS, if it is damaged or cannot be read.
        """
        if not path.exists():
            make_private_folder(path.parent)
            content = secrets.token_bytes(_KEY_BYTES).hex()
            with contextlib.suppress(FileExistsError):  # another process has just made it
                write_private(path, f"{content}\n".encode("ascii"), replace=False)
        return cls(KeyFile(path, "the key of links", _LOST_KEY).hexadecimal(_KEY_BYTES))

    def token(self, link: LinkRow) -> str:
        """What the address of a link ends with."""
        return f"{link.link_id}.{self._code(link)}"

    def is_code(self, link: LinkRow, code: str) -> bool:
        """Whether a code is that of a link."""
        return hmac.compare_digest(self._code(link).encode(), code.encode())

    def pin(self, link: LinkRow) -> str:
        """The PIN of a link: six digits."""
        return f"{int.from_bytes(self._mac('pin', link)[:8], 'big') % 1_000_000:06d}"

    def is_pin(self, link: LinkRow, pin: str) -> bool:
        """Whether a PIN is that of a link."""
        return hmac.compare_digest(self.pin(link).encode(), pin.encode())

    def _code(self, link: LinkRow) -> str:
        return base64.urlsafe_b64encode(self._mac("link", link)).decode().rstrip("=")

    def _mac(self, purpose: str, link: LinkRow) -> bytes:
        text = f"folkmoot {purpose} {link.link_id} {link.referral_id} {link.expires_at}"
        return hmac.digest(self._key, text.encode(), hashlib.sha256)


@dataclass(frozen=True, slots=True)
class Link:
    """What the council sees of a link.

    Attributes:
        path: Its address without the host.
        pin: For the telephone.
        expires_at: Seconds since 1970-01-01T00:00:00Z, as `opened_at` and `closed_at`.
        opened_at: When the service saw the referral; None if it did not.
        closed_at: When it was closed; None while it is not.
        failures: How often a wrong PIN was sent.
    """

    path: str
    pin: str
    expires_at: int
    opened_at: int | None
    closed_at: int | None
    failures: int


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What a service sees.

    Attributes:
        referral_id: The reference.
        state: Where the referral stands.
        service: Name of the service.
        content: What was handed over; None where it is not shown again.
        following: States that the service may report.
    """

    referral_id: str
    state: ReferralState
    service: str
    content: tuple[Item, ...] | None
    following: tuple[ReferralState, ...]


class Links:
    """The links of a council's referrals."""

    def __init__(self, state: State, key: LinkKey, days: int) -> None:
        """Prepares to make and open links.

        Args:
            state: The site's.
            key: The key of links.
            days: After how many a link that nobody opened expires.
        """
        self._state = state
        self._key = key
        self._days = days

    def make(self, session: Session, referral: ReferralRow, by: str) -> str:
        """Makes a link in a transaction that writes, and closes earlier ones; its id."""
        now = self._state.clock()
        earlier = (LinkRow.referral_id == referral.referral_id, LinkRow.closed_at.is_(None))
        session.execute(update(LinkRow).where(*earlier).values(closed_at=now))
        row = LinkRow(
            link_id=new_id(),
            referral_id=referral.referral_id,
            made_at=now,
            expires_at=now + self._days * _DAY,
            failures=0,
        )
        session.add(row)
        session.flush()
        detail = {"case": referral.case_id, "referral": row.referral_id, "link": row.link_id}
        self._state.audit.record(session, MADE, by, detail)
        return row.link_id

    def path(self, link: LinkRow) -> str:
        """The address of a link without the host."""
        return f"{PATH}/{self._key.token(link)}"

    def latest(self, referral_id: str) -> Link | None:
        """The newest link of a referral, for people at the council who may refer."""
        query = select(LinkRow).where(LinkRow.referral_id == referral_id)
        with self._state.database.reading() as session:
            row = session.scalar(query.order_by(LinkRow.made_at.desc(), LinkRow.closed_at).limit(1))
            if row is None:
                return None
            return Link(
                self.path(row),
                self._key.pin(row),
                row.expires_at,
                row.opened_at,
                row.closed_at,
                row.failures,
            )

    def enter(self, token: str, pin: str, browser: str) -> bool:
        """Takes the PIN of a link; the first time, the service receives the referral by that.

        Args:
            token: What the address ended with.
            pin: As it was typed.
            browser: What is kept in the browser.

        Returns:
            Whether the browser now sees the page. If not, nobody is told why.
        """
        with self._state.database.writing() as session:
            row = self._find(session, token)
            if row is None:
                return False
            now = self._state.clock()
            if row.closed_at is not None or (row.opened_at is None and row.expires_at <= now):
                self._refused(session, row, "closed or expired")
                return False
            if not self._key.is_pin(row, pin):
                row.failures += 1
                if row.failures >= TRIES:
                    row.closed_at = now
                self._refused(session, row, "wrong PIN")
                return False
            is_first = row.opened_at is None
            sees = is_first or self._sees(session, row, browser)
            if is_first:
                row.opened_at = now
            session.merge(
                VisitRow(
                    link_id=row.link_id,
                    browser=digest(browser),
                    ends_at=now + VISIT_SECONDS,
                    sees_content=sees,
                )
            )
            referral = find_referral(session, row.referral_id)
            if is_first and referral.state == ReferralState.SENT:
                move(self._state, session, referral, ReferralState.RECEIVED, _by(row, referral))
            return True

    def show(self, token: str, browser: str) -> HandedOver | None:
        """What a browser that has shown the PIN sees; None for any other.

        That it is shown is durable in the log when this returns.
        """
        with self._state.database.writing() as session:
            found = self._visit(session, token, browser)
            if found is None:
                return None
            row, visit = found
            referral = find_referral(session, row.referral_id)
            service = session.get(ServiceRow, referral.service_id)
            content = items_of(referral.content) if visit.sees_content else None
            if content is not None:
                detail = {"case": referral.case_id, "household": referral.household_id}
                detail |= {"referral": row.referral_id, "link": row.link_id}
                self._state.audit.record(session, OPENED, _by(row, referral), detail)
            state = ReferralState(referral.state)
            return HandedOver(
                row.referral_id, state, service.name if service else "", content, reports(state)
            )

    def report(
        self, token: str, browser: str, to: ReferralState, note: str
    ) -> ReferralState | None:
        """Notes what a service reports; the new state, or None if the browser may not.

        Raises:
            WebProblem: Status 409, if that cannot follow.
        """
        with self._state.database.writing() as session:
            found = self._visit(session, token, browser)
            if found is None:
                return None
            row, _ = found
            referral = find_referral(session, row.referral_id)
            if to not in reports(ReferralState(referral.state)):
                raise WebProblem(
                    409,
                    "This referral cannot do that now",
                    f"It is {referral.state}.",
                    "Open the link again, and see what has happened meanwhile.",
                )
            move(self._state, session, referral, to, _by(row, referral), note)
            return to

    def _find(self, session: Session, token: str) -> LinkRow | None:
        match = _CODE.fullmatch(token)
        if match is None:
            return None
        row = session.get(LinkRow, match[1], with_for_update=True)
        return row if row is not None and self._key.is_code(row, match[2]) else None

    def _visit(self, session: Session, token: str, browser: str) -> tuple[LinkRow, VisitRow] | None:
        row = self._find(session, token)
        if row is None or row.closed_at is not None:
            return None
        visit = session.get(VisitRow, (row.link_id, digest(browser)))
        if visit is None or visit.ends_at <= self._state.clock():
            return None
        return row, visit

    def _sees(self, session: Session, row: LinkRow, browser: str) -> bool:
        found = session.get(VisitRow, (row.link_id, digest(browser)))
        return found is not None and found.sees_content and found.ends_at > self._state.clock()

    def _refused(self, session: Session, row: LinkRow, why: str) -> None:
        session.flush()
        detail = {"referral": row.referral_id, "link": row.link_id, "why_not": why}
        self._state.audit.record(session, REFUSED, "a service", detail)


def reports(state: ReferralState) -> tuple[ReferralState, ...]:
    """What a service may report about a referral in a state."""
    if state in (ReferralState.SENT, ReferralState.RECEIVED):
        return (ReferralState.ACCEPTED, ReferralState.REJECTED)
    return (ReferralState.COMPLETED,) if state in OUTSIDE else ()


def _by(row: LinkRow, referral: ReferralRow) -> str:
    return f"service {referral.service_id} by link {row.link_id}"
