"""A table of figures as bytes: JSON, CSV, Parquet and GeoJSON, a piece at a time."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import polars as pl

from folkmoot.attributes import OTHER
from folkmoot.workload import Marginal
from folkmoot_coordinator.aggregation.statistic import GeographicLevel
from folkmoot_coordinator.geography.geometries import geometry_of
from folkmoot_coordinator.geography.shapes import Shapes
from folkmoot_coordinator.publication.long_table import column_of
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.publication.table_files import write_csv, write_parquet
from folkmoot_coordinator.viewer.api.figures_table import FiguresTable, described
from folkmoot_coordinator.viewer.words import slug
from folkmoot_operator.private_files import make_private_folder

_AT_ONCE = 10_000
"""Rows that are one text in memory."""
_BYTES_AT_ONCE = 256 * 1024


def as_json(table: FiguresTable) -> Iterator[bytes]:
    """A `StatisticDocument`."""
    yield _opened({**_about(table), "columns": table.columns}, "rows")
    for at, text in enumerate(_row_texts(table.pieces())):
        yield (b",\n" if at else b"\n") + text
    yield b"\n]}\n"


def as_csv(table: FiguresTable) -> Iterator[bytes]:
    """CSV in UTF-8 with the names of the columns; no text in it is a formula (RFC 4180)."""
    for at, piece in enumerate(table.pieces()):
        for first in range(0, max(piece.height, 1), _AT_ONCE):
            written = io.BytesIO()
            write_csv(piece.slice(first, _AT_ONCE), written, is_first=at == first == 0)
            yield written.getvalue()


def as_parquet(table: FiguresTable, folder: Path) -> Iterator[bytes]:
    """Parquet, by way of a file that is deleted as soon as it is open.

    Args:
        table: The rows.
        folder: Where the file is.
    """

    def write(path: Path) -> None:
        text = json.dumps(described(table.published))
        write_parquet(path, table.schema, table.pieces(), {"folkmoot": text})

    yield from written_file(folder, write)


def written_file(folder: Path, write: Any) -> Iterator[bytes]:
    """The bytes of a file that cannot be written from its beginning to its end.

    Args:
        folder: Where it is meanwhile; made if it is missing.
        write: Writes it to the path that it gets.
    """
    make_private_folder(folder)
    place = Path(tempfile.mkdtemp(prefix="download-", dir=folder))
    try:
        write(place / "table")
        file = (place / "table").open("rb")
    finally:
        shutil.rmtree(place)  # what is open can be read on, and nothing is left after a crash
    with file:
        yield from _blocks(file)


def area_rows(table: FiguresTable) -> tuple[str, FiguresTable] | None:
    """The rows of a table that are about areas, and the column of their codes.

    Returns:
        Column and rows: of a table by area those of the region's areas, of any other those of
        councils; None for a table by several kinds of areas, or all tables in one.
    """
    marginal = table.marginal
    if marginal is None:
        return None
    area = _area_of(table.published, marginal)
    if len(area) > 1:
        return None
    level = GeographicLevel.REGION if area else GeographicLevel.COUNCIL
    asked = table.chosen.get("level", (level,))
    chosen = {**table.chosen, "level": (level,) if level in asked else ("",)}
    return column_of(area[0]) if area else "place", FiguresTable(table.published, marginal, chosen)


def area_codes(published: Published, marginal: Marginal) -> list[str]:
    """Codes of all areas of a table, or of the councils, in the order of the round."""
    area = _area_of(published, marginal)
    councils = published.round_.councils
    if not area:
        return [str(council) for council in councils]
    by_council = published.round_.workload.attribute(area[0]).by_council
    return [code for council in councils for code in by_council.get(council, ())]


def as_geojson(table: FiguresTable, column: str, shapes: Shapes) -> Iterator[bytes]:
    """A FeatureCollection with a feature for each row (RFC 7946).

    Households in no area, and areas that the file of boundaries does not have, have no geometry.

    Args:
        table: Rows about areas.
        column: The column of the areas' codes.
        shapes: Of the areas.
    """
    place_of = {code: place for place, code in enumerate(shapes.codes)}
    known: dict[str, bytes] = {OTHER: b"null"}

    def geometry(code: str) -> bytes:
        if code not in known:
            place = place_of.get(code)
            found = None if place is None else geometry_of(shapes, place)
            known[code] = json.dumps(found, separators=(",", ":")).encode()
        return known[code]

    about = {"type": "FeatureCollection", **_about(table), "columns": table.columns}
    yield _opened(about, "features")
    is_first = True
    for piece in table.pieces():
        for first in range(0, piece.height, _AT_ONCE):
            rows = piece.slice(first, _AT_ONCE)
            codes = rows[column].cast(pl.String).to_list()
            texts = rows.write_ndjson().rstrip("\n").encode().split(b"\n")
            written = [
                b'{"type":"Feature","geometry":%b,"properties":%b}' % (geometry(code), text)
                for code, text in zip(codes, texts, strict=True)
            ]
            yield (b"\n" if is_first else b",\n") + b",\n".join(written)
            is_first = False
    yield b"\n]}\n"


def _about(table: FiguresTable) -> dict[str, Any]:
    published = table.published
    return {
        "round_id": published.round_.round_id,
        "title": published.stored.title,
        "table": "all" if table.marginal is None else slug(table.marginal),
        "policy_digest": published.round_.policy_digest.hex(),
        "coverage": str(published.coverage),
        "withdrawn": published.withdrawn,
    }


def _area_of(published: Published, marginal: Marginal) -> Sequence[str]:
    workload = published.round_.workload
    return [name for name in marginal.attributes if workload.attribute(name).is_area]


def _opened(members: dict[str, Any], last: str) -> bytes:
    """The beginning of an object whose last member is a list."""
    text = json.dumps(members, ensure_ascii=False)
    return f'{text[:-1]}, "{last}": ['.encode()


def _row_texts(pieces: Iterator[pl.DataFrame]) -> Iterator[bytes]:
    for piece in pieces:
        for first in range(0, piece.height, _AT_ONCE):
            lines = piece.slice(first, _AT_ONCE).write_ndjson().rstrip("\n")
            yield lines.encode().replace(b"\n", b",\n")


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BYTES_AT_ONCE):
        yield block
