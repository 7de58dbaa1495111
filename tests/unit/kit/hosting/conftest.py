"""Installs plugins of a few lines, and opens them in confined processes."""

import textwrap

import pytest

from folkmoot_kit.confinement import Grants, Limits, import_folders
from folkmoot_kit.hosting import Hosting, open_plugins
from tests.confined_code import limit_calls

FACTOR = """
import datetime, os, sys, threading
import numpy as np
from dataclasses import dataclass
from folkmoot_sdk import Evidence, FieldType, Input, PluginError, RiskFactor, hookimpl, parameter

class Factor(RiskFactor):
    name = "{name}"
    title = "Debt"
    description = "Scores debt."
    domain = "finance"
    inputs = (Input("debt", FieldType.NUMBER, unit="GBP"),)

    def score(self, inputs, context):
        return np.clip(inputs["debt"] / 100, 0, 1)

    def explain(self, values, score, context):
        return f"Owes {values['debt']}."

{more}

@hookimpl
def folkmoot_risk_factors():
    return [Factor]
"""

SOURCE = """
import datetime, os, sys, threading
import pyarrow as pa
from dataclasses import dataclass
from pathlib import Path
from folkmoot_sdk import (Category, Combine, DataSource, Field, FieldType, Identifier, PluginError,
    RecordLevel, Records, Rejection, Schema, hookimpl, parameter)
from folkmoot_sdk.source import SourceOptions

class Source(DataSource):
    kind = "{name}"
    schema = Schema(
        "debts",
        RecordLevel.HOUSEHOLD,
        (
            Field("debt", FieldType.NUMBER, Combine.SUM, Category.FINANCE, unit="GBP"),
            Field("band", FieldType.CATEGORY, Combine.MAXIMUM, Category.HOUSING, codes=("A", "B")),
            Field("visits", FieldType.DATE, Combine.COUNT, Category.FINANCE),
        ),
    )

    def read(self, context):
        columns = {"uprn": pa.array([1, 2, None])}
        all_ = {
            "debt": pa.array([10.0, None, 30.0]),
            "band": pa.array(["A", "B", None]),
            "visits": pa.array([datetime.date(2026, 1, 1), None, None], pa.date32()),
        }
        columns |= {name: all_[name] for name in context.fields}
        yield Records(pa.table(columns), "debts.csv", 2)

{more}

@hookimpl
def folkmoot_data_sources():
    return [Source]
"""


@pytest.fixture
def install(tmp_path):
    """Puts a distribution of one module into a folder, as an installer would; gives the folder."""
    folder = tmp_path / "installed"
    folder.mkdir()

    def add(text, more="", distribution="folkmoot-plugin-made-up", version="1.2.3", name="debt"):
        module = distribution.replace("-", "_")
        code = text.replace("{name}", name).replace("{more}", textwrap.dedent(more))
        (folder / f"{module}.py").write_text(code)
        info = folder / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[folkmoot]\n{module} = {module}\n")
        return folder

    return add


@pytest.fixture
def opened(install, tmp_path):
    """Installs a plugin, and opens it confined; all processes end with the test.

    `seconds` is what a call may take afterwards: a start takes longer on a busy machine.
    """
    running = []

    def open_(text, more="", *, seconds=None, show_messages=False, grants=None, **words):
        folder = install(text, more, **words)
        hosting = Hosting(
            distributions=(words.get("distribution", "folkmoot-plugin-made-up"),),
            grants=grants or Grants(limits=Limits(seconds=60)),
            show_messages=show_messages,
        )
        plugins = open_plugins([hosting], import_folders=[folder, *import_folders()])
        running.append(plugins)
        if seconds is not None:
            limit_calls(plugins.processes, seconds)
        return plugins

    yield open_
    for plugins in running:
        plugins.close()


@pytest.fixture
def factor_text():
    return FACTOR


@pytest.fixture
def source_text():
    return SOURCE
