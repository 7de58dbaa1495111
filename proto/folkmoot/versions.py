"""Which wire versions are spoken, and which side to upgrade when none is shared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from folkmoot.errors import ContractError


class UpgradeSide(IntEnum):
    """Which side has to be upgraded; numbered as on the wire."""

    NEITHER = 0
    NODE = 1
    COORDINATOR = 2


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Wire versions that a program speaks, both ends included; from 1."""

    oldest: int
    newest: int

    def __post_init__(self) -> None:
        if not 1 <= self.oldest <= self.newest:
            raise ContractError(
                "versions", f"{self.oldest} to {self.newest} is no range", "Count from 1"
            )

    def __contains__(self, version: int) -> bool:
        return self.oldest <= version <= self.newest


SPOKEN = VersionRange(oldest=1, newest=4)
"""What this release of Folkmoot speaks. A version stays for two later ones at least.

In version 4 a series may name the rules by which it counts (`folkmoot.counting_rules`). A node of
before refuses to read such a round, as it does every signed field that it does not know.
"""
DATED_RELEASES = 2
"""From this version on, a release states the reference date of the scores that it counts. A
coordinator of before would find that such a release does not have its digest."""
NUMBERED_REFUSALS = 2
"""From this version on, a refusal may state which attribute of the round it is about."""
CATALOGUES = 3
"""From this version on, a council publishes what it offers. A coordinator of before has no such
call, and is not asked."""

POLICY_KEYS = 4
"""From this version on, a council states whose signature of its release policy counts. A
coordinator of before passes over it, and is told once more when it is upgraded."""


def negotiate(coordinator: VersionRange, node: VersionRange) -> int | UpgradeSide:
    """The newest version both speak, or the side that has to be upgraded."""
    if node.newest < coordinator.oldest:
        return UpgradeSide.NODE
    if coordinator.newest < node.oldest:
        return UpgradeSide.COORDINATOR
    return min(coordinator.newest, node.newest)
