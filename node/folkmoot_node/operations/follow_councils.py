"""A new node begins where the nodes of councils that merged have ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from folkmoot.council_codes import council_list
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot_node.answering.reconcile import require_complete
from folkmoot_node.evidence.inheritance import Spent, inherit
from folkmoot_node.home import SERVE_LOCK, NodeHome, open_home
from folkmoot_operator import file_lock
from folkmoot_operator.accounts import Operator
from folkmoot_operator.problems import ExitCode, Problem

FOLLOWS = "ledgers inherited"
"""The entry of the audit log that says which councils this one follows."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What a node has inherited.

    Attributes:
        before: Of each council before.
        going_on: What counts in accounting periods that go on.
        lifetime: What counts for all time.
        notes: What a person should look at, as sentences without their full stops.
    """

    before: tuple[Spent, ...]
    going_on: Rho
    lifetime: Rho
    notes: tuple[str, ...]


def follow_councils(node: NodeHome, folders: Sequence[Path], *, by: Operator) -> Followed:
    """Enters into a new node's ledger what the councils before had spent.

    Args:
        node: The new node, whose ledger is empty.
        folders: Homes of the nodes before, which have ended; they are read and stay as they are.
        by: Who decides, for the audit log.

    Raises:
        Problem: If a node before still runs, its evidence does not hold or lacks answers, it is
            of the same council, or this node's ledger has entries.
    """
    before = tuple(_spent(folder, node.clock()) for folder in folders)
    codes = [one.council for one in before]
    if len({*codes, node.config.council}) != len(codes) + 1:
        raise Problem(
            "the councils before must differ from each other and from this node's",
            where=", ".join(codes),
            remedy="Name the home of each council that merged, once",
            exit_code=ExitCode.USAGE,
        )
    going_on, lifetime = inherit(node.state, before, node.clock())
    body = {
        "action": FOLLOWS,
        **by.as_body(),
        "councils": codes,
        "heads": [one.head for one in before],
        "going_on": str(going_on),
        "lifetime": str(lifetime),
    }
    with node.state.transaction() as connection:
        node.audit.append(connection, node.clock(), body)
    return Followed(before, going_on, lifetime, _notes(node.config.council, codes))


def _spent(folder: Path, now: int) -> Spent:
    with (
        open_home(folder) as home,
        file_lock.alone(home.config.home / SERVE_LOCK, "folkmoot-node serve"),
    ):
        home.verify_evidence()
        require_complete(home)
        return Spent.of(home.config.council, home.state, now)


def _notes(council: GssCode, codes: Sequence[GssCode]) -> tuple[str, ...]:
    known = {before.code for before, _ in council_list().counted_twice([council, *codes])}
    return tuple(
        f"the list of councils does not say that {council} follows {code}: look whether both are "
        "right"
        for code in codes
        if code not in known
    )
