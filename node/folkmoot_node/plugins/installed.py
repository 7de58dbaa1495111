"""Which plugins are installed. Nothing of them is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions, version

from folkmoot_kit.confinement import import_folders
from folkmoot_node.settings.plugins import normal
from folkmoot_sdk.hooks import PROJECT
from folkmoot_sdk.loading import Origin

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,199}")


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """A distribution with entry points of the group `folkmoot`.

    Attributes:
        distribution: Its name, in the form in which packaging tools compare names.
        version: Its version.
        points: Its entry points, by name.
    """

    distribution: str
    version: str
    points: tuple[EntryPoint, ...]

    @property
    def origin(self) -> Origin:
        """Where its sources and factors come from, as far as that is known without running it."""
        return Origin(self.distribution, self.version, self.points[0].name)

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


def installed_plugins(points: Iterable[EntryPoint] | None = None) -> tuple[InstalledPlugin, ...]:
    """The installed plugins, by name.

    Args:
        points: Entry points to look at instead of the installed ones.
    """
    found: dict[tuple[str, str], list[EntryPoint]] = {}
    for point in _points() if points is None else points:
        if point.dist is not None:
            found.setdefault((normal(point.dist.name), point.dist.version), []).append(point)
    return tuple(
        InstalledPlugin(name, version_, tuple(sorted(points, key=lambda point: point.name)))
        for (name, version_), points in sorted(found.items())
    )


def is_there_twice(distribution: str) -> bool:
    """Whether Python finds two distributions of a name where confined processes import from.

    Any wheel can bring metadata under another's name, and so be taken for it.
    """
    places = [str(folder) for folder in import_folders()]
    return len(list(Distribution.discover(name=distribution, path=places))) > 1


def _points() -> Iterator[EntryPoint]:
    """The entry points of what is installed; of two distributions of one name the first's.

    Not by `importlib.metadata.entry_points`: one wheel with a file that cannot be read, or with a
    name that no installer would take, must not stop every command of the node, nor write to its
    terminal.
    """
    seen: set[str] = set()
    for one in distributions():
        points = _of(one)
        if points and (name := normal(one.name)) not in seen:
            seen.add(name)
            yield from points


def _of(one: Distribution) -> list[EntryPoint]:
    try:
        points = [point for point in one.entry_points if point.group == PROJECT]
        sound = not points or bool(_NAME.fullmatch(one.name) and _VERSION.fullmatch(one.version))
    except Exception:  # of whatever kind: the metadata of any wheel, as that wheel has them
        return []
    return points if sound and all(point.name.isprintable() for point in points) else []


def node_version() -> str:
    """The version of the node, which the plugins that come with it have too."""
    return version("folkmoot-node")
