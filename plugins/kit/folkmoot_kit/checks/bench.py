"""Where a plugin under test runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from folkmoot_sdk.conformance import Finding
from folkmoot_sdk.conformance.trial import Trial
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.loading import BrokenPlugin, Origin
from folkmoot_sdk.source import DataSource


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process uses.

    Attributes:
        threads: How many it has now.
        peak_bytes: The most memory that it has held.
    """

    threads: int
    peak_bytes: int


class Running(Protocol):
    """A plugin, loaded in a process that was started for it."""

    @property
    def factors(self) -> Mapping[str, type[RiskFactor]]:
        """The risk factors by name."""

    @property
    def sources(self) -> Mapping[str, type[DataSource]]:
        """The data sources by kind."""

    @property
    def broken(self) -> Sequence[BrokenPlugin]:
        """What could not be loaded."""

    def trial(self, name: str, parameters: Mapping[str, Any]) -> Trial:
        """A factor, to be called in this process."""

    def source(self, kind: str, options: Mapping[str, Any], base: Path) -> DataSource:
        """A source, to be read in this process.

        Raises:
            PluginError: If it cannot be made.
        """

    def examine(self, name: str, parameters: Mapping[str, Any]) -> Sequence[Finding]:
        """The checks of a factor that only its own process can make."""

    def examine_source(
        self, kind: str, options: Mapping[str, Any], base: Path
    ) -> Sequence[Finding]:
        """The checks of a source, made beside it."""

    def printed(self) -> str:
        """What the process has written to its standard output and standard error so far."""

    def figures(self) -> Figures | None:
        """What the process uses; None where that cannot be seen."""


class Bench(Protocol):
    """Starts processes for one plugin."""

    def start(self, readable: Sequence[Path] = ()) -> AbstractContextManager[Running]:
        """A new process with the plugin.

        Args:
            readable: Files and folders that it may read.
        """

    def others(self) -> Mapping[Origin, Named]:
        """What the other installed plugins register."""


@dataclass(frozen=True, slots=True)
class Named:
    """What one installed plugin registers.

    Attributes:
        factors: Risk factors by name.
        sources: Kinds of source.
    """

    factors: Mapping[str, type[RiskFactor]]
    sources: frozenset[str]
