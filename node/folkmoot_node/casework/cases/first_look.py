"""The blind first look: what a worker thinks of a household before its score is shown to them.

A score that is seen first pulls the judgement of whoever looks (anchoring). A view that was
recorded before shows how often people and the score disagree.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.policy import CaseworkPolicy
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.cases import locked_case
from folkmoot_node.casework.cases.models import FirstLookRow
from folkmoot_node.casework.cases.words import View
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

FIRST_LOOK = "first look recorded"
"""Action of the log."""


class FirstLooks:
    """Records first looks."""

    def __init__(self, state: State, policy: CaseworkPolicy) -> None:
        self._state = state
        self._policy = policy

    def needs_first_look(self, session: Session, case_id: str, visitor: Visitor) -> bool:
        """Whether somebody has to record a view before the score of a case is shown to them.

        Only if the policy says so, and only of those who work on cases: who answers a resident
        judges no need.
        """
        if not self._policy.openings.blind_first_look or not visitor.may(Right.WORK):
            return False
        return session.get(FirstLookRow, (case_id, visitor.name)) is None

    def record(
        self,
        session: Session,
        case_id: str,
        by: Visitor,
        view: View,
        reason: str,
        band: str | None,
        is_upper: bool | None,
    ) -> None:
        """Records a view, in a transaction that writes; nothing if they have recorded one.

        Args:
            session: Of the transaction.
            case_id: The case.
            by: Whose view it is.
            view: What they think.
            reason: Why.
            band: Of the household now; None if it has no score.
            is_upper: Whether it is in the upper half of the bands; None if it has no score.

        Raises:
            WebProblem: Status 404, if there is no such case.
        """
        locked_case(session, case_id)
        if session.get(FirstLookRow, (case_id, by.name)) is not None:
            return
        session.add(
            FirstLookRow(
                case_id=case_id,
                account=by.name,
                view=view,
                reason=reason,
                at=self._state.clock(),
                band=band,
                is_upper=is_upper,
            )
        )
        session.flush()
        self._state.audit.record(session, FIRST_LOOK, by.name, {"case": case_id})
