"""A draft says how an extract is written, asks about the rest, and quotes nobody."""

import datetime
import random
import re
import tomllib

import polars as pl
import pytest

from folkmoot_plugin_extracts.drafting import draft
from folkmoot_plugin_extracts.guesses import Holds, guess
from folkmoot_plugin_extracts.mapping import FileMapping, load
from folkmoot_plugin_extracts.source import ExtractsSource
from folkmoot_sdk import FieldType, PluginError
from tests.unit.extracts.workbooks import day, write_xlsx

HEADER = ["Account Ref", "UPRN", "Address 1", "Postcode", "Surname", "DOB", "Arrears", "Support",
          "Discount Type", "Liable From", "LSOA", "Notes"]  # fmt: skip


def rows(number=60):
    chance = random.Random(7)
    kinds = ["SPD", "DIS", "EXM"]
    return [
        [
            f"C{at:06d}", str(100010000000 + at), f"{at} High Street", f"M1 {at % 9}AB",
            f"Resident{at}", f"{at % 28 + 1:02d}/{at % 12 + 1:02d}/{1930 + at}",
            f"{at * 1.25:.2f}", "YN"[at % 2], kinds[at % 3] if at else "RARE",
            f"2024-{at % 12 + 1:02d}-01", f"E0100615{at % 5}", f"free words {chance.random()}",
        ]
        for at in range(number)
    ]  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def written(name="council_tax_2026-10.csv", delimiter=",", encoding="utf-8", title=(), end=()):
        lines = [*title, delimiter.join(HEADER), *(delimiter.join(row) for row in rows()), *end]
        path = tmp_path / name
        path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
        return path

    return written


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_draft_loads_and_reads_the_file_it_was_made_from(tmp_path, write, delimiter, encoding):
    path = write(delimiter=delimiter, encoding=encoding)
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(draft(path), encoding="utf-8")
    schema = load(mapping, FileMapping).declaration()
    assert {field.name: field.type for field in schema.fields} == {
        "arrears": FieldType.NUMBER, "support": FieldType.BOOLEAN,
        "discount_type": FieldType.CATEGORY, "liable_from": FieldType.DATE,
        "lsoa": FieldType.AREA, "oldest_age": FieldType.INTEGER,
    }  # fmt: skip
    assert schema.name == "council_tax"
    assert [entry.value for entry in schema.identifiers] == [
        "address", "postcode", "surname", "date_of_birth",
    ]  # fmt: skip


def test_the_source_reads_by_its_draft(folder, write):
    write(title=["Council tax,,,,,,,,,,,"], end=["Total,,,,,,99.00,,,,,", "Report run 01/10/2026"])
    folder.mapping(ExtractsSource.draft(folder.path / "council_tax_2026-10.csv"))
    assert folder.read("arrears", "support", "liable_from", "lsoa").height == 60
    assert folder.rejected == []
    assert sum(folder.left_out.values()) == 3


def test_no_value_of_a_resident_is_quoted(write):
    text = draft(write())
    for row in rows():
        for value in (*row[:7], row[9], row[11]):
            assert value not in re.sub(r"council_tax_2026-10", "", text), value
    assert '"SPD" = "spd"' in text
    assert "RARE" not in text
    assert 'other = "unknown"                 # QUESTION: 1 seldom texts are not' in text


def test_what_is_missing_is_asked(write, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(
        "Ref,Colour\n" + "".join(f"R{at},{['red', 'blue'][at % 2]}\n" for at in range(30))
    )
    text = draft(path)
    assert '# uprn = ""' in text
    assert "QUESTION: which column holds the UPRN?" in text
    assert 'record_id = "Ref"' in text
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(text)
    with pytest.raises(PluginError, match="`uprn` does not name its column"):
        load(mapping, FileMapping)
    mapping.write_text(text.replace('# uprn = ""', 'uprn = "Ref"'))
    load(mapping, FileMapping)


def test_a_workbook_and_a_parquet_file(folder):
    cells = [
        ["UPRN", "Owed", "Since"],
        *([100010000000 + at, at / 4, day(45000 + at)] for at in range(20)),
    ]
    write_xlsx(folder.path / "rents.xlsx", {"Cover": [], "Data": [["Rents"], *cells]})
    pl.DataFrame({"UPRN": [100010000001, 100010000002], "Owed": [1.5, 2.25]}).write_parquet(
        folder.path / "rents.parquet"
    )
    for name, fields in [("rents.xlsx", ["owed", "since"]), ("rents.parquet", ["owed"])]:
        text = draft(folder.path / name)
        folder.mapping(text)
        assert list(tomllib.loads(text)["fields"]) == fields
        frame = folder.read()
        assert frame["uprn"].min() > 100010000000 - 1
        assert folder.rejected == []


def test_amounts_and_dates_as_they_are_written(folder):
    folder.csv(
        *(f'10001000000{at},"£1,23{at}.50",0{at + 1}/02/26' for at in range(8)),
        "100010000008,(12.00),2026-02-09", "100010000009,3.00CR,10/02/26",
        header="UPRN,Arrears,Since", name="tax.csv",
    )  # fmt: skip
    folder.mapping(draft(folder.path / "tax.csv"))
    frame = folder.read()
    assert folder.rejected == []
    assert frame["arrears"].to_list()[-3:] == [1237.5, -12.0, -3.0]
    assert frame["since"].to_list()[-2:] == [datetime.date(2026, 2, 9), datetime.date(2026, 2, 10)]


def test_a_file_without_names_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("100010000001,2.50,Y\n100010000002,2.50,N\n")
    with pytest.raises(PluginError, match="has no line that could name columns"):
        draft(path)
    path.write_text("")
    with pytest.raises(PluginError, match="is empty"):
        draft(path)


@pytest.mark.parametrize(
    ("name", "values", "holds", "more"),
    [
        ("Ref No", ["100012345678"] * 3 + ["200012345678"], Holds.UPRN, {}),
        ("UPRN", ["1.00010E+11", "100012345678"], Holds.UPRN, {"unread": 1}),
        ("Amt", ["1,234.50", "0.00", "12"], Holds.NUMBER, {"thousands": True, "whole": False}),
        ("Amt", ["£12", "£3"], Holds.NUMBER, {"currency": True, "whole": True}),
        ("Amt", ["(5.00)", "7.00"], Holds.NUMBER, {"negative": ("brackets",), "negatives": True}),
        ("Amt", ["5.00CR", "7.00-"], Holds.NUMBER, {"negative": ("cr", "trailing")}),
        ("Amt", ["5", "N/A", "*", "7"], Holds.NUMBER, {"nulls": ("*", "N/A")}),
        ("Flag", ["Yes", "No", "YES"], Holds.BOOLEAN, {"true": ("YES", "Yes"), "false": ("No",)}),
        ("Flag", ["Y", None], Holds.BOOLEAN, {"true": ("Y",), "false": ("N",), "filled": 0.5}),
        ("When", ["31/12/2025", "01/01/2026"], Holds.DATE, {"formats": ("%d/%m/%Y",)}),
        ("When", ["01/02/2026", "03/04/2026"], Holds.DATE, {"ambiguous": True}),
        ("When", ["2026-01-31", "01/02/2026", "2026-01-30"], Holds.DATE,
         {"formats": ("%Y-%m-%d", "%d/%m/%Y")}),
        ("When", ["31-Dec-25", "01-Jan-26"], Holds.DATE, {"formats": ("%d-%b-%y",)}),
        ("When", ["20261231", "20260101"], Holds.DATE, {"formats": ("%Y%m%d",)}),
        ("Where", ["E01000001", "E01000002"], Holds.AREA, {}),
        ("PC", ["M1 1AA", "EC1A 1BB"], Holds.IDENTIFIER, {"identifier": "postcode"}),
        ("NHS Number", ["9434765919"], Holds.IDENTIFIER, {"identifier": "nhs_number"}),
        ("Account Ref", ["A1", "A2"], Holds.REFERENCE, {"unique": True}),
        ("Kind", ["a"] * 5 + ["b"] * 4, Holds.CODES, {"codes": ("a",), "seldom": 1}),
        ("Kind", ["a", "b", "c"], Holds.TEXT, {}),
        ("Full name", ["Ann"] * 9, Holds.TEXT, {}),
        ("Void", [None, None], Holds.NOTHING, {}),
    ],
)  # fmt: skip
def test_what_columns_seem_to_hold(name, values, holds, more):
    found = guess(pl.Series(name, values, dtype=pl.String))
    assert found.holds is holds
    assert {key: getattr(found, key) for key in more} == more


def test_headings_and_names_of_files_begin_no_line_of_a_draft(tmp_path):
    evil = '\n[where]\ncolumn = "x"\r\U000e0001'
    heading = ",".join(f'"{name}{evil.replace(chr(34), chr(34) * 2)}"' for name in HEADER)
    path = tmp_path / "council\n[fields.evil]\n#.csv"
    path.write_text("\n".join([heading, *(",".join(row) for row in rows())]), encoding="utf-8")
    said = tomllib.loads(draft(path))
    assert "where" not in said
    assert "evil" not in said["fields"]
    assert said["uprn"] == f"UPRN{evil}"  # it is the column's name all the same
