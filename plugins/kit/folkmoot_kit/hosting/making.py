"""Makes factors and sources of the values of a settings file, confined or not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from folkmoot_kit.hosting.factor import ConfinedFactor
from folkmoot_kit.hosting.source import ConfinedSource
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.parameters import build
from folkmoot_sdk.source import DataSource


def make_factor(kind: type[RiskFactor], parameters: Mapping[str, Any], where: str) -> RiskFactor:
    """Makes a factor with the parameters of a policy.

    Args:
        kind: Class of the factor.
        parameters: As in the policy's TOML.
        where: Where they stand, for errors.

    Raises:
        PluginError: As `folkmoot_sdk.parameters.build` and the factor raise it.
        PluginFailure: If a confined factor fails otherwise.
    """
    if issubclass(kind, ConfinedFactor):
        return kind.made(parameters, where)
    return kind(build(kind.Parameters, parameters, where))


def make_source(
    kind: type[DataSource], options: Mapping[str, Any], where: str, base: Path
) -> DataSource:
    """Makes a source with the options of `node.toml`.

    Args:
        kind: Class of the source.
        options: As in TOML.
        where: Where they stand, for errors.
        base: Folder to which relative paths refer.

    Raises:
        PluginError: As `folkmoot_sdk.parameters.build` and the source raise it.
        PluginFailure: If a confined source fails otherwise.
    """
    if issubclass(kind, ConfinedSource):
        return kind.made(options, where, base)
    return kind(build(kind.Options, {**options, "base": str(base)}, where))
