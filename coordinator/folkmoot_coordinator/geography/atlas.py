"""The region's boundary files, and the shapes of any list of areas from them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from folkmoot_coordinator.geography.area_kinds import kind_of
from folkmoot_coordinator.geography.boundary_file import file_digest, read_boundaries
from folkmoot_coordinator.geography.levels import fit, level_of
from folkmoot_coordinator.geography.shape_files import keep_shapes, key_of, load_shapes
from folkmoot_coordinator.geography.shapes import Shapes, make_shapes
from folkmoot_coordinator.signals import events
from folkmoot_operator.events import emit
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import unusable

_IN_MEMORY = 12


@dataclass(frozen=True, slots=True)
class BoundarySource:
    """A boundary file as the region sets it.

    Attributes:
        path: The file.
        code_column: Column of codes; None to find it.
        name_column: Column of names; None to find it.
        layer: Layer of a GeoPackage; None for the only one.
    """

    path: Path
    code_column: str | None = None
    name_column: str | None = None
    layer: str | None = None


@dataclass(slots=True)
class Atlas:
    """Shapes from boundary files; for several threads.

    A file that changes is read again: it is known by size and time of change.

    Attributes:
        sources: The files.
        folder: Where shapes are kept; it is made if it is missing.
    """

    sources: Sequence[BoundarySource]
    folder: Path
    _lock: Lock = field(default_factory=Lock)
    _digests: dict[Path, tuple[tuple[int, int, int], str]] = field(default_factory=dict)
    _known: OrderedDict[str, Shapes] = field(default_factory=OrderedDict)

    def shapes(self, codes: Sequence[str], year: str = "") -> Shapes | None:
        """The shapes of areas, of the first level of any file that has most of them.

        Args:
            codes: The round's areas, in their order.
            year: Edition of their codes, such as `2021`; empty if it is not known.

        Returns:
            The shapes; None if the region has set no boundaries.

        Raises:
            Problem: If a file is missing or broken, or none has any of the areas.
        """
        if not self.sources:
            return None
        with self._lock:
            key = key_of(self._digest(), codes, year)
            found = self._known.get(key) or load_shapes(self.folder, key)
            if found is None:
                found = self._made(codes, year)
                self._keep(key, found)
            self._known[key] = found
            self._known.move_to_end(key)
            while len(self._known) > _IN_MEMORY:
                self._known.popitem(last=False)
            return found

    def _made(self, codes: Sequence[str], year: str) -> Shapes:
        levels, problems = [], []
        for source in self.sources:
            boundaries = read_boundaries(
                source.path, source.code_column, source.name_column, layer=source.layer
            )
            try:
                levels.append(level_of(boundaries, codes))
            except Problem as problem:
                problems.append(problem)
        if not levels:
            raise problems[0] if len(problems) == 1 else _none_has(codes)
        best = min(levels, key=lambda level: len(fit(level, codes, year).missing))
        return make_shapes(best, codes, year)

    def _keep(self, key: str, shapes: Shapes) -> None:
        try:
            keep_shapes(self.folder, key, shapes)
        except OSError as error:
            # The picture can be drawn without: the next process simplifies the shapes again.
            emit(events.SHAPES_NOT_KEPT, error=error)

    def _digest(self) -> str:
        parts = []
        for source in self.sources:
            path = source.path
            try:
                state = path.stat()
                stamp = (state.st_size, state.st_mtime_ns, state.st_ino)
                known = self._digests.get(path)
                if known is None or known[0] != stamp:
                    known = self._digests[path] = (stamp, file_digest(path))
            except OSError as error:
                raise unusable(error, path, "the file of boundaries") from None
            parts.append((known[1], source.code_column, source.name_column, source.layer))
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def _none_has(codes: Sequence[str]) -> Problem:
    return Problem(
        f"no file of boundaries has any of the round's {kind_of(codes)}",
        where="boundaries",
        remedy="Set a file that has the round's areas, or smaller ones with a column of the codes "
        "of the round's",
        exit_code=ExitCode.SETTINGS,
    )
