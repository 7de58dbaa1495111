"""Closes a case with the referrals that it has not sent."""

from __future__ import annotations

from sqlalchemy.orm import Session

from folkmoot_node.casework.cases.cases import Case, locked_case
from folkmoot_node.casework.cases.handling import Handling
from folkmoot_node.casework.cases.words import CaseOutcome
from folkmoot_node.casework.referrals.kinds import ReferralState
from folkmoot_node.casework.referrals.transitions import move, unsent
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor


def close_case(
    state: State, session: Session, case_id: str, version: int, by: Visitor, outcome: CaseOutcome
) -> Case:
    """Closes a case and revokes what it has not sent, in a transaction that writes.

    Nobody is referred from a closed case, and a referral that waited for a place would keep it
    from others. What services have goes on.

    Raises:
        WebProblem: As `Handling`.
    """
    # Locked in the order of those who write and send: case and referrals before the log.
    locked_case(session, case_id)
    rows = unsent(session, case_id, lock=True)
    closed = Handling(state).close(session, case_id, version, by, outcome)
    for row in rows:
        move(state, session, row, ReferralState.REVOKED, by.name, "The case was closed")
    return closed
