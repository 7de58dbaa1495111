"""Approved versions of what is published, and what differs from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.public_facts import version_says
from folkmoot_node.scrutiny.approval import Approval
from folkmoot_node.scrutiny.approved_facts import ApprovedFacts
from folkmoot_node.scrutiny.differences import Difference, differences
from folkmoot_node.scrutiny.public.publishable import publishable


@dataclass(frozen=True, slots=True)
class Version:
    """What was approved at one time, as far as it is published.

    Attributes:
        number: From 1.
        at: When it was approved, seconds since 1970-01-01T00:00:00Z.
        reason: Why, as the person who approved it has written.
        facts_sha256: Digest of all that was approved, as the audit log has it.
        changes: What differs from the version before; empty of the first.
    """

    number: int
    at: int
    reason: str
    facts_sha256: str
    changes: tuple[Difference, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """What has changed, a sentence each."""
        return version_says(self.number, self.changes)


def versions_of(approvals: Sequence[Approval]) -> tuple[Version, ...]:
    """Each approval with its differences from the one before, oldest first.

    Raises:
        Problem: Exit code VERIFICATION, if what was approved is missing, or is not what the audit
            log names.
    """
    found: list[Version] = []
    before: ApprovedFacts | None = None
    for one in approvals:
        facts = publishable(one.facts)
        changes = () if before is None else differences(before, facts)
        found.append(Version(one.number, one.at, one.reason, one.facts_sha256, changes))
        before = facts
    return tuple(found)
