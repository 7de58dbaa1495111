"""Digests the files of installed distributions, and finds what lies among them or over them.

Everything is compared each time that plugins are loaded, so nothing is read twice: the lists that
wheels left are read once for all distributions of an `Installation`.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution
from pathlib import Path

from packaging.utils import canonicalize_name

from folkmoot_kit.provenance.content import CACHE, counts, digest_of_files
from folkmoot_kit.provenance.words import one_line
from folkmoot_operator.problems import ExitCode, Problem

MAX_FILE_BYTES = 1024 * 1024 * 1024
"""Length of the longest file of a distribution."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution as it is installed.

    Attributes:
        name: Its name, normalised.
        version: Its version, as its metadata have it.
        files: SHA-256 of each file that counts, hexadecimal, by its path in the folder of packages.
        changed: Files that are not what the list of its wheel names, such as `pkg/module.py`.
    """

    name: str
    version: str
    files: Mapping[str, str]
    changed: tuple[str, ...]

    @property
    def content(self) -> str:
        """The digest of its files: `sha256:` and 64 hexadecimal digits."""
        return digest_of_files(self.files)


class Installation:
    """The distributions in the folders from which a confined process imports."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Reads nothing yet.

        Args:
            folders: Folders of packages, in the order in which Python looks into them.
        """
        self.folders = tuple(dict.fromkeys(Path(folder) for folder in folders))

    @cached_property
    def _about(self) -> dict[str, list[Path]]:
        """Folders of metadata by normalised name. Their names say it; to read them takes long."""
        found: dict[str, list[Path]] = defaultdict(list)
        for folder in self.folders:
            for entry in _entries(folder):
                stem, _, kind = entry.name.rpartition(".")
                if kind in ("dist-info", "egg-info"):
                    found[canonicalize_name(stem.partition("-")[0])].append(Path(entry.path))
        return found

    @cached_property
    def _records(self) -> dict[tuple[Path, str], bytes]:
        """The list of files of every installed wheel, by the folder and name of its metadata."""
        found = {}
        for folder in self.folders:
            for entry in _entries(folder):
                if entry.name.endswith(".dist-info"):
                    record = Path(entry.path, "RECORD")
                    if record.is_file():
                        found[folder, entry.name] = b"\n" + record.read_bytes()
        return found

    @cached_property
    def _tops(self) -> dict[Path, dict[str, list[str]]]:
        """What lies in each folder, by the name of the module that it would be."""
        found: dict[Path, dict[str, list[str]]] = {}
        for folder in self.folders:
            names: dict[str, list[str]] = defaultdict(list)
            for entry in _entries(folder):
                names[entry.name.partition(".")[0]].append(entry.name)
            found[folder] = names
        return found

    def find(self, name: str) -> Distribution | None:
        """The installed distribution of a name; None if it is not installed.

        Python itself looks for it, as it does in a confined process: that takes metadata in
        folders of other kinds, and whatever the case of their names.

        Raises:
            Problem: If there are two.
        """
        places = [str(folder) for folder in self.folders]
        found = list(Distribution.discover(name=name, path=places))
        if len(found) > 1:
            raise _unsound(name, "is installed twice, and Python would take either")
        return found[0] if found else None

    def names(self) -> frozenset[str]:
        """Normalised names of all installed distributions."""
        return frozenset(self._about)

    def files_under(self, tops: Collection[str]) -> Iterator[tuple[Path, str, set[str]]]:
        """Distributions that list files of some names or folders among the packages.

        Args:
            tops: What stands at the top of the folder of packages: `numpy`, `module.py`.

        Yields:
            The folder of packages, the name of the metadata, and all files that they list.
        """
        words = [word for top in tops for word in (f"\n{top}".encode(), f'\n"{top}'.encode())]
        for (folder, name), record in self._records.items():
            if any(word in record for word in words):
                lines = record.decode("utf-8", "replace").splitlines()
                yield folder, name, {line[0] for line in csv.reader(lines) if line}

    def read(self, name: str) -> Installed:
        """Digests the files of one distribution.

        Args:
            name: Its name.

        Raises:
            Problem: Exit code VERIFICATION, naming the file, if it is not installed from a wheel,
                a file is missing, or other files lie among them or would be imported instead.
        """
        distribution = self.find(name)
        if distribution is None:
            raise Problem(
                "is not installed",
                where=f"distribution {one_line(name)}",
                remedy="Install its wheel with the Python of this command: "
                "python -m pip install --no-deps WHEEL",
                exit_code=ExitCode.VERIFICATION,
            )
        folder = Path(str(distribution.locate_file("")))
        stated = _stated(name, distribution)
        version = _version(name, distribution)
        label = f"{name} {version}"
        places = [place for place in stated if counts(place)]
        self._require_alone(label, folder, places, distribution)
        files = dict(_digests(label, folder, places))
        wrong = (place for place in places if stated[place] not in ("", files[place]))
        return Installed(canonicalize_name(name), version, files, tuple(sorted(wrong)))

    def _require_alone(
        self, label: str, folder: Path, places: Sequence[str], distribution: Distribution
    ) -> None:
        own = set(places)
        for place in _strangers(folder, own):
            raise _unsound(label, "is not among the files that its wheel brought", folder / place)
        tops = {place.partition("/")[0] for place in places}
        modules = {top.partition(".")[0] for top in tops if not top.endswith(".dist-info")}
        for other in self.folders:
            for module in modules & self._tops[other].keys():
                for name in self._tops[other][module]:
                    if (other != folder or name not in tops) and not name.endswith(".dist-info"):
                        problem = f"has the name of the module {module}, which belongs to {label}"
                        raise _unsound(label, problem, other / name)
        about = {top for top in tops if top.endswith(".dist-info")}
        for where, name, theirs in self.files_under(tops - about):
            if where == folder and name not in about:
                for place in sorted(own & theirs):
                    raise _unsound(label, f"also belongs to {name}", folder / place)


def _version(name: str, distribution: Distribution) -> str:
    try:
        version = distribution.metadata["Version"]
    except (OSError, TypeError, UnicodeError):
        version = None
    if not isinstance(version, str) or not version.isprintable():
        raise _unsound(name, "has metadata that cannot be read")
    return version


def _stated(name: str, distribution: Distribution) -> dict[str, str]:
    """SHA-256 by path, as the wheel's list has it; empty where it states none."""
    try:
        direct = distribution.read_text("direct_url.json") or ""
        record = distribution.read_text("RECORD")
    except (OSError, UnicodeError):
        raise _unsound(name, "has metadata that cannot be read") from None
    if '"editable": true' in direct or '"editable":true' in direct:
        raise _unsound(name, "is installed for development, so its files can be any")
    if not record:
        raise _unsound(name, "was not installed from a wheel: it has no list of its files")
    stated = {}
    try:
        for place, digest, _ in csv.reader(record.splitlines()):
            kind, _, value = digest.partition("=")
            coded = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            stated[place] = coded.hex() if kind == "sha256" else ""
    except (ValueError, csv.Error):
        raise _unsound(name, "has a list of files that cannot be read") from None
    return stated


def _digests(label: str, folder: Path, places: Iterable[str]) -> Iterator[tuple[str, str]]:
    for place in places:
        path = folder / place
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _unsound(label, f"cannot be read ({error.strerror})", path) from None
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE_BYTES:
                raise _unsound(label, "is no ordinary file, or too long", path)
            yield place, hashlib.file_digest(file, "sha256").hexdigest()


def _strangers(folder: Path, own: set[str]) -> Iterator[str]:
    """Paths of what lies in folders of a distribution and is not its own."""
    owned = {place.rpartition("/")[0] for place in own} - {""}
    above = {
        place[:index] for place in owned for index, sign in enumerate(place) if sign == "/"
    } - owned
    covered = {place for place in owned if not _is_below(place, owned)}
    for place in sorted(covered):
        for stranger in _walk(folder, place):
            if stranger not in own and counts(stranger):
                yield stranger
    for place in sorted(above):
        if _is_below(place, owned):
            continue
        # A folder that several distributions share. What lies here must not come before ours.
        children = {one[len(place) + 1 :].partition("/")[0] for one in own if _under(one, place)}
        for entry in _entries(folder / place):
            stem = entry.name.partition(".")[0]
            if entry.name not in children and (stem == "__init__" or stem in children):
                yield f"{place}/{entry.name}"


def _walk(folder: Path, place: str) -> Iterator[str]:
    for entry in _entries(folder / place):
        inner = f"{place}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if entry.name != CACHE:
                yield from _walk(folder, inner)
        else:
            yield inner


def _is_below(place: str, folders: set[str]) -> bool:
    return any(place[:index] in folders for index, sign in enumerate(place) if sign == "/")


def _under(place: str, folder: str) -> bool:
    return place.startswith(f"{folder}/")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []


def _unsound(label: str, problem: str, path: Path | None = None) -> Problem:
    return Problem(
        problem if path is None else f"{one_line(str(path))}: {problem}",
        where=f"distribution {label}",
        remedy="Uninstall it, find out what changed it, and install the wheel that was pinned",
        exit_code=ExitCode.VERIFICATION,
    )
