"""Stopping a node at once, and letting it go on."""

from __future__ import annotations

from folkmoot_node.evidence.pauses import RESUME, paused
from folkmoot_node.home import NodeHome
from folkmoot_node.store.pause_note import forget_pause, note_path, note_pause
from folkmoot_operator.accounts import Operator
from folkmoot_operator.pauses import PAUSED, RESUMED, Pause, checked_reason, entry_of, pause_of
from folkmoot_operator.pauses import stopped as final
from folkmoot_operator.problems import ExitCode, Problem


def pause(home: NodeHome, reason: str, who: Operator, *, is_final: bool = False) -> Pause:
    """Stops scoring, releases and the pages of casework, until `resume`. Safe to repeat.

    A run that is going on ends before its next stage. One that is paused already keeps its first
    reason and time, unless this pause is final and that was not.

    Args:
        home: The node.
        reason: Why, for people: it is shown on pages.
        who: Who decided it.
        is_final: Whether it never goes on: the council leaves its region.

    Raises:
        Problem: Exit code USAGE, if there is no reason.
    """
    config, reason = home.config, checked_reason(reason)
    before = paused(home)
    if before is not None and (before.is_final or not is_final):
        note_pause(config.store_path, before.at, before.reason, config.readers)
        return before
    now = home.clock()
    note_pause(config.store_path, now, reason, config.readers)  # before the log: see the module
    with home.state.transaction() as connection:
        body = entry_of(PAUSED, reason, who, is_final=is_final)
        entry = home.audit.append(connection, now, body)
    found = pause_of(entry)
    assert found is not None
    return found


def resume(home: NodeHome, reason: str, who: Operator) -> Pause:
    """Lets the node go on.

    Returns:
        The pause that has ended.

    Raises:
        Problem: Exit code REFUSED, if it is not paused or has left its region; USAGE, if there is
            no reason.
    """
    reason, before, store = checked_reason(reason), paused(home), home.config.store_path
    if before is None:
        is_noted = note_path(store).exists()
        forget_pause(store)  # of a pause that was not finished, or whose end was not
        raise Problem(
            "the node is not paused"
            + ("; its pages were closed all the same, and are open now" * is_noted),
            remedy="Nothing needs to be done",
            exit_code=ExitCode.REFUSED,
        )
    if before.is_final:
        raise final(before, "this node", "it does not go on", RESUME)
    with home.state.transaction() as connection:
        home.audit.append(connection, home.clock(), entry_of(RESUMED, reason, who))
    forget_pause(store)
    return before
