"""Reads the wanted columns of one sheet of a workbook: .xlsx, .xlsm, .xlsb, .xls or .ods.

Cells keep their types: a date is a date, however the sheet shows it. Of a formula its last saved
result counts; nothing is calculated. A cell with an error, or a formula whose result was not
saved, is no value: it is handed on as a text that no field can be read from.
"""

from __future__ import annotations

import datetime
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError

from folkmoot_plugin_extracts import digests
from folkmoot_plugin_extracts.batch import Batch, check_columns, named_alike
from folkmoot_plugin_extracts.header import AROUND_NAMES, LINES_SEARCHED
from folkmoot_plugin_extracts.not_records import ABOVE, COMMENT, EMPTY, NotRecords, Surroundings
from folkmoot_plugin_extracts.workbook_cells import unusable_cells
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import nearest

BATCH_ROWS = 100_000
"""Rows handed on at once."""
MAXIMUM_BYTES = 2 << 30
"""A workbook of more, unpacked, would fill the memory of the node."""
_EXACT = 1 << 53
"""Whole numbers beyond this are not exact in a spreadsheet."""

Cell = int | float | str | bool | datetime.date | datetime.time | datetime.timedelta
_BLANK, _TEXT, _NUMBER, _TRUTH, _DATE = " ", "t", "n", "b", "d"


def read_workbook(
    path: Path,
    columns: tuple[str, ...],
    sheet: str,
    around: Surroundings,
    leave_out: Callable[[str, int], None],
    batch_rows: int = BATCH_ROWS,
) -> Iterator[Batch]:
    """Yields the records of a sheet, with rows counted as in Excel.

    Rows whose cells are typed in another way, such as one date that was typed as text, come in
    batches of their own: each column of a batch has one type.

    Args:
        path: The file.
        columns: Columns that the sheet must have.
        sheet: Its name; empty for the only sheet that has these columns.
        around: What stands around the records.
        leave_out: Told how many rows are no records, and why.
        batch_rows: Most rows of a batch.

    Raises:
        PluginError: If the workbook cannot be opened, or is protected, has no such sheet, or none
            with these columns.
    """
    _check_size(path)
    with _opened(path) as workbook:
        name, rows, header = _sheet(path, workbook, columns, sheet, around)
        where = f"{path}: sheet {name!r}"
        names = [cell_text(cell).strip(AROUND_NAMES) for cell in rows[header]]
        check_columns(f"{where}, row {header + 1}", columns, names, are_names=False)
        places = [names.index(column) for column in columns]
        _check_merged(where, workbook.get_sheet_by_name(name), header, places, columns)
        above = [" ".join(filter(None, map(cell_text, row))).strip() for row in rows[:header]]
        if titles := sum(map(bool, above)):
            leave_out(ABOVE, titles)
        judge = NotRecords(names, around, frozenset(filter(None, above)))
        unusable = unusable_cells(path, workbook.sheet_names.index(name))
    for begin in range(header + 1, len(rows), batch_rows):
        part = _Part(rows, begin, min(begin + batch_rows, len(rows)), places, columns)
        yield from part.batches(judge, around.comment, unusable, leave_out)


def sheet_rows(path: Path, sheet: str = "") -> tuple[str, list[list[Cell]]]:
    """The name and all rows of a sheet; without a name, of the first that has any.

    Raises:
        PluginError: If the workbook cannot be opened, or has no such sheet.
    """
    _check_size(path)
    with _opened(path) as workbook:
        for name in [sheet] if sheet else _visible(workbook):
            if rows := _rows(path, workbook, name):
                return name, rows
    raise PluginError(str(path), "has no sheet with a cell that is filled", "Export it again")


def _check_size(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MAXIMUM_BYTES:
        raise PluginError(
            str(path),
            f"unpacks to {unpacked >> 20:,} MiB, more than the {MAXIMUM_BYTES >> 20:,} MiB that "
            "are read of a workbook",
            "Export it as CSV; if it is small on disk, ask where it comes from",
        )


def _opened(path: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError:
        raise PluginError(
            str(path), "is protected by a password", "Save it without a password, or as CSV"
        ) from None
    except BaseException as error:
        raise _damaged(str(path), error) from None


def _damaged(where: str, error: BaseException) -> BaseException:
    # A damaged workbook raises what its decoder happens to trip over, panics included.
    if isinstance(error, Exception) or type(error).__name__ == "PanicException":
        return PluginError(
            where,
            "is a workbook by its content, of Excel or OpenDocument, but truncated or damaged",
            "Fetch it again, or open it in Excel and save it as .xlsx or as CSV UTF-8",
        )
    return error


def _visible(workbook: CalamineWorkbook) -> list[str]:
    """The names of the sheets that a person sees, in their order."""
    return [
        entry.name
        for entry in workbook.sheets_metadata
        if str(entry.visible).endswith(".Visible") and str(entry.typ).endswith(".WorkSheet")
    ]


def _rows(path: Path, workbook: CalamineWorkbook, name: str) -> list[list[Cell]]:
    if name not in workbook.sheet_names:
        raise PluginError(
            f"{path}: sheet {name!r}", "is not there", nearest(name, workbook.sheet_names)
        )
    try:
        return workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except BaseException as error:
        raise _damaged(f"{path}: sheet {name!r}", error) from None


def _sheet(
    path: Path,
    workbook: CalamineWorkbook,
    columns: tuple[str, ...],
    sheet: str,
    around: Surroundings,
) -> tuple[str, list[list[Cell]], int]:
    """The sheet to read: its name, rows, and the place of its header, from 0.

    Raises:
        PluginError: If none or several have the wanted columns.
    """
    seen = _visible(workbook)
    found = []
    best: tuple[int, str, list[list[Cell]], int] | None = None
    for name in [sheet] if sheet else seen:
        rows = _rows(path, workbook, name)
        header, alike = _header(rows, columns, around.skip_rows)
        if header is None:
            continue
        if alike == len(columns) and set(columns) <= _names(rows[header]):
            found.append((name, rows, header))
        if best is None or alike > best[0]:
            best = (alike, name, rows, header)
    if len(found) > 1:
        raise PluginError(
            str(path),
            f"has {len(found)} sheets with these columns: {', '.join(entry[0] for entry in found)}",
            "Name the one to read by `sheet` in the mapping",
        )
    if found:
        return found[0]
    if best is None:
        raise PluginError(
            str(path), "has no sheet with a row that could name the columns", "Export it again"
        )
    return best[1:]


def _names(row: Sequence[Cell]) -> set[str]:
    return {cell_text(cell).strip(AROUND_NAMES) for cell in row}


def _header(
    rows: Sequence[Sequence[Cell]], columns: tuple[str, ...], skip_rows: int | None
) -> tuple[int | None, int]:
    """The place of the header, from 0, and how many of the wanted names it has or nearly has."""
    if skip_rows is not None:
        if skip_rows >= len(rows):
            return None, 0
        return skip_rows, len(named_alike(columns, _names(rows[skip_rows])))
    best, alike = None, -1
    for place in range(min(len(rows), LINES_SEARCHED)):
        names = _names(rows[place])
        if set(columns) <= names:
            return place, len(columns)
        number = len(named_alike(columns, names))
        if number > alike and any(names):
            best, alike = place, number
    return best, alike


def _check_merged(
    where: str, sheet: CalamineSheet, header: int, places: Sequence[int], columns: Sequence[str]
) -> None:
    """Refuses merged cells below the header: only the first of them holds the value."""
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        for place, column in zip(places, columns, strict=True):
            if bottom > max(top, header) and left <= place <= right:
                raise PluginError(
                    f"{where}, rows {top + 1} to {bottom + 1}",
                    f"has merged cells in column {column!r}: all rows but the first would be blank",
                    "Unmerge the cells, and fill each row",
                )


@dataclass(frozen=True, slots=True)
class _Part:
    """Some rows of a sheet.

    Attributes:
        rows: All rows of the sheet.
        begin: The first of these rows, from 0.
        end: The one behind the last.
        places: Places of the wanted columns.
        columns: Their names.
    """

    rows: Sequence[Sequence[Cell]]
    begin: int
    end: int
    places: Sequence[int]
    columns: Sequence[str]

    def batches(
        self,
        judge: NotRecords,
        comment: str,
        unusable: dict[tuple[int, int], str],
        leave_out: Callable[[str, int], None],
    ) -> Iterator[Batch]:
        """Yields the records, with one type for each column of a batch."""
        left: Counter[str] = Counter()
        wanted: dict[int, list[Cell]] = {}
        for at in range(self.begin, self.end):
            row = self.rows[at]
            reason = _reason(row, judge, comment)
            if reason:
                left[reason] += 1
            else:
                wanted[at] = [
                    unusable.get((at, place), row[place] if place < len(row) else "")
                    for place in self.places
                ]
        for reason, number in left.items():
            if reason != EMPTY:
                leave_out(reason, number)
        usual = [_usual(cells) for cells in zip(*wanted.values(), strict=True)]
        alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for at, cells in wanted.items():
            pairs = zip(map(_kind, cells), usual, strict=True)
            alike[tuple(most if kind == _BLANK else kind for kind, most in pairs)].append(at)
        for kinds, places in alike.items():
            held = zip(*(wanted[at] for at in places), strict=True)
            frame = pl.DataFrame([
                _column(name, kind, cells)
                for name, kind, cells in zip(self.columns, kinds, held, strict=True)
            ])  # fmt: skip
            numbers = np.array(places, dtype=np.int64) + 1
            digest = digests.of_cells([self.rows[at] for at in places])
            yield Batch(frame, int(numbers[0]), numbers, digest)


def _reason(row: Sequence[Cell], judge: NotRecords, comment: str) -> str:
    """Why a row is no record; empty if it may be one."""
    texts = [cell_text(cell) for cell in row]
    if comment and texts and texts[0].startswith(comment):
        return COMMENT
    return judge.reason(texts)


def _kind(cell: Cell) -> str:
    if isinstance(cell, str):
        return _TEXT if cell.strip() else _BLANK
    if isinstance(cell, bool):
        return _TRUTH
    if isinstance(cell, int | float):
        return _NUMBER
    return _DATE if isinstance(cell, datetime.date) else _TEXT


def _usual(cells: Sequence[Cell]) -> str:
    """The kind of most cells that are not blank; text if all are."""
    kinds = Counter(map(_kind, cells))
    del kinds[_BLANK]
    return kinds.most_common(1)[0][0] if kinds else _TEXT


def _column(name: str, kind: str, cells: Sequence[Cell]) -> pl.Series:
    """A column of cells of one kind: null where a cell is blank."""
    held = [None if _kind(cell) == _BLANK else cell for cell in cells]
    if kind == _TRUTH:
        return pl.Series(name, held, pl.Boolean)
    if kind == _NUMBER:
        numbers = [float(cell) if isinstance(cell, int | float) else None for cell in held]
        known = [number for number in numbers if number is not None]
        whole = all(number.is_integer() and abs(number) < _EXACT for number in known)
        column = pl.Series(name, numbers, pl.Float64)
        return column.cast(pl.Int64) if whole else column
    if kind == _DATE:
        return pl.Series(name, [_moment(cell) for cell in held], pl.Datetime("us"))
    return pl.Series(name, [None if cell is None else cell_text(cell) for cell in held], pl.String)


def _moment(cell: Cell | None) -> datetime.datetime | None:
    if cell is None or isinstance(cell, datetime.datetime):
        return cell
    assert isinstance(cell, datetime.date)
    return datetime.datetime(cell.year, cell.month, cell.day)


def cell_text(cell: Cell) -> str:
    """A cell as a text: whole numbers without a decimal point."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    return str(cell)
