import json
import subprocess
import sys
import tomllib

import pytest

from folkmoot_sdk.command import main
from folkmoot_sdk.conformance import check_factor
from folkmoot_sdk.loading import load
from folkmoot_sdk.skeleton import write


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """An empty folder to work in; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    modules = set(sys.modules)
    yield tmp_path
    for module in set(sys.modules) - modules:
        del sys.modules[module]


def test_new_writes_a_distribution_that_passes_its_own_check(outside, capsys, monkeypatch):
    assert main(["new", "energy-debt"]) == 0
    root = outside / "folkmoot-plugin-energy-debt"
    said = capsys.readouterr().out
    assert str(root.name) in said
    project = tomllib.loads((root / "pyproject.toml").read_text())
    assert project["project"]["name"] == root.name
    assert project["project"]["entry-points"]["folkmoot"] == {
        "energy_debt": "folkmoot_plugin_energy_debt"
    }
    assert "energy_debt" in (root / "README.md").read_text()
    monkeypatch.chdir(root)
    assert main(["check", "folkmoot_plugin_energy_debt"]) == 0
    assert "ok     factor energy_debt" in capsys.readouterr().out


def test_the_tests_of_the_skeleton_pass(outside):
    write("damp_homes", outside)
    root = outside / "folkmoot-plugin-damp-homes"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(root)],
        cwd=root, capture_output=True, text=True, env={"PYTHONPATH": str(root)}, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


@pytest.mark.parametrize(
    "name", ["Fuel", "fuel poverty", "../x", "", "9a", "a--b", "class", "input"]
)
def test_new_refuses_names_that_make_no_module(outside, capsys, name):
    assert main(["new", name]) == 3
    error = capsys.readouterr().err
    assert error.startswith("Error: name")
    assert "Remedy:" in error
    assert list(outside.iterdir()) == []


def test_new_overwrites_nothing(outside, capsys):
    assert main(["new", "damp"]) == 0
    assert main(["new", "folkmoot-plugin-damp"]) == 3
    assert "exists already" in capsys.readouterr().err


def test_check_names_the_faults_of_a_module(outside, capsys):
    write("damp", outside)
    package = outside / "folkmoot-plugin-damp" / "folkmoot_plugin_damp"
    source = (package / "damp.py").read_text()
    (package / "damp.py").write_text(source.replace("np.clip(share, 0.0, 1.0)", "share"))
    sys.path.insert(0, str(package.parent))
    assert main(["check", "folkmoot_plugin_damp"]) == 1
    said = capsys.readouterr().out
    assert "FAULT  factor damp" in said
    assert "not from 0 to 1" in said


def test_check_takes_an_installed_distribution(capsys):
    assert main(["check", "folkmoot-plugin-household-factors"]) == 0
    said = capsys.readouterr().out
    assert "FAULT" not in said
    assert said.count("ok     factor") == 17


def test_check_reads_a_source(outside, capsys):
    (outside / "m.toml").write_text(
        'schema = 1\nname = "x"\nlevel = "household"\nfiles = ["x.csv"]\nuprn = "U"\n'
        '[fields.owed]\ncolumn = "O"\ntype = "number"\ncombine = "sum"\ncategory = "finance"\n'
    )
    (outside / "o.toml").write_text('mapping = "m.toml"\nfolder = "."\n')
    (outside / "x.csv").write_text("U,O\n1,2\n")
    arguments = ["check", "folkmoot-plugin-extracts", "--source", "extracts", "--options", "o.toml"]
    assert main(arguments) == 0
    (outside / "x.csv").unlink()
    assert main(arguments) == 1
    assert "matches no file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "problem", "remedy"),
    [
        (["no_such_plugin"], "neither an installed distribution nor a module", "Install it"),
        (["folkmoot-plugin-extract"], "neither", "Did you mean 'folkmoot-plugin-extracts'?"),
        (["pytest"], "has no entry point in the group 'folkmoot'", "pyproject.toml"),
        (["folkmoot-plugin-extracts", "--source", "extracts"], "go together", "Give both"),
        (
            ["folkmoot-plugin-extracts", "--source", "extract", "--options", "x.toml"],
            "not a kind of source", "Did you mean 'extracts'?",
        ),
        (
            ["folkmoot-plugin-extracts", "--source", "extracts", "--options", "x.toml"],
            "cannot be read", "Correct --options",
        ),
    ],
)  # fmt: skip
def test_check_says_what_is_wrong_with_the_command(outside, capsys, arguments, problem, remedy):
    assert main(["check", *arguments]) == 3
    error = capsys.readouterr().err
    assert problem in error
    assert remedy in error


def test_list_is_for_people_and_for_programs(capsys):
    assert main(["list"]) == 0
    people = capsys.readouterr().out
    assert main(["list", "--json"]) == 0
    programs = json.loads(capsys.readouterr().out)
    plugins = load()
    listed = [factor for plugin in programs["plugins"] for factor in plugin["factors"]]
    assert {factor["name"] for factor in listed} == set(plugins.factors)
    for name in plugins.factors:
        assert f"factor {name}:" in people
    (hardship,) = [factor for factor in listed if factor["name"] == "financial_hardship"]
    assert hardship["evidence"][0]["citation"]
    (full,) = [entry for entry in hardship["parameters"] if entry["key"] == "arrears_full"]
    assert (full["unit"], full["default"]) == ("GBP", 2000.0)
    by_name = {plugin["distribution"]: plugin for plugin in programs["plugins"]}
    extracts = by_name["folkmoot-plugin-extracts"]
    assert extracts["hooks"] == ["folkmoot_data_sources"]
    assert [option["key"] for option in extracts["sources"][0]["options"]] == ["mapping", "folder"]
    assert programs["broken"] == []


@pytest.mark.parametrize(
    "arguments", [["--help"], *([c, "--help"] for c in ("new", "check", "list"))]
)
def test_every_help_has_an_example(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0
    assert "example" in capsys.readouterr().out


def test_a_wrong_command_line_ends_with_2(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["lst"])
    assert caught.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_the_evidence_of_every_shipped_factor_can_be_looked_up():
    for factor in load().factors.values():
        check_factor(factor)
        assert all(entry.citation and entry.finding for entry in factor.evidence)
        assert any(entry.url.startswith("https://") for entry in factor.evidence)
