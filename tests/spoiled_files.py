"""CSV files as they go wrong, and whether a source accounts for every line of them.

Files are made of a sound sample: cells are replaced by what people and systems put there,
rows are ragged, quotes stray, headers repeat, bytes are missing at the end, and the
settings may name another encoding or delimiter than the file has.
"""

from __future__ import annotations

import csv
import datetime
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from folkmoot_sdk import DataSource, Identifier, PluginError, ReadContext, Rejection

CELLS = (
    "", " ", "NULL", "x", "?", "-1", "0", "1.5", "1e400", "nan", "31/02/2026", "2026-02-31",
    "01/01/0026", "1234567890123", "99999999999999999999", "9990000001", "12345678901",
    "100012000001", "Müller", "£", '"', '""', 'a"b', '"a', '"a"', "a,b", "a;b", "\t", "é\n",
)  # fmt: skip
ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16")
DELIMITERS = (",", ";", "\t", "|")
STRAY = "neither doubled"


@dataclass(frozen=True)
class Spoiled:
    """A file's bytes, and the settings under which it is read."""

    content: bytes
    encoding: str
    delimiter: str


def mostly(draw: st.DrawFn, usual: str, others: tuple[str, ...]) -> str:
    return usual if draw(st.integers(0, 9)) else draw(st.sampled_from(others))


@st.composite
def spoiled(draw: st.DrawFn, sample: str) -> Spoiled:
    """A sample file, spoiled; its own delimiter is the comma."""
    rows = list(csv.reader(sample.splitlines()))
    header, sound = rows[0], rows[1:]
    body = draw(st.lists(st.sampled_from(sound), max_size=8))
    body = [list(row) for row in body]
    for row in body:
        for _ in range(draw(st.integers(0, 2))):
            at = draw(st.integers(0, len(row) - 1))
            row[at] = draw(st.sampled_from(CELLS))
        if not draw(st.integers(0, 7)):
            del row[draw(st.integers(0, len(row) - 1)) :]
        if not draw(st.integers(0, 7)):
            row.append(draw(st.sampled_from(CELLS)))
    if not draw(st.integers(0, 9)):
        header = [*header, draw(st.sampled_from(header))]
    written_with = mostly(draw, ",", DELIMITERS)
    end = draw(st.sampled_from(("\n", "\r\n")))
    # Nothing is quoted or escaped: that is what goes wrong.
    text = end.join(written_with.join(row) for row in [header, *body]) + end
    encoding = draw(st.sampled_from(ENCODINGS))
    content = text.encode(encoding, errors="replace")
    if not draw(st.integers(0, 4)):
        content = content[: draw(st.integers(0, len(content)))]
    return Spoiled(
        content, mostly(draw, encoding, ENCODINGS), mostly(draw, written_with, DELIMITERS)
    )


@dataclass
class Reading:
    """What a source made of a file.

    Attributes:
        rows: Row numbers of the records.
        rejected: What went to quarantine.
        left_out: Records that are sound but not wanted, by reason.
        values: The records' values in the order of `rows`, with their names.
        unread: Columns whose value could not be read, by row number.
        stopped: The clear stop, if the source could not be read.
    """

    rows: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    values: list[dict[str, object]] = field(default_factory=list)
    unread: dict[int, set[str]] = field(default_factory=dict)
    stopped: PluginError | None = None


def read(
    source: DataSource,
    fields: tuple[str, ...] | None = None,
    reference_date: datetime.date = datetime.date(2026, 4, 1),
    *,
    identifiers: tuple[Identifier, ...] = (),
) -> Reading:
    """Reads a source as a node does; all its fields unless some are named."""
    found = Reading()
    names = tuple(entry.name for entry in source.schema.fields) if fields is None else fields
    context = ReadContext(
        names,
        reference_date,
        found.rejected.extend,
        leave_out=lambda reason, records: found.left_out.update({reason: records}),
        identifiers=identifiers,
    )
    try:
        for batch in source.read(context):
            data = batch.data
            rows = batch.rows
            if rows is None:
                rows = range(batch.first_row, batch.first_row + data.height)  # type: ignore[attr-defined]
            found.rows += rows
            for name, places in batch.unread.items():
                for at in places:
                    found.unread.setdefault(rows[at], set()).add(name)
            found.values += data.to_dicts()  # type: ignore[attr-defined]
    except PluginError as stop:
        found.stopped = stop
    return found


def check_accounted(
    path: Path,
    given: Spoiled,
    make: Callable[[], DataSource],
) -> Reading:
    """Checks that every line is a record, in quarantine, or the reason of a clear stop.

    Returns:
        What the source made of the file, for further checks.
    """
    path.write_bytes(given.content)
    found = read(make())
    if found.stopped is not None:
        assert path.name in found.stopped.where
        assert found.stopped.problem
        assert found.stopped.remedy
        return found
    for entry in found.rejected:
        assert entry.file == path.name
        assert entry.row > 1
        assert entry.reason
    assert len(set(found.rows)) == len(found.rows) == len(found.values)
    # A record of which one value is malformed stays; what is no record at all does not.
    partial = {entry.row for entry in found.rejected if entry.field}
    assert partial <= set(found.rows)
    # A row whose fields have moved is rejected as a whole, and may say whose it was.
    assert set(found.unread) <= {entry.row for entry in found.rejected}
    whole = {entry.row for entry in found.rejected if not entry.field}
    assert whole & set(found.rows) <= set(found.unread)

    lines = given.content.decode(given.encoding).removeprefix("\ufeff").split("\n")

    def lines_of(row: int) -> range:
        reader = csv.reader((line + "\n" for line in lines[row - 1 :]), delimiter=given.delimiter)
        next(reader)
        return range(row, row + reader.line_num)

    accounted = set(lines_of(1))
    for row in found.rows:
        accounted.update(lines_of(row))
    for entry in found.rejected:
        accounted.update([entry.row] if STRAY in entry.reason else lines_of(entry.row))
    nothing = f' \r"{given.delimiter}'
    blank = {at for at, line in enumerate(lines, 1) if not line.strip(nothing)}
    repeated = {at for at, line in enumerate(lines, 1) if line in lines[: at - 1]}
    identical = found.left_out["identical to an earlier record"]
    assert identical <= len(repeated - accounted)
    accounted |= repeated if identical else set()
    assert accounted | blank == set(range(1, len(lines) + 1)) | accounted
    return found
