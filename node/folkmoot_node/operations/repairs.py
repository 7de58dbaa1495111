"""What `doctor --fix` can put right at a node, and the checks of leftovers that lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from folkmoot_node.evidence.pauses import paused
from folkmoot_node.home import SERVE_LOCK, NodeHome
from folkmoot_node.operations.retention import Kind, expired, purge
from folkmoot_node.store.pause_note import forget_pause, note_path, note_pause
from folkmoot_operator.accounts import Operator
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.repairs import (
    REPAIRED,
    Repair,
    closing,
    is_stale,
    leftovers,
    stale_lock,
    unfinished_files,
)

_NAME = "leftovers"
FIX = "`folkmoot-node doctor --fix`"


def repairs(home: NodeHome, who: Operator) -> Iterator[Repair]:
    """What can be put right now, and loses nothing.

    Args:
        home: The node.
        who: Who decides it.
    """
    config = home.config
    private = list(home.keys.private)
    if config.readers is None:
        private += [config.home, config.key_file, config.state_path]
    yield from closing(private, config.home)
    yield from leftovers(_folders(home), config.home)
    yield from stale_lock(config.home / SERVE_LOCK, config.home)
    yield from _note_of_pause(home)
    stopped = tuple(item for item in expired(home) if item.kind is Kind.LEFTOVERS)
    if stopped:
        what = "delete what stopped scoring runs have left"
        yield Repair(what, lambda: purge(home, stopped, who))


def repair(home: NodeHome, found: list[Repair], who: Operator) -> list[str]:
    """Puts right what was found, and notes it in the audit log.

    Returns:
        What was done.
    """
    for one in found:
        one.do()
    done = [one.what for one in found]
    if done:
        with home.state.transaction() as connection:
            body = {"action": REPAIRED, **who.as_body(), "what": done}
            home.audit.append(connection, home.clock(), body)
    return done


def nothing_left_over(home: NodeHome) -> Check:
    """Whether processes that were killed have left something, or a pause is half done."""

    def look() -> Iterator[Finding]:
        found = len(list(unfinished_files(_folders(home))))
        what = []
        if found:
            what.append(f"files that were never finished: {found}")
        if is_stale(home.config.home / SERVE_LOCK):
            what.append(f"{SERVE_LOCK} names a process that has gone")
        if list(_note_of_pause(home)):
            what.append("pages of casework do not go by the pause in the audit log")
        if what:
            yield Finding(_NAME, State.WARN, "; ".join(what), f"Run {FIX}")
        else:
            yield Finding(_NAME, State.OK, "nothing that a stopped process has left")

    return Check(_NAME, look)


def _note_of_pause(home: NodeHome) -> Iterator[Repair]:
    store, pause = home.config.store_path, paused(home)
    is_noted = note_path(store).exists()
    if pause is None and is_noted:
        yield Repair(
            "open the pages of casework: the node is not paused", lambda: forget_pause(store)
        )
    elif pause is not None and not is_noted:
        at, reason, readers = pause.at, pause.reason, home.config.readers
        yield Repair(
            "close the pages of casework: the node is paused",
            lambda: note_pause(store, at, reason, readers),
        )


def _folders(home: NodeHome) -> tuple[Path, ...]:
    config = home.config
    return (
        config.home,
        home.keys.folder,
        config.store_path.parent,
        config.corrections_file.parent,
        config.home / "left",
    )
