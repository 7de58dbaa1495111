"""Keeps shapes in files of the coordinator's account, so that they are made once."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot_coordinator.geography.levels import Fit
from folkmoot_coordinator.geography.outlines import Outline
from folkmoot_coordinator.geography.shapes import Shapes
from folkmoot_coordinator.inference.neighbours import Neighbours
from folkmoot_operator.private_files import delete_private, make_private_folder, write_private

_FORM = 1
"""To be counted up when what is kept, or how shapes are made, changes."""
_PREFIX, _SUFFIX = "shapes-", ".json.gz"
MAX_FILES = 64
"""The oldest go: a region has a few levels and a few lists of areas."""


def key_of(file_digest: str, codes: Sequence[str], year: str) -> str:
    """What shapes depend on, as a hexadecimal digest.

    Args:
        file_digest: SHA-256 of the boundary file, and of the settings it is read with.
        codes: The round's areas, in their order.
        year: Edition of the codes.
    """
    content = [_FORM, file_digest, list(codes), year]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def load_shapes(folder: Path, key: str) -> Shapes | None:
    """Shapes that were kept; None if there are none, or their file is damaged."""
    try:
        kept = json.loads(gzip.decompress(_path(folder, key).read_bytes()))
        return _shapes(kept)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        return None


def keep_shapes(folder: Path, key: str, shapes: Shapes) -> None:
    """Keeps shapes, and deletes the oldest files if they are too many.

    Raises:
        OSError: If the folder cannot be written to.
    """
    make_private_folder(folder)
    content = json.dumps(_kept(shapes), separators=(",", ":"))
    write_private(_path(folder, key), gzip.compress(content.encode(), mtime=0), replace=True)
    there = sorted(
        folder.glob(f"{_PREFIX}*{_SUFFIX}"), key=lambda path: path.stat().st_mtime_ns, reverse=True
    )
    for path in there[MAX_FILES:]:
        delete_private(path)


def _path(folder: Path, key: str) -> Path:
    return folder / f"{_PREFIX}{key[:32]}{_SUFFIX}"


def _kept(shapes: Shapes) -> dict[str, Any]:
    return {
        "codes": shapes.codes,
        "names": shapes.names,
        "paths": shapes.paths,
        "boxes": shapes.boxes.tolist(),
        "size": [shapes.width, shapes.height],
        "scale": shapes.scale,
        "origins": np.nan_to_num(shapes.origins, nan=1e9).tolist(),
        "first": shapes.neighbours.starts.tolist(),
        "neighbours": shapes.neighbours.others.tolist(),
        "outlines": [[one.code, one.name, one.path, one.label] for one in shapes.outlines],
        "apart": shapes.apart,
        "missing": shapes.fit.missing,
        "others": shapes.fit.others,
        "other_edition": shapes.fit.other_edition,
        "repaired": shapes.repaired,
    }


def _shapes(kept: Mapping[str, Any]) -> Shapes:
    areas = len(kept["codes"])
    origins = np.array(kept["origins"], dtype=np.float64).reshape(areas, 2)
    width, height = kept["size"]
    across, down = kept["scale"]
    return Shapes(
        codes=tuple(kept["codes"]),
        names=tuple(kept["names"]),
        paths=tuple(kept["paths"]),
        boxes=np.array(kept["boxes"], dtype=np.int64).reshape(areas, 4),
        width=width,
        height=height,
        scale=(across, down),
        origins=np.where(origins >= 1e9, np.nan, origins),
        neighbours=Neighbours(
            np.array(kept["first"], dtype=np.int64), np.array(kept["neighbours"], dtype=np.int64)
        ),
        outlines=tuple(
            Outline(code, name, path, (x, y)) for code, name, path, (x, y) in kept["outlines"]
        ),
        apart=tuple(kept["apart"]),
        fit=Fit(tuple(kept["missing"]), kept["others"], kept["other_edition"]),
        repaired=tuple(kept["repaired"]),
    )
