"""The wheels of a bundle: ours are built, those of others are fetched by the lock's digests."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from packaging.tags import sys_tags
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from bundling.requirements import Pin
from folkmoot_operator.problems import ExitCode, Problem

Say = Callable[[str], None]
"""Tells the operator what is being done."""
_BUILD = """
import os, sys
from hatchling.build import build_wheel
for folder in sys.argv[2:]:
    os.chdir(folder)
    build_wheel(sys.argv[1])
"""


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def build_ours(sources: Path, into: Path) -> dict[str, Path]:
    """Builds a wheel of every distribution, twice the same from the same files.

    Args:
        sources: The root of the repository.
        into: Folder for the wheels.

    Returns:
        The wheels, by normalised name.

    Raises:
        Problem: Exit code FAULT, if one cannot be built.
    """
    folders = [
        path.parent
        for path in sorted(sources.glob("*/pyproject.toml"))
        + sorted(sources.glob("plugins/*/pyproject.toml"))
    ]
    into.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, str(into), *map(str, folders)],
        env={**os.environ, "SOURCE_DATE_EPOCH": "1580601600"},  # what hatchling takes by itself
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Problem(
            f"our wheels cannot be built:\n{done.stderr.strip()}",
            where=str(sources),
            remedy="Mend what the last line names; `make setup` installs what building needs",
            exit_code=ExitCode.FAULT,
        )
    return by_name(into)


def by_name(folder: Path) -> dict[str, Path]:
    """The wheels in a folder, by normalised name."""
    return {str(parse_wheel_filename(path.name)[0]): path for path in sorted(folder.glob("*.whl"))}


def collect(pins: Iterable[Pin], store: Path, into: Path, say: Say) -> dict[str, Path]:
    """Puts the wheel of each pin into a folder, fetching those that the store lacks.

    Args:
        pins: What is wanted.
        store: Folder of wheels that were fetched before; it keeps those that are fetched now.
        into: Folder for the wheels; on the same disk, files are shared.
        say: Tells the operator.

    Returns:
        The wheels, by normalised name.

    Raises:
        Problem: Exit code UNREACHABLE, if one cannot be fetched.
    """
    wanted = {pin.name: pin for pin in pins}
    store.mkdir(parents=True, exist_ok=True)
    into.mkdir(parents=True, exist_ok=True)
    found = _usable(wanted, store)
    missing = [pin for name, pin in sorted(wanted.items()) if name not in found]
    if missing:
        say(f"Fetching {len(missing)} wheels; {len(found)} are in {store} already ...")
        _fetch(missing, store)
        found = _usable(wanted, store)
    for name in wanted.keys() - found.keys():
        raise Problem(
            "no wheel of it fits this Python and this machine",
            where=f"{name}=={wanted[name].version}",
            remedy="Bundles hold wheels alone. Pin a version that has one",
            exit_code=ExitCode.SETTINGS,
        )
    return {name: _place(path, into) for name, path in sorted(found.items())}


def _usable(wanted: Mapping[str, Pin], store: Path) -> dict[str, Path]:
    """Wheels in the store that the lock pins and that fit here, the best of each name."""
    order = {tag: place for place, tag in enumerate(sys_tags())}
    best: dict[str, tuple[int, Path]] = {}
    for path in sorted(store.glob("*.whl")):
        name, version, _, tags = parse_wheel_filename(path.name)
        pin = wanted.get(canonicalize_name(name))
        place = min((order[tag] for tag in tags if tag in order), default=None)
        if pin is None or version != Version(pin.version) or place is None:
            continue
        if (pin.name not in best or place < best[pin.name][0]) and sha256(path) in pin.digests:
            best[pin.name] = (place, path)
    return {name: path for name, (_, path) in best.items()}


def _fetch(pins: Iterable[Pin], store: Path) -> None:
    requirements = store / ".wanted.txt"
    requirements.write_text("".join(pin.lines() for pin in pins), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
         "--only-binary", ":all:", "--dest", str(store), "--requirement", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    requirements.unlink()
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        raise Problem(
            "wheels cannot be fetched:\n" + "\n".join(said[-5:]),
            where="pip download",
            remedy="Make bundles where pip reaches a package index; what was fetched is kept",
            exit_code=ExitCode.UNREACHABLE,
        )


def _place(path: Path, into: Path) -> Path:
    place = into / path.name
    try:
        os.link(path, place)
    except OSError:
        shutil.copyfile(path, place)
    return place
