"""Signing the release policy: a person decides, and the audit log says who."""

from __future__ import annotations

from pathlib import Path

from folkmoot.geography import GssCode
from folkmoot_node.federation.identity import (
    KeyFiles,
    load_policy_key,
    public_key_of,
    restore_policy_public_key,
)
from folkmoot_node.home import NodeHome
from folkmoot_node.policies.release_policy import SignedReleasePolicy, load_unsigned, sign
from folkmoot_node.policies.trusted_signer import trusted_signer
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.ownership import require_own_file
from folkmoot_operator.problems import ExitCode, Problem


def sign_policy(node: NodeHome, signer: str, key: Path | None = None) -> SignedReleasePolicy:
    """Signs a node's release policy as it now stands, and records it in the audit log.

    Args:
        node: The node.
        signer: Name and role of the person who decides.
        key: Signing key kept elsewhere; the one in the home folder if None.

    Raises:
        Problem: If the policy or the key is wrong, or others can write to the key.
    """
    private = private_key_that_counts(node.named, node.keys, key)
    sign(node.config.release_policy, private, signer, node.clock())
    signed = node.release_policy()
    with node.state.transaction() as connection:
        node.audit.append(
            connection,
            node.clock(),
            {
                "action": "policy signed",
                **current_operator().as_body(),
                "signer": signed.signer,
                "sha256": signed.digest.hex(),
                "key": signed.key.hex(),
            },
        )
    return signed


def private_key_that_counts(folder: Path, keys: KeyFiles, key: Path | None = None) -> bytes:
    """The private key with which the council's documents are signed, 32 bytes.

    Args:
        folder: The node's folder, as it was named.
        keys: The files of its keys.
        key: Signing key kept elsewhere; the one in the home folder if None.

    Raises:
        Problem: Exit code SETTINGS, if it is not the key whose signature counts, or others can
            write to it.
    """
    private = key or keys.policy_key
    if key is None:
        restore_policy_public_key(keys)
    else:
        require_own_file(key)
    trusted = trusted_signer(folder, keys.policy_public_key)
    if public_key_of(private) != trusted.key:
        raise Problem(
            f"is not the private key whose signature counts; {trusted}",
            where=str(private),
            remedy="Sign with that key, or have root pin another: `folkmoot-node policy pin`",
            exit_code=ExitCode.SETTINGS,
        )
    return load_policy_key(private)


def require_written_policy(path: Path, council: GssCode) -> None:
    """Checks that the council has written a release policy, before a node is made around it.

    `init` writes a sample where there is none; signing that unread would make a decision
    that nobody has taken.

    Raises:
        Problem: If the file is missing, wrong or another council's.
    """
    if not path.is_file():
        raise Problem(
            "there is no release policy to sign",
            where=str(path),
            remedy="Write it first; or leave --sign out, read the sample that `init` writes, and "
            'run `folkmoot-node policy sign --signer "NAME, ROLE"`',
            exit_code=ExitCode.SETTINGS,
        )
    policy, _ = load_unsigned(path)
    if policy.council != council:
        raise Problem(
            f"the release policy belongs to {policy.council}, this node is {council}",
            where=str(path),
            remedy="Use this council's policy",
            exit_code=ExitCode.SETTINGS,
        )
