"""Records that a named person has decided to publish what was made from residents' records."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from folkmoot_node.evidence.fitted_policies import PUBLISHED, weights_mark
from folkmoot_node.home import NodeHome
from folkmoot_node.policies.risk_policy import parse_policy
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.pauses import checked_reason
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import read

MAX_NAME = 200
"""Characters of the name and role."""


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
        Problem: Exit code USAGE, if name or reason is empty or too long; SETTINGS, if the file
            cannot be read.
    """
    name, why = " ".join(decided_by.split()), checked_reason(reason)
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Problem(
            f"the name is empty, has more than {MAX_NAME} characters, or control characters",
            where="--by",
            remedy="Give the name and role of the person who decides",
            exit_code=ExitCode.USAGE,
        )
    content = read(path)
    digest = sha256(content).hexdigest()
    body = {
        "action": PUBLISHED,
        "file_sha256": digest,
        **_weights(content, path),
        "decided_by": name,
        "reason": why,
        **current_operator().as_body(),
    }
    with node.state.transaction() as connection:
        node.audit.append(connection, node.clock(), body)
    return digest


def _weights(content: bytes, path: Path) -> dict[str, str]:
    """By what a policy is recognised when its name or last day is another; a report has none."""
    try:
        return {"weights": weights_mark(parse_policy(content, str(path)))}
    except Problem:
        return {}
