"""The distributions build, state what they need and one version, and the lock pins all of it."""

from __future__ import annotations

import importlib
import os
import re
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.forked_commands import fork

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = sorted(
    path
    for path in ROOT.glob("**/pyproject.toml")
    if path.parent != ROOT
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


OURS = {str(project(path)["name"]) for path in DISTRIBUTIONS}


def test_there_are_fourteen_distributions() -> None:
    assert len(DISTRIBUTIONS) == 14


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
    optional = {
        normalised(item)
        for items in project(path).get("optional-dependencies", {}).values()
        for item in items
    }
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
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert any(name.endswith("/py.typed") for name in names)
    assert not any(name.endswith("one_version.py") for name in names)
    for data in path.parent.glob("folkmoot*/**/*"):
        if data.suffix in {".toml", ".csv", ".proto", ".pyi", ".mako", ".ini", ".sql"}:
            assert str(data.relative_to(path.parent)) in names, data
