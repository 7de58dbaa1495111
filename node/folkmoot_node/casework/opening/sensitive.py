"""Sensitive sources: what somebody may not see of an explanation is taken out of it.

The score, the band and the completeness together with what is shown would give away what is not:
the difference between the score and the points that are shown is what the hidden factors add. So
they are replaced by those of the factors that are shown, for every household alike. A household
about which a sensitive source says something looks like one about which it says nothing.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from folkmoot_node.scoring.explain import Contribution, Explanation
from folkmoot_node.scoring.known_inputs import InputValue, Standing

NOT_SHOWN = "Not shown: this source is sensitive"
"""In place of what a factor says."""
NO_BAND = "not shown"
"""In place of a band."""


def as_permitted(explanation: Explanation, hidden: Set[str]) -> Explanation:
    """The explanation without what rests on some sources.

    Args:
        explanation: The whole one.
        hidden: Names of sources that may not be shown.

    Returns:
        The same one if none of its inputs comes from them. Else hidden inputs have the standing
        `NOT_SHOWN` and no value; factors that use one have no points, and `NOT_SHOWN` for words;
        `score`, `highest` and `completeness` are those of the other factors; band and action are
        not shown.
    """
    fields = {one.field for one in explanation.inputs if one.source in hidden}
    if not fields:
        return explanation
    shown = [one for one in explanation.contributions if not fields.intersection(one.inputs)]
    known = [one for one in shown if one.points is not None]
    highest = sum(one.weight for one in shown)
    return replace(
        explanation,
        score=sum(one.points for one in known if one.points is not None),
        highest=highest,
        completeness=sum(one.weight for one in known) / highest if highest else 0.0,
        band=NO_BAND,
        action=NOT_SHOWN,
        contributions=tuple(
            one if one in shown else _without_points(one) for one in explanation.contributions
        ),
        inputs=tuple(
            _without_value(one) if one.field in fields else one for one in explanation.inputs
        ),
    )


def withheld(explanation: Explanation) -> tuple[str, ...]:
    """Titles of the factors that `as_permitted` has taken out."""
    fields = {one.field for one in explanation.inputs if one.standing is Standing.NOT_SHOWN}
    return tuple(one.title for one in explanation.contributions if fields.intersection(one.inputs))


def _without_points(one: Contribution) -> Contribution:
    return replace(one, points=None, words=NOT_SHOWN, unexplained="")


def _without_value(one: InputValue) -> InputValue:
    return InputValue(one.field, one.description, None, one.unit, Standing.NOT_SHOWN)
