"""A referral as pages and commands see it, and a line of its history."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot_node.casework.referrals.kinds import ReferralState, Urgency, Way
from folkmoot_node.casework.referrals.models import ReferralRow


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral, without what it hands over.

    Attributes:
        referral_id: The reference: what addresses and logs call it.
        case_id: The case.
        household: Id of the household.
        service_id: The service.
        state: Where it stands.
        consent_id: The consent on which it rests; None for none.
        is_overridden: Whether a legal ground was approved.
        urgency: The risk of waiting.
        band: Of the case.
        way: How it was handed over; None until then.
        drafted_at: Seconds since 1970-01-01T00:00:00Z, as `waiting_since` and `sent_at`.
        drafted_by: Who wrote it.
        waiting_since: Since when it waits for a place.
        sent_at: When it was sent.
    """

    referral_id: str
    case_id: str
    household: str
    service_id: str
    state: ReferralState
    consent_id: str | None
    is_overridden: bool
    urgency: Urgency
    band: str | None
    way: Way | None
    drafted_at: int
    drafted_by: str
    waiting_since: int | None
    sent_at: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a referral's history.

    Attributes:
        at: Seconds since 1970-01-01T00:00:00Z.
        by: An account, or a service by a link.
        state: In which it was afterwards.
        note: More about it.
    """

    at: int
    by: str
    state: ReferralState
    note: str


def referral_of(row: ReferralRow) -> Referral:
    """A referral from its row."""
    return Referral(
        row.referral_id,
        row.case_id,
        row.household_id,
        row.service_id,
        ReferralState(row.state),
        row.consent_id,
        row.override_id is not None,
        Urgency(row.urgency),
        row.band,
        None if row.way is None else Way(row.way),
        row.drafted_at,
        row.drafted_by,
        row.waiting_since,
        row.sent_at,
    )
