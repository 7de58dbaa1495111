"""One head over all logs of a node, to be noted elsewhere; and the heads that the ledger notes.

A ledger entry that pays names where the other logs ended. The coordinator's receipt names that
entry: so what the other logs said until then cannot be cut off or rewritten without a
contradiction to something signed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_node.evidence.database import Log, StateDatabase
from folkmoot_operator.hash_chain import Head, pruned
from folkmoot_operator.problems import ExitCode, Problem

LOGS: tuple[Log, ...] = ("ledger", "egress", "audit")
"""The logs, in the order in which a joint head counts them."""
OTHER_LOGS: tuple[Log, ...] = ("egress", "audit")
"""Those whose heads a ledger entry names."""
ANCHORS = "heads"
"""Key of a ledger entry under which they stand."""
_JOINT = re.compile(r"([0-9]{1,12})\.([0-9]{1,12})\.([0-9]{1,12}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class JointHead:
    """Where the three logs end: their lengths, and one digest over their last entries.

    Attributes:
        lengths: Of ledger, egress and audit log.
        digest: SHA-256 of the digests of their last entries, one after the other, 32 bytes.
    """

    lengths: tuple[int, int, int]
    digest: bytes

    @classmethod
    def of(cls, ledger: Head, egress: Head, audit: Head) -> JointHead:
        """The head over three heads."""
        heads = (ledger, egress, audit)
        digest = hashlib.sha256(b"".join(head.digest for head in heads)).digest()
        return cls((ledger.length, egress.length, audit.length), digest)

    @classmethod
    def now(cls, state: StateDatabase) -> JointHead:
        """The head over the logs as they are; nothing is recomputed."""
        ledger, egress, audit = (state.chain(name).head() for name in LOGS)
        return cls.of(ledger, egress, audit)

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.lengths))}:{self.digest.hex()}"

    def is_in(self, state: StateDatabase) -> bool:
        """True if the logs of a node go on from it."""
        then = [
            state.chain(name).head_at(length)
            for name, length in zip(LOGS, self.lengths, strict=True)
        ]
        found = [head for head in then if head is not None]
        return len(found) == len(LOGS) and JointHead.of(*found) == self


@dataclass(frozen=True, slots=True)
class NotedHead:
    """A head that somebody noted: of all logs, of one by name, or of whichever has it.

    Attributes:
        head: The head.
        log: Whose it is; None for all, or where it was not said.
    """

    head: JointHead | Head
    log: Log | None = None

    def __str__(self) -> str:
        return f"{self.log}={self.head}" if self.log else str(self.head)

    @classmethod
    def parse(cls, text: str) -> NotedHead:
        """Reads a head as it is printed, with the name of a log and `=` before it or without.

        Raises:
            Problem: Exit code USAGE, if it is none.
        """
        joint = _JOINT.fullmatch(text.strip())
        if joint:
            ledger, egress, audit, digest = joint.groups()
            return cls(JointHead((int(ledger), int(egress), int(audit)), bytes.fromhex(digest)))
        name, equals, rest = text.strip().partition("=")
        for log in LOGS:
            if equals and name == log:
                return cls(Head.parse(rest), log)
        return cls(Head.parse(text))

    def require(self, state: StateDatabase) -> None:
        """Checks that the logs still go on from it.

        Raises:
            Problem: Exit code VERIFICATION, if entries are missing or others.
        """
        if isinstance(self.head, JointHead):
            found, whose = self.head.is_in(state), "the logs of this node"
        else:
            of = (self.log,) if self.log else LOGS
            found = any(state.chain(name).holds(self.head) for name in of)
            whose = f"the {self.log} log" if self.log else "one of the logs of this node"
        if not found and self._is_pruned(state):
            raise pruned(self, str(state.path))
        if not found:
            here = ", ".join(f"{name} {state.chain(name).head().length}" for name in LOGS)
            raise Problem(
                f"{whose} had the head {self.head} once, which is not there now (entries: {here}):"
                " entries were cut off or rewritten, or this is an older copy, or another node",
                where=str(state.path),
                remedy="Stop releasing. Put the newest copy of the node's files back, or see "
                "`folkmoot-node ledger recover`",
                exit_code=ExitCode.VERIFICATION,
            )

    def _is_pruned(self, state: StateDatabase) -> bool:
        """True if it names a part of the egress log that was pruned by rule."""
        if self.log not in {None, "egress"}:
            return False
        head = self.head
        length = head.lengths[LOGS.index("egress")] if isinstance(head, JointHead) else head.length
        return state.chain("egress").is_pruned(length)


def anchors(state: StateDatabase) -> dict[str, str]:
    """Where the other logs end, for the body of a ledger entry."""
    return {name: str(state.chain(name).head()) for name in OTHER_LOGS}


def broken_anchors(state: StateDatabase, logs: tuple[Log, ...] = OTHER_LOGS) -> Iterator[str]:
    """What the other logs lack of what the ledger says of them, as sentences."""
    for entry in state.chain("ledger").entries():
        noted: Mapping[str, Any] = entry.body.get(ANCHORS, {})
        for name in logs:
            if name in noted and not state.chain(name).holds(Head.parse(str(noted[name]))):
                yield (
                    f"the {name} log does not go on from the head {str(noted[name])[:24]}... that "
                    f"ledger entry {entry.sequence} has of it: entries were cut off or rewritten"
                )
