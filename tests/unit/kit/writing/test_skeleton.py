"""A new plugin passes its own tests and checks at once, whatever it is called."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import folkmoot_sdk
from folkmoot_kit.writing.skeleton import Kind, sdk_bounds, write
from folkmoot_operator.problems import Problem
from tests.built_plugins import Built, build
from tests.commands import run_inside

NAMES = {
    Kind.FACTOR: "x",
    Kind.MODEL: "energy-debt",
    Kind.SOURCE: "folkmoot-plugin-meter_readings",
    Kind.AREA: "abcdefghij-klmnopqrst-uvwxyzab",
}
"""Of every length: lines that fit with a short name must fit with the longest."""
CHECK = {
    Kind.SOURCE: ("--source", "meter_readings", "--options", "samples/options.toml"),
    Kind.AREA: (
        "--source",
        NAMES[Kind.AREA].replace("-", "_"),
        "--options",
        "samples/options.toml",
    ),
}


def new(kind: Kind, folder: Path, name: str = "") -> Path:
    done = run_inside(
        "folkmoot-plugin", "new", name or NAMES[kind], "--kind", kind.value, "--folder", folder,
        "--json",
    )  # fmt: skip
    written = json.loads(done.said())
    root = Path(written["folder"])
    files = {str(path) for path in root.rglob("*") if path.is_file()}
    assert files == set(written["files"])
    return root


@pytest.fixture(scope="module", params=Kind, ids=lambda kind: kind.value)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture(scope="module")
def built(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("new")
    return build(new(kind, folder / "written"), folder)


@pytest.mark.slow
def test_its_tests_pass_with_nothing_skipped(built: Built) -> None:
    done = built.run("pytest", "-q", "-p", "no:cacheprovider", "-W", "error::DeprecationWarning")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b[5-9] passed in", done.stdout), done.stdout


@pytest.mark.parametrize("name", ["ab", NAMES[Kind.AREA]], ids=["short", "long"])
def test_it_is_formatted_whatever_its_name(
    kind: Kind, name: str, built: Built, tmp_path: Path
) -> None:
    root = new(kind, tmp_path, name)
    for command in (
        ("ruff", "check", "--no-cache", str(root)),
        ("ruff", "format", "--no-cache", "--check", str(root)),
    ):
        done = built.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_each_is_typed(tmp_path: Path) -> None:
    """All at once: mypy reads the libraries that they import only once."""
    roots = [new(kind, tmp_path / kind.value) for kind in Kind]
    packages = [path.parent for root in roots for path in root.glob("*/py.typed")]
    assert len(packages) == len(Kind)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", roots[0] / "pyproject.toml", "--strict",
         "--cache-dir", tmp_path / "mypy", *packages],
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_its_wheel_conforms_confined(kind: Kind, built: Built) -> None:
    given = [
        str(built.repository / word) if word.startswith("samples/") else word
        for word in CHECK.get(kind, ())
    ]
    done = run_inside("folkmoot-plugin", "check", built.wheel, *given, "--json")
    report = json.loads(done.stdout)
    # How long a batch takes is a matter of the machine.
    findings = [f for f in report["findings"] if f["id"] != "rather-slow"]
    assert findings == []
    assert report["factors"] or report["sources"]


def test_it_can_be_tried_on_its_sample(kind: Kind, built: Built) -> None:
    given = [
        str(built.repository / word) if word.startswith("samples/") else word
        for word in CHECK.get(kind, ("--sample", "samples/households.csv"))
    ]
    found = json.loads(run_inside("folkmoot-plugin", "run", built.wheel, *given, "--json").said())
    assert found["shown"]
    if kind in CHECK:
        assert found["rejections"]
        assert found["records"] >= len(found["rejections"])
    else:
        scores = [household["score"] for household in found["shown"]]
        assert None in scores or found["spread"]["unknown"], "the sample has something unknown"
        assert any(score for score in scores)


def test_what_a_reader_of_the_folder_finds(kind: Kind, built: Built, tmp_path: Path) -> None:
    root = new(kind, tmp_path)
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == root.name
    (name,) = project["entry-points"]["folkmoot"]
    assert f"folkmoot-sdk{sdk_bounds()}" in project["dependencies"]
    readme = (root / "README.md").read_text("utf-8")
    for said in (name, "sbom", "folkmoot-plugin sign", "licence", "folkmoot-plugin run"):
        assert said in readme, said
    for path in re.findall(r"samples/[\w.]+|MODEL_CARD\.md|training/[\w.]+", readme):
        assert (root / path).is_file(), path
    for block in re.findall(r"```toml\n(.*?)```", readme, re.DOTALL):
        tomllib.loads(block)
    ci = (root / ".github" / "workflows" / "check.yml").read_text("utf-8")
    for command in ("ruff check", "mypy", "pytest", "folkmoot-plugin check", "python -m build"):
        assert command in ci
    for path in root.rglob("*"):
        if path.is_file():
            assert not re.search(r"\$\{?[a-z]|PACKAGE\b(?!\W*=|\W*/|\W*\))", path.name)
            assert "$name" not in path.read_text("utf-8"), path


def test_the_bound_on_the_sdk_follows_the_running_version(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, bounds in {
        "0.1.0": ">=0.1,<0.2",
        "0.9.4": ">=0.9,<0.10",
        "1.0.0": ">=1.0,<2",
        "3.7.1": ">=3.7,<4",
    }.items():
        monkeypatch.setattr(folkmoot_sdk, "__version__", version, raising=False)
        assert sdk_bounds() == bounds


@pytest.mark.parametrize(
    "name",
    ["Fuel", "fuel poverty", "../x", "", "9a", "a--b", "class", "input", "risk-factor", "uprn",
     "a" * 31, "päth"],
)  # fmt: skip
def test_names_that_make_no_module_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Problem) as caught:
        write(name, Kind.FACTOR, tmp_path)
    assert caught.value.where == f"name {name!r}"
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.SOURCE, "records"),
        (Kind.AREA, "rejection"),
        (Kind.MODEL, "term"),
        (Kind.SOURCE, "path"),
    ],
)
def test_a_class_is_not_named_like_what_its_module_imports(
    tmp_path: Path, kind: Kind, name: str
) -> None:
    with pytest.raises(Problem, match="meaning of its own"):
        write(name, kind, tmp_path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write("damp", Kind.FACTOR, tmp_path)
    with pytest.raises(Problem, match="exists already"):
        write("folkmoot-plugin-damp", Kind.SOURCE, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="cannot be made"):
        write("damp", Kind.FACTOR, tmp_path / "file")
