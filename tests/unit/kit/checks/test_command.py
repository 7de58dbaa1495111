"""`folkmoot-plugin check`, in the sandbox, as a vendor uses it."""

import datetime
import json
import re

import pytest

from folkmoot_kit.checks import plugin
from folkmoot_kit.checks.report import make_report
from folkmoot_kit.provenance import load_key, new_key, public_key, read_signed_file, read_wheel
from folkmoot_kit.provenance.statements import Report
from tests.commands import run_inside
from tests.plugin_council import write_wheel

FACTOR = """\
import numpy as np
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, hookimpl

class Damp(RiskFactor):
    name = "{name}"
    title = "Damp"
    description = "Rooms that are damp, four at most."
    domain = "housing"
    evidence = (Evidence("Somebody (2020), A book"),)
    inputs = (Input("damp_rooms", FieldType.INTEGER, direction="rises"),)

    def score(self, inputs, context):
        return {score}

    def explain(self, values, score, context):
        rooms = values["damp_rooms"]
        return "Not known." if rooms is None else f"{{rooms}} rooms are damp."

@hookimpl
def folkmoot_risk_factors():
    return [Damp]
"""
SCORE = 'np.clip(inputs["damp_rooms"] / 4, 0, 1)'


def text(name="damp_rooms", score=SCORE):
    return FACTOR.format(name=name, score=score)


def wheel(folder, code=None, **changed):
    points = "[folkmoot]\ndamp = folkmoot_plugin_damp\n"
    files = {"folkmoot_plugin_damp/__init__.py": code or text()}
    made = {"name": "folkmoot-plugin-damp", "requires": ("folkmoot-sdk>=0.1,<9",), "points": points}
    return write_wheel(folder, files, **made | changed)


def check(*arguments, expect=0):
    return run_inside("folkmoot-plugin", "check", *arguments).said(expect)


def found(*arguments):
    done = run_inside("folkmoot-plugin", "check", *arguments, "--json")
    return json.loads(done.stdout)


def ids(report):
    return {finding["id"] for finding in report["findings"]}


@pytest.fixture
def outside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """What is said of a sound wheel, the wheel, and the folder of its signed report."""
    return reported(tmp_path_factory.mktemp("sound"), text())


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """The same of one whose scores leave their range."""
    folder = tmp_path_factory.mktemp("failing")
    return reported(folder, text(score='inputs["damp_rooms"] / 4'), expect=1)


def reported(folder, code, expect=0):
    new_key(folder / "key.pem")
    path = wheel(folder, code)
    arguments = ["--report", folder / "report.json", "--key", folder / "key.pem"]
    return check(path, *arguments, expect=expect), path, folder


def test_a_sound_wheel_passes_without_being_installed(sound):
    said, _, _ = sound
    assert "ok     factor damp_rooms\n" in said
    assert re.search(r"folkmoot-plugin-damp 1\.2\.0: \d+ rules, 0 errors, 0 warnings", said)


def test_a_fault_has_a_name_what_was_seen_and_a_remedy(failing):
    said, _, _ = failing
    assert "FAULT  factor damp_rooms" in said
    assert "- score-range: `score` of" in said
    assert "Remedy: End with np.clip" in said


def test_programs_get_the_same(outside):
    report = found(wheel(outside, text(score='inputs["damp_rooms"] / 4')))
    assert not report["conforms"]
    assert ids(report) == {"score-range"}
    (finding,) = report["findings"]
    assert finding["severity"] == "error"
    assert finding["subject"] == "factor damp_rooms"
    assert set(report["checks"]) == {c.id for c in plugin.catalogue() if c.about != "source"}


@pytest.mark.slow
def test_a_module_of_this_folder_can_be_checked(outside):
    (outside / "damp_rooms_here.py").write_text(text())
    assert "ok     factor damp_rooms" in check("damp_rooms_here")


PROCESSES = {
    "forbidden-call": "__import__('socket').socket()",
    "ends-process": "__import__('os')._exit(0)",
    "writes-inputs": "inputs['damp_rooms'].__setitem__(slice(None), 0.5)",
    "score-type": "[0.5] * len(inputs['damp_rooms'])",
    "quotes-records": "int(f'no number: {np.nanmax(inputs[\"damp_rooms\"])}')",
}


@pytest.mark.slow
def test_what_a_factor_does_to_its_process_is_found_from_outside(outside):
    code = "".join(
        text(rule.replace("-", "_"), score).replace("class Damp", f"class Damp{at}")
        .replace("[Damp]", f"[Damp{at}]").replace("def folkmoot_risk_factors", f"def of_{at}")
        .replace("@hookimpl", "")
        for at, (rule, score) in enumerate(PROCESSES.items())
    )  # fmt: skip
    named = ", ".join(f"Damp{at}" for at in range(len(PROCESSES)))
    code += f"@hookimpl\ndef folkmoot_risk_factors():\n    return [{named}]\n"
    report = found(wheel(outside, code, requires=("folkmoot-sdk>=0.1",)))
    assert not report["conforms"]
    by_subject = {finding["subject"]: finding["id"] for finding in report["findings"]}
    expected = {f"factor {rule.replace('-', '_')}": rule for rule in PROCESSES}
    assert by_subject == expected | {"": "sdk-bound"}


@pytest.mark.parametrize(
    "code", ["raise RuntimeError('broken')", "import os; os._exit(0)", "x = 1"]
)
def test_a_plugin_that_cannot_be_loaded_is_named(outside, code):
    report = found(wheel(outside, code))
    assert ids(report) == {"not-loaded"}
    assert not report["conforms"]


def test_a_signed_report_is_about_the_wheel(sound):
    _, path, folder = sound
    signed = read_signed_file(Report, folder / "report.json")
    assert signed.key == public_key(load_key(folder / "key.pem"))
    assert signed.body.passed
    assert (signed.body.wheel, signed.body.content) == (
        read_wheel(path).digest,
        read_wheel(path).content,
    )
    assert "row-order" in {outcome.check for outcome in signed.body.outcomes}
    assert {"bubblewrap", "landlock", "seccomp"} <= set(signed.body.layers)


def test_a_report_of_a_plugin_that_fails_says_so(failing):
    _, _, folder = failing
    body = read_signed_file(Report, folder / "report.json").body
    assert not body.passed
    (failed,) = [outcome for outcome in body.outcomes if not outcome.passed]
    assert failed.check == "score-range"
    assert failed.finding
    assert failed.remedy


def test_a_report_quotes_no_record_that_a_source_was_read_on(outside):
    result = plugin.Result("folkmoot-plugin-damp", "1", sources=("meters",))
    (check_made,) = [c for c in plugin.catalogue() if c.id == "read-fails"]
    result.checks = (check_made,)
    result.add((check_made.finding("raises ValueError: Ann Quill", "source meters"),))
    body = make_report(result, wheel(outside), datetime.date(2026, 4, 1))
    (outcome,) = body.outcomes
    assert not outcome.passed
    assert "Quill" not in body.model_dump_json()
    assert "source meters" in outcome.finding


MAPPING = (
    'schema = 1\nname = "x"\nlevel = "household"\nfiles = ["x.csv"]\nuprn = "U"\n'
    '[fields.owed]\ncolumn = "O"\ntype = "number"\ncombine = "sum"\ncategory = "finance"\n'
)


@pytest.mark.slow
def test_a_source_is_read(outside):
    (outside / "m.toml").write_text(MAPPING)
    (outside / "o.toml").write_text('mapping = "m.toml"\nfolder = "."\n')
    (outside / "x.csv").write_text("U,O\n1,2\n")
    options = ["--source", "extracts", "--options", "o.toml"]
    assert "ok     source extracts\n" in check("folkmoot-plugin-extracts", *options)
    (outside / "x.csv").unlink()
    assert "matches no file" in check("folkmoot-plugin-extracts", *options, expect=1)


@pytest.mark.parametrize(
    ("arguments", "problem", "remedy"),
    [
        (["no_such_plugin"], "neither an installed distribution", "Install it"),
        (["folkmoot-plugin-extract"], "neither", "Did you mean 'folkmoot-plugin-extracts'?"),
        (["pytest"], "has no entry point in the group 'folkmoot'", "pyproject.toml"),
        (["folkmoot-plugin-extracts", "--source", "extracts"], "go together", "Give both"),
        (
            ["folkmoot-plugin-extracts", "--source", "extracts", "--options", "x.toml"],
            "cannot be read", "Correct --options",
        ),
        (
            ["folkmoot-plugin-extracts", "--source", "extract", "--options", "y.toml"],
            "not a kind of source", "Did you mean 'extracts'?",
        ),
        (
            ["folkmoot-plugin-extracts", "--report", "r.json", "--key", "y.toml"],
            "a report is about a wheel", "Build the wheel",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_command_is_said(outside, arguments, problem, remedy):
    (outside / "y.toml").write_text("")
    done = run_inside("folkmoot-plugin", "check", *arguments)
    assert done.code == 3
    assert problem in done.stderr
    assert remedy in done.stderr


def test_a_wheel_that_is_none_is_refused(outside):
    (outside / "x-1-py3-none-any.whl").write_text("no wheel")
    done = run_inside("folkmoot-plugin", "check", "x-1-py3-none-any.whl")
    assert done.code == 7
    assert "Remedy:" in done.stderr
