"""Each rule about sources finds the source that breaks it, and a sound one breaks none."""

from pathlib import Path

import pytest

from folkmoot_kit.checks import contents, spoiled
from folkmoot_kit.checks.extracts import copied
from folkmoot_kit.checks.spoiled import spoiled_findings
from folkmoot_sdk import conformance
from folkmoot_sdk.conformance import REFERENCE_DATE, source_findings
from folkmoot_sdk.conformance.findings import checks_in
from tests.unit.kit.checks.faulty_sources import ALSO, SAMPLE, SOURCES, Sound
from tests.unit.kit.checks.here import Here

BY_READING = [c.id for c in conformance.catalogue() if c.about == "source"]
DECLARED = {"source-declaration"}
BY_VALUES = [check.id for check in checks_in([contents])]
BY_SPOILING = [check.id for check in checks_in([spoiled])]


@pytest.fixture
def given(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "sample.csv").write_text(SAMPLE)
    return {"base": str(tmp_path / "here"), "file": "sample.csv"}


@pytest.fixture
def copies(given, tmp_path):
    (tmp_path / "copies").mkdir()
    base = tmp_path / "here"
    return copied({"file": given["file"]}, base, tmp_path / "copies")


def ids(findings):
    return {finding.check.id for finding in findings}


def values_of(cls, given):
    source = cls(cls.Options(base=Path(given["base"]), file=Path(given["file"])))
    found = contents.read_all(f"source {cls.kind}", source, source.schema, REFERENCE_DATE)
    return found.findings


def spoil(cls, copies, **limits):
    with Here([], [cls]).start() as running:
        return list(
            spoiled_findings(running, cls.kind, copies, REFERENCE_DATE, rows=65_536, **limits)
        )


def test_every_rule_about_sources_has_a_source_that_breaks_it():
    assert {*BY_READING, *BY_VALUES, *BY_SPOILING} - DECLARED == set(SOURCES)


def test_a_sound_source_breaks_no_rule(given, copies):
    assert source_findings(Sound, given, REFERENCE_DATE) == ()
    assert values_of(Sound, given) == []
    assert spoil(Sound, copies) == []
    assert (copies.base / copies.options["file"]).read_text() == SAMPLE


@pytest.mark.parametrize("rule", [rule for rule in BY_READING if rule not in DECLARED])
def test_a_source_that_breaks_one_rule_is_found_by_it_and_by_no_other(rule, given):
    findings = source_findings(SOURCES[rule], given, REFERENCE_DATE)
    assert ids(findings) == {rule} | ALSO[rule]
    for finding in findings:
        assert finding.subject == f"source {SOURCES[rule].kind}"


@pytest.mark.parametrize("rule", BY_VALUES)
def test_values_are_compared_with_the_schema(rule, given):
    assert source_findings(SOURCES[rule], given, REFERENCE_DATE) == ()
    assert ids(values_of(SOURCES[rule], given)) == {rule}


@pytest.mark.parametrize("rule", BY_SPOILING)
def test_what_suppliers_do_is_tried(rule, given, copies):
    assert source_findings(SOURCES[rule], given, REFERENCE_DATE) == ()
    limits = {"seconds": 0.6} if rule == "source-slow" else {}
    assert ids(spoil(SOURCES[rule], copies, **limits)) == {rule}


def test_only_copies_are_changed(given, copies, tmp_path):
    spoil(SOURCES["column-renamed"], copies)
    assert (tmp_path / "here" / "sample.csv").read_text() == SAMPLE
