"""What `serve` deletes by rule: the purge, if the policy says so, and old records."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.answering.event import Event
from folkmoot_node.home import NodeHome
from folkmoot_node.operations.back_up import delete_ended
from folkmoot_node.operations.prune_records import prune_by_rule
from folkmoot_node.operations.retention import KEY_TO_REPLACE, expired, purge
from folkmoot_node.signals import events
from folkmoot_operator.problems import Problem

BY = "serve, by the policy's rule"
"""Who purged, in the audit log."""


def tidy(home: NodeHome) -> Iterator[Event]:
    """Deletes what a rule says is kept no longer: what the policy's says, and `[keep]`.

    Args:
        home: The node.
    """
    yield from purge_by_rule(home)
    yield from prune_by_rule(home)
    yield from _delete_backups(home)


def _delete_backups(home: NodeHome) -> Iterator[Event]:
    """Deletes backups whose key of the store has ended."""
    try:
        deleted = delete_ended(home, BY)
    except Problem as problem:
        text = f"no backup was deleted: {problem}. {problem.remedy}"
        yield Event("", text, True, events.PURGE_FAILED)
        return
    for name in deleted:
        text = f"deleted the backup {name}: the store's key in it has ended"
        yield Event("", text, kind=events.PURGED)


def purge_by_rule(home: NodeHome) -> Iterator[Event]:
    """Deletes what is past its retention, or says that it waits for a person.

    It never raises a `Problem`: visits go on, and the next call tries again.

    Args:
        home: The node.
    """
    try:
        found = expired(home)
        if not found:
            return
        if home.risk_policy().retention.purge == "manual":
            kinds = ", ".join(dict.fromkeys(item.kind.value for item in found))
            text = f"past the policy's retention rule: {kinds}. Run `folkmoot-node purge`"
            yield Event("", text, True, events.PURGE_FAILED)
            return
        purged = purge(home, found, BY)
    except Problem as problem:
        text = f"nothing was purged: {problem}. {problem.remedy}"
        yield Event("", text, True, events.PURGE_FAILED)
        return
    for kind in purged.counts:
        why = next(item.why for item in purged.deleted if item.kind.value == kind)
        yield Event("", f"purged {kind} by the policy's rule: {why}", kind=events.PURGED)
    if purged.key_to_replace:
        yield Event("", KEY_TO_REPLACE, True, events.PURGE_FAILED)
    if purged.key_replaced:
        text = "the key of the store was destroyed and replaced"
        yield Event("", text, kind=events.PURGED)
