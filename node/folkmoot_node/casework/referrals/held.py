"""What referrals hold about a household, for residents' rights and for retention."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Select, delete, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.holdings import Fact, Item, Records
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.referrals.consents import consent_of
from folkmoot_node.casework.referrals.content import items_of
from folkmoot_node.casework.referrals.kinds import BEFORE, GROUNDS, OUTSIDE, Ground
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
from folkmoot_node.casework.referrals.postbox import MailKind, MailState
from folkmoot_node.casework.uk_time import uk_day_text

_VALUE = "content."
"""How fields begin that can be rectified: what is handed over, before it is."""
_NOTE = "note"


class ReferralRecords(Records):
    """Consents, referrals, and what came of them."""

    room = "referrals"
    title = "Consent and referrals"
    stays = (
        "What a service has kept of a referral is its own to erase. A service that got a message "
        "about the referral gets another one, which asks it to delete that; the council has to "
        "ask every other service itself (article 19)."
    )

    def held_on(self, session: Session, household: str) -> Iterable[Item]:
        """See `Records`."""
        names = {row.service_id: row.name for row in session.scalars(select(ServiceRow))}
        consents = select(ConsentRow).where(ConsentRow.household_id == household)
        for consent in session.scalars(consents.order_by(ConsentRow.recorded_at)).all():
            yield _consent(consent, names)
        referrals = select(ReferralRow).where(ReferralRow.household_id == household)
        for referral in session.scalars(referrals.order_by(ReferralRow.drafted_at)).all():
            yield Item(
                referral.referral_id,
                f"Referral to {names.get(referral.service_id, 'a service')}",
                tuple(one for one in _referral(session, referral) if one.value),
            )

    def erase(self, session: Session, household: str) -> int:
        """See `Records`."""
        found = select(ReferralRow.referral_id).where(ReferralRow.household_id == household)
        count = _erase_referrals(session, found)
        return count + _rows(
            session, delete(ConsentRow).where(ConsentRow.household_id == household)
        )

    def erase_cases(self, session: Session, cases: Collection[str]) -> int:
        """See `Records`."""
        found = select(ReferralRow.referral_id).where(ReferralRow.case_id.in_(cases))
        count = _erase_referrals(session, found)
        return count + _rows(session, delete(ConsentRow).where(ConsentRow.case_id.in_(cases)))

    def rectify(self, session: Session, household: str, key: str, field: str, text: str) -> bool:
        """See `Records`: a consent's note, and what a referral hands over while it is not sent."""
        consent = session.get(ConsentRow, key)
        if consent is not None and consent.household_id == household and field == _NOTE:
            consent.note = text
            return True
        row = session.get(ReferralRow, key)
        if row is None or row.household_id != household or row.state not in BEFORE:
            return False
        items = json.loads(row.content)
        changed = [one for one in items if _VALUE + one["field"] == field]
        for one in changed:
            one["value"] = text
        row.content = json.dumps(items, ensure_ascii=False)
        row.version += 1
        return bool(changed)


def _consent(row: ConsentRow, names: dict[str, str]) -> Item:
    consent = consent_of(row)
    withdrawn = "" if row.withdrawn_at is None else uk_day_text(row.withdrawn_at)
    facts = (
        Fact("Given", f"{row.given_on}, {row.how}, by {row.given_by}"),
        Fact("May be handed over", "; ".join(consent.titles)),
        Fact("Note", row.note, may_name_others=True, field=_NOTE),
        Fact("Recorded by", row.recorded_by),
        Fact("Withdrawn on", withdrawn),
    )
    title = f"Consent to {names.get(row.service_id, 'a service')}"
    return Item(row.consent_id, title, tuple(one for one in facts if one.value))


def _referral(session: Session, row: ReferralRow) -> Iterator[Fact]:
    for one in items_of(row.content):
        field = _VALUE + one.field if row.state in BEFORE else ""
        yield Fact(f"Handed over: {one.title}", one.value, may_name_others=True, field=field)
    yield Fact("State", row.state)
    yield Fact("Risk of waiting", row.urgency)
    yield Fact("Band, for the order", row.band or "")
    yield Fact("Written", f"{uk_day_text(row.drafted_at)} by {row.drafted_by}")
    yield Fact("Sent on", "" if row.sent_at is None else uk_day_text(row.sent_at))
    overrides = select(OverrideRow).where(OverrideRow.referral_id == row.referral_id)
    for override in session.scalars(overrides.order_by(OverrideRow.asked_at)):
        decided = {None: "not decided", True: "approved", False: "refused"}[override.approved]
        ground = f"{GROUNDS[Ground(override.ground)]}, {decided}"
        yield Fact("Legal ground", f"{ground}, stated by {override.asked_by}")
        yield Fact("Decided by", override.decided_by or "")
        yield Fact("Why", override.reason, may_name_others=True)
    events = select(EventRow).where(EventRow.referral_id == row.referral_id)
    for event in session.scalars(events.order_by(EventRow.event_id)):
        text = f"{uk_day_text(event.at)}: {event.state}, by {event.by}. {event.note}"
        yield Fact("History", text, may_name_others=bool(event.note))


def _erase_referrals(session: Session, found: Select[str]) -> int:
    ids = list(session.scalars(found))
    if not ids:
        return 0
    _tell_services(session, ids)
    links = select(LinkRow.link_id).where(LinkRow.referral_id.in_(ids))
    _rows(session, delete(VisitRow).where(VisitRow.link_id.in_(links)))
    other: tuple[type[Any], ...] = (LinkRow, EventRow, OverrideRow)
    for table in other:
        _rows(session, delete(table).where(table.referral_id.in_(ids)))
    not_revoked = MailRow.kind != MailKind.REVOKED
    _rows(session, delete(MailRow).where(MailRow.referral_id.in_(ids), not_revoked))
    return _rows(session, delete(ReferralRow).where(ReferralRow.referral_id.in_(ids)))


def _tell_services(session: Session, ids: Collection[str]) -> None:
    """Messages to services that were told of a referral, and have it still."""
    told = (
        select(MailRow)
        .join(ReferralRow, ReferralRow.referral_id == MailRow.referral_id)
        .where(
            MailRow.referral_id.in_(ids),
            MailRow.kind == MailKind.NEW,
            MailRow.state == MailState.SENT,
            ReferralRow.state.in_(sorted(OUTSIDE)),
        )
    )
    addresses = {(row.referral_id, row.address): row for row in session.scalars(told)}
    for (referral_id, address), row in addresses.items():
        session.add(
            MailRow(
                mail_id=new_id(),
                referral_id=referral_id,
                kind=MailKind.REVOKED,
                address=address,
                state=MailState.WAITING,
                made_at=row.sent_at or row.made_at,
                attempts=0,
                next_at=0,
                fault="",
            )
        )
    session.flush()


def _rows(session: Session, statement: Delete) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
