"""`folkmoot-plugin new`, `list` and `run`: what people and programs see, and what is refused."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from folkmoot_kit.cli import listing, writing
from folkmoot_kit.writing.inventory import inventory
from folkmoot_operator.problems import ExitCode
from folkmoot_sdk.conformance import check_factor
from folkmoot_sdk.loading import load
from tests.commands import run_inside

FACTORS = "folkmoot-plugin-household-factors"


def plugin(*arguments: object, expect: int = 0) -> str:
    return run_inside("folkmoot-plugin", *arguments).said(expect)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_new_says_what_it_wrote_and_what_comes_next(outside: Path) -> None:
    said = plugin("new", "energy-debt")
    assert "folkmoot-plugin-energy-debt/pyproject.toml" in said
    assert "folkmoot-plugin check folkmoot-plugin-energy-debt" in said
    assert max(map(len, said.splitlines())) <= 80
    again = plugin("new", "energy-debt", expect=3)
    assert "exists already" in again
    assert "Remedy:" in again
    assert "'wizard'" in plugin("new", "energy", "--kind", "wizard", expect=2)


def test_list_is_for_people_and_for_programs() -> None:
    """Plugins say the same of themselves confined as they do in this process."""
    people = plugin("list")
    programs = json.loads(plugin("list", "--json"))
    here = load()
    listed = [factor for entry in programs["plugins"] for factor in entry["factors"]]
    assert {factor["name"] for factor in listed} == set(here.factors)
    for name in here.factors:
        assert f"factor {name}:" in people
    (hardship,) = [factor for factor in listed if factor["name"] == "financial_hardship"]
    assert hardship["evidence"][0]["citation"]
    (full,) = [entry for entry in hardship["parameters"] if entry["key"] == "arrears_full"]
    assert (full["unit"], full["default"]) == ("GBP", 2000.0)
    by_name = {entry["distribution"]: entry for entry in programs["plugins"]}
    extracts = by_name["folkmoot-plugin-extracts"]
    assert extracts["hooks"] == ["folkmoot_data_sources"]
    assert [option["key"] for option in extracts["sources"][0]["options"]] == ["mapping", "folder"]
    (sql,) = by_name["folkmoot-plugin-sql"]["sources"]
    secrets = [option["key"] for option in sql["options"] if option["secret"]]
    assert secrets == ["password_file", "password_variable"]
    (mode,) = [option for option in sql["options"] if option["key"] == "sslmode"]
    assert "verify-full" in mode["choices"]
    assert programs["broken"] == []
    mine = inventory(here)
    assert [p["factors"] for p in programs["plugins"]] == [p["factors"] for p in mine["plugins"]]


def test_run_scores_made_up_households_with_the_parameters_of_a_file(outside: Path) -> None:
    (outside / "p.toml").write_text("arrears_full = 100\n")
    given = ("run", FACTORS, "--factor", "financial_hardship", "--rows", 2)
    found = json.loads(plugin(*given, "--households", 50, "--json"))
    assert (found["households"], len(found["shown"])) == (50, 2)
    assert found["milliseconds"]["start the process"] > 0
    harder = json.loads(plugin(*given, "--households", 50, "--parameters", "p.toml", "--json"))
    assert harder["spread"] != found["spread"]
    people = plugin(*given)
    assert "Scores of 1,000 households" in people
    assert "Milliseconds" in people
    assert "█" in people


@pytest.mark.parametrize(
    ("arguments", "problem", "remedy"),
    [
        ((FACTORS,), "--factor: is needed", "financial_hardship"),
        ((FACTORS, "--factor", "financial_hardhip"), "is no factor", "Did you mean"),
        ((FACTORS, "--factor", "financial_hardship", "--parameters", "no.toml"), "cannot be read",
         "Correct --parameters"),
        ((FACTORS, "--factor", "financial_hardship", "--parameters", "bad.toml"),
         "is not valid TOML", "Correct"),
        ((FACTORS, "--factor", "financial_hardship", "--parameters", "p.toml"),
         "arears_full: is an unknown key", "Did you mean 'arrears_full'"),
        ((FACTORS, "--factor", "financial_hardship", "--sample", "s.csv"), "has no column",
         "Valid"),
        ((FACTORS, "--factor", "financial_hardship", "--options", "p.toml"), "does not go with",
         ""),
        (("folkmoot-plugin-extracts",), "registers no factor", "list"),
        (("folkmoot-plugin-extracts", "--source", "extracts"), "go together", "Give both"),
        (("folkmoot-plugin-extracts", "--source", "extract", "--options", "p.toml"),
         "is no source", "Did you mean 'extracts'"),
        (("folkmoot-plugin-extracts", "--source", "extracts", "--sample", "s.csv"),
         "does not go with --source", ""),
        (("no_such_plugin",), "neither an installed", "Install it"),
    ],
)  # fmt: skip
def test_run_says_what_is_wrong(
    outside: Path, arguments: tuple[str, ...], problem: str, remedy: str
) -> None:
    (outside / "p.toml").write_text("arears_full = 100\n")
    (outside / "bad.toml").write_text("= 1")
    (outside / "s.csv").write_text("a\n1\n")
    said = plugin("run", *arguments, expect=3)
    assert problem in said
    assert remedy in said


def test_run_names_a_plugin_that_cannot_be_loaded(outside: Path) -> None:
    (outside / "broken_plugin.py").write_text("import folkmoot_no_such_module\n")
    said = plugin("run", "broken_plugin", expect=1)
    assert "broken_plugin 0 (broken_plugin): cannot be imported" in said


def test_run_names_a_plugin_that_fails_and_shows_what_it_said(outside: Path) -> None:
    plugin("new", "energy-debt")
    root = outside / "folkmoot-plugin-energy-debt" / "folkmoot_plugin_energy_debt"
    os.chdir(root.parent)
    factor = root / "factor.py"
    sound = factor.read_text()
    line = "        share = inputs"
    for fault, seen in (
        ("import os; os._exit(0)", "score of energy_debt: its process ended by itself"),
        ("raise KeyError('tariff')", "'tariff'"),
    ):
        factor.write_text(sound.replace(line, f"        {fault}\n{line}", 1))
        said = plugin("run", root.name, expect=1)
        assert seen in said
        assert "plugin folkmoot_plugin_energy_debt" in said


def test_run_takes_the_only_source_where_options_are_given(outside: Path) -> None:
    plugin("new", "meter-readings", "--kind", "source")
    os.chdir(outside / "folkmoot-plugin-meter-readings")
    said = plugin("run", "folkmoot_plugin_meter_readings", "--options", "samples/options.toml")
    assert "source meter_readings: " in said


def test_help_names_every_exit_code(outside: Path) -> None:
    said = " ".join(plugin("--help").split())
    for code in ExitCode:
        assert f" {code.value} " in said


def test_a_source_reads_only_what_its_options_name(
    outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Confined: the neighbour of the file is out of its sight."""
    assert plugin("new", "meter-readings", "--kind", "source")
    root = outside / "folkmoot-plugin-meter-readings"
    source = root / "folkmoot_plugin_meter_readings" / "source.py"
    spy = 'str((path.parent / "secret").exists())'
    source.write_text(source.read_text().replace('"account closed", int', f'"seen " + {spy}, int'))
    data = outside / "data"
    (root / "samples").rename(data)
    (data / "secret").write_text("x")
    monkeypatch.chdir(root)
    given = ("--source", "meter_readings", "--options", data / "options.toml", "--json")
    found = json.loads(plugin("run", "folkmoot_plugin_meter_readings", *given))
    assert found["left_out"] == {"seen False": 1}


@pytest.mark.parametrize("command", ["new", "run", "list"])
def test_every_help_has_an_example(command: str) -> None:
    said = plugin(command, "--help")
    assert "Example" in said
    assert f"folkmoot-plugin {command}" in said


def test_the_evidence_of_every_shipped_factor_can_be_looked_up() -> None:
    for factor in load().factors.values():
        check_factor(factor)
        assert all(entry.citation and entry.finding for entry in factor.evidence)
        assert any(entry.url.startswith("https://") for entry in factor.evidence)


def test_list_names_what_is_broken_and_shows_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "gone-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: gone\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[folkmoot]\ngone = folkmoot_gone\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    said = plugin("list", expect=1)
    assert "BROKEN plugin gone" in said
    assert "factor financial_hardship:" in said
    programs = run_inside("folkmoot-plugin", "list", "--json")
    assert programs.code == 1
    (broken,) = json.loads(programs.stdout)["broken"]
    assert broken["distribution"] == "gone"
    assert broken["remedy"]


@pytest.mark.parametrize("module", [listing, writing])
def test_lines_fit_a_terminal_and_are_whole_elsewhere(
    module: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "word " * 60
    show = module._line if module is writing else module._print_folded
    show(text)
    assert capsys.readouterr().out == f"{text}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show(text)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()) == text.strip()
