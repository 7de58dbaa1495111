"""What wheels say of their own files, against what is there; and what runs without being asked."""

from __future__ import annotations

import base64
import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from folkmoot_node.installation.lock import is_code

_START = ("sitecustomize.py", "usercustomize.py")


@dataclass(frozen=True, slots=True)
class Wheel:
    """An installed wheel, and what it says of its files.

    Attributes:
        name: Name and version.
        files: SHA-256, hexadecimal, by path; empty where it states none. Scripts outside the
            packages are left out: no process of the node imports them.
    """

    name: str
    files: Mapping[str, str]


def installed_wheels(folders: Iterable[Path]) -> tuple[Wheel, ...]:
    """The wheels that are installed in folders of packages."""
    return tuple(
        Wheel(f"{found.name} {found.version}", dict(_stated(found, folder)))
        for folder in folders
        for found in distributions(path=[str(folder)])
    )


def doubts(
    wheels: Iterable[Wheel], folders: Iterable[Path], digests: Mapping[str, str]
) -> Iterator[str]:
    """Reasons not to accept an installation: files that are not what one wheel brought.

    Args:
        wheels: The installed wheels.
        folders: The folders that hold installed packages.
        digests: SHA-256 of the installed files, hexadecimal, by path.

    Yields:
        One line for each file.
    """
    owners: dict[str, list[str]] = defaultdict(list)
    for wheel in wheels:
        for path, stated in wheel.files.items():
            owners[path].append(wheel.name)
            if stated and digests.get(path, stated) != stated:
                yield f"{path} is not what {wheel.name} brought"
    for path, names in sorted(owners.items()):
        if len(names) > 1 and is_code(path) and path in digests:
            yield f"{path} was brought by {' and by '.join(names)}"
    places = tuple(f"{folder}/" for folder in folders if folder.name == "site-packages")
    for path in sorted(digests):
        if path.startswith(places) and path not in owners and is_code(path):
            yield f"{path} was brought by no wheel"


def run_at_every_start(folders: Iterable[Path]) -> Iterator[str]:
    """Files that Python runs or reads at its start, unless it is started by `start.py`."""
    for folder in folders:
        if folder.name == "site-packages":
            for path in sorted(folder.iterdir()):
                if path.suffix == ".pth" or path.name in _START:
                    yield str(path)


def _stated(found: Distribution, folder: Path) -> Iterator[tuple[str, str]]:
    for name, digest, _ in csv.reader((found.read_text("RECORD") or "").splitlines()):
        if not name.startswith(".."):
            kind, _, value = digest.partition("=")
            padded = value + "=" * (-len(value) % 4)
            yield (
                f"{folder}/{name}",
                base64.urlsafe_b64decode(padded).hex() if kind == "sha256" else "",
            )
