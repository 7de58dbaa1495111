"""Which plugins are installed. Nothing of them is imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points, version

from folkmoot_node.settings.plugins import normal
from folkmoot_sdk.hooks import PROJECT
from folkmoot_sdk.loading import Origin


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
    for point in entry_points(group=PROJECT) if points is None else points:
        if point.dist is not None:
            found.setdefault((normal(point.dist.name), point.dist.version), []).append(point)
    return tuple(
        InstalledPlugin(name, version_, tuple(sorted(points, key=lambda point: point.name)))
        for (name, version_), points in sorted(found.items())
    )


def node_version() -> str:
    """The version of the node, which the plugins that come with it have too."""
    return version("folkmoot-node")
