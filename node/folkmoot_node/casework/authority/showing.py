"""The casework policy in words, for who signs it and who runs the node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from folkmoot_node.casework.authority.conflicts import conflicts_of
from folkmoot_node.casework.authority.policy import CaseworkPolicy, KnownPolicy
from folkmoot_node.casework.authority.signed_policy import load_own_policy, load_signed_policy
from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.policies.signed_document import CheckedSignature
from folkmoot_node.policies.trusted_signer import TrustedSigner, trusted_signer
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.problems import Problem


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """A casework policy as it stands.

    Attributes:
        known: The policy.
        signature: Its signature; None if it does not hold.
        why_not: Why it does not; empty if it does.
        trusted: Whose signature counts.
    """

    known: KnownPolicy
    signature: CheckedSignature | None
    why_not: str
    trusted: TrustedSigner

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        policy = self.known.policy
        return {
            "council": policy.council,
            "sunset": policy.sunset,
            "sha256": self.known.digest.hex(),
            "roles": {
                name: {"may": [str(right) for right in role.may], "sources": list(role.sources)}
                for name, role in policy.roles.items()
            },
            "sensitive_sources": list(policy.sensitive_sources),
            "command_line": policy.command_line.model_dump(),
            "warnings": list(conflicts_of(policy)),
            "signed_by": self.signature.signer if self.signature else None,
            "signed_at": self.signature.signed_at if self.signature else None,
            "problem": self.why_not or None,
            "signer": {"key": self.trusted.key.hex(), "pinned": self.trusted.is_pinned},
        }


def policy_shown(config: NodeConfig) -> PolicyShown:
    """The casework policy of a node, signed or not.

    Raises:
        Problem: Exit code SETTINGS, if it is missing, wrong or another council's.
    """
    known = load_own_policy(config)
    trusted = trusted_signer(config.named, KeyFiles.of(config.home).policy_public_key)
    try:
        return PolicyShown(known, load_signed_policy(config).signature, "", trusted)
    except Problem as problem:
        return PolicyShown(known, None, problem.problem, trusted)


def policy_in_words(shown: PolicyShown) -> Iterator[str]:
    """A policy as lines."""
    policy = shown.known.policy
    yield f"Casework policy of {policy.council}, until {policy.sunset}"
    yield f"  sha256 {shown.known.digest.hex()}"
    if shown.signature is None:
        yield f"  Not in force: {shown.why_not}"
    else:
        yield f"  Signed by {shown.signature.signer} at {shown.signature.signed_at}"
    for name, role in policy.roles.items():
        yield f"  {name} may: {', '.join(role.may)}"
        if role.sources:
            yield f"    and see {', '.join(role.sources)}"
    if policy.sensitive_sources:
        yield f"  Only roles that name them see: {', '.join(policy.sensitive_sources)}"
    yield from _command_line(policy)
    for text in conflicts_of(policy):
        yield f"  Warning: {text}"
    yield f"  Who may sign: {shown.trusted}"


def _command_line(policy: CaseworkPolicy) -> Iterator[str]:
    table = policy.command_line
    for name, roles in table.accounts.items():
        yield f"  By commands, {name} is: {', '.join(roles) or 'nobody'}"
    if table.node_account is None:
        yield (
            "  By commands, the node's account may count cohorts, open households, write them to "
            "files and answer residents, without sensitive sources; the log says that it was that "
            "account"
        )
    else:
        yield f"  By commands, the node's account is: {', '.join(table.node_account) or 'nobody'}"
