"""Records of what came to nothing, deleted by the rule of `[keep]` in node.toml."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.answering.event import Event
from folkmoot_node.evidence.round_table import forget_unanswered
from folkmoot_node.home import NodeHome
from folkmoot_node.signals import events
from folkmoot_operator.problems import Problem

_DAY = 86_400


def prune_by_rule(home: NodeHome) -> Iterator[Event]:
    """Deletes old visits from the egress log, and old rounds that were never answered.

    It never raises a `Problem`: visits go on, and the next call tries again.

    Args:
        home: The node.
    """
    keep, now = home.config.keep, home.clock()
    rule = f"[keep] visits_days = {keep.visits_days}"
    try:
        visits = home.egress.prune(now - keep.visits_days * _DAY, home.ledger.noted("egress"), rule)
        with home.state.transaction() as connection:
            rounds = forget_unanswered(connection, now - keep.unanswered_rounds_days * _DAY)
    except Problem as problem:
        text = f"nothing was pruned: {problem}. {problem.remedy}"
        yield Event("", text, True, events.PURGE_FAILED)
        return
    if visits:
        text = f"pruned entries about old visits from the egress log: {visits}"
        yield Event("", text, kind=events.PURGED)
    if rounds:
        text = f"pruned rounds that ended without an answer: {rounds}"
        yield Event("", text, kind=events.PURGED)
