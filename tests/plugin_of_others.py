"""A node's home with a plugin of others in it: installed, pinned, signed, and in a registry."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from folkmoot_kit.confinement import import_folders
from folkmoot_kit.hosting import Hosting, open_plugins
from folkmoot_kit.provenance import Declarations, Privileges, as_toml, declarations_of, sign
from folkmoot_kit.provenance.signing_wheels import make_manifest
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from tests.plugin_council import MODULE, NAME, SBOM, Council, unpack, write_wheel

FACTOR = """\
import numpy as np
from folkmoot_sdk import FieldType, Input, RiskFactor, hookimpl


class EnergyDebt(RiskFactor):
    name = "energy_debt"
    title = "Energy debt"
    description = "Debt, linear up to 1,000."
    domain = "finance"
    inputs = (Input("council_tax_arrears", FieldType.NUMBER, "GBP"),)

    def score(self, inputs, context):
        return np.clip(inputs["council_tax_arrears"] / 1000, 0, 1)

    def explain(self, values, score, context):
        return f"Owes {values['council_tax_arrears']}."


@hookimpl
def folkmoot_risk_factors():
    return [EnergyDebt]
"""
SOURCE = """\
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from folkmoot_sdk import (
    Category, Combine, DataSource, Field, FieldType, PluginError, RecordLevel, Records, Schema,
    Secret, SourceOptions, hookimpl, parameter,
)


@dataclass(frozen=True, kw_only=True)
class Options(SourceOptions):
    file: Path = parameter(description="The readings.")
    token_file: Secret | None = parameter(default=None, secret="file", description="The token.")


class Meters(DataSource):
    kind = "meters"
    Options = Options

    @property
    def schema(self):
        field = Field("meter_debt", FieldType.NUMBER, Combine.SUM, Category.FINANCE, unit="GBP")
        return Schema("meters", RecordLevel.HOUSEHOLD, (field,))

    def read(self, context):
        given = self.options
        token = given.token_file.reveal() if given.token_file else ""
        try:
            lines = (given.base / given.file).read_text().splitlines()
        except OSError as error:
            raise PluginError(str(given.file), f"cannot be read ({error.strerror})", "Grant it")
        uprns = [int(line) for line in lines]
        data = pa.table({
            "uprn": pa.array(uprns, pa.int64()),
            "meter_debt": pa.array([float(len(token))] * len(uprns), pa.float64()),
        })
        yield Records(data, str(given.file))


@hookimpl
def folkmoot_data_sources():
    return [Meters]
"""
BOTH = FACTOR + "\n\n" + SOURCE
SOURCES_OF_NODE = """
[[sources]]
name = "meters"
kind = "meters"
[sources.options]
file = "readings.txt"
"""


@dataclass
class Others:
    """The plugin's side of a node's home.

    Attributes:
        home: The node's home.
        council: Keys, wheel, registry, and where the plugin is installed.
        settings: The settings without what is pinned.
    """

    home: Path
    council: Council
    settings: str

    def pinned(self, granted: Privileges | None = None, more: str = "") -> NodeConfig:
        """Allows what is installed now, and reads the settings."""
        table = as_toml(NAME, self.council.pin(granted))
        (self.home / "node.toml").write_text(f"{self.settings}\n{table}{more}")
        return load_config(self.home)

    def edit(self, before: str, after: str) -> None:
        """Changes the installed code."""
        path = self.council.site / MODULE / "__init__.py"
        path.write_text(path.read_text().replace(before, after))

    def review(self) -> None:
        """Adds two reviews to the registry."""
        self.council.add(
            sign(self.council.review("A. Khan", "Exampleton Council"), self.council.khan),
            sign(self.council.review("B. Jones", "Otherham Council"), self.council.jones),
        )


def install_plugin(
    home: Path,
    settings: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    code: str = FACTOR,
    asks: Privileges | None = None,
    declares: Callable[[Declarations], Declarations] = lambda declared: declared,
    files: Mapping[str, str] | None = None,
) -> Others:
    """Installs a plugin beside the node, and signs for it.

    Args:
        home: The node's home.
        settings: Its settings.
        monkeypatch: Puts the plugin's folder on Python's path for the test.
        code: The plugin's module.
        asks: What its manifest asks for.
        declares: Changes what its manifest says that it offers.
        files: More files of it.
    """
    before = os.umask(0o077)
    try:
        council = Council(home / "plugins", datetime.datetime.now(datetime.UTC).date())
        council.site.mkdir(parents=True)
        own = {f"{MODULE}/__init__.py": code, **(files or {})}
        unpack(write_wheel(council.folder, own), council.site)
        monkeypatch.syspath_prepend(str(council.site))
        council.trust(council.keys_file())
        council.keeper().init("The region")
        manifest = make_manifest(
            council.wheel,
            vendor="Energy Data Ltd",
            declares=declares(_declared()),
            privileges=asks or Privileges(),
            sbom=SBOM,
            today=council.today,
        )
        council.add(sign(manifest, council.vendor), SBOM)
    finally:
        os.umask(before)
    return Others(home, council, settings)


def _declared() -> Declarations:
    with open_plugins([Hosting(distributions=(NAME,))], import_folders=import_folders()) as found:
        assert not found.broken, found.broken
        return declarations_of(found)
