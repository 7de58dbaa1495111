"""Each plugin that breaks a rule is found out in the sandbox, too; every shipped one passes."""

import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from folkmoot_kit.checks import contents
from folkmoot_kit.checks.confined_bench import ConfinedBench
from folkmoot_kit.checks.extracts import copied
from folkmoot_kit.checks.plugin import check_plugin
from folkmoot_kit.checks.spoiled import spoiled_findings
from folkmoot_kit.checks.subject import opened
from folkmoot_sdk.conformance import REFERENCE_DATE
from folkmoot_sdk.hooks import PROJECT
from tests.commands import run_inside
from tests.night import by_night
from tests.plugin_council import write_wheel
from tests.unit.kit.checks import faulty, faulty_sources

HERE = Path(__file__).parent
REQUIRES = ("folkmoot-sdk>=0.1,<9",)
POINTS = "[folkmoot]\nfaulty = folkmoot_plugin_faulty\n"


def wheel(folder, module, more=""):
    code = (HERE / f"{module}.py").read_text() + more
    files = {"folkmoot_plugin_faulty/__init__.py": code}
    return write_wheel(
        folder, files, name="folkmoot-plugin-faulty", requires=REQUIRES, points=POINTS
    )


def registering(rules):
    return f"""

@hookimpl
def folkmoot_risk_factors():
    return [Sound, Marks, *(FACTORS[rule] for rule in {sorted(rules)!r})]
"""


def found(path, expected):
    """What the check finds by subject; that one is rather slow may be the machine's doing."""
    with opened(str(path)) as subject:
        result = check_plugin(subject, ConfinedBench(subject), sdk_version="0.5.0")
    by_subject = {}
    for finding in result.findings:
        rule = finding.check.id
        if rule != "rather-slow" or rule in expected.get(finding.subject, ()):
            by_subject.setdefault(finding.subject, set()).add(rule)
    return by_subject


ACROSS = (
    "ends-process", "forbidden-call", "memory", "name-clash", "not-made", "prints", "score-fails",
    "score-shape", "slow", "threads-left", "unit", "writes-inputs",
)  # fmt: skip
"""Rules whose breach reaches past the factor: how it ends, what it prints, sends and takes."""
OTHERS = sorted(set(faulty.FACTORS) - {"global-state", *ACROSS})
"""The sandbox sees of these what tests/unit/kit/checks/test_factor_rules.py sees without it."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "rules",
    by_night([ACROSS, *(OTHERS[part::3] for part in range(3))]),
    ids=["across", "first", "second", "third"],
)
def test_each_factor_that_breaks_a_rule_is_found_out_and_the_sound_one_is_not(tmp_path, rules):
    expected = {f"factor {faulty.FACTORS[rule].name}": {rule} | faulty.ALSO[rule] for rule in rules}
    assert found(wheel(tmp_path, "faulty", registering(rules)), expected) == expected


@pytest.mark.slow
def test_what_one_factor_leaves_to_another_is_found_out(tmp_path):
    path = wheel(tmp_path, "faulty", registering(["global-state"]))
    expected = {"factor global_state": {"global-state"}}
    assert found(path, expected) == expected


SOURCES = {"": faulty_sources.Sound, **faulty_sources.SOURCES}
SOURCES_ACROSS = (
    "", "batch-type", "breaks-on-nonsense", "column-type", "quotes-cells", "read-fails",
    "rejections", "source-memory", "source-not-made",
)  # fmt: skip
"""The sound one, and those of which something else comes out of the sandbox."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "rules",
    by_night([SOURCES_ACROSS, sorted(set(SOURCES) - set(SOURCES_ACROSS))]),
    ids=["across", "others"],
)
def test_each_source_that_breaks_a_rule_is_found_out_and_the_sound_one_is_not(tmp_path, rules):
    path = wheel(tmp_path, "faulty_sources")
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "sample.csv").write_text(faulty_sources.SAMPLE)
    (tmp_path / "copies").mkdir()
    copies = copied({"file": "sample.csv"}, tmp_path / "given", tmp_path / "copies")
    wrong = {}
    with opened(str(path)) as subject:
        bench = ConfinedBench(subject)
        for rule in rules:
            cls = SOURCES[rule]
            with bench.start((copies.base,)) as running:
                expected = {rule} | faulty_sources.ALSO[rule] if rule else set()
                findings = ids_of(running, cls.kind, copies, slow=rule == "source-slow")
                if findings != expected:
                    wrong[rule] = findings
    assert wrong == {}


def ids_of(running, kind, copies, *, slow):
    subject = f"source {kind}"
    findings = list(running.examine_source(kind, copies.options, copies.base))
    if not findings:
        source = running.source(kind, copies.options, copies.base)
        findings = contents.read_all(subject, source, source.schema, REFERENCE_DATE).findings
    if not findings:
        seconds = 0.5 if slow else 20.0
        findings = spoiled_findings(running, kind, copies, REFERENCE_DATE, 65_536, seconds)
    return {finding.check.id for finding in findings}


SHIPPED = sorted({p.dist.name for p in entry_points(group=PROJECT) if p.dist is not None})


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_plugin_passes_its_own_check(name):
    """Their sources are read in tests/packaging/test_samples.py.

    That one is rather slow may be the machine's doing.
    """
    report = json.loads(run_inside("folkmoot-plugin", "check", name, "--json").stdout)
    findings = [f for f in report["findings"] if f["id"] != "rather-slow"]
    assert findings == []
    assert report["factors"] or report["declared_only"]
