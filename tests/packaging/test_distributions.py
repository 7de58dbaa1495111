"""The distributions build, state what they need and one version, and the lock pins all of it."""

from __future__ import annotations

import email
import importlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from tests.forked_commands import fork

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = sorted(
    path
    for path in ROOT.glob("**/pyproject.toml")
    if path.parent != ROOT
    and path.relative_to(ROOT).parts[0] != "examples"  # as others would write them
    and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)


def normalised(requirement: str) -> str:
    return re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def project(path: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(path.read_text())["project"]
    return table


def requirements(path: Path) -> list[str]:
    """What `one_version.py` makes the dependencies of, ours without a version."""
    hook: dict[str, Any] = tomllib.loads(path.read_text())["tool"]["hatch"]["metadata"]["hooks"]
    names: list[str] = hook["custom"]["dependencies"]
    return names


def extras(path: Path) -> dict[str, list[str]]:
    """Optional dependencies; in the hook's table, too, where they name one of ours."""
    hook = tomllib.loads(path.read_text())["tool"]["hatch"]["metadata"]["hooks"]["custom"]
    found = {**project(path).get("optional-dependencies", {})}
    return found | hook.get("optional-dependencies", {})


OURS = {str(project(path)["name"]) for path in DISTRIBUTIONS}


def test_there_are_seventeen_distributions() -> None:
    assert len(DISTRIBUTIONS) == 17


def test_the_lock_pins_every_requirement_with_hashes_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", lock, re.M))
    for path in DISTRIBUTIONS:
        needed = {normalised(item) for item in requirements(path)}
        assert needed - OURS <= pinned, path
    assert "://" not in lock
    assert lock.count("--hash=sha256:") >= len(pinned)


@pytest.mark.parametrize("path", DISTRIBUTIONS, ids=lambda path: path.parent.name)
def test_imports_are_declared(path: Path) -> None:
    """What a distribution imports is what it says it needs."""
    import ast
    from importlib.metadata import packages_distributions

    owners = packages_distributions()
    declared = {normalised(item) for item in requirements(path)}
    optional = {normalised(item) for items in extras(path).values() for item in items}
    allowed = declared | optional | {str(project(path)["name"])}
    for file in path.parent.glob("folkmoot*/**/*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                top = name.partition(".")[0]
                if top in sys.stdlib_module_names:
                    continue
                if top == "google":
                    top = "google"
                    assert "protobuf" in allowed, f"{file}: {name}"
                    continue
                owner = {normalised(item) for item in owners.get(top, [top])}
                assert owner & allowed, f"{file.relative_to(ROOT)} imports {name}"


VERSION = (ROOT / "VERSION").read_text().strip()


def build(path: Path, kind: str, into: Path) -> Path:
    """Build a wheel or a source distribution, as `make setup` does: without the internet."""
    subprocess.run(
        [sys.executable, "-m", "build", *([f"--{kind}"] if kind else []), "--no-isolation",
         "--outdir", str(into), str(path.parent)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    (wheel,) = into.glob("*.whl")
    return wheel


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def test_a_version_is_written_in_one_place() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    for path in DISTRIBUTIONS:
        assert "version" not in project(path), path
        assert VERSION not in path.read_text(), path
        link = path.parent / "one_version.py"
        assert link.is_symlink(), path
        assert link.resolve() == ROOT / "one_version.py", path


def test_every_distribution_describes_itself() -> None:
    """No licence has been chosen, and there is no site, so neither is stated."""
    for path in DISTRIBUTIONS:
        table = project(path)
        assert re.search(r"\w$", table["description"].rstrip(")")), path
        assert (path.parent / table["readme"]).read_text().startswith("# "), path
        assert table["authors"] == [{"name": "The Folkmoot developers"}], path
        assert table["keywords"], path
        assert "Typing :: Typed" in table["classifiers"], path
        assert not {"license", "urls"} & set(table), path
        assert list(path.parent.glob("folkmoot*/py.typed")), path


def test_what_is_installed_has_the_version(tmp_path: Path) -> None:
    """From the folder, and from the source distribution alone: no file beside it is needed."""
    path = ROOT / "coordinator" / "pyproject.toml"
    from_folder = build(path, "wheel", tmp_path / "folder")
    from_source = build(path, "", tmp_path / "source")  # builds the wheel from the sdist, unpacked
    (source,) = (tmp_path / "source").glob("*.tar.gz")
    assert source.name == f"folkmoot_coordinator-{VERSION}.tar.gz"
    for wheel in (from_folder, from_source):
        stated = metadata(wheel)
        assert stated["Version"] == VERSION
        needed = stated.get_all("Requires-Dist") or []
        ours = {item for item in needed if item.startswith("folkmoot")}
        assert ours == {
            f"folkmoot=={VERSION}",
            f"folkmoot-operator[database]=={VERSION}",
            f"folkmoot-web=={VERSION}; extra == 'viewer'",
        }
        assert {"numpy>=2", "sqlalchemy>=2"} <= set(needed)


def build_wheel(settings: Path, out: Path) -> None:
    """Builds as every tool that builds does: by the hook of the backend that is named."""
    system = tomllib.loads(settings.read_text())["build-system"]
    os.chdir(settings.parent)
    importlib.import_module(system["build-backend"]).build_wheel(str(out))


@pytest.mark.slow
@pytest.mark.parametrize("path", DISTRIBUTIONS, ids=lambda path: path.parent.name)
def test_wheels_hold_types_and_data(path: Path, tmp_path: Path) -> None:
    built = fork(build_wheel, path, tmp_path)
    assert built.code == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    stated = metadata(wheel)
    assert stated["Version"] == VERSION
    for needed in stated.get_all("Requires-Dist") or []:
        what = needed.partition(";")[0]  # before the extra that it is for
        assert normalised(needed) not in OURS or what.endswith(f"=={VERSION}"), needed
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert any(name.endswith("/py.typed") for name in names)
    assert not any(name.endswith("one_version.py") for name in names)
    for data in path.parent.glob("folkmoot*/**/*"):
        if data.suffix in {
            ".toml",
            ".csv",
            ".proto",
            ".pyi",
            ".mako",
            ".ini",
            ".sql",
            ".html",
            ".css",
            ".js",
            ".svg",
            ".tmpl",
        }:
            assert str(data.relative_to(path.parent)) in names, data
