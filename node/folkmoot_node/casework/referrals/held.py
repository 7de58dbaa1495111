"""What referrals hold about a household, for residents' rights and for retention."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.holdings import Fact, Item, Records
from folkmoot_node.casework.referrals.models import (
    ConsentRow,
    EventRow,
    LinkRow,
    MailRow,
    OverrideRow,
    ReferralRow,
    ServiceRow,
    VisitRow,
)
from folkmoot_operator.moments import day_text


class ReferralRecords(Records):
    """Referrals to services with what was handed over, and consents."""

    room = "referrals"
    title = "Referrals to services, and consents"
    stays = (
        "What was handed over to a service is with that service. Tell it that the household was "
        "erased, unless that is impossible or out of proportion (article 19)."
    )

    def held_on(self, session: Session, household: str) -> Iterable[Item]:
        """See `Records`."""
        services = {row.service_id: row.name for row in session.scalars(select(ServiceRow))}
        consents = select(ConsentRow).where(ConsentRow.household_id == household)
        for row in session.scalars(consents.order_by(ConsentRow.recorded_at)).all():
            yield _consent(row, services.get(row.service_id, row.service_id))
        referrals = select(ReferralRow).where(ReferralRow.household_id == household)
        for referral in session.scalars(referrals.order_by(ReferralRow.drafted_at)).all():
            facts = _referral(session, referral, services.get(referral.service_id, ""))
            title = f"Referral of {day_text(referral.drafted_at)}"
            yield Item(referral.referral_id, title, tuple(one for one in facts if one.value))

    def erase(self, session: Session, household: str) -> int:
        """See `Records`."""
        consents = select(ConsentRow.consent_id).where(ConsentRow.household_id == household)
        referrals = select(ReferralRow.referral_id).where(ReferralRow.household_id == household)
        return _delete(session, consents, referrals)

    def erase_cases(self, session: Session, cases: Collection[str]) -> int:
        """See `Records`."""
        consents = select(ConsentRow.consent_id).where(ConsentRow.case_id.in_(cases))
        referrals = select(ReferralRow.referral_id).where(ReferralRow.case_id.in_(cases))
        return _delete(session, consents, referrals)


def _delete(session: Session, consents: Select[str], referrals: Select[str]) -> int:
    consent_ids: Sequence[str] = session.scalars(consents).all()
    ids: Sequence[str] = session.scalars(referrals).all()
    links = session.scalars(select(LinkRow.link_id).where(LinkRow.referral_id.in_(ids))).all()
    session.execute(delete(VisitRow).where(VisitRow.link_id.in_(links)))
    for one in (MailRow, LinkRow, EventRow, OverrideRow, ReferralRow):
        session.execute(delete(one).where(one.referral_id.in_(ids)))
    session.execute(delete(ConsentRow).where(ConsentRow.consent_id.in_(consent_ids)))
    return len(consent_ids) + len(ids)


def _consent(row: ConsentRow, service: str) -> Item:
    withdrawn = "" if row.withdrawn_at is None else day_text(row.withdrawn_at)
    facts = (
        Fact("Service", service),
        Fact("How it was given", row.how),
        Fact("By", row.given_by),
        Fact("What may be handed over", ", ".join(json.loads(row.fields or "[]"))),
        Fact("Note", row.note, may_name_others=True),
        Fact("Recorded by", row.recorded_by),
        Fact("Withdrawn on", withdrawn),
    )
    shown = tuple(one for one in facts if one.value)
    return Item(row.consent_id, f"Consent of {row.given_on}", shown)


def _referral(session: Session, row: ReferralRow, service: str) -> Iterator[Fact]:
    yield Fact("Service", service)
    yield Fact("State", row.state)
    yield Fact("Urgency", row.urgency)
    yield Fact("Group of the scores", row.band or "")
    yield Fact("Drafted by", row.drafted_by)
    yield Fact("Handed over", row.way or "")
    yield Fact("Sent on", "" if row.sent_at is None else day_text(row.sent_at))
    for one in json.loads(row.content or "[]"):
        label = f"Handed over: {one.get('title') or one.get('field')}"
        yield Fact(label, str(one.get("value") or ""), may_name_others=True)
    overrides = select(OverrideRow).where(OverrideRow.referral_id == row.referral_id)
    for override in session.scalars(overrides.order_by(OverrideRow.asked_at)):
        yield Fact("Without consent, on the ground", override.ground)
        yield Fact("Why without consent", override.reason, may_name_others=True)
        yield Fact("Asked by", override.asked_by)
        yield Fact("Decided by", override.decided_by or "")
    events = select(EventRow).where(EventRow.referral_id == row.referral_id)
    for event in session.scalars(events.order_by(EventRow.event_id)):
        when = day_text(event.at)
        yield Fact(f"On {when}", f"{event.state}, by {event.by}")
        yield Fact(f"Note of {when}", event.note, may_name_others=True)
