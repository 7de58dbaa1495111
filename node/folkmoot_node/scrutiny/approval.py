"""A named person approves a dossier: the audit log has the digest of its facts.

What was approved is kept in the node's home, so that it can be said in words what has changed
since. A file that is not what the log names is not believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.approved_facts import ApprovedFacts, approvable, keep, kept
from folkmoot_node.scrutiny.facts import FactBase
from folkmoot_operator.accounts import Operator
from folkmoot_operator.hash_chain import Entry
from folkmoot_operator.output_places import writing_to
from folkmoot_operator.pauses import checked_name, checked_reason
from folkmoot_operator.problems import ExitCode, Problem

APPROVED = "dossier approved"
"""Action of the audit log."""
MAX_DOCUMENTS = 200
"""Files of a dossier, at most."""
COMMAND = 'folkmoot-node dossier approve --by "NAME, ROLE" --reason TEXT'
"""How a dossier is approved."""


@dataclass(frozen=True)
class Approval:
    """That a person has approved a dossier.

    Attributes:
        number: Which one it is at this node, from 1.
        at: Seconds since 1970-01-01T00:00:00Z.
        facts_sha256: Digest of the approved facts, hexadecimal.
        configured_sha256: Digest of those among them that are known without plugins.
        decided_by: Name and role, as they were given.
        reason: Why, for people.
        folder: Where the facts are kept.
        documents: SHA-256 of each document that was approved with them, hexadecimal, by file
            name; empty if none was named.
    """

    number: int
    at: int
    facts_sha256: str
    configured_sha256: str
    decided_by: str
    reason: str
    folder: Path
    documents: Mapping[str, str]

    @cached_property
    def facts(self) -> ApprovedFacts:
        """What was approved.

        Raises:
            Problem: Exit code VERIFICATION, if it is missing, or not what the log names.
        """
        return kept(self.folder, self.facts_sha256)

    @cached_property
    def configured(self) -> ApprovedFacts:
        """What of it the gate compares: what is known without starting a plugin.

        Raises:
            Problem: As `facts`.
        """
        return kept(self.folder, self.configured_sha256)


def approve(
    node: NodeHome,
    base: FactBase,
    configured: FactBase,
    decided_by: str,
    reason: str,
    by: Operator,
    documents: Mapping[str, str] | None = None,
) -> Approval:
    """Keeps what is approved, and writes the decision into the audit log.

    Args:
        node: The node.
        base: Its facts now.
        configured: Its configuration now, as the gate will gather it: without plugins.
        decided_by: Name and role of the person who approves.
        reason: Why, in words that name no resident.
        by: Who runs the command.
        documents: SHA-256 of each approved document, hexadecimal, by file name.

    Raises:
        Problem: Exit code USAGE, if name or reason is empty or too long.
        UnusableFile: If the facts cannot be kept; nothing is approved then.
    """
    name, why = checked_name(decided_by), checked_reason(reason)
    council, folder = str(node.config.council), node.config.approved_dossiers
    facts, compared = approvable(base, council), approvable(configured, council)
    with writing_to(folder):  # first: an approval whose facts are missing would stop everything
        keep(folder, facts)
        keep(folder, compared)
    body: dict[str, Any] = {
        "action": APPROVED,
        "facts_sha256": facts.sha256,
        "configured_sha256": compared.sha256,
        "decided_by": name,
        "reason": why,
        **by.as_body(),
    }
    if documents:
        body["documents"] = dict(documents)
    with node.state.transaction() as connection:
        node.audit.append(connection, node.clock(), body)
    return approvals(node)[-1]


def approvals(node: NodeHome) -> tuple[Approval, ...]:
    """All approvals of this node, oldest first. The facts are read when they are asked for."""
    entries = enumerate(node.audit.entries((APPROVED,)), 1)
    return tuple(
        _approval(number, entry, node.config.approved_dossiers) for number, entry in entries
    )


def approved_last(node: NodeHome) -> Approval | None:
    """The approval that counts; None if there is none."""
    found = approvals(node)
    return found[-1] if found else None


def require_approval(node: NodeHome) -> Approval:
    """The approval that counts.

    Raises:
        Problem: Exit code DATA, if there is none.
    """
    found = approved_last(node)
    if found is None:
        raise Problem(
            "nobody has approved a dossier of this node yet, so that there is nothing to compare "
            "with",
            where=str(node.config.home),
            remedy=f"Read the dossier (`folkmoot-node dossier --out FOLDER`), then `{COMMAND}`",
            exit_code=ExitCode.DATA,
        )
    return found


def digests_of(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a folder of documents, hexadecimal, by its path in it.

    Raises:
        Problem: Exit code USAGE, if there are none, or so many that it is no such folder.
        UnusableFile: If one cannot be read.
    """
    with writing_to(folder):
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        if not 0 < len(paths) <= MAX_DOCUMENTS:
            raise Problem(
                f"has {len(paths):,} files; a dossier has from 1 to {MAX_DOCUMENTS}",
                where=f"--documents {folder}",
                remedy="Name the folder to which `folkmoot-node dossier --out FOLDER` wrote",
                exit_code=ExitCode.USAGE,
            )
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in paths
        }


def _approval(number: int, entry: Entry, folder: Path) -> Approval:
    body = entry.body
    return Approval(
        number,
        entry.at,
        str(body["facts_sha256"]),
        str(body["configured_sha256"]),
        str(body["decided_by"]),
        str(body["reason"]),
        folder,
        {str(name): str(digest) for name, digest in body.get("documents", {}).items()},
    )
