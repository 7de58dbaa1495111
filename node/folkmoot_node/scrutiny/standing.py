"""How approval and answers stand: what `status` and `doctor` say of them.

Reads files and the audit log alone, as the gate does. A node without answers and approval, that
requires none, loads nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.approval import Approval, approved_last
from folkmoot_node.scrutiny.gate import (
    changed_since,
    require_approved,
    require_approved_scores,
    stopping,
)
from folkmoot_node.scrutiny.scrutiny_file import (
    FILE_NAME,
    load_signed,
    load_unsigned,
    scrutiny_path,
)
from folkmoot_node.store.reader import absence
from folkmoot_node.store.use import open_scores
from folkmoot_operator.checks import Check, Finding, State, failed
from folkmoot_operator.moments import day_text, to_text
from folkmoot_operator.problems import Problem
from folkmoot_operator.status_screen import Status

_APPROVAL, _ANSWERS = "approved dossier", "answers for scrutiny"
_STOPS = "nothing is scored, and no round is answered"
_DIFF = "folkmoot-node dossier diff"


def scrutiny_section(status: Status, node: NodeHome) -> dict[str, Any] | None:
    """The part of `status`; adds what needs somebody. None where there is nothing of scrutiny.

    Args:
        status: Gets what needs somebody.
        node: The node.

    Raises:
        Problem: If what was approved is not what the audit log names.
    """
    last, required = approved_last(node), node.config.scrutiny.require_approved
    answers = _answers(status, node)
    if last is None and not required and answers is None:
        return None
    found: dict[str, Any] = {
        "require_approved": required,
        "approved_at": to_text(last.at) if last else None,
        "approved_by": last.decided_by if last else None,
        "changes": None,
        "stops": [],
        "is_stopped": False,
        "answers": answers,
    }
    if answers in ("unsigned", "wrong"):
        found["is_stopped"] = required  # the configuration cannot be compared
        return found
    if last is not None:
        changes = changed_since(node, last)
        found["changes"] = len(changes)
        if required:
            stops = stopping(node.config.scrutiny, changes)
            found["stops"] = [str(stop) for stop in dict.fromkeys(stop for stop, _ in stops)]
    if required:
        try:
            _require_all(node)
        except Problem as problem:
            found["is_stopped"] = True
            status.need(str(problem), failed(_APPROVAL, problem).command or problem.remedy, 6)
    return found


def _answers(status: Status, node: NodeHome) -> str | None:
    path = scrutiny_path(node.config)
    if not path.exists():
        return None
    found = "wrong"
    try:
        load_unsigned(node.config)
        found = "unsigned"
        load_signed(node)
    except Problem as problem:
        command = failed(_ANSWERS, problem).command or problem.remedy
        status.need(f"{FILE_NAME}: {problem.problem}", command, 26)
        return found
    return "signed"


def scrutiny_checks(node: NodeHome) -> Iterator[Check]:
    """The checks of `doctor`; none where there is nothing of scrutiny."""
    last = approved_last(node)
    if scrutiny_path(node.config).exists():
        yield Check(_ANSWERS, lambda: _look_at_answers(node))
    if last is not None or node.config.scrutiny.require_approved:
        yield Check(_APPROVAL, lambda: _look_at_approval(node, last))


def _look_at_answers(node: NodeHome) -> Iterator[Finding]:
    try:
        signed = load_signed(node)
    except Problem as problem:
        state = State.FAIL if node.config.scrutiny.require_approved else State.WARN
        yield Finding(_ANSWERS, state, problem.problem, problem.remedy, problem.where)
        return
    what = f"version {signed.document.version} of {FILE_NAME} is signed by {signed.signer}"
    yield Finding(_ANSWERS, State.OK, what)


def _look_at_approval(node: NodeHome, last: Approval | None) -> Iterator[Finding]:
    required = node.config.scrutiny.require_approved
    if required:
        _require_all(node)  # a problem is a finding that failed
    assert last is not None
    by = f"{last.decided_by} approved on {day_text(last.at)}"
    changes = changed_since(node, last)
    if not changes:
        yield Finding(_APPROVAL, State.OK, f"the node is set up as {by}")
        return
    what = f"differences from what {by}: {len(changes)}"
    what += ", at none of which this node stops" if required else ""
    yield Finding(_APPROVAL, State.OK, f"{what}; `{_DIFF}` shows them")


def _require_all(node: NodeHome) -> None:
    """Raises Problem for whatever stops scoring, and then for whatever stops releasing alone."""
    approved = require_approved(node, _STOPS)
    if absence(node.config.store_path) is None:
        with open_scores(node.config, node.today()) as store:
            scored_by = store.run.policy_digest
        require_approved_scores(node, approved, scored_by, "no round is answered")
