"""Who may do what with households: the roles of the casework policy."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.facts import Fact
from folkmoot_node.scrutiny.gather.reporting import Reporter, of_file, slug


def role_facts(node: NodeHome) -> Iterator[Fact]:
    """The roles, each with its rights; none without casework.

    Raises:
        Problem: Exit code SETTINGS, if the casework policy is wrong, or not signed as it stands.
    """
    config = node.config
    if config.casework is None:
        return
    # Late: a node without casework does without what its policy imports.
    from folkmoot_node.casework.authority.signed_policy import load_signed_policy

    signed = load_signed_policy(config)
    policy, signature = signed.known.policy, signed.signature
    when = datetime.datetime.fromisoformat(signature.signed_at)
    place = of_file(config.home, config.home / config.casework.policy, when)
    fact = Reporter(place, configuration=True)
    yield fact("policy.casework.sha256", "SHA-256 of the casework policy", signed.known.digest)
    yield fact("policy.casework.signer", "Who signed the casework policy", signature.signer)
    signed_at = signature.signed_at
    yield fact("policy.casework.signed_at", "When the casework policy was signed", signed_at)
    label = "Last day on which households are opened under the casework policy"
    yield fact("policy.casework.sunset", label, policy.sunset)
    label = "Whether workers record a view before they see the score"
    yield fact("policy.casework.blind_first_look", label, policy.openings.blind_first_look)
    label = "Sources that only roles which name them may see"
    yield fact("policy.casework.sensitive_sources", label, policy.sensitive_sources)
    for name, days in policy.retention.model_dump().items():
        words = name.removesuffix("_days").replace("_", " ")
        yield fact(f"policy.casework.retention.{name}", f"Days for which {words} are kept", days)
    for name, role in policy.roles.items():
        rights = sorted(str(right) for right in role.may)
        yield fact(f"people.roles.{slug(name)}", f"What the role {name} may do", rights)
    commands = policy.command_line
    label = "Roles of the node's own account in casework"
    roles = "as by default" if commands.node_account is None else commands.node_account
    yield fact("people.node_account", label, roles)
    label = "Accounts of the machine that have roles"
    yield fact("people.machine_accounts", label, len(commands.accounts))
