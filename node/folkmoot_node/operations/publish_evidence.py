"""Records that a named person has decided to publish what was made from residents' records."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from folkmoot_node.home import NodeHome
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import read

MOST = 500
"""Characters of the name and of the reason."""


def record_publication(node: NodeHome, path: Path, decided_by: str, reason: str) -> str:
    """Writes the decision into the audit log. Sends nothing, and changes no file.

    Args:
        node: The node.
        path: The file that is to be published.
        decided_by: Name and role of the person who decides.
        reason: Why, in words that name no resident.

    Returns:
        Digest of the file, hexadecimal.

    Raises:
        Problem: Exit code USAGE, if name or reason says nothing; SETTINGS, if the file cannot be
            read.
    """
    for option, words in (("--by", decided_by), ("--reason", reason)):
        if not words.strip() or len(words) > MOST:
            raise Problem(
                f"is empty, or has more than {MOST} characters",
                where=option,
                remedy="Say who decides, with the role, and why it may be published",
                exit_code=ExitCode.USAGE,
            )
    digest = sha256(read(path)).hexdigest()
    body = {
        "action": "publication decided",
        "file_sha256": digest,
        "decided_by": decided_by.strip(),
        "reason": reason.strip(),
        **current_operator().as_body(),
    }
    with node.state.transaction() as connection:
        node.audit.append(connection, node.clock(), body)
    return digest
