"""The source as a node uses it: wanted columns, whole records, several files."""

import datetime

import polars as pl
import pytest

from folkmoot_plugin_extracts.source import ExtractsSource
from folkmoot_sdk import PluginError, ReadContext
from folkmoot_sdk.conformance import check_source
from tests.unit.extracts.conftest import HEADER

SOUND = "100012345678,12.50,3,1,01/02/2026,Y"
OTHER = "100012345679,12.50,3,1,01/02/2026,Y"


def test_reads_every_type(folder):
    folder.csv(SOUND, "7,NULL,-9,2,,N", ",0,0,,31/12/1999,")
    frame = folder.read()
    assert frame.rows() == [
        (100012345678, 12.5, 3, "own", datetime.date(2026, 2, 1), True),
        (7, None, None, "rent", None, False),
        (None, 0.0, 0, None, datetime.date(1999, 12, 31), None),
    ]
    assert frame.columns == ["uprn", "owed", "rooms", "tenure", "since", "benefit"]
    assert frame.dtypes == [
        pl.Int64, pl.Float64, pl.Int64, pl.Enum(["own", "rent"]), pl.Date, pl.Boolean,
    ]  # fmt: skip
    assert folder.rejected == []
    assert folder.rows() == [2, 3, 4]


@pytest.mark.parametrize(
    ("row", "field", "reason", "value"),
    [
        ("12A,1,1,1,01/02/2026,Y", "UPRN", "12A is not a UPRN", "12A"),
        ("1234567890123,1,1,1,,Y", "UPRN", "not a UPRN (1 to 12 digits)", "1234567890123"),
        ("1,-0.01,1,1,,Y", "Owed", "-0.01 is below the smallest valid value, 0", "-0.01"),
        ("1,12.5.0,1,1,,Y", "Owed", "is not a number", "12.5.0"),
        ("1,inf,1,1,,Y", "Owed", "is not a finite number", "inf"),
        ("1,1,99999999999999999999,1,,Y", "Rooms", "too large", "99999999999999999999"),
        ("1,1,1.5,1,,Y", "Rooms", "is not a whole number", "1.5"),
        ("1,1,1,3,,Y", "Tenure", "3 is not in the code list ('1', '2')", "3"),
        ("1,1,1,1,31/02/2026,Y", "Since", "31/02/2026 is not a date (DD/MM/YYYY", "31/02/2026"),
        ("1,1,1,1,,maybe", "Benefit", "maybe is neither 'Y' (true) nor 'N' (false)", "maybe"),
    ],
)
def test_a_malformed_value_costs_its_record_nothing_else(folder, row, field, reason, value):
    folder.csv(SOUND, row, OTHER)
    frame = folder.read()
    column = field.lower()
    assert frame[column][1] is None
    assert frame.drop(column, "since")[1].null_count().sum_horizontal().item() == 0
    assert folder.unread() == [(3, column)]
    (rejection,) = folder.rejected
    assert (rejection.file, rejection.row) == ("accounts.csv", 3)
    assert (rejection.field, rejection.value) == (field, value)
    assert reason in rejection.reason
    assert folder.rows() == [2, 3, 4]


def test_every_malformed_value_of_a_record_is_listed(folder):
    folder.csv("x,-1,y,9,1,?", SOUND, "x,1,1,1,,Y")
    assert folder.read().height == 3
    assert [(entry.row, entry.field) for entry in folder.rejected] == [
        (2, "UPRN"), (2, "Owed"), (2, "Rooms"), (2, "Tenure"), (2, "Since"), (2, "Benefit"),
        (4, "UPRN"),
    ]  # fmt: skip
    assert folder.unread() == [(entry.row, entry.field.lower()) for entry in folder.rejected]


def test_what_is_not_wanted_is_neither_read_nor_checked(folder):
    folder.csv("1,2,x,9,1,?", header="UPRN,Owed,Rooms,Tenure,Since,Benefit")
    assert folder.read("owed").rows() == [(1, 2.0)]
    assert folder.rejected == []
    folder.csv("1,2", header="UPRN,Owed")
    assert folder.read("owed").rows() == [(1, 2.0)]
    with pytest.raises(PluginError, match="has no column 'Rooms'"):
        folder.read("owed", "rooms")


def test_nothing_wanted_gives_the_keys_alone(folder):
    folder.csv(SOUND)
    source = folder.source()
    (batch,) = source.read(ReadContext((), datetime.date(2026, 11, 1), print))
    assert batch.data.columns == ["uprn"]


@pytest.mark.parametrize("person", ["", 'person = "Ref"\n', 'person = "Gone"\n'])
def test_a_reference_of_people_may_be_named_and_is_not_read(tmp_path, person):
    mapping = tmp_path / "people.toml"
    mapping.write_text(
        'schema = 1\nname = "people"\nlevel = "person"\nfiles = ["people.csv"]\n'
        f'uprn = "UPRN"\n{person}[fields.carer]\ncolumn = "Carer"\ntype = "boolean"\n'
        'true = ["Y"]\nfalse = ["N"]\ncombine = "any"\ncategory = "social_care"\n'
    )
    (tmp_path / "people.csv").write_text("UPRN,Ref,Carer\n1,A7,Y\n")
    options = ExtractsSource.Options(mapping=mapping, folder=tmp_path, base=tmp_path)
    context = ReadContext(("carer",), datetime.date(2026, 11, 1), print)
    (batch,) = ExtractsSource(options).read(context)
    assert batch.data.rows(named=True) == [{"uprn": 1, "carer": True}]


def test_row_numbers_count_quoted_line_breaks_and_what_was_rejected(folder):
    folder.csv('"1","1","1","1",,"Y"', '2,1,1,1,"\n",Y', "3,bad,1,1,,Y", SOUND)
    folder.read()
    assert [entry.row for entry in folder.rejected] == [5]
    assert folder.rows() == [2, 3, 5, 6]


def test_several_files_are_one_data_set_in_order_of_their_names(folder):
    folder.csv("2,2,1,1,,Y", name="accounts_b.csv")
    folder.csv("1,1,1,1,,Y", "x,1,1,1,,Y", name="accounts_a.csv")
    pl.DataFrame({"UPRN": [3], "Owed": [3]}).write_parquet(folder.path / "accounts_c.parquet")
    assert folder.read("owed").rows() == [(1, 1.0), (None, 1.0), (2, 2.0), (3, 3.0)]
    assert [batch.origin for batch in folder.batches] == [
        "accounts_a.csv", "accounts_b.csv", "accounts_c.parquet",
    ]  # fmt: skip
    assert [entry.file for entry in folder.rejected] == ["accounts_a.csv"]


def test_a_file_that_two_patterns_match_is_read_once(folder):
    folder.accounts()
    text = (folder.path / "mapping.toml").read_text()
    folder.mapping(text.replace('["accounts*"]', '["accounts*", "*.csv"]'))
    folder.csv(SOUND)
    assert folder.read().height == 1


def test_where_keeps_the_rows_named_and_their_row_numbers(folder):
    folder.accounts(top='[[where]]\ncolumn = "Kind"\nin = ["DOM", 7]\n')
    header = "UPRN,Owed,Kind"
    folder.csv("1,1,DOM", "2,bad,COM", "3,3, 7", "4,bad,DOM", "5,5,", header=header)
    assert folder.read("owed").rows() == [(1, 1.0), (3, 3.0), (4, None)]
    assert folder.unread() == [(5, "owed")]
    assert [entry.row for entry in folder.rejected] == [5]
    assert folder.rows() == [2, 4, 5]
    assert folder.left_out == {"the mapping reads other values of Kind": 2}


def test_all_conditions_must_be_met(folder):
    folder.accounts(
        top='[[where]]\ncolumn = "K"\nin = ["a"]\n[[where]]\ncolumn = "L"\nin = ["b", "c"]\n'
    )
    folder.csv("1,1,a,b", "2,2,a,x", "3,3,x,b", "4,4,a,c", header="UPRN,Owed,K,L")
    assert folder.read("owed")["uprn"].to_list() == [1, 4]
    assert folder.rows() == [2, 5]


PEOPLE = """
schema = 1
name = "people"
level = "person"
files = ["people.csv"]
uprn = "UPRN"
person = "Ref"
record_date = { column = "Seen", format = "%Y-%m-%d" }
[fields.people]
column = "Ref"
type = "integer"
combine = "count_distinct"
category = "demography"
[fields.oldest_age]
column = "Born"
type = "integer"
transform = "age"
format = "%d/%m/%Y"
combine = "max"
category = "demography"
maximum = 120
[fields.youngest_age]
column = "Born"
type = "integer"
transform = "age"
format = "%d/%m/%Y"
combine = "min"
category = "demography"
maximum = 120
[fields.days_known]
column = "Seen"
type = "integer"
transform = "days_since"
combine = "max"
category = "demography"
minimum = 0
[fields.age_band]
column = "Band"
type = "integer"
values = { "7" = 65, "8" = 75 }
combine = "max"
category = "demography"
"""


def test_people_ages_and_durations(folder):
    folder.mapping(PEOPLE)
    folder.csv(
        "1,A,01/04/1950,2026-03-31,7",
        "1,B,02/04/1950,2026-04-02,8",
        "1,A,02/04/2026,2026-04-01,",
        "2,,,,9",
        "2,C,,,",
        name="people.csv",
        header="UPRN,Ref,Born,Seen,Band",
    )
    frame = folder.read()
    assert frame.columns == [
        "uprn", "record_date", "people", "oldest_age", "youngest_age", "days_known",
        "age_band",
    ]  # fmt: skip
    assert frame.drop("people").rows() == [
        (1, datetime.date(2026, 3, 31), 76, 76, 1, 65),
        (1, datetime.date(2026, 4, 2), 75, 75, None, 75),
        (1, datetime.date(2026, 4, 1), None, None, 0, None),
        (2, None, None, None, None, None),
        (2, None, None, None, None, None),
    ]
    assert frame["people"].dtype == pl.Int64
    assert folder.unread() == [
        (3, "days_known"), (4, "oldest_age"), (4, "youngest_age"), (5, "age_band"),
    ]  # fmt: skip
    assert [(entry.row, entry.field, entry.value) for entry in folder.rejected] == [
        (3, "Seen", "2026-04-02"),
        (4, "Born", "02/04/2026"),
        (5, "Band", "9"),
    ]
    assert "gives -1, which is below" in folder.rejected[0].reason


def test_the_reference_date_is_the_run_s(folder):
    folder.mapping(PEOPLE)
    folder.csv("1,A,01/04/1950,2026-03-31,", name="people.csv", header="UPRN,Ref,Born,Seen,Band")
    later = folder.read("oldest_age", reference_date=datetime.date(2027, 3, 31))
    assert later["oldest_age"].to_list() == [76]


def test_an_area_data_set(folder):
    folder.mapping("""
        schema = 1
        name = "deprivation"
        level = "area"
        files = ["imd.csv"]
        area = "LSOA"
        [fields.imd_decile]
        column = "Decile"
        type = "integer"
        combine = "first"
        category = "geography"
        minimum = 1
        maximum = 10
    """)
    rows = ["E01000001,1", "E0100000,2", ",3"]
    folder.csv(*rows, name="imd.csv", header="LSOA,Decile")
    assert folder.read().rows() == [("E01000001", 1), (None, 2), (None, 3)]
    assert folder.unread() == [(3, "area")]
    assert [entry.field for entry in folder.rejected] == ["LSOA"]


def test_words_of_a_supplier(folder):
    folder.accounts(
        fields='[fields.shield]\ncolumn = "S"\ntype = "boolean"\ntrue = ["Shielded"]\n'
        'false = ["", "No"]\ncombine = "any"\ncategory = "health"\n'
        '[fields.usual]\ncolumn = "U"\ntype = "boolean"\ncombine = "any"\ncategory = "health"\n'
    )
    rows = ["1,Shielded,yes", "2,,FALSE", "3,NULL,1", '4,"",']
    folder.csv(*rows, header="UPRN,S,U")
    assert folder.read("shield", "usual").rows() == [
        (1, True, True), (2, False, False), (3, None, True), (4, False, None),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
def test_suppliers_encodings(folder, encoding):
    folder.accounts(
        top=f'encoding = "{encoding}"',
        fields='[fields.pounds]\ncolumn = "Arrears £"\ntype = "number"\ncombine = "sum"\n'
        'category = "finance"\n',
    )
    folder.csv("1,2.5,café", header="UPRN,Arrears £,Nom", encoding=encoding)
    assert folder.read("pounds").rows() == [(1, 2.5)]


@pytest.mark.parametrize(
    ("files", "problem", "remedy"),
    [
        ('["council*.csv"]', "matches no file", "Put the extract there"),
        ('["accounts*", "extra*.csv"]', "matches no file", "correct `files`"),
        ('["/etc/*"]', "not a pattern relative to the folder", "Write it"),
        ('["mapping.toml"]', "neither .csv, .csv.gz, .tsv", "Correct `files`"),
    ],
)
def test_files_that_are_not_there(folder, files, problem, remedy):
    folder.csv(SOUND)
    text = (folder.path / "mapping.toml").read_text()
    folder.mapping(text.replace('["accounts*"]', files))
    with pytest.raises(PluginError) as caught:
        folder.read()
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


def test_a_file_without_a_record_stops_unless_the_mapping_allows_it(folder):
    folder.csv(SOUND, name="accounts_a.csv")
    folder.csv(name="accounts_b.csv")
    with pytest.raises(PluginError, match=r"accounts_b\.csv: names the columns of accounts, and"):
        folder.read()
    folder.accounts(top="allow_empty = true")
    assert folder.read().height == 1
    folder.accounts()
    folder.csv("1,2", name="accounts_b.csv")
    assert folder.read().height == 2  # of the broken row the UPRN alone
    assert len(folder.rejected) == 1
    (folder.path / "accounts_a.csv").unlink()
    folder.csv(name="accounts_b.csv")
    assert list(folder.source().read(ReadContext((), datetime.date(2026, 11, 1), print))) == []


def test_the_newest_extract_is_read_and_the_others_are_named(folder):
    folder.csv(SOUND, name="accounts_2026-09.csv")
    folder.csv("7,1,1,1,,Y", "8,1,1,1,,Y", name="accounts_2026-10.csv")
    assert folder.read().height == 2
    assert folder.notes == [
        "accounts_2026-09.csv is not read: accounts_2026-10.csv is a newer extract"
    ]
    folder.accounts(top='extracts = "all"')
    assert folder.read().height == 3
    assert folder.notes == []


@pytest.mark.parametrize(("ending", "delimiter"), [("txt", "|"), ("tsv", "\t"), ("TAB", "\t")])
def test_other_endings_of_text(folder, ending, delimiter):
    folder.accounts(top=f"delimiter = '{delimiter}'")
    cells = SOUND.replace(",", delimiter)
    folder.csv(
        cells,
        name=f"accounts.{ending}",
        header="UPRN,Owed,Rooms,Tenure,Since,Benefit".replace(",", delimiter),
    )
    assert folder.read()["uprn"].to_list() == [100012345678]


def test_the_delimiter_of_a_file_that_is_named_after_it_need_not_be_set(folder):
    for ending in ("tsv", "TAB"):
        cells = SOUND.replace("100012345678", str(ord(ending[1]))).replace(",", "\t")
        folder.csv(cells, name=f"accounts_{ending}.{ending}", header=HEADER.replace(",", "\t"))
    assert folder.read().height == 2


def test_a_missing_folder_is_named(folder):
    options = ExtractsSource.Options(
        mapping=folder.path / "mapping.toml", folder=folder.path / "none", base=folder.path
    )
    context = ReadContext((), datetime.date(2026, 11, 1), print)
    with pytest.raises(PluginError, match="is not a folder"):
        list(ExtractsSource(options).read(context))


def test_the_schema_reads_no_file(folder):
    assert folder.source().schema["owed"].minimum == 0


def test_conforms(folder):
    folder.csv(SOUND, "x,1,1,1,,Y")
    check_source(
        ExtractsSource, {"mapping": "mapping.toml", "folder": ".", "base": str(folder.path)}
    )
    folder.mapping(PEOPLE)
    folder.csv("1,A,01/04/1950,2026-03-31,7", name="people.csv", header="UPRN,Ref,Born,Seen,Band")
    check_source(
        ExtractsSource, {"mapping": "mapping.toml", "folder": ".", "base": str(folder.path)}
    )


@pytest.mark.parametrize(
    ("row", "uprn"),
    [
        ("100010000012,2,645.68,3", 100010000012),  # an amount with a comma that is not quoted
        ("100010000012,5", 100010000012),
        ("x,100010000012,5,3", 100010000012),
        ("x,y,5,3", None),
    ],
)
def test_a_row_with_a_wrong_number_of_fields_keeps_its_home(folder, row, uprn):
    header = "UPRN,Owed,Rooms"
    folder.csv("100010000011,5,2", row, "100010000013,7,1", header=header)
    records = folder.read("owed", "rooms").sort("uprn")
    found = {100010000011, 100010000013} | ({uprn} if uprn else set())
    assert set(records["uprn"]) == found
    assert [entry.row for entry in folder.rejected] == [3]
    if uprn:
        assert folder.unread() == [(3, "owed"), (3, "rooms")]


def test_the_uprn_of_such_a_row_may_stand_behind_the_amount(folder):
    text = (folder.path / "mapping.toml").read_text()
    folder.mapping(text)
    folder.csv("2,645.68,3,100010000012", "5,2,100010000011", header="Owed,Rooms,UPRN")
    assert set(folder.read("owed", "rooms")["uprn"]) == {100010000011, 100010000012}
