"""Plugins are loaded one by one; a broken one is named and harms no other."""

import sys
import textwrap
from importlib.metadata import Distribution, EntryPoint, distributions

import pytest

from folkmoot_sdk.loading import load

FACTOR = """
    import numpy as np
    from folkmoot_sdk import FieldType, Input, RiskFactor, hookimpl

    class Factor(RiskFactor):
        name = "{name}"
        title = description = domain = "x"
        inputs = (Input("council_tax_arrears", FieldType.NUMBER, unit="GBP"),)
        def score(self, inputs, context):
            return np.zeros(0)
        def explain(self, values, score, context):
            return "x"

    @hookimpl
    def folkmoot_risk_factors():
        return [Factor]
"""

SOURCE = """
    from folkmoot_sdk import DataSource, hookimpl

    class Source(DataSource):
        kind = "{name}"
        schema = None
        def read(self, context):
            return iter(())

    @hookimpl
    def folkmoot_data_sources():
        return (Source,)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts distributions of one module each on the path, as an installer would."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = set(sys.modules)

    def add(distribution, source, version="1.0", **words):
        module = distribution.replace("-", "_")
        text = textwrap.dedent(source)
        for word, value in words.items():
            text = text.replace("{" + word + "}", value)
        (tmp_path / f"{module}.py").write_text(text)
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[folkmoot]\n{module} = {module}\n")

    def points():
        found = [d for d in distributions(path=[str(tmp_path)]) if isinstance(d, Distribution)]
        return [point for d in found for point in d.entry_points]

    add.load = lambda: load(points())
    yield add
    for module in set(sys.modules) - modules:
        del sys.modules[module]


def test_registers_what_is_sound_with_its_origin(install):
    install("acme-factors", FACTOR, name="damp")
    install("acme-source", SOURCE, "2.1", name="meters")
    plugins = install.load()
    assert plugins.broken == ()
    assert plugins.factors["damp"].name == "damp"
    assert plugins.sources["meters"].kind == "meters"
    assert str(plugins.source_origins["meters"]) == "acme-source 2.1 (acme_source)"
    assert plugins.factor_origins["damp"].distribution == "acme-factors"


def broken(source, hook, problem, identifier):
    return pytest.param(source, hook, problem, id=identifier)


HOOK = """
    from folkmoot_sdk import hookimpl, RiskFactor
    @hookimpl
    def {hook}({arguments}):
        {body}
"""


def hook(name, body, arguments=""):
    text = HOOK.replace("{hook}", name).replace("{arguments}", arguments)
    return text.replace("{body}", body)


@pytest.mark.parametrize(
    ("source", "hook", "problem"),
    [
        broken("import no_such_module", "", "No module named 'no_such_module'", "import"),
        broken("1 / 0", "", "ZeroDivisionError", "raises"),
        broken("def (", "", "SyntaxError", "syntax"),
        broken("raise SystemExit('bye')", "", "SystemExit: bye", "exits"),
        broken("x = 1", "", "implements no hook", "no-hook"),
        broken(
            hook("folkmoot_risk_factors", "return []", "wrong"), "", "does not fit", "arguments"
        ),
        broken(
            hook("folkmoot_risk_factor", "return []"),
            "folkmoot_risk_factor", "is not a hook", "misspelt",
        ),
        broken(
            hook("folkmoot_risk_factors", "raise KeyError('x')"),
            "folkmoot_risk_factors", "KeyError", "hook-raises",
        ),
        broken(
            hook("folkmoot_risk_factors", "return 3"),
            "folkmoot_risk_factors", "returned int, not a sequence of risk factor", "not-sequence",
        ),
        broken(
            hook("folkmoot_risk_factors", "return 'text'"),
            "folkmoot_risk_factors", "returned str", "text",
        ),
        broken(
            hook("folkmoot_risk_factors", "return [3]"),
            "folkmoot_risk_factors", "int is not a subclass of folkmoot_sdk.Risk", "not-class",
        ),
        broken(
            hook("folkmoot_data_sources", "return [RiskFactor]"),
            "folkmoot_data_sources", "RiskFactor is not a subclass", "other-class",
        ),
        broken(
            hook("folkmoot_risk_factors", "return [RiskFactor]"),
            "folkmoot_risk_factors", "does not implement explain, score", "abstract",
        ),
        broken(
            FACTOR.replace('name = "{name}"', 'name = "Damp Homes"'),
            "folkmoot_risk_factors", "Factor: `name` is not an identifier", "name",
        ),
        broken(
            FACTOR.replace("inputs = (Input", "inputs = [] and (Input"),
            "folkmoot_risk_factors", "`inputs` is not a tuple", "inputs",
        ),
        broken(
            FACTOR.replace("FieldType.NUMBER", "FieldType.AREA"),
            "folkmoot_risk_factors", "an area, which is never a scoring input", "area",
        ),
        broken(
            SOURCE.replace("schema = None", "Options = dict"),
            "folkmoot_data_sources", "does not implement schema", "no-schema",
        ),
        broken(
            SOURCE.replace("schema = None", "schema = None; Options = dict"),
            "folkmoot_data_sources", "`Options` is not a subclass", "options",
        ),
    ],
)  # fmt: skip
def test_a_broken_plugin_is_named_and_the_others_load(install, source, hook, problem):
    install("acme-broken", source, "0.7", name="damp")
    install("acme-sound", FACTOR, name="mould")
    plugins = install.load()
    (fault,) = [entry for entry in plugins.broken if problem in entry.problem]
    assert fault.origin.distribution == "acme-broken"
    assert fault.origin.version == "0.7"
    assert fault.hook == hook
    assert fault.remedy
    assert "acme-broken 0.7" in str(fault)
    assert "damp" not in plugins.factors
    assert "mould" in plugins.factors


def test_one_unsound_hook_does_not_take_the_other_with_it(install):
    install("acme-half", FACTOR + SOURCE.replace("{name}", "meters"), name="Not A Name")
    plugins = install.load()
    assert list(plugins.sources) == ["meters"]
    assert [entry.hook for entry in plugins.broken] == ["folkmoot_risk_factors"]


@pytest.mark.parametrize("source", [FACTOR, SOURCE])
def test_two_plugins_of_one_name_are_both_left_out_and_both_named(install, source):
    install("acme-one", source, name="damp")
    install("acme-two", source, "3.0", name="damp")
    plugins = install.load()
    assert not plugins.factors
    assert not plugins.sources
    assert {entry.origin.distribution for entry in plugins.broken} == {"acme-one", "acme-two"}
    for entry in plugins.broken:
        assert "acme-one 1.0" in entry.problem
        assert "acme-two 3.0" in entry.problem


def test_a_misspelt_hook_is_told_the_nearest(install):
    install("acme-broken", hook("folkmoot_risk_factor", "return []"))
    (fault,) = install.load().broken
    assert "Did you mean 'folkmoot_risk_factors'?" in fault.remedy


def test_an_entry_point_without_a_distribution_is_named_by_its_module():
    plugins = load([EntryPoint("x", "no_such_plugin_module", "folkmoot")])
    assert plugins.broken[0].origin.distribution == "no_such_plugin_module"


def test_the_installed_plugins_load():
    plugins = load()
    assert plugins.broken == ()
    assert "extracts" in plugins.sources
    assert "financial_hardship" in plugins.factors
