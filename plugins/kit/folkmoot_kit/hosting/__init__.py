"""Plugins in confined processes of their own, offered to the node like any others."""

from folkmoot_kit.hosting.examining import examined
from folkmoot_kit.hosting.factor import ConfinedFactor
from folkmoot_kit.hosting.failure import FailureKind, PluginFailure
from folkmoot_kit.hosting.making import make_factor, make_source
from folkmoot_kit.hosting.opening import (
    HostedPlugins,
    fresh_copies,
    open_installed,
    open_plugins,
)
from folkmoot_kit.hosting.process import Hosting, PluginProcess
from folkmoot_kit.hosting.round_trip import thousandths_together
from folkmoot_kit.hosting.source import ConfinedSource

__all__ = [
    "ConfinedFactor",
    "ConfinedSource",
    "FailureKind",
    "HostedPlugins",
    "Hosting",
    "PluginFailure",
    "PluginProcess",
    "examined",
    "fresh_copies",
    "make_factor",
    "make_source",
    "open_installed",
    "open_plugins",
    "thousandths_together",
]
