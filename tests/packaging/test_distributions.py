"""The distributions build, state what they need and one version, and the lock pins all of it."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import trove_classifiers

from bundling.wheels import build_ours

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


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every distribution as a wheel, by name."""
    return build_ours(ROOT, tmp_path_factory.mktemp("wheels"))


CLASSIFIERS = {
    "Development Status :: 3 - Alpha",
    "Operating System :: POSIX :: Linux",
    "Programming Language :: Python :: 3",
    "Programming Language :: Python :: 3.11",
    "Typing :: Typed",
}
LEFT_OUT = {
    "License": "the owner has chosen none",
    "License-Expression": "the owner has chosen none",
    "License-File": "the owner has chosen none",
    "Project-URL": "neither the sources nor the documents have a public address yet",
    "Home-page": "neither the sources nor the documents have a public address yet",
    "Author-email": "there is no address to write to yet",
}
"""Fields that no wheel has, and why."""


@pytest.mark.parametrize("path", DISTRIBUTIONS, ids=lambda path: path.parent.name)
def test_every_wheel_describes_itself(path: Path, wheels: dict[str, Path]) -> None:
    wheel = wheels[project(path)["name"]]
    stated = metadata(wheel)
    assert stated["Version"] == VERSION
    assert re.search(r"\w$", stated["Summary"].rstrip(")"))
    assert stated["Description-Content-Type"] == "text/markdown"
    assert str(stated.get_payload()).startswith("# ")
    assert stated["Author"] == "The Folkmoot developers"
    assert stated["Requires-Python"] == ">=3.11"
    assert stated["Keywords"]
    stated_classifiers = set(stated.get_all("Classifier") or [])
    assert stated_classifiers >= CLASSIFIERS
    assert any(one.startswith("Intended Audience :: ") for one in stated_classifiers)
    assert stated_classifiers <= trove_classifiers.classifiers
    assert not LEFT_OUT.keys() & set(stated.keys())
    for needed in stated.get_all("Requires-Dist") or []:
        what = needed.partition(";")[0]  # before the extra that it is for
        assert normalised(needed) not in OURS or what.endswith(f"=={VERSION}"), needed


def test_the_readme_says_that_no_licence_has_been_chosen() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "No licence has been chosen yet, so the packages state none." in readme


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
            f"folkmoot-operator[backups,database]=={VERSION}",
            f"folkmoot-operator[metrics]=={VERSION}; extra == 'metrics'",
            f"folkmoot-operator[pdf]=={VERSION}; extra == 'viewer'",
            f"folkmoot-web=={VERSION}; extra == 'viewer'",
        }
        assert {"numpy>=2", "sqlalchemy>=2"} <= set(needed)


@pytest.mark.parametrize("path", DISTRIBUTIONS, ids=lambda path: path.parent.name)
def test_wheels_hold_types_and_data(path: Path, wheels: dict[str, Path]) -> None:
    wheel = wheels[project(path)["name"]]
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
