"""Which plugins of others the council lets into the node's own process, by its signature.

`node.toml` belongs to the node's account. Whoever could write there, a plugin in that process
among them, could let others in. So it takes both: the settings ask, and the release policy, which
a person signs with a key that the node need not have, names distribution, version and content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from folkmoot_node.policies.release_policy import PluginInProcess, load_signed
from folkmoot_node.policies.trusted_signer import OWN_KEY, trusted_signer
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.settings.plugins import AllowedPlugin, normal
from folkmoot_operator.problems import ExitCode, Problem


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the signed release policy says of plugins in the node's process.

    Attributes:
        by_name: The decisions, by distribution.
        obstacle: Why none count: the policy is missing, or not signed. None if it could be read.
    """

    by_name: Mapping[str, PluginInProcess]
    obstacle: Problem | None = None

    def require(self, distribution: str, allowed: AllowedPlugin, where: str) -> PluginInProcess:
        """The decision about a plugin for which `node.toml` asks.

        Args:
            distribution: Its distribution.
            allowed: Its table in `node.toml`.
            where: The key there.

        Raises:
            Problem: Exit code REFUSED, if there is none about this version and content.
        """
        if self.obstacle is not None:
            problem = "only the signed release policy lets a plugin into the node's process, and "
            problem += f"it cannot be used ({self.obstacle})"
            raise _refused(problem, where, self.obstacle.remedy)
        found = self.by_name.get(normal(distribution))
        if found is None:
            problem = "the signed release policy does not let this plugin into the node's process"
            raise _refused(problem, where, _REMEDY)
        if (found.version, found.content) != (allowed.version, allowed.content):
            problem = (
                f"the signed release policy lets version {found.version} of this plugin into the "
                f"node's process, with other content or another version than {allowed.version} here"
            )
            raise _refused(problem, where, _REMEDY)
        return found


_REMEDY = (
    'Take trust = "in_process" out, so that it runs apart; or have the person who decides add '
    "[[plugins_in_process]] with distribution, version, content and reason to the release policy, "
    'and run `folkmoot-node policy sign --signer "NAME, ROLE"`'
)


def in_process_decisions(config: NodeConfig) -> Decisions:
    """Reads the signed release policy for what it says of plugins."""
    try:
        trusted = trusted_signer(config.named, config.home / "keys" / OWN_KEY)
        signed = load_signed(config.release_policy, trusted.key, str(trusted))
    except Problem as problem:
        return Decisions({}, problem)
    return Decisions({normal(one.distribution): one for one in signed.policy.plugins_in_process})


def _refused(problem: str, where: str, remedy: str) -> Problem:
    return Problem(problem, where=where, remedy=remedy, exit_code=ExitCode.REFUSED)
