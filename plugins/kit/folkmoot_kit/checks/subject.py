"""What is to be checked: an installed distribution, a wheel, or a module in this folder."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from pathlib import Path

from folkmoot_kit.confinement import import_folders
from folkmoot_kit.provenance.wheel_file import read_wheel, unpack_wheel
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.hooks import PROJECT
from folkmoot_sdk.parameters import nearest

_MODULE_VERSION = "0"


@dataclass(frozen=True, slots=True)
class Subject:
    """A plugin to be checked.

    Attributes:
        distribution: Its metadata.
        folders: Where it is, if it is not installed: before the folders of the environment.
        wheel: The wheel; None for what is installed, and for a module.
        is_module: True for a module that belongs to no distribution.
    """

    distribution: Distribution
    folders: tuple[Path, ...] = ()
    wheel: Path | None = None
    is_module: bool = False

    @property
    def name(self) -> str:
        """Name of the distribution."""
        return str(self.distribution.metadata["Name"])

    @property
    def version(self) -> str:
        """Version of the distribution."""
        return str(self.distribution.version)


@contextmanager
def opened(plugin: str) -> Iterator[Subject]:
    """Finds a plugin; a wheel is unpacked into a folder that is removed afterwards.

    Args:
        plugin: Name of a distribution, path of a wheel, or a module of this folder.

    Raises:
        Problem: Exit code SETTINGS, if there is no such plugin, or it registers nothing.
    """
    if plugin.endswith(".whl"):
        with tempfile.TemporaryDirectory(prefix="folkmoot-wheel-") as folder:
            yield _unpacked(Path(plugin), Path(folder))
        return
    try:
        found = distribution(plugin)
    except (PackageNotFoundError, ValueError):
        with tempfile.TemporaryDirectory(prefix="folkmoot-module-") as folder:
            yield _module(plugin, Path(folder))
        return
    _require_entry_point(found, f"distribution {plugin}")
    place = Path(str(found.locate_file(""))).resolve()
    # Python may also look in folders that only its environment names.
    yield Subject(found, () if place in import_folders() else (place,))


def _unpacked(wheel: Path, folder: Path) -> Subject:
    unpack_wheel(read_wheel(wheel), folder)
    (found,) = Distribution.discover(path=[str(folder)])
    _require_entry_point(found, str(wheel))
    return Subject(found, (folder,), wheel)


def _require_entry_point(found: Distribution, where: str) -> None:
    if not found.entry_points.select(group=PROJECT):
        raise Problem(
            f"has no entry point in the group {PROJECT!r}",
            where=where,
            remedy=f"Add [project.entry-points.{PROJECT}] to its pyproject.toml and install it "
            "again",
            exit_code=ExitCode.SETTINGS,
        )


def _module(name: str, folder: Path) -> Subject:
    """A module of this folder, with the metadata that an installed one would have."""
    here = Path.cwd()
    if not name.isidentifier() or not _is_importable(name, here):
        installed = {p.dist.name for p in entry_points(group=PROJECT) if p.dist}
        raise Problem(
            "is neither an installed distribution, a wheel nor a module",
            where=f"plugin {name!r}",
            remedy=f"Install it, or run the command in its folder. {nearest(name, installed)}",
            exit_code=ExitCode.SETTINGS,
        )
    about = folder / f"{name}-{_MODULE_VERSION}.dist-info"
    about.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {_MODULE_VERSION}\n"
    (about / "METADATA").write_text(metadata, "utf-8")
    (about / "entry_points.txt").write_text(f"[{PROJECT}]\n{name} = {name}\n", "utf-8")
    return Subject(Distribution.at(about), (folder, here), is_module=True)


def _is_importable(name: str, here: Path) -> bool:
    if (here / name / "__init__.py").is_file() or (here / f"{name}.py").is_file():
        return True
    if name in sys.stdlib_module_names:
        return False
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
