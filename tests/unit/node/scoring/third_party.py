"""A plugin of others that is installed in a folder, and runs confined as it would at a council."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from folkmoot_kit import confinement
from folkmoot_kit.channel.words import Call
from folkmoot_kit.confinement import Grants, Limits
from folkmoot_kit.hosting import Hosting, PluginProcess, open_plugins
from folkmoot_node.plugins.installed import InstalledPlugin
from folkmoot_node.plugins.loaded import LoadedPlugins
from folkmoot_node.plugins.placement import Placement, Way
from tests.confined_code import limit_calls
from tests.unit.node.conftest import TestNode

DISTRIBUTION, VERSION = "vendor-factors", "4.5.6"
NAMED = f"plugin {DISTRIBUTION} {VERSION} (vendor)"
CANARY = "zq-canary-3107"
CODE = """
import os, sys, time
from dataclasses import dataclass
import numpy as np
from folkmoot_sdk import FieldType, Input, PluginError, RiskFactor, hookimpl, parameter

SEEN = []


def right(arrears):
    return np.minimum(arrears / 2000, 1.0)


def mean(arrears):
    return np.clip(arrears / np.nanmean(arrears) / 4, 0, 1)


def remembers(arrears):
    SEEN.extend(arrears[arrears == 699].tolist())
    return np.full(arrears.shape, float(bool(SEEN)))


def dies(arrears):
    os._exit(3)


def hangs(arrears):
    time.sleep(600)


def loops(arrears):
    while True:
        pass


def float32(arrears):
    return arrears.astype(np.float32)


def raises(arrears):
    raise ValueError("zq-canary-3107")


def plugin_error(arrears):
    raise PluginError("zq-canary-3107", "zq-canary-3107", "zq-canary-3107")


def writes(arrears):
    arrears[:] = 0
    return arrears


def eats(arrears):
    kept = []
    while True:
        kept.append(bytearray(1 << 26))


class Arrears(RiskFactor):
    @dataclass(frozen=True)
    class Parameters:
        full: float = parameter(default=2000.0, minimum=1, unit="GBP")
        score: str = parameter(default="right")
        explain: str = parameter(default="")

    name = "arrears"
    title = "Arrears"
    description = "Council tax arrears."
    domain = "finance"
    inputs = (Input("council_tax_arrears", FieldType.NUMBER, "GBP"),)

    def score(self, inputs, context):
        return globals()[self.parameters.score](inputs["council_tax_arrears"])

    def explain(self, values, score, context):
        if self.parameters.explain:
            globals()[self.parameters.explain](np.zeros(1))
        return f"Owes {values['council_tax_arrears']}, scored {score:.3f}."


class Renting(RiskFactor):
    name = "renting"
    title = "Rents"
    description = "Rents the home."
    domain = "housing"
    inputs = (Input("tenure", FieldType.CATEGORY, codes=("rented", "owned", "other")),)

    def score(self, inputs, context):
        tenure = inputs["tenure"]
        return np.where(tenure == -1, np.nan, (tenure == 0).astype(np.float64))

    def explain(self, values, score, context):
        return f"Tenure: {values['tenure'] or 'not known'}."


@hookimpl
def folkmoot_risk_factors():
    return [Arrears, Renting]
"""


def install(folder: Path) -> Path:
    """Writes the distribution as an installer would."""
    (folder / "vendor_factors.py").write_text(CODE)
    info = folder / f"vendor_factors-{VERSION}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {VERSION}\n"
    )
    (info / "entry_points.txt").write_text("[folkmoot]\nvendor = vendor_factors\n")
    return folder


@contextmanager
def opened(
    node: TestNode, folder: Path, *, is_reviewed: bool = False, seconds: float | None = None
) -> Iterator[LoadedPlugins]:
    """The plugins of the node, with those factors confined that the distribution has.

    `seconds` is what scores or an explanation may take; nothing else is so short on a busy machine.
    """
    grants = Grants(limits=Limits(seconds=60, memory_mib=512))
    hosting = Hosting(distributions=(DISTRIBUTION,), grants=grants)
    placement = Placement(
        InstalledPlugin(DISTRIBUTION, VERSION, ()),
        Way.APART,
        is_shipped=False,
        is_reviewed=is_reviewed,
    )
    ours = Placement(InstalledPlugin("test-plugin", "1.2.3", ()), Way.APART, is_shipped=True)
    plain = node.plugins
    folders = (folder, *confinement.import_folders())
    hosted = open_plugins([hosting], import_folders=folders)
    assert not hosted.broken
    loaded = LoadedPlugins(
        sources=plain.sources,
        factors={**plain.factors, **hosted.factors},
        source_origins=plain.source_origins,
        factor_origins={**plain.factor_origins, **hosted.factor_origins},
        broken=(),
        placements=(placement, ours),
        processes=hosted.processes,
    )
    with loaded, pytest.MonkeyPatch.context() as patch:
        if seconds is not None:
            limit_scoring(patch, seconds)
        yield replace(loaded, processes=())


def limit_scoring(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Lets scores or an explanation take no longer, of fresh processes, too."""
    ask = PluginProcess.ask

    def limited(process: PluginProcess, call: Call, *given: Any, **named: Any) -> Any:
        if call not in (Call.SCORE, Call.EXPLAIN):
            return ask(process, call, *given, **named)
        before = process.hosting
        limit_calls([process], seconds)
        try:
            return ask(process, call, *given, **named)
        finally:
            process.hosting = before

    patch.setattr(PluginProcess, "ask", limited)
