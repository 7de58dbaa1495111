"""Rules about a plugin as a whole: what it requires, and which names it takes."""

from importlib.metadata import Distribution

import pytest

from folkmoot_kit.checks import distribution
from folkmoot_kit.checks.distribution import (
    loading_findings,
    module_findings,
    name_findings,
    requirement_findings,
)
from folkmoot_sdk.conformance.findings import checks_in
from folkmoot_sdk.loading import BrokenPlugin, Origin
from tests.plugin_council import unpack, write_wheel
from tests.unit.kit.checks import faulty, faulty_sources
from tests.unit.kit.checks.here import Here

NAME = "folkmoot-plugin-damp"
SOUND = {"folkmoot_plugin_damp/__init__.py": "", "folkmoot_plugin_damp/tables.csv": ""}
BROKEN = {"sdk-range", "sdk-bound", "module-clash", "name-clash", "not-loaded"}


def ids(findings):
    return {finding.check.id for finding in findings}


def installed(folder, files):
    site = folder / "site"
    site.mkdir()
    unpack(write_wheel(folder, files, name=NAME), site)
    (found,) = Distribution.discover(path=[str(site)])
    return found


def test_every_rule_about_plugins_is_broken_here():
    assert {check.id for check in checks_in([distribution])} == BROKEN


@pytest.mark.parametrize(
    "requires",
    [
        ["folkmoot-sdk<1,>=0.1"],
        ["numpy>=2", "Folkmoot_SDK~=0.3"],
        ["folkmoot-sdk==0.3.0"],
        ["folkmoot-sdk>=0.1,<1", 'folkmoot-sdk[test]>=0.1; extra == "test"'],
    ],
)
def test_a_requirement_that_holds_the_running_sdk_is_sound(requires):
    assert list(requirement_findings(requires, "0.3.0")) == []


@pytest.mark.parametrize(
    ("requires", "rule"),
    [
        (None, "sdk-range"),
        (["numpy>=2"], "sdk-range"),
        (["folkmoot-sdk>=0.4,<1"], "sdk-range"),
        (["folkmoot-sdk<0.3"], "sdk-range"),
        (['folkmoot-sdk>=0.1,<1; extra == "test"'], "sdk-range"),
        (["folkmoot-sdk"], "sdk-bound"),
        (["folkmoot-sdk>=0.1,!=0.2"], "sdk-bound"),
    ],
)
def test_a_requirement_that_does_not_is_named(requires, rule):
    (finding,) = requirement_findings(requires, "0.3.0")
    assert finding.check.id == rule
    assert finding.is_error is (rule == "sdk-range")


def test_modules_with_a_name_of_their_own_are_sound(tmp_path):
    assert list(module_findings(installed(tmp_path, SOUND))) == []


@pytest.mark.parametrize(
    "taken", ["numpy/extra.py", "folkmoot_node/extra.py", "pyarrow/__init__.py"]
)
def test_modules_with_the_name_of_others_are_found(tmp_path, taken):
    (finding,) = module_findings(installed(tmp_path, {**SOUND, taken: ""}))
    assert finding.check.id == "module-clash"
    assert taken.partition("/")[0] in finding.seen


def test_names_of_factors_and_sources_that_others_have_are_found():
    class Named(faulty_sources.Sound):
        kind = "extracts"

    bench = Here([faulty.FACTORS["name-clash"], faulty.Sound], [Named, faulty_sources.Sound])
    findings = list(name_findings(NAME, bench, bench.others()))
    assert sorted((f.check.id, f.subject) for f in findings) == [
        ("name-clash", "factor rent_arrears"),
        ("name-clash", "source extracts"),
    ]
    sound = Here([faulty.Sound], [faulty_sources.Sound])
    assert list(name_findings(NAME, sound, bench.others())) == []


def test_a_plugin_does_not_clash_with_itself():
    bench = Here([faulty.FACTORS["name-clash"]])
    own = "Folkmoot.Plugin_household-factors"
    assert list(name_findings(own, bench, bench.others())) == []


def test_what_cannot_be_loaded_is_named():
    bench = Here([])
    assert list(loading_findings(bench)) == []
    origin = Origin(NAME, "1", "damp")
    bench.broken = (BrokenPlugin(origin, "folkmoot_risk_factors", "failed", "Correct it"),)
    assert ids(loading_findings(bench)) == {"not-loaded"}
