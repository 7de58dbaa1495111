"""Signing what people say of a node: a person decides, and the audit log says who."""

from __future__ import annotations

from pathlib import Path

from folkmoot_node.home import NodeHome
from folkmoot_node.operations.sign_policy import private_key_that_counts
from folkmoot_node.policies.signed_document import sign_document
from folkmoot_node.scrutiny.scrutiny_file import (
    SCRUTINY_FILE,
    SignedAnswers,
    load_signed,
    load_unsigned,
    scrutiny_path,
)
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.problems import ExitCode, Problem

SIGNED = "answers for scrutiny signed"
"""Action of the audit log."""


def sign_answers(node: NodeHome, signer: str, key: Path | None = None) -> SignedAnswers:
    """Signs `scrutiny.toml` as it now stands, and records it in the audit log.

    Args:
        node: The node.
        signer: Name and role of the person who decides.
        key: Signing key kept elsewhere; the one in the home folder if None.

    Raises:
        Problem: Exit code SETTINGS, if the file or the key is wrong, or another text was signed
            under this version or a later one; USAGE if nobody is named.
    """
    private = private_key_that_counts(node.named, node.keys, key)
    document, digest = load_unsigned(node.config)
    path = scrutiny_path(node.config)
    _require_new_version(node, document.version, digest.hex(), path)
    sign_document(SCRUTINY_FILE, path, digest, private, signer, node.clock())
    signed = load_signed(node)
    body = {
        "action": SIGNED,
        **current_operator().as_body(),
        "signer": signed.signer,
        "sha256": digest.hex(),
        "version": document.version,
    }
    with node.state.transaction() as connection:
        node.audit.append(connection, node.clock(), body)
    return signed


def _require_new_version(node: NodeHome, version: int, sha256: str, path: Path) -> None:
    for entry in node.audit.entries((SIGNED,)):
        before = int(entry.body["version"])
        if before >= version and entry.body["sha256"] != sha256:
            raise Problem(
                f"version: {version}, but version {before} with another text was signed already",
                where=str(path),
                remedy="Write the next number: versions tell people which text was in force",
                exit_code=ExitCode.SETTINGS,
            )
