"""Checks that a plugin does what its declarations say.

In a vendor's own tests:

    from folkmoot_sdk.conformance import check_factor
    def test_conforms(): check_factor(EnergyDebt)
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.factor_conformance import factor_conformance
from folkmoot_sdk.source import DataSource
from folkmoot_sdk.source_conformance import REFERENCE_DATE, source_conformance


class ConformanceError(AssertionError):
    """A plugin does not do what it declares.

    Attributes:
        plugin: Name of the class.
        faults: What is wrong, one sentence each.
    """

    def __init__(self, plugin: str, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join([f"{plugin} does not conform:", *(f"- {f}" for f in faults)]))
        self.plugin = plugin
        self.faults = faults


def check_factor(cls: type[RiskFactor], parameters: Mapping[str, Any] | None = None) -> None:
    """Checks a risk factor on made-up households with every kind of value.

    Declarations; values in [0, 1]; unknown if all inputs are unknown; some household known
    if only the required inputs are; inputs not written to; each household scored by
    itself, alike every time, in every chunk and thread; no state kept; no warnings;
    `explain` says something for every household, and something else for what is not known
    than for zero.

    Args:
        cls: The class.
        parameters: As in the policy's TOML; the defaults if there are none.

    Raises:
        ConformanceError: With all faults found.
    """
    faults = factor_conformance(cls, parameters)
    if faults:
        raise ConformanceError(cls.__qualname__, faults)


def check_source(
    cls: type[DataSource],
    options: Mapping[str, Any],
    reference_date: datetime.date = REFERENCE_DATE,
) -> None:
    """Checks a data source by reading it.

    Declarations; options; a stable schema; batches with exactly the wanted columns, of the
    Arrow types of the schema; row numbers; the same records when it is read again; nothing
    but `Rejection` handed to `reject`.

    Args:
        cls: The class.
        options: As in `[sources.options]` of `node.toml`, and `base` for the folder that
            relative paths refer to.
        reference_date: Date of the run.

    Raises:
        ConformanceError: With all faults found.
    """
    faults = source_conformance(cls, options, reference_date)
    if faults:
        raise ConformanceError(cls.__qualname__, faults)
