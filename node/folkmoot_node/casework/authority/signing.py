"""Signing the casework policy: a person decides, and the log says who."""

from __future__ import annotations

from pathlib import Path

from folkmoot_node.casework.authority.signed_policy import (
    CASEWORK_POLICY,
    SignedPolicy,
    load_own_policy,
    load_signed_policy,
)
from folkmoot_node.casework.settings import policy_path
from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.operations.sign_policy import private_key_that_counts
from folkmoot_node.policies.signed_document import sign_document
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.ownership import is_own_file
from folkmoot_operator.private_files import let_read
from folkmoot_web.audit import Audit
from folkmoot_web.site import State

POLICY_SIGNED = "casework policy signed"
"""Action of the log."""


def sign_casework_policy(
    config: NodeConfig, state: State, signer: str, key: Path | None = None
) -> SignedPolicy:
    """Signs the casework policy as it now stands, and records it in the log.

    Args:
        config: The node's settings.
        state: The site's database and log.
        signer: Name and role of the person who decides.
        key: Signing key kept elsewhere; the one in the home folder if None.

    Raises:
        Problem: If the policy or the key is wrong, or others can write to the key.
    """
    private = private_key_that_counts(config.named, KeyFiles.of(config.home), key)
    known = load_own_policy(config)
    path = policy_path(config)
    sidecar = sign_document(CASEWORK_POLICY, path, known.digest, private, signer, state.clock())
    if is_own_file(sidecar):
        let_read(sidecar, config.readers)
    signed = load_signed_policy(config)
    _record(state.audit, state, signed)
    return signed


def _record(audit: Audit, state: State, signed: SignedPolicy) -> None:
    operator = current_operator()
    who = {key: value for key, value in operator.as_body().items() if key != "by"}
    with state.database.writing() as session:
        audit.record(
            session,
            POLICY_SIGNED,
            f"command of {operator}",
            {
                **who,
                "signer": signed.signature.signer,
                "sha256": signed.known.digest.hex(),
                "key": signed.signature.key.hex(),
            },
        )
