"""The casework policy as it counts: signed by the person whose signature counts, and unchanged."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from folkmoot_node.casework.authority.policy import KnownPolicy, load_policy
from folkmoot_node.casework.settings import policy_path
from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.policies.signed_document import (
    CheckedSignature,
    SignedKind,
    check_signature,
)
from folkmoot_node.policies.trusted_signer import trusted_signer
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.problems import ExitCode, Problem

CASEWORK_POLICY = SignedKind(
    "casework policy", 'folkmoot-node casework policy sign --signer "NAME, ROLE"'
)
"""What is signed, and how. A signature of the release policy is none of this one."""
RENEWAL = (
    "Decide on a new date in the casework policy, then "
    '`folkmoot-node casework policy sign --signer "NAME, ROLE"`'
)


@dataclass(frozen=True, slots=True)
class SignedPolicy:
    """A casework policy whose signature was checked.

    Attributes:
        known: The policy.
        signature: Who signed it, and when.
    """

    known: KnownPolicy
    signature: CheckedSignature


def load_own_policy(config: NodeConfig) -> KnownPolicy:
    """The casework policy of this council, whether or not it is signed: for showing and signing.

    Raises:
        Problem: Exit code SETTINGS, if it is missing, wrong or another council's.
    """
    path = policy_path(config)
    known = load_policy(path)
    if known.policy.council != config.council:
        raise Problem(
            f"the casework policy belongs to {known.policy.council}, this node is {config.council}",
            where=str(path),
            remedy="Use this council's policy",
            exit_code=ExitCode.SETTINGS,
        )
    return known


def load_signed_policy(config: NodeConfig) -> SignedPolicy:
    """The casework policy of this council, with its signature checked.

    Raises:
        Problem: Exit code SETTINGS, if it is missing, wrong, another council's, not signed, or
            changed since.
    """
    known = load_own_policy(config)
    trusted = trusted_signer(config.named, KeyFiles.of(config.home).policy_public_key)
    signature = check_signature(
        CASEWORK_POLICY, policy_path(config), known.digest, trusted.key, str(trusted)
    )
    return SignedPolicy(known, signature)


def require_in_force(known: KnownPolicy, today: datetime.date) -> None:
    """Refuses what a policy does not cover after its last day.

    Raises:
        Problem: Exit code REFUSED.
    """
    sunset = known.policy.sunset
    if today > sunset:
        raise Problem(
            f"the casework policy ended on {sunset}: under it nobody opens households or lists "
            "any more, except to answer a resident",
            where="the casework policy",
            remedy=f"{RENEWAL}. `folkmoot-node explain UPRN --subject-access` answers a resident "
            "who asks for their own data",
            exit_code=ExitCode.REFUSED,
        )
