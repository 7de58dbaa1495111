"""What a distribution needs, and what the lock pins of it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from folkmoot_operator.problems import ExitCode, Problem

Needs = Callable[[str], Iterable[str]]
"""What a distribution of a name requires, as its metadata says it."""
_HASH = "--hash=sha256:"


@dataclass(frozen=True, slots=True)
class Pin:
    """A version that the lock pins.

    Attributes:
        name: Normalised name.
        version: The one version.
        digests: SHA-256 of each file that may be installed, hexadecimal.
    """

    name: str
    version: str
    digests: frozenset[str]

    def lines(self) -> str:
        """As `pip` reads it."""
        hashes = "".join(f" {_HASH}{digest}" for digest in sorted(self.digests))
        return f"{self.name}=={self.version}{hashes}\n"


def read_lock(path: Path) -> dict[str, Pin]:
    """What a file of locked requirements pins, by name.

    Raises:
        Problem: Exit code SETTINGS, if a line pins nothing.
    """
    pins: dict[str, Pin] = {}
    for line in path.read_text("utf-8").replace("\\\n", " ").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        digests = {word.removeprefix(_HASH) for word in words if word.startswith(_HASH)}
        name, equal, version = words[0].partition("==")
        if not equal or not digests:
            raise Problem(
                f"does not pin one version by its digests: {words[0]}",
                where=str(path),
                remedy="Make the lock again: `make lock`",
                exit_code=ExitCode.SETTINGS,
            )
        name = canonicalize_name(name.partition("[")[0])
        pins[name] = Pin(name, version, frozenset(digests))
    return pins


def closure(roots: Iterable[str], needs: Needs) -> set[str]:
    """The normalised names of everything that some requirements need, theirs among them.

    Args:
        roots: Requirements, with extras where they are wanted.
        needs: What each distribution requires.
    """
    looked_at: dict[str, set[str]] = {}
    open_ones = [Requirement(root) for root in roots]
    while open_ones:
        wanted = open_ones.pop()
        name = canonicalize_name(wanted.name)
        before = looked_at.get(name)
        extras = {"", *map(str, wanted.extras)} - (before or set())
        if not extras:
            continue
        looked_at[name] = (before or set()) | extras
        for text in needs(name):
            needed = Requirement(text)
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": extra}) for extra in extras
            ):
                open_ones.append(needed)
    return set(looked_at)


def metadata(wheel: Path) -> Message:
    """The metadata of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (
            name
            for name in archive.namelist()
            if name.endswith(".dist-info/METADATA") and name.count("/") == 1
        )
        return message_from_bytes(archive.read(name))


def needs_of_wheels(wheels: Mapping[str, Path]) -> Needs:
    """What wheels need, each by its metadata.

    Args:
        wheels: The wheels, by normalised name.

    Raises:
        Problem: When asked for one that is not there.
    """

    def needs(name: str) -> Iterable[str]:
        if name not in wheels:
            raise Problem(
                "is needed, and no wheel of it is there",
                where=name,
                remedy="Make the environment and the lock agree: `make setup`, or `make lock`",
                exit_code=ExitCode.SETTINGS,
            )
        return metadata(wheels[name]).get_all("Requires-Dist") or []

    return needs


def needs_here(ours: Mapping[str, Path], pins: Mapping[str, Pin]) -> Needs:
    """What our wheels need, and what is installed here of others, where the lock pins it.

    Args:
        ours: Our wheels, by normalised name.
        pins: From the lock.

    Raises:
        Problem: When asked for one that is not installed in the version that the lock pins.
    """

    def needs(name: str) -> Iterable[str]:
        if name in ours:
            return metadata(ours[name]).get_all("Requires-Dist") or []
        try:
            found = distribution(name)
        except PackageNotFoundError:
            found = None
        if found is None or name not in pins or found.version != pins[name].version:
            raise Problem(
                "is needed, and not installed here in the version that the lock pins",
                where=name,
                remedy="Make the environment from the lock: `make setup`. If the lock does not "
                "have it, add it to requirements.in, then `make lock`",
                exit_code=ExitCode.SETTINGS,
            )
        return found.requires or []

    return needs
