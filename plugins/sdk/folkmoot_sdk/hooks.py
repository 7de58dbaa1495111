"""The whole plugin surface: two hooks."""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.source import DataSource

PROJECT = "folkmoot"
"""Name of the pluggy project, and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of the plugin's module that implements a hook."""


@hookspec
def folkmoot_data_sources() -> Sequence[type[DataSource]]:
    """Registers data sources. Called once, when the node loads its plugins."""
    raise NotImplementedError


@hookspec
def folkmoot_risk_factors() -> Sequence[type[RiskFactor]]:
    """Registers risk factors. Called once, when the node loads its plugins."""
    raise NotImplementedError
