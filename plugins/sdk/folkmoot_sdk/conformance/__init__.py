"""Checks that a plugin does what its declarations say.

In a vendor's own tests:

    from folkmoot_sdk.conformance import check_factor
    def test_conforms(): check_factor(EnergyDebt)

These checks call a plugin in the process of the test. `folkmoot-plugin check` makes the same
ones from outside, with the plugin confined as in a node, and others that need that.
"""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Mapping
from typing import Any

from folkmoot_sdk.conformance import (
    direction,
    explanations,
    factor,
    records,
    rows,
    source,
    trial,
    unknowns,
)
from folkmoot_sdk.conformance.factor import factor_findings
from folkmoot_sdk.conformance.findings import Check, Finding, Severity, checks_in
from folkmoot_sdk.conformance.source import REFERENCE_DATE, source_findings
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.source import DataSource

__all__ = [
    "REFERENCE_DATE",
    "Check",
    "ConformanceError",
    "ConformanceWarning",
    "Finding",
    "Severity",
    "catalogue",
    "check_factor",
    "check_source",
    "factor_findings",
    "source_findings",
]

_MODULES = (factor, trial, unknowns, rows, direction, explanations, source, records)


def catalogue() -> tuple[Check, ...]:
    """Every check of this package, in the order in which they are made."""
    return checks_in(_MODULES)


class ConformanceError(AssertionError):
    """A plugin does not do what it declares.

    Attributes:
        plugin: Name of the class.
        findings: What is wrong, and how to put it right.
    """

    def __init__(self, plugin: str, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join([f"{plugin} does not conform:", *(f"- {f}" for f in findings)]))
        self.plugin = plugin
        self.findings = findings

    @property
    def faults(self) -> tuple[str, ...]:
        """The findings, one sentence or two each."""
        return tuple(str(finding) for finding in self.findings)


class ConformanceWarning(UserWarning):
    """A plugin conforms, and does something that may cause trouble later."""


def check_factor(cls: type[RiskFactor], parameters: Mapping[str, Any] | None = None) -> None:
    """Checks a risk factor on made-up households with every kind of value.

    Declarations; values in [0, 1]; unknown if all inputs are unknown; some household known
    if only the required inputs are; inputs not written to, and none read that is not declared;
    each household scored by itself, alike every time, in every order, batch and thread; no
    state kept; no warnings; declared directions; `explain` says something for every household
    that fits its score and its values, and names nobody.

    Args:
        cls: The class.
        parameters: As in the policy's TOML; the defaults if there are none.

    Raises:
        ConformanceError: With all faults found.
    """
    _judge(cls, factor_findings(cls, parameters))


def check_source(
    cls: type[DataSource],
    options: Mapping[str, Any],
    reference_date: datetime.date = REFERENCE_DATE,
) -> None:
    """Checks a data source by reading it.

    Declarations; options; a stable schema; batches with exactly the wanted columns, of the
    Arrow types of the schema; row numbers; the same records when it is read again; nothing
    but `Rejection` handed to `reject`, and no value rejected that was not asked for.

    Args:
        cls: The class.
        options: As in `[sources.options]` of `node.toml`, and `base` for the folder that
            relative paths refer to.
        reference_date: Date of the run.

    Raises:
        ConformanceError: With all faults found.
    """
    _judge(cls, source_findings(cls, options, reference_date))


def _judge(cls: type[RiskFactor] | type[DataSource], findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        if not finding.is_error:
            warnings.warn(f"{cls.__qualname__}: {finding}", ConformanceWarning, stacklevel=3)
    errors = tuple(finding for finding in findings if finding.is_error)
    if errors:
        raise ConformanceError(cls.__qualname__, errors)
