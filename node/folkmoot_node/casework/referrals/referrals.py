"""Referrals of households to services: drafted, sent, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.cases import CaseState, locked_case
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.referrals.consents import closed_case
from folkmoot_node.casework.referrals.content import Item, as_text, items_of
from folkmoot_node.casework.referrals.kinds import OUTSIDE, ReferralState, Urgency, Way
from folkmoot_node.casework.referrals.links import Links
from folkmoot_node.casework.referrals.models import EventRow, ReferralRow
from folkmoot_node.casework.referrals.order import Place, Waiting, in_order, week_of
from folkmoot_node.casework.referrals.postbox import MailKind, address_of_service, put
from folkmoot_node.casework.referrals.referral import Event, Referral, referral_of
from folkmoot_node.casework.referrals.services import find_service, service_of
from folkmoot_node.casework.referrals.transitions import (
    find_referral,
    move,
    note_event,
    why_no_consent,
)
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

DRAFTED = "referral drafted"
TAKEN = "referral taken as a file"
"""Actions of the log; the others are in `transitions` and `overrides`."""


class Referrals:
    """The referrals of a council."""

    def __init__(
        self, state: State, links: Links, bands: Callable[[], Sequence[str]], *, mails: bool
    ) -> None:
        """Prepares to refer.

        Args:
            state: The site's.
            links: Makes links.
            bands: Gives the names of the policy's bands, the lowest first.
            mails: Whether services get messages.
        """
        self._state = state
        self._links = links
        self._bands = bands
        self._mails = mails

    def draft(
        self,
        opened: Opened,
        by: Visitor,
        *,
        service_id: str,
        items: Sequence[Item],
        urgency: Urgency,
        consent_id: str | None,
    ) -> str:
        """Writes a referral that is not sent yet; its id.

        Args:
            opened: The household, opened for its case.
            by: Who writes it.
            service_id: The service.
            items: What is handed over.
            urgency: The risk of waiting.
            consent_id: The consent on which it rests; None for none.

        Raises:
            WebProblem: Status 403 if they may not; 404 if there is no such case or service; 409 if
                the case is closed or the service takes nobody; 422 if the consent does not fit, or
                nothing is handed over.
        """
        if not by.may(Right.REFER):
            raise problem_of_status(403)
        if not items:
            raise problem_of_status(422)
        with self._state.database.writing() as session:
            # Locked, so that no draft comes into a case that is closed at the same moment.
            case = locked_case(session, opened.case_id)
            if case.household_id != opened.household:
                raise problem_of_status(404)
            if case.state == CaseState.CLOSED:
                raise closed_case()
            if not service_of(find_service(session, service_id)).takes_referrals:
                raise _takes_nobody()
            row = ReferralRow(
                referral_id=new_id(),
                case_id=case.case_id,
                household_id=case.household_id,
                service_id=service_id,
                state=ReferralState.DRAFTED,
                consent_id=consent_id,
                content=as_text(items),
                urgency=urgency,
                band=case.band,
                drafted_at=self._state.clock(),
                drafted_by=by.name,
                version=1,
            )
            if consent_id is not None and (why_not := why_no_consent(session, row)) is not None:
                raise WebProblem(
                    422,
                    "The consent does not permit this referral",
                    why_not,
                    "Hand over less, or record consent again.",
                )
            session.add(row)
            note_event(self._state, session, row, by.name, "")
            detail = {"case": row.case_id, "household": row.household_id}
            detail |= {"referral": row.referral_id, "service": service_id}
            self._state.audit.record(session, DRAFTED, by.name, detail)
            return row.referral_id

    def send(
        self, case_id: str, referral_id: str, by: Visitor, way: Way, *, why_first: str = ""
    ) -> ReferralState:
        """Sends a referral, or lets it wait where the service has no place this week.

        Args:
            case_id: The case.
            referral_id: The referral.
            by: Who decides that.
            way: How it is handed over.
            why_first: Why it goes before others, or beyond what the service takes in a week; empty
                for in order.

        Raises:
            WebProblem: Status 403 if they may not, or nothing permits it; 404 if there is no such
                referral; 409 if it was sent already, the case is closed, or the service takes
                nobody any more.
        """
        if not by.may(Right.REFER):
            raise problem_of_status(403)
        with self._state.database.writing() as session:
            row = find_referral(session, referral_id, case_id)
            case = session.get(CaseRow, row.case_id)
            if case is None or case.state == CaseState.CLOSED:
                raise closed_case()
            service = service_of(find_service(session, row.service_id))
            if not service.takes_referrals:
                raise _takes_nobody()
            sending = (ReferralState.DRAFTED, ReferralState.QUEUED)
            if row.state in sending and not why_first and not self._is_next(session, row):
                if row.state == ReferralState.QUEUED:
                    raise WebProblem(
                        409,
                        "This referral has no place this week",
                        "Others come first, or the service has no place left.",
                        "Wait, or say why it goes first.",
                    )
                row.waiting_since = self._state.clock()
                move(self._state, session, row, ReferralState.QUEUED, by.name)
                return ReferralState.QUEUED
            row.way = way
            move(self._state, session, row, ReferralState.SENT, by.name, why_first)
            if way == Way.LINK:
                self._put_link(session, row, by)
            return ReferralState.SENT

    def renew_link(self, case_id: str, referral_id: str, by: Visitor) -> None:
        """Makes a new link, and closes the one before.

        Raises:
            WebProblem: Status 403 if they may not; 404 if there is no such referral; 409 if the
                service does not have it by a link.
        """
        if not by.may(Right.REFER):
            raise problem_of_status(403)
        with self._state.database.writing() as session:
            row = find_referral(session, referral_id, case_id)
            if row.state not in OUTSIDE or row.way != Way.LINK:
                raise _not_sent()
            self._put_link(session, row, by)
            note_event(self._state, session, row, by.name, "Made a new link")

    def revoke(self, case_id: str, referral_id: str, by: Visitor, note: str) -> None:
        """Takes a referral back, while it has not ended.

        Raises:
            WebProblem: Status 403 if they may not; 404 if there is no such referral; 409 if it has
                ended.
        """
        self._report(case_id, referral_id, by, ReferralState.REVOKED, note)

    def report(
        self, case_id: str, referral_id: str, by: Visitor, to: ReferralState, note: str
    ) -> None:
        """Notes what a service has said by telephone, or in answer to a file.

        Raises:
            WebProblem: As `revoke`.
        """
        came_back = (ReferralState.RECEIVED, ReferralState.ACCEPTED)
        if to not in (*came_back, ReferralState.REJECTED, ReferralState.COMPLETED):
            raise problem_of_status(422)
        self._report(case_id, referral_id, by, to, note)

    def content(self, opened: Opened, referral_id: str) -> tuple[Item, ...]:
        """What a referral hands over, for who has opened its household.

        Raises:
            WebProblem: Status 404, if the household has no such referral.
        """
        with self._state.database.reading() as session:
            row = session.get(ReferralRow, referral_id)
            if row is None or row.household_id != opened.household:
                raise problem_of_status(404)
            return items_of(row.content)

    def take_file(self, opened: Opened, referral_id: str, by: Visitor) -> tuple[Item, ...]:
        """What a referral hands over by a file; the log says that it was taken.

        Raises:
            WebProblem: Status 404 if the household has no such referral; 409 if it was not sent as
                a file.
        """
        with self._state.database.writing() as session:
            row = find_referral(session, referral_id, opened.case_id)
            if row.way != Way.FILE or row.state not in OUTSIDE:
                raise _not_sent()
            detail = {"case": row.case_id, "household": row.household_id, "referral": referral_id}
            self._state.audit.record(session, TAKEN, by.name, detail)
            return items_of(row.content)

    def get(self, referral_id: str, case_id: str) -> Referral:
        """A referral of a case.

        Raises:
            WebProblem: Status 404, if there is none.
        """
        with self._state.database.reading() as session:
            row = session.get(ReferralRow, referral_id)
            if row is None or row.case_id != case_id:
                raise problem_of_status(404)
            return referral_of(row)

    def listed(
        self,
        *,
        case_id: str | None = None,
        service_id: str | None = None,
        states: Collection[ReferralState] = (),
    ) -> list[Referral]:
        """Referrals, those drafted last first.

        Args:
            case_id: Only those of one case.
            service_id: Only those to one service.
            states: Only those in one of these states; empty for all.
        """
        query = select(ReferralRow)
        if case_id is not None:
            query = query.where(ReferralRow.case_id == case_id)
        if service_id is not None:
            query = query.where(ReferralRow.service_id == service_id)
        if states:
            query = query.where(ReferralRow.state.in_(sorted(states)))
        query = query.order_by(ReferralRow.drafted_at.desc(), ReferralRow.referral_id)
        with self._state.database.reading() as session:
            return [referral_of(row) for row in session.scalars(query)]

    def history(self, referral_id: str) -> list[Event]:
        """What has happened to a referral, oldest first."""
        query = select(EventRow).where(EventRow.referral_id == referral_id)
        with self._state.database.reading() as session:
            return [
                Event(row.at, row.by, ReferralState(row.state), row.note)
                for row in session.scalars(query.order_by(EventRow.event_id))
            ]

    def order(self, service_id: str) -> tuple[list[Place], int | None]:
        """The order of those who wait for a service, and how many places are left this week.

        Raises:
            WebProblem: Status 404, if there is no such service.
        """
        with self._state.database.reading() as session:
            return self._order(session, service_id)

    def _order(
        self, session: Session, service_id: str, also: ReferralRow | None = None
    ) -> tuple[list[Place], int | None]:
        service = find_service(session, service_id)
        now = self._state.clock()
        begins, ends = week_of(now)
        taken = (
            select(func.count())
            .select_from(ReferralRow)
            .where(
                ReferralRow.service_id == service_id,
                ReferralRow.sent_at >= begins,
                ReferralRow.sent_at < ends,
                ReferralRow.state.not_in((ReferralState.REJECTED, ReferralState.REVOKED)),
            )
        )
        used = session.scalar(taken) or 0
        left = None if service.capacity is None else max(0, service.capacity - used)
        rows = list(
            session.scalars(
                select(ReferralRow).where(
                    ReferralRow.service_id == service_id,
                    ReferralRow.state == ReferralState.QUEUED,
                )
            )
        )
        if also is not None and also.state != ReferralState.QUEUED:
            rows.append(also)
        waiting = [
            Waiting(
                row.referral_id,
                row.case_id,
                Urgency(row.urgency),
                row.band,
                row.waiting_since or now,
            )
            for row in rows
        ]
        return in_order(waiting, self._bands(), now, left), left

    def _is_next(self, session: Session, row: ReferralRow) -> bool:
        # Locked, so that two who send at once do not both take the last place.
        find_service(session, row.service_id, lock=True)
        places, _ = self._order(session, row.service_id, row)
        return any(one.has_place for one in places if one.waiting.referral_id == row.referral_id)

    def _put_link(self, session: Session, row: ReferralRow, by: Visitor) -> None:
        link_id = self._links.make(session, row, by.name)
        address = address_of_service(session, row.service_id)
        if address and self._mails:
            put(self._state, session, MailKind.NEW, row.referral_id, address, link_id)

    def _report(
        self, case_id: str, referral_id: str, by: Visitor, to: ReferralState, note: str
    ) -> None:
        if not by.may(Right.REFER):
            raise problem_of_status(403)
        with self._state.database.writing() as session:
            row = find_referral(session, referral_id, case_id)
            move(self._state, session, row, to, by.name, note)


def _takes_nobody() -> WebProblem:
    return WebProblem(
        409,
        "This service takes no referrals now",
        "It is retired, or its directory says that it is closed.",
        "Choose another service.",
    )


def _not_sent() -> WebProblem:
    return WebProblem(
        409,
        "The service does not have this referral in that way",
        "It is not sent, was sent in another way, or has ended.",
        "Open the referral again, and see what has happened.",
    )
