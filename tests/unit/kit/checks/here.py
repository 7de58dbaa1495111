"""A bench in the process of the test: what is checked is real, only nothing is confined."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from folkmoot_kit.checks.bench import Figures, Named
from folkmoot_sdk.conformance import REFERENCE_DATE, source_findings
from folkmoot_sdk.conformance.factor import declaration_findings, trial_findings
from folkmoot_sdk.conformance.trial import Trial
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.loading import BrokenPlugin, Origin, load
from folkmoot_sdk.parameters import build
from folkmoot_sdk.source import DataSource


class Here:
    """Classes, used in this process."""

    def __init__(self, factors: Sequence[type[RiskFactor]], sources: Sequence[Any] = ()) -> None:
        self.factors = MappingProxyType({cls.name: cls for cls in factors})
        self.sources = MappingProxyType({cls.kind: cls for cls in sources})
        self.broken: tuple[BrokenPlugin, ...] = ()
        self._said = io.StringIO()

    @contextlib.contextmanager
    def start(self, readable: Sequence[Path] = ()) -> Iterator[Here]:
        del readable
        Path("/proc/self/clear_refs").write_text("5")  # forgets the most that was ever held
        vars(np).pop("folkmoot_seen", None)  # a new process has no such mark
        running = Here((), ())
        running.factors, running.sources = self.factors, self.sources
        with contextlib.redirect_stdout(running._said), contextlib.redirect_stderr(running._said):
            yield running

    def others(self) -> Mapping[Origin, Named]:
        plugins = load()
        found: dict[Origin, Named] = {}
        for origin in {*plugins.factor_origins.values(), *plugins.source_origins.values()}:
            factors = {
                n: plugins.factors[n] for n, o in plugins.factor_origins.items() if o == origin
            }
            kinds = frozenset(k for k, o in plugins.source_origins.items() if o == origin)
            found[origin] = Named(factors, kinds)
        return found

    def trial(self, name: str, parameters: Mapping[str, Any]) -> Trial:
        cls = self.factors[name]
        return Trial(cls, lambda: cls(build(cls.Parameters, parameters, "parameters")))

    def source(self, kind: str, options: Mapping[str, Any], base: Path) -> DataSource:
        cls = self.sources[kind]
        return cls(build(cls.Options, {**options, "base": str(base)}, "options"))

    def examine(self, name: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
        declared = declaration_findings(self.factors[name])
        return declared or trial_findings(self.trial(name, parameters))

    def examine_source(self, kind: str, options: Mapping[str, Any], base: Path) -> Sequence[Any]:
        return source_findings(self.sources[kind], {**options, "base": base}, REFERENCE_DATE)

    def printed(self) -> str:
        return self._said.getvalue()

    def figures(self) -> Figures:
        return Figures(threading.active_count(), _peak())


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) << 10
