"""Whether plugins can be confined here, and how each that is installed runs."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from folkmoot_kit.confinement import self_test, unmet
from folkmoot_node.plugins.installed import installed_plugins
from folkmoot_node.plugins.opening import places
from folkmoot_node.plugins.placement import Placement, Way, missing
from folkmoot_node.plugins.words import granted
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.checks import Check, Finding, State

_CONFINEMENT, _PLUGINS = "confinement", "plugins"
_APART = (
    'Find out whether it can run apart: take trust = "in_process" out of its table in node.toml'
)


def confinement(config: NodeConfig) -> Check:
    """Whether each layer that confines plugins works, as tried in real processes.

    A layer that does not is a failure where plugins of others are allowed, which then do not run;
    else a warning: those that come with the node run in its process.
    """

    def look() -> Iterator[Finding]:
        for layer in self_test():
            name = f"{_CONFINEMENT}: {layer.name}"
            if layer.works:
                yield Finding(name, State.OK, f"holds: {layer.problem}")
                continue
            others = bool(config.plugins.allowed)
            what = f"{layer.problem}; the plugins that come with the node run in its own process"
            what += ", and those of others do not run" if others else ""
            yield Finding(name, State.FAIL if others else State.WARN, what, layer.remedy)

    return Check(_CONFINEMENT, look)


def plugins(config: NodeConfig, today: datetime.date) -> Check:
    """How each installed plugin runs and what it is granted, or why it does not run.

    Args:
        config: The node's settings.
        today: Compared with what signatures say of their ends.
    """

    def look() -> Iterator[Finding]:
        found = places(config, today, unmet())
        shipped = [one for one in found if one.is_shipped and one.way is Way.APART]
        if shipped:
            names = ", ".join(
                one.plugin.distribution.removeprefix("folkmoot-plugin-") for one in shipped
            )
            what = f"those that come with the node, version {shipped[0].plugin.version}: {names}; "
            what += granted(config, shipped[0])
            yield Finding(_PLUGINS, State.OK, what)
        for one in found:
            if not (one.is_shipped and one.way is Way.APART):
                yield _finding(config, one)
        for problem in missing(config, installed_plugins()):
            yield Finding(_PLUGINS, State.WARN, problem.problem, problem.remedy, problem.where)

    return Check(_PLUGINS, look)


def _finding(config: NodeConfig, one: Placement) -> Finding:
    name = f"plugin {one.plugin.distribution}"
    if one.problem is not None:
        # What nobody has allowed does no harm; what was allowed and is not what it was, may.
        state = State.WARN if one.way is Way.NOT_ALLOWED else State.FAIL
        what = f"version {one.plugin.version}: {one.problem.problem}"
        return Finding(name, state, what, one.problem.remedy, one.problem.where)
    known = "; ".join(one.provenance.words) if one.provenance else ""
    what = "; ".join(
        part for part in (f"version {one.plugin.version}", known, granted(config, one)) if part
    )
    if one.way is Way.IN_PROCESS:
        remedy = "" if one.is_shipped else _APART
        return Finding(name, State.WARN, what, remedy)
    return Finding(name, State.OK, what)
