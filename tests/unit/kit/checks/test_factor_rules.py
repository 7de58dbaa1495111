"""Each rule about factors finds the factor that breaks it, and a sound one breaks none."""

from dataclasses import replace

import pytest

from folkmoot_kit.checks import processes, vocabulary
from folkmoot_kit.checks.bench import Named
from folkmoot_kit.checks.processes import (
    loaded_findings,
    measured_findings,
    printed_findings,
    process_findings,
)
from folkmoot_sdk import Category, Combine, Field, FieldType, RecordLevel, Schema, conformance
from folkmoot_sdk.conformance import catalogue, factor_findings
from tests.unit.kit.checks import faulty
from tests.unit.kit.checks.here import Here

BY_CALLING = [c.id for c in conformance.catalogue() if c.about == "factor"]
DECLARED = {"factor-declaration"}
BY_PROCESS = {"global-state", "prints", "memory", "slow", "rather-slow"}
BY_NAMES = {"unit", "field-type", "unit-unknown", "unit-without-number"}


@pytest.fixture(autouse=True)
def _threads_end():
    yield
    faulty.END.set()
    faulty.END.clear()


def ids(findings):
    return {finding.check.id for finding in findings}


def test_every_rule_about_factors_has_a_factor_that_breaks_it():
    modules = (processes, vocabulary)
    rules = {*BY_CALLING, *(c.id for c in conformance.findings.checks_in(modules))}
    assert rules - DECLARED == set(faulty.FACTORS) - {"name-clash"}


def test_a_sound_factor_breaks_no_rule():
    bench = Here([faulty.Sound])
    assert factor_findings(faulty.Sound) == ()
    assert process_findings(bench, {}) == ()
    with bench.start() as running:
        assert measured_findings(running, running.trial("sound", {})) == ()
        assert printed_findings(running, "factor sound", 0) == ()
    inputs = faulty.Sound.inputs
    assert list(vocabulary.input_findings("factor sound", inputs, bench.others())) == []


@pytest.mark.parametrize("rule", [rule for rule in BY_CALLING if rule not in DECLARED])
def test_a_factor_that_breaks_one_rule_is_found_by_it_and_by_no_other(rule):
    findings = factor_findings(faulty.FACTORS[rule])
    assert ids(findings) == {rule} | faulty.ALSO[rule]
    for finding in findings:
        assert finding.subject == f"factor {faulty.FACTORS[rule].name}"
        assert finding.seen
        assert finding.remedy


@pytest.mark.parametrize("rule", sorted(BY_PROCESS - {"global-state", "prints"}))
def test_what_a_batch_costs_is_measured(rule):
    cls = faulty.FACTORS[rule]
    assert factor_findings(cls) == ()
    with Here([cls]).start() as running:
        found = measured_findings(running, running.trial(cls.name, {}))
    assert ids(found) == {rule}


def test_what_is_printed_is_found():
    cls = faulty.FACTORS["prints"]
    with Here([cls]).start() as running:
        trial = running.trial(cls.name, {})
        found = measured_findings(running, trial)
        assert ids([*found, *printed_findings(running, trial.subject, 0)]) == {"prints"}


def test_what_is_printed_while_a_plugin_is_loaded_is_found():
    with Here([faulty.Sound]).start() as running:
        assert loaded_findings(running) == ()
        print("loading")
        assert ids(loaded_findings(running)) == {"prints"}


def test_what_one_factor_leaves_to_another_is_found():
    bench = Here([faulty.FACTORS["global-state"], faulty.Marks])
    found = process_findings(bench, {})
    assert ids(found) == {"global-state"}
    assert {finding.subject for finding in found} == {"factor global_state"}


def test_another_process_that_gives_other_scores_is_found():
    salt = iter([0.0, 0.0, 0.3, 0.3])

    class Salted(faulty.Sound):
        """Alike in one process and not in the next, as what is ordered by hash is."""

        name = "salted"

        def score(self, inputs, context):
            return faulty.scored(self, inputs) * (1 - next(salt))

    found = process_findings(Here([Salted]), {})
    assert ids(found) == {"not-deterministic"}


@pytest.mark.parametrize("rule", sorted(BY_NAMES))
def test_inputs_are_compared_with_those_of_other_plugins(rule):
    cls = faulty.FACTORS[rule]
    others = Here([]).others()
    found = list(vocabulary.input_findings(f"factor {cls.name}", cls.inputs, others))
    assert ids(found) == {rule}


def test_an_outcome_that_others_take_as_an_input_is_found():
    """A council could not feed their factor from it: the policy is refused."""
    origin = next(iter(Here([]).others()))
    others = {origin: Named({"sound": faulty.Sound}, frozenset())}
    field = Field("kit_since", FieldType.DATE, Combine.MINIMUM, Category.HOUSING)
    for outcome, found in ((True, {"field-type"}), (False, set())):
        schema = Schema("x", RecordLevel.HOUSEHOLD, (replace(field, outcome=outcome),))
        assert ids(vocabulary.schema_findings("source x", schema, others)) == found


def test_the_catalogue_says_why_and_how():
    found = catalogue()
    assert len({check.id for check in found}) == len(found)
    for check in found:
        for text in (check.title, check.why, check.remedy):
            assert text[0].isupper() or text[0] == "`"
        assert check.why.endswith(".")
        assert not check.remedy.endswith(".")
        assert check.about in ("factor", "source", "plugin")
