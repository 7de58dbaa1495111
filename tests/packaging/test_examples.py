"""The plugins in `examples/` build, pass their own tests and checks, and keep away from ours."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.built_plugins import Built, build
from tests.commands import run_inside

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = {
    "duckdb-partner-source": ("--source", "harbour_rents", "--options", "samples/options.toml"),
    "onnx-model-factor": (),
}


@pytest.fixture(scope="module", params=EXAMPLES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(ROOT / "examples" / request.param, tmp_path_factory.mktemp("built"))


def options_of(built: Built) -> list[str]:
    given = EXAMPLES[built.repository.name]
    return [str(built.repository / word) if word.startswith("samples/") else word for word in given]


def test_every_example_is_tested() -> None:
    found = {path.parent.name for path in ROOT.glob("examples/*/pyproject.toml")}
    assert found == set(EXAMPLES)


@pytest.mark.slow
def test_its_own_tests_pass(built: Built) -> None:
    done = built.run("pytest", "-q", "-p", "no:cacheprovider", "-W", "error::DeprecationWarning")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


@pytest.mark.slow
def test_its_style_and_types_are_checked_by_its_own_settings(built: Built) -> None:
    source = ROOT / "examples" / built.repository.name
    for command in (
        ("ruff", "check", "--no-cache", str(source)),
        ("ruff", "format", "--no-cache", "--check", str(source)),
    ):
        done = built.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    package = next(built.installed.glob("*/py.typed")).parent
    settings = str(source / "pyproject.toml")
    done = built.run(
        "mypy", "--config-file", settings, "--cache-dir", str(built.repository / ".mypy_cache"),
        "--strict", str(package),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_its_wheel_conforms_confined(built: Built) -> None:
    done = run_inside("folkmoot-plugin", "check", built.wheel, *options_of(built), "--json")
    report = json.loads(done.stdout)
    assert report["conforms"], report["findings"]
    # How long a batch takes is a matter of the machine.
    assert [f["id"] for f in report["findings"] if f["id"] != "rather-slow"] == []
    assert report["factors"] or report["sources"]


def test_it_can_be_tried_confined(built: Built) -> None:
    given = options_of(built) or ["--sample", str(built.repository / "samples" / "households.csv")]
    done = run_inside("folkmoot-plugin", "run", built.wheel, *given, "--json")
    found = json.loads(done.stdout)
    assert len(found["shown"]) == 5
    if "kind" in found:
        assert found["records"] == 6
        assert len(found["rejections"]) == 3
    else:
        assert found["households"] == 6
        assert found["spread"]["unknown"] == 2


def test_it_has_the_shape_of_a_repository(built: Built) -> None:
    folder = ROOT / "examples" / built.repository.name
    settings = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    assert settings["build-system"]["build-backend"] != "hatchling.build"
    assert settings["tool"]["ruff"]["line-length"] != 100
    required = settings["project"]["dependencies"]
    (sdk,) = [entry for entry in required if entry.startswith("folkmoot-sdk")]
    assert re.fullmatch(r"folkmoot-sdk>=[\d.]+,<[\d.]+", sdk), "an upper bound"
    assert not [entry for entry in required if "folkmoot" in entry and entry is not sdk]
    assert "license" not in settings["project"], "left to the vendor"
    readme = (folder / "README.md").read_text("utf-8")
    assert "## Licence" in readme
    ci = [*folder.glob(".gitlab-ci.yml"), *folder.glob(".github/workflows/*.yml")]
    assert len(ci) == 1
    for command in ("ruff check", "mypy", "pytest", "folkmoot-plugin check"):
        assert command in ci[0].read_text("utf-8")
        assert command in readme
    for path in folder.rglob("*.py"):
        ours = re.findall(r"^\s*(?:from|import) (folkmoot\w*)", path.read_text("utf-8"), re.M)
        assert set(ours) <= {"folkmoot_sdk"}, path


def test_the_commands_of_its_readme_are_commands(built: Built) -> None:
    readme = (ROOT / "examples" / built.repository.name / "README.md").read_text("utf-8")
    said = " ".join(EXAMPLES[built.repository.name])
    (check,) = re.findall(r"^    folkmoot-plugin check \S+ ?(.*)$", readme, re.M)
    assert check == said
