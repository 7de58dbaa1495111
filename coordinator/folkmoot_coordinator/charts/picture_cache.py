"""Keeps pictures in files of the coordinator's account: the same data have the same picture."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from folkmoot_coordinator.charts.chart import Chart
from folkmoot_coordinator.charts.drawing import PictureKind, draw_chart, draw_png
from folkmoot_coordinator.signals import events
from folkmoot_operator.events import emit
from folkmoot_operator.private_files import delete_private, make_private_folder, write_private

_FORM = 1
"""To be counted up when charts are drawn differently."""
_KEPT_AFTER_CLEARING = 0.75
_PREFIX = "picture-"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Attributes:
        content: The file.
        media_type: For the header Content-Type.
        digest: Hexadecimal; for the header ETag. It changes with what is drawn.
    """

    content: bytes
    media_type: str
    digest: str


@dataclass(frozen=True, slots=True)
class PictureCache:
    """Pictures by digest; for several threads and processes.

    Attributes:
        folder: Where they are; it is made if it is missing.
        most_bytes: Beyond this, those that were made first are deleted.
    """

    folder: Path
    most_bytes: int = 256 * 2**20

    def chart(self, chart: Chart, kind: PictureKind) -> Picture:
        """A chart, drawn once.

        Raises:
            Problem: If the libraries that draw are not installed.
        """
        content = [type(chart).__name__, asdict(chart)]
        return self._kept(content, kind, lambda: draw_chart(chart, kind))

    def png(self, svg: str) -> Picture:
        """A picture of ours as PNG, for example from `map_picture`.

        Raises:
            Problem: If the library that draws is not installed.
        """
        return self._kept(["svg", svg], PictureKind.PNG, lambda: draw_png(svg))

    def _kept(self, content: Any, kind: PictureKind, draw: Callable[[], bytes]) -> Picture:
        written = json.dumps([_FORM, _versions(), kind, content], sort_keys=True)
        digest = hashlib.sha256(written.encode()).hexdigest()
        path = self.folder / f"{_PREFIX}{digest[:40]}.{kind}"
        try:
            found = path.read_bytes()
        except OSError:
            found = draw()
            self._keep(path, found)
        return Picture(found, kind.media_type, digest)

    def _keep(self, path: Path, content: bytes) -> None:
        try:
            make_private_folder(self.folder)
            write_private(path, content, replace=True)
            self._clear()
        except OSError as error:
            # It is drawn again the next time.
            emit(events.PICTURE_NOT_KEPT, error=error)

    def _clear(self) -> None:
        files = []
        for path in self.folder.glob(f"{_PREFIX}*"):
            try:
                state = path.stat()
            except FileNotFoundError:  # another process clears as well
                continue
            files.append((state.st_mtime_ns, state.st_size, path))
        total = sum(size for _, size, _ in files)
        if total <= self.most_bytes:
            return
        for _, size, path in sorted(files):
            delete_private(path)
            total -= size
            if total <= self.most_bytes * _KEPT_AFTER_CLEARING:
                break


@cache
def _versions() -> tuple[str, ...]:
    """Of what draws: a new version may draw differently."""
    found = []
    for name in ("altair", "vl-convert-python"):
        try:
            found.append(version(name))
        except PackageNotFoundError:
            found.append("")
    return tuple(found)
