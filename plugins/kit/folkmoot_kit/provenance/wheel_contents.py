"""What a plugin's wheel may hold: packages of its own, and nothing that reaches beyond them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoints
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name, canonicalize_version

from folkmoot_kit.provenance.content import CACHE
from folkmoot_operator.problems import ExitCode, Problem

GROUP = "folkmoot"
"""The entry-point group of plugins."""
_REMEDY = (
    "Do not install it. If it is your own, build it again; if not, tell whoever gave it to you"
)
_PLACES = ("purelib", "platlib")
"""Folders of `*.data` whose files are installed among the packages."""
_AT_START = ("sitecustomize", "usercustomize")
_RUN_BY_SITE = (".pth", ".start", ".egg-link")
_ABOUT = (".dist-info", ".data", ".egg-info", ".egg")
_OURS = re.compile(r"folkmoot(?!_plugin_).*")
_COMMANDS = re.compile(r"(folkmoot|python|pip|uv|bwrap|systemctl|sudo)([-_.0-9].*)?", re.IGNORECASE)
SCRIPTS = ("console_scripts", "gui_scripts")
"""Entry-point groups from which installers make commands."""
_LONGEST = 240


def bad_wheel(path: Path, member: str, problem: str) -> Problem:
    """The problem that a wheel is not to be installed."""
    return Problem(
        problem,
        where=f"{path.name}: {member}" if member else path.name,
        remedy=_REMEDY,
        exit_code=ExitCode.VERIFICATION,
    )


def require_plain_path(path: Path, name: str) -> None:
    """Checks that the name of a file leads into the folder that it is unpacked to.

    Raises:
        Problem: If it is absolute, goes up, or can be read in two ways.
    """
    shown = name[:80] if name.isprintable() else ascii(name[:80])
    parts = name.removesuffix("/").split("/")
    if not name or name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise bad_wheel(path, shown, "its path leads out of the folder it is unpacked to")
    if "" in parts or "." in parts or "\\" in name or not name.isprintable():
        raise bad_wheel(path, shown, "its path can be read in two ways")
    if len(name.encode()) > _LONGEST:
        raise bad_wheel(path, shown, f"its path is longer than {_LONGEST} bytes")


def require_one_meaning(path: Path, names: Iterable[str]) -> None:
    """Checks that no two names mean the same file on some computer, and none is file and folder.

    Raises:
        Problem: Naming the second.
    """
    folders: set[str] = set()
    files: dict[str, str] = {}
    for name in names:
        folders.update(str(one) for one in PurePosixPath(name.casefold()).parents)
        if name.endswith("/"):
            folders.add(name.casefold().removesuffix("/"))
        elif (first := files.setdefault(name.casefold(), name)) != name:
            raise bad_wheel(path, name, f"it overwrites {first} where case does not matter")
    for both in sorted(folders & files.keys()):
        raise bad_wheel(path, files[both], "it is a file and a folder")


def about_folder(path: Path, names: Iterable[str], name: str, version: str) -> str:
    """The one `*.dist-info` of a wheel.

    Raises:
        Problem: If there is none, or another one.
    """
    tops = {one.partition("/")[0] for one in names if "/" in one}
    found = sorted(top for top in tops if top.endswith(_ABOUT))
    about = [top for top in found if top.endswith(".dist-info")]
    for top in found:
        of, _, which = top.rpartition(".")[0].partition("-")
        if (
            not top.endswith((".dist-info", ".data"))
            or canonicalize_name(of) != canonicalize_name(name)
            or canonicalize_version(which) != canonicalize_version(version)
        ):
            raise bad_wheel(path, top, "it describes another distribution")
    if len(about) != 1:
        raise bad_wheel(path, "", "it has not one *.dist-info, as a wheel must")
    for needed in ("RECORD", "METADATA", "WHEEL"):
        if f"{about[0]}/{needed}" not in names:
            raise bad_wheel(path, f"{about[0]}/{needed}", "it is missing")
    return about[0]


def place_of(path: Path, name: str, about: str) -> str:
    """Where an installer puts a file of a wheel, in the folder of packages.

    Args:
        path: The wheel.
        name: The file in it.
        about: Its `*.dist-info`.

    Raises:
        Problem: If it goes elsewhere.
    """
    data = about.removesuffix(".dist-info") + ".data/"
    if not name.startswith(data):
        return name
    scheme, _, place = name.removeprefix(data).partition("/")
    if scheme not in _PLACES or not place:
        raise bad_wheel(path, name, "it is installed outside the packages, over files of others")
    if place.startswith(f"{about}/"):
        raise bad_wheel(path, name, f"it overwrites {place}")
    return place


def as_installed(path: Path, digests: Mapping[str, tuple[str, int]], about: str) -> dict[str, str]:
    """SHA-256 of each file by the place where an installer puts it, in the folder of packages.

    Raises:
        Problem: If a file goes elsewhere, or over another.
    """
    files: dict[str, str] = {}
    for name, (digest, _) in digests.items():
        place = place_of(path, name, about)
        if place in files:
            raise bad_wheel(path, name, f"it overwrites {place}")
        files[place] = digest
    require_one_meaning(path, files)
    return files


def require_harmless(path: Path, files: Mapping[str, str], points: EntryPoints, about: str) -> None:
    """Checks what is installed: modules that belong to the plugin alone.

    Args:
        path: The wheel.
        files: Its files, by their place in the folder of packages.
        points: Its entry points.
        about: Its `*.dist-info`.

    Raises:
        Problem: Naming the first file that a plugin must not bring.
    """
    for name in sorted(files):
        top, inside, _ = name.partition("/")
        module = top.partition(".")[0]
        if top == about:
            continue
        if top.endswith(_ABOUT):
            raise bad_wheel(path, name, "it describes another distribution")
        if module in _AT_START or (not inside and top.endswith(_RUN_BY_SITE)):
            raise bad_wheel(path, name, "Python would run it at each start, for every program")
        if module in sys.stdlib_module_names or _OURS.fullmatch(module):
            raise bad_wheel(path, name, f"it stands in the place of the module {module}")
        if CACHE in name.split("/") or name.endswith((".pyc", ".pyo")):
            raise bad_wheel(
                path, name, "it is code that Python has compiled, which nobody can read"
            )
    for point in points:
        if point.group in SCRIPTS and ("/" in point.name or _COMMANDS.fullmatch(point.name)):
            raise bad_wheel(path, "entry_points.txt", f"its command {point.name!r} is another's")
    if not points.select(group=GROUP):
        problem = f"it is no plugin: it has no entry point in the group {GROUP!r}"
        raise bad_wheel(path, "", problem)
