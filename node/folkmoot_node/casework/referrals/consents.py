"""Consent to be referred: what, when, how, by whom, for which service; withdrawable."""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from folkmoot_node.casework.cases.cases import CaseState
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.referrals.kinds import (
    ENDED,
    FIELDS,
    RECORDS,
    ConsentBy,
    ConsentHow,
    ReferralState,
)
from folkmoot_node.casework.referrals.models import ConsentRow
from folkmoot_node.casework.referrals.services import find_service, service_of
from folkmoot_node.casework.referrals.transitions import move, referrals_of_consent
from folkmoot_node.casework.uk_time import uk_day
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

GIVEN = "consent recorded"
WITHDRAWN = "consent withdrawn"
"""Actions of the log."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Consent to be referred to a service.

    Attributes:
        consent_id: What addresses and logs call it.
        case_id: The case.
        service_id: The service.
        how: How it was given.
        given_by: Who gave it.
        fields: Names of what may be handed over; see `kinds.FIELDS` and `kinds.RECORDS`.
        note: What was explained.
        given_on: Date as ISO 8601.
        recorded_at: Seconds since 1970-01-01T00:00:00Z, as `withdrawn_at`.
        recorded_by: Who recorded it.
        withdrawn_at: When it was withdrawn; None while it holds.
        withdrawn_by: Who recorded that.
    """

    consent_id: str
    case_id: str
    service_id: str
    how: ConsentHow
    given_by: ConsentBy
    fields: tuple[str, ...]
    note: str
    given_on: str
    recorded_at: int
    recorded_by: str
    withdrawn_at: int | None
    withdrawn_by: str | None

    @property
    def titles(self) -> list[str]:
        """What may be handed over, in words."""
        return [AGREED.get(one, one) for one in self.fields]


AGREED = {**FIELDS, RECORDS: "What the council's records say"}
"""What somebody can agree to, and its title."""


class Consents:
    """Consents of a council's cases."""

    def __init__(self, state: State) -> None:
        self._state = state

    def record(
        self,
        case_id: str,
        service_id: str,
        by: Visitor,
        *,
        how: ConsentHow,
        given_by: ConsentBy,
        fields: Collection[str],
        given_on: datetime.date,
        note: str = "",
    ) -> str:
        """Records consent; its id.

        Raises:
            WebProblem: Status 404 if there is no such case or service; 409 if the case is closed;
                422 if the date is in the future, or a field is not known.
        """
        now = self._state.clock()
        if given_on > uk_day(now) or not fields or not set(fields) <= set(AGREED):
            raise problem_of_status(422)
        with self._state.database.writing() as session:
            case = session.get(CaseRow, case_id)
            if case is None:
                raise problem_of_status(404)
            if case.state == CaseState.CLOSED:
                raise closed_case()
            service = service_of(find_service(session, service_id))
            row = ConsentRow(
                consent_id=new_id(),
                case_id=case_id,
                household_id=case.household_id,
                service_id=service.service_id,
                how=how,
                given_by=given_by,
                fields=json.dumps([one for one in AGREED if one in fields]),
                note=note,
                given_on=given_on.isoformat(),
                recorded_at=now,
                recorded_by=by.name,
            )
            session.add(row)
            session.flush()
            self._state.audit.record(session, GIVEN, by.name, _detail(row))
            return row.consent_id

    def withdraw(self, case_id: str, consent_id: str, by: Visitor) -> list[str]:
        """Withdraws consent, and revokes referrals that rest on it and have not ended.

        Returns:
            Ids of the referrals that were revoked.

        Raises:
            WebProblem: Status 404 if there is no such consent.
        """
        revoked = []
        with self._state.database.writing() as session:
            referrals_of_consent(session, consent_id)  # locked in the same order as by `send`
            row = session.get(ConsentRow, consent_id, with_for_update=True)
            if row is None or row.case_id != case_id:
                raise problem_of_status(404)
            if row.withdrawn_at is not None:
                return []
            row.withdrawn_at, row.withdrawn_by = self._state.clock(), by.name
            session.flush()
            self._state.audit.record(session, WITHDRAWN, by.name, _detail(row))
            for one in referrals_of_consent(session, consent_id):
                if one.state in ENDED or one.override_id is not None:
                    continue
                move(
                    self._state,
                    session,
                    one,
                    ReferralState.REVOKED,
                    by.name,
                    "Consent was withdrawn",
                )
                revoked.append(one.referral_id)
        return revoked

    def listed(self, case_id: str, service_id: str | None = None) -> list[Consent]:
        """Consents of a case, the newest first.

        Args:
            case_id: The case.
            service_id: Only those for one service that were not withdrawn.
        """
        query = select(ConsentRow).where(ConsentRow.case_id == case_id)
        if service_id is not None:
            query = query.where(
                ConsentRow.service_id == service_id, ConsentRow.withdrawn_at.is_(None)
            )
        query = query.order_by(ConsentRow.recorded_at.desc(), ConsentRow.consent_id)
        with self._state.database.reading() as session:
            return [consent_of(row) for row in session.scalars(query)]


def consent_of(row: ConsentRow) -> Consent:
    """A consent from its row."""
    return Consent(
        row.consent_id,
        row.case_id,
        row.service_id,
        ConsentHow(row.how),
        ConsentBy(row.given_by),
        tuple(json.loads(row.fields)),
        row.note,
        row.given_on,
        row.recorded_at,
        row.recorded_by,
        row.withdrawn_at,
        row.withdrawn_by,
    )


def closed_case() -> WebProblem:
    """The problem that a case is closed."""
    return WebProblem(
        409,
        "This case is closed",
        "Nobody is referred from a closed case.",
        "Open the case again, or open another one.",
    )


def _detail(row: ConsentRow) -> dict[str, str]:
    return {
        "case": row.case_id,
        "household": row.household_id,
        "consent": row.consent_id,
        "service": row.service_id,
    }
