"""Plugins that come with the node do confined what they do in its own process."""

import datetime
from dataclasses import is_dataclass, replace

import numpy as np
import polars as pl
import pytest

from folkmoot_kit.confinement import Grants
from folkmoot_kit.hosting import (
    Hosting,
    make_factor,
    make_source,
    open_plugins,
    thousandths_together,
)
from folkmoot_sdk import ReadContext, ScoringContext, samples
from folkmoot_sdk.loading import load
from folkmoot_sdk.parameters import describe

TODAY = datetime.date(2026, 4, 1)
CONTEXT = ScoringContext(TODAY)
FACTORS = "folkmoot-plugin-household-factors"
SOURCES = tuple(
    f"folkmoot-plugin-{name}"
    for name in (
        "extracts", "council-records", "savvi", "nhs-shielding", "gazetteer", "open-areas",
        "notifications", "sql",
    )
)  # fmt: skip
MAPPING = """
schema = 1
name = "council_tax"
level = "household"
supplier = "Revenues"
version = "1"
files = ["ct*.csv"]
uprn = "UPRN"
record_date = { column = "On", format = "%d/%m/%Y" }

[identifiers]
postcode = "Postcode"

[fields.arrears]
column = "Arrears"
type = "number"
combine = "sum"
category = "finance"
unit = "GBP"
absent = 0

[fields.band]
column = "Band"
type = "category"
combine = "max"
category = "housing"
codes = ["A", "B", "C"]

[fields.support]
column = "Support"
type = "boolean"
true = ["Y"]
false = ["N"]
combine = "any"
category = "finance"

[fields.ordered]
column = "Ordered"
type = "date"
combine = "min"
category = "finance"
outcome = true
"""


@pytest.fixture(scope="module")
def here():
    return load()


@pytest.fixture(scope="module")
def factors():
    with open_plugins([Hosting(distributions=(FACTORS,))]) as plugins:
        yield plugins


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "extracts").mkdir()
    lines = ["UPRN,On,Postcode,Arrears,Band,Support,Ordered"]
    for at in range(1, 5_001):
        arrears = "lots" if at % 100 == 0 else at * 1.25
        ordered = "2026-02-03" if at % 50 == 0 else ""
        lines.append(
            f"{at},01/03/2026,AB1 {at % 10}CD,{arrears},{'ABCD'[at % 4]},{'YN'[at % 2]},{ordered}"
        )
    lines.append(lines[-1])
    lines.append("too,few")
    (home / "extracts" / "ct.csv").write_text("\n".join(lines) + "\n")
    (home / "mapping.toml").write_text(MAPPING)
    (home / "keys").mkdir()
    (home / "keys" / "store.key").write_text("secret")
    return home


@pytest.fixture(scope="module")
def sources(home):
    readable = (home / "extracts", home / "mapping.toml")
    grants = Grants(readable=readable, clock=True)
    with open_plugins([Hosting(distributions=SOURCES, grants=grants)]) as plugins:
        yield plugins


def test_all_of_them_load(here, factors, sources):
    assert factors.broken == sources.broken == ()
    assert set(factors.factors) | set(sources.factors) == set(here.factors)
    assert set(factors.sources) | set(sources.sources) == set(here.sources)
    for found in (factors, sources):
        assert all(here.factor_origins[name] == at for name, at in found.factor_origins.items())
        assert all(here.source_origins[name] == at for name, at in found.source_origins.items())


def test_factors_declare_the_same(here, factors):
    for name, confined in factors.factors.items():
        own = here.factors[name]
        for said in ("title", "description", "domain", "savvi_term", "evidence", "inputs"):
            assert getattr(confined, said) == getattr(own, said), (name, said)
        assert describe(confined.Parameters) == describe(own.Parameters)


def test_sources_declare_the_same(here, sources):
    for kind, confined in sources.sources.items():
        found, own = describe(confined.Options), describe(here.sources[kind].Options)
        # A default of a class that only the plugin knows is its text.
        own = tuple(
            replace(entry, default=str(entry.default)) if is_dataclass(entry.default) else entry
            for entry in own
        )
        assert found == own


def test_factors_score_and_explain_the_same(here, factors):
    kinds = list(factors.factors.values())
    confined = [make_factor(kind, {}, "p") for kind in kinds]
    own = [make_factor(here.factors[kind.name], {}, "p") for kind in kinds]
    inputs = [samples.households(kind.inputs, TODAY, 5_000) for kind in kinds]
    found = thousandths_together(confined, inputs, CONTEXT)
    scored = (one.score(arrays, CONTEXT) for one, arrays in zip(own, inputs, strict=True))
    expected = [np.rint(scores * 1000) for scores in scored]
    for one, other, kind in zip(found, expected, kinds, strict=True):
        assert np.array_equal(one, other, equal_nan=True), kind.name
        assert len(np.unique(one)) > 1
    for at in range(0, 5_000, 617):
        for factor, same, arrays, scores in zip(confined, own, inputs, found, strict=True):
            values = samples.household(arrays, factor.inputs, at)
            score = float(scores[at]) / 1000
            assert factor.explain(values, score, CONTEXT) == same.explain(values, score, CONTEXT)


def everything(source):
    told = {"reject": [], "leave_out": [], "note": []}
    schema = source.schema
    context = ReadContext(
        tuple(field.name for field in schema.fields),
        TODAY,
        told["reject"].extend,
        leave_out=lambda reason, records: told["leave_out"].append((reason, records)),
        identifiers=schema.identifiers,
        note=told["note"].append,
    )
    frames, rows, unread = [], [], []
    for batch in source.read(context):
        frame = pl.DataFrame(batch.data)
        numbers = range(batch.first_row, batch.first_row + frame.height)
        rows += [
            (batch.origin, int(row)) for row in (numbers if batch.rows is None else batch.rows)
        ]
        frames.append(frame)
        unread.append({name: list(at) for name, at in batch.unread.items() if len(at)})
    return schema, pl.concat(frames), rows, unread, told


def test_a_csv_file_is_read_the_same(here, sources, home):
    options = {"mapping": "mapping.toml"}
    own = everything(make_source(here.sources["extracts"], options, "w", home))
    confined = everything(make_source(sources.sources["extracts"], options, "w", home))
    assert confined[0] == own[0]
    assert [field.name for field in confined[0].fields if field.outcome] == ["ordered"]
    assert confined[1].schema == own[1].schema
    assert confined[1].equals(own[1], null_equal=True)
    assert confined[2:] == own[2:]
    assert len(confined[4]["reject"]) > 50
    assert any(confined[3])


def test_a_mapping_is_drafted_the_same(here, sources, home):
    file = home / "extracts" / "ct.csv"
    assert sources.sources["extracts"].draft(file) == here.sources["extracts"].draft(file)


def test_what_was_not_granted_cannot_be_read(sources, home):
    from folkmoot_sdk import PluginError

    with pytest.raises(PluginError, match=r"store\.key: cannot be read"):
        make_source(sources.sources["extracts"], {"mapping": "keys/store.key"}, "w", home)


def test_paths_among_the_options_are_paths_for_the_node(sources, home):
    source = make_source(sources.sources["extracts"], {"mapping": "mapping.toml"}, "w", home)
    assert source.options.base == home
    assert (source.options.base / source.options.folder).is_dir()
    assert (source.options.base / source.options.mapping).is_file()
