"""Workbooks: cells keep their types, and what is no value is never read as one."""

import datetime
import zipfile

import polars as pl
import pytest

from folkmoot_plugin_extracts import not_records, workbook
from folkmoot_plugin_extracts.not_records import Surroundings
from folkmoot_plugin_extracts.workbook import read_workbook
from folkmoot_sdk import PluginError
from tests.unit.extracts.workbooks import (
    ERROR,
    FORMULA,
    TRUE,
    UNSAVED_FORMULA,
    Raw,
    day,
    write_xlsx,
)

HEADER = ["UPRN", "Owed", "Rooms", "Tenure", "Since", "Benefit"]
TEXTS = ["7", "12.50", "3", "2", "01/02/2026", "Y"]


def read(path, *columns, sheet="", **around):
    left = {}
    batches = list(read_workbook(path, columns, sheet, Surroundings(**around), left.__setitem__))
    return batches, left


@pytest.mark.parametrize("name", ["accounts.xlsx", "accounts.csv", "Accounts.XLSX"])
def test_typed_cells_are_read_as_a_csv_file_is(folder, name):
    write_xlsx(
        folder.path / name,
        {"Sheet1": [HEADER, [100012345678.0, 12.5, 3, 1, day(46054), "Y"], TEXTS, [8, None, 4.0]]},
    )
    frame = folder.read().sort("uprn")
    assert frame.rows() == [
        (7, 12.5, 3, "rent", datetime.date(2026, 2, 1), True),
        (8, None, 4, None, None, None),
        (100012345678, 12.5, 3, "own", datetime.date(2026, 2, 1), True),
    ]
    assert folder.rejected == []
    assert sorted(folder.rows()) == [2, 3, 4]


def test_each_column_of_a_batch_has_one_type(tmp_path):
    path = tmp_path / "x.xlsx"
    rows = [["a", "b"], [1, day(46054)], [2.5, "soon"], [None, day(46055)], ["x", None]]
    write_xlsx(path, {"S": rows})
    batches, _ = read(path, "a", "b")
    assert [batch.numbers().tolist() for batch in batches] == [[2, 4], [3], [5]]
    assert [batch.frame.dtypes for batch in batches] == [
        [pl.Int64, pl.Datetime("us")], [pl.Float64, pl.String], [pl.String, pl.Datetime("us")],
    ]  # fmt: skip


def test_booleans_and_saved_results(tmp_path):
    path = tmp_path / "x.xlsx"
    write_xlsx(path, {"S": [["a", "b"], [TRUE, FORMULA]]})
    (batch,), _ = read(path, "a", "b")
    assert batch.frame.rows() == [(True, 2)]


@pytest.mark.parametrize("cell", [ERROR, UNSAVED_FORMULA])
def test_what_is_no_value_is_rejected_by_row_and_column(folder, cell):
    write_xlsx(folder.path / "accounts.xlsx", {"S": [HEADER, TEXTS, ["8", cell, *TEXTS[2:]]]})
    folder.read()
    (rejection,) = folder.rejected
    assert (rejection.row, rejection.field) == (3, "Owed")
    assert "error" in rejection.reason or "formula" in rejection.reason


def test_a_title_and_a_total_are_left_out(tmp_path):
    path = tmp_path / "x.xlsx"
    rows = [["Arrears"], [], ["UPRN", "Owed"], [7, 2], [None, None], ["UPRN", "Owed"], [8, 3],
            ["Total", 5], ["Report run 01/04/2026"]]  # fmt: skip
    write_xlsx(path, {"S": rows})
    batches, left = read(path, "UPRN", "Owed", keys=("UPRN",))
    assert [batch.frame.rows() for batch in batches] == [[(7, 2), (8, 3)]]
    assert batches[0].numbers().tolist() == [4, 7]
    assert left == {
        not_records.ABOVE: 1, not_records.HEADER: 1, not_records.TOTAL: 1, not_records.NOTE: 1,
    }  # fmt: skip
    assert read(path, "UPRN", skip_rows=2)[0][0].first_row == 4
    with pytest.raises(PluginError, match="row 2: has no column 'UPRN'"):
        read(path, "UPRN", skip_rows=1)


def test_the_sheet_is_the_one_with_the_columns(tmp_path):
    path = tmp_path / "x.xlsx"
    sheets = {"Notes": [["Read me"]], "Old": [["a"], [1]], "Now": [["a", "b"], [2, 3]], "Void": []}
    write_xlsx(path, sheets)
    assert read(path, "b")[0][0].frame.rows() == [(3,)]
    with pytest.raises(PluginError, match=r"2 sheets with these columns: Old, Now") as caught:
        read(path, "a")
    assert "`sheet`" in caught.value.remedy
    assert read(path, "a", sheet="Old")[0][0].frame.rows() == [(1,)]
    with pytest.raises(PluginError, match="Did you mean 'Old'"):
        read(path, "a", sheet="old")
    with pytest.raises(
        PluginError, match=r"sheet 'Now', row 1: has no column 'B'.*Did you mean 'b'"
    ):
        read(path, "a", "B")
    write_xlsx(path, sheets, hidden=("Old",))
    assert read(path, "a")[0][0].frame.rows() == [(2,)]


def test_merged_cells_below_the_header_are_refused(tmp_path):
    path = tmp_path / "x.xlsx"
    rows = [["Title"], ["a", "b"], [1, 2], [None, 3]]
    merged = '<mergeCells count="2"><mergeCell ref="A1:B1"/><mergeCell ref="A3:A4"/></mergeCells>'
    write_xlsx(path, {"S": rows}, merged=merged)
    with pytest.raises(PluginError, match=r"rows 3 to 4: has merged cells in column 'a'"):
        read(path, "a")
    assert read(path, "b")[0][0].frame.rows() == [(2,), (3,)]


def test_workbooks_that_cannot_be_read(tmp_path, folder, monkeypatch):
    path = folder.path / "accounts.xlsx"
    write_xlsx(path, {"S": [HEADER, TEXTS]})
    whole = path.read_bytes()
    for content, problem in [
        (whole[: len(whole) // 2], "truncated or damaged"),
        (b"", "is empty"),
        (b"<html><table></table></html>", "is a web page"),
        (b"%PDF-1.7", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "truncated or damaged"),
    ]:
        path.write_bytes(content)
        with pytest.raises(PluginError, match=problem):
            folder.read()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("accounts.csv", "UPRN,Owed\n1,2\n")
    with pytest.raises(PluginError, match="is a zip archive"):
        folder.read()
    path.write_bytes(whole)
    monkeypatch.setattr(workbook, "MAXIMUM_BYTES", 100)
    with pytest.raises(PluginError, match=r"unpacks to .* MiB, more than"):
        folder.read()


ODS = "application/vnd.oasis.opendocument.spreadsheet"
OPEN = "urn:oasis:names:tc:opendocument:xmlns"


def test_an_opendocument_sheet_is_read(folder):
    def cell(kind, attribute, value):
        return (
            f'<table:table-cell office:value-type="{kind}" office:{attribute}="{value}">'
            f"<text:p>{value}</text:p></table:table-cell>"
        )

    rows = [
        [cell("string", "string-value", name) for name in ("UPRN", "Owed", "Since", "Benefit")],
        [cell("float", "value", "100012345678"), cell("float", "value", "2.5"),
         cell("date", "date-value", "2026-02-01"), cell("string", "string-value", "Y")],
    ]  # fmt: skip
    table = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{OPEN}:office:1.0" '
        f'xmlns:table="{OPEN}:table:1.0" xmlns:text="{OPEN}:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="S">{table}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(folder.path / "accounts.ods", "w") as archive:
        archive.writestr("mimetype", ODS)
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{OPEN}:manifest:1.0"><manifest:file-entry '
            f'manifest:full-path="/" manifest:media-type="{ODS}"/></manifest:manifest>',
        )
    frame = folder.read("owed", "since", "benefit")
    assert frame.rows() == [(100012345678, 2.5, datetime.date(2026, 2, 1), True)]
    assert folder.rejected == []


def test_text_named_like_a_workbook_is_read_as_text(folder):
    folder.csv(",".join(TEXTS), name="accounts.xls")
    assert folder.read()["uprn"].to_list() == [7]


def test_a_column_of_blanks_is_unknown(tmp_path):
    path = tmp_path / "x.xlsx"
    write_xlsx(path, {"S": [["a", "b"], [1, None], [2, "  "]]})
    (batch,), _ = read(path, "a", "b")
    assert batch.frame["b"].to_list() == [None, None]


def test_long_sheets_come_in_pieces(tmp_path):
    path = tmp_path / "x.xlsx"
    write_xlsx(path, {"S": [["a"], *([at] for at in range(25))]})
    batches = list(read_workbook(path, ("a",), "", Surroundings(), lambda *_: None, batch_rows=10))
    assert [batch.frame.height for batch in batches] == [10, 10, 5]
    assert [batch.first_row for batch in batches] == [2, 12, 22]


def test_large_numbers_keep_their_digits(tmp_path):
    path = tmp_path / "x.xlsx"
    write_xlsx(path, {"S": [["a"], [100012345678], [Raw('<c r="{at}"><v>1.00010002E+11</v></c>')]]})
    (batch,), _ = read(path, "a")
    assert batch.frame["a"].to_list() == [100012345678, 100010002000]
