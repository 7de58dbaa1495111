"""Values as exports write them: amounts, dates, codes, identifiers, people in one row."""

import datetime

import polars as pl
import pytest

from folkmoot_plugin_extracts.amounts import Negative, Writing
from folkmoot_plugin_extracts.cells import read_column
from folkmoot_plugin_extracts.columns import Date, Uprn
from folkmoot_plugin_extracts.numbers import Number
from folkmoot_sdk import Identifier, PluginError
from tests.spoiled_files import read

ALL = tuple(Negative)
TOP = 'schema = 1\nname = "accounts"\nlevel = "household"\nfiles = ["accounts*.csv"]\n'
OWED = '[fields.owed]\ncolumn = "Owed"\ntype = "number"\ncombine = "sum"\ncategory = "finance"\n'


@pytest.fixture
def one(folder):
    """Reads one column by a field's keys, and gives the values and the reasons."""

    def values(texts, keys, top='uprn = "UPRN"\n', header="UPRN,Owed", field=OWED):
        folder.mapping(TOP + top + field + keys)
        rows = [f'{at},"{text}"' for at, text in enumerate(texts, 1)]
        folder.csv(*rows, header=header)
        found = folder.read()
        return found["owed"].to_list(), [entry.reason for entry in folder.rejected]

    return values


@pytest.mark.parametrize(
    ("writing", "texts", "values"),
    [
        (Writing(","), ["2,400.50", "1,234,567", "999", "-1,000.00", "1.2E+03"],
         [2400.5, 1234567, 999, -1000, 1200]),
        (Writing(","), ["1,23", "12,3456", "1,234,56", ",5", "1,,000", "1234,567"], [None] * 6),
        (Writing(".", ","), ["1.234,50", "1.234", "12,5", "0,05"], [1234.5, 1234, 12.5, 0.05]),
        (Writing(".", ","), ["1.23", "1234.50"], [None] * 2),
        (Writing(" "), ["1 234.5"], [1234.5]),
        (Writing(currency="£"), ["£5", "5 £", "-£5.00", "£-5", "£ 5", "5.00"],
         [5, 5, -5, -5, 5, 5]),
        (Writing(currency="£"), ["££5", "£5£", "£", "$5", "5%"], [None] * 5),
        (Writing(",", ".", "£", ALL),
         ["(1,005.00)", "£(5.00)", "(£5.00)", "12.00CR", "12.00 cr", "12.00DR", "£12.00CR", "3-"],
         [-1005, -5, -5, -12, -12, 12, -12, -3]),
        (Writing(negative=ALL), ["(-5)", "-5-", "-5CR", "()", "CR", "-", "(5", "5)"], [None] * 8),
        (Writing(), ["(5.00)", "12.00CR", "3-", "1,000", "£5", "1_000"], [None] * 6),
    ],
)  # fmt: skip
def test_an_amount_is_what_is_written(writing, texts, values):
    parsed = read_column(Number(None, None, False, writing), pl.Series(texts), ())
    assert parsed.values.to_list() == values
    # Whether its neighbours are plain numbers changes nothing.
    for text, value in zip(texts, values, strict=True):
        alone = read_column(Number(None, None, False, writing), pl.Series([text]), ())
        assert alone.values.to_list() == [value]
        assert (alone.malformed is not None) == (value is None)


def test_keys_of_a_field_and_of_the_mapping(one):
    assert one(["2,645.68", "£1,000"], 'thousands = ","\nunit = "GBP"\n')[0] == [2645.68, 1000]
    top = 'uprn = "UPRN"\nthousands = ","\nnegative = ["brackets"]\n'
    assert one(["2,645.68", "(1,000)"], "", top) == ([2645.68, -1000], [])
    values, reasons = one(["2,645.68"], 'thousands = ""\n', top)
    assert values == [None]
    assert 'set thousands = ","' in reasons[0]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("2,400.50", 'thousands = ","'),
        ("(5.00)", 'negative = ["brackets"]'),
        ("12.00 CR", 'negative = ["cr"]'),
        ("12.00-", 'negative = ["trailing"]'),
        ("12,5", 'decimal = ","'),
        ("$12", 'currency = "$"'),
        ("1_000", "1_000 is not a number"),
        ("1\u200b0", "an invisible character (U+200B)"),
    ],
)
def test_what_cannot_be_read_says_what_to_set(one, text, advice):
    values, (reason,) = one([text], "")
    assert values == [None]
    assert advice in reason


def test_pence_and_turned_signs(one):
    assert one(["123456", "110", "-5"], "scale = 0.01\n")[0] == [1234.56, 1.1, -0.05]
    assert one(["12.5", "-3"], "scale = -1\n")[0] == [-12.5, 3]
    with pytest.raises(PluginError, match="scale"):
        one(["1"], "scale = 0.5\n", field=OWED.replace("number", "integer"))


def test_a_credit_is_no_debt_and_lessens_no_other(one):
    values, reasons = one(["-12.50", "3"], 'minimum = 0\ncredits = "zero"\n')
    assert (values, reasons) == ([0, 3], [])
    values, (reason,) = one(["-12.50"], "minimum = 0\n")
    assert values == [None]
    assert 'credits = "zero"' in reason


def test_amounts_of_several_columns_are_added_up(folder):
    folder.mapping(
        TOP
        + 'uprn = "UPRN"\nnull_values = ["N/A"]\n'
        + OWED.replace('"Owed"', '["A", "B"]')
        + "maximum = 100\n"
    )
    folder.csv("1,10,2.50", "2,10,", "3,,", "4,10,x", "5,N/A,1", "6,99,2", header="UPRN,A,B")
    assert folder.read()["owed"].to_list() == [12.5, 10, None, None, None, None]
    assert folder.unread() == [(5, "owed"), (7, "owed")]
    assert [(entry.row, entry.field, entry.value) for entry in folder.rejected] == [
        (5, "B", "x"), (7, "A + B", "99 + 2"),
    ]  # fmt: skip


def test_a_null_value_of_a_number_is_one_however_it_is_written(one):
    values, reasons = one(
        ["9999", "9999.00", "-1", "*", "TBC", "5"], 'null_values = [9999, -1, "*", "TBC"]\n'
    )
    assert (values, reasons) == ([None] * 5 + [5], [])


DATED = '[fields.owed]\ncolumn = "Owed"\ntype = "date"\ncombine = "max"\ncategory = "finance"\n'


def test_several_formats_and_day_numbers(one):
    day = datetime.date(2026, 4, 1)
    texts = ["01/04/2026", "2026-04-01", "01/04/2026 09:30", "46113", "46113.5", "31/04/2026"]
    keys = 'format = ["%d/%m/%Y", "%Y-%m-%d", "%d/%m/%Y %H:%M", "excel"]\n'
    values, (reason,) = one(texts, keys, field=DATED)
    assert values == [day] * 5 + [None]
    assert "DD/MM/YYYY or YYYY-MM-DD or DD/MM/YYYY hh:mm or a day number of Excel" in reason


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ('format = ["%d/%m/%Y", "%m/%d/%Y"]', "read one text as two days"),
        ('format = ["%d%m%y", "excel"]\nlatest_year = 2026', "read one text as two days"),
        ('format = ["%d/%m/%y", "%y/%m/%d"]\nlatest_year = 2026', "read one text as two days"),
        ('format = "%d/%m/%y"', "set latest_year"),
        ("format = []", "is empty"),
        ('format = "%d/%m/%Y"\nlatest_year = 26', "out of range"),
    ],
)
def test_formats_that_do_not_say_the_day_are_refused(one, keys, problem):
    with pytest.raises(PluginError, match=problem):
        one(["01/02/2026"], keys, field=DATED)


@pytest.mark.parametrize(
    ("latest", "text", "year"),
    [
        (2026, "01/01/26", 2026), (2026, "01/01/27", 1927), (2008, "01/01/26", 1926),
        (2026, "12/03/45", 1945), (2026, "12/03/68", 1968), (2026, "12/03/69", 1969),
        (2026, "15/12/26", 1926), (1999, "31/12/99", 1999), (2026, "29/02/24", 2024),
        (1950, "29/02/00", None),
    ],
)  # fmt: skip
def test_the_century_of_a_year_of_two_digits(latest, text, year):
    reader = Date("%d/%m/%y", latest, datetime.date(2026, 11, 28))
    found = read_column(reader, pl.Series([text]), ()).values.item()
    assert (found and found.year) == year


def test_ages_by_years_of_two_digits_are_never_negative(one):
    aged = OWED.replace("number", "integer") + 'transform = "age"\nformat = "%d/%m/%y"\n'
    texts = ["12/03/45", "12/03/68", "15/12/26"]
    assert one(texts, "latest_year = 2026\n", field=aged) == ([81, 58, 99], [])


CODED = """[fields.owed]
column = "Owed"
type = "boolean"
true = ["SPD"]
false = ["NONE"]
combine = "any"
category = "finance"
"""


def test_codes_that_no_list_names(one):
    values, (reason, _) = one(["SPD", "spd", "DIS", ""], "", field=CODED)
    assert values == [True, None, None, None]
    assert "set ignore_case = true" in reason
    keys = "ignore_case = true\nother = false\n"
    keys += 'null_values = ["NULL"]\n'
    values = [True, True, False, None, None]
    assert one(["SPD", "spd", " DIS", "", "NULL"], keys, field=CODED) == (values, [])
    assert one(["SPD", "DIS"], 'other = "unknown"\n', field=CODED) == ([True, None], [])
    with pytest.raises(PluginError, match="no value of the field"):
        one(["SPD"], 'other = "none"\n', field=CODED)


def test_words_of_a_column_that_became_floats(one):
    usual = CODED.replace('true = ["SPD"]\nfalse = ["NONE"]\n', "")
    assert one(["1.0", "0.0", "1"], "", field=usual) == ([True, False, True], [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("999999999999", "stands for a UPRN that is not known"),
        ("111111111", "stands for a UPRN that is not known"),
        ("000000000000", "stands for a UPRN that is not known"),
        ("99999999999", "stands for a UPRN that is not known"),
        ("123456789012", "stands for a UPRN that is not known"),
        ("123456789012.0", "stands for a UPRN that is not known"),
        ("0123456789", "stands for a UPRN that is not known"),
        ("987654321", "stands for a UPRN that is not known"),
        ("121212121212", "stands for a UPRN that is not known"),
        ("123123123123", "stands for a UPRN that is not known"),
        ("1.00010E+11", "a spreadsheet has rounded it"),
        ("100010000012\u200b", "invisible character (U+200B)"),
    ],
)
def test_what_stands_for_no_uprn(folder, text, reason):
    folder.mapping(TOP + 'uprn = "UPRN"\n' + OWED)
    folder.csv(f"{text},5", header="UPRN,Owed")
    assert folder.read().rows() == [(None, 5)]
    assert reason in folder.rejected[0].reason
    assert folder.unread() == [(2, "uprn")]


def test_real_uprns_are_no_placeholders():
    real = ["11111111", "100012345678", "999999999998", "12345678", "10101010101", "100100100100"]
    values = read_column(Uprn(), pl.Series(real), ()).values
    assert values.null_count() == 0


def test_the_first_uprn_that_is_there(folder):
    folder.mapping(TOP + 'uprn = ["U1", "U2"]\n' + OWED)
    folder.csv("1,,5", ",2,5", "3,3,5", "4,5,5", ",,5", "x,6,5", "x,,5", header="U1,U2,Owed")
    assert folder.read()["uprn"].to_list() == [1, 2, 3, None, None, 6, None]
    assert folder.unread() == [(5, "uprn"), (8, "uprn")]
    assert [(entry.row, entry.field) for entry in folder.rejected] == [
        (5, "U1 + U2"), (7, "U1"), (8, "U1"),
    ]  # fmt: skip


def test_all_but_some_rows(folder):
    folder.mapping(TOP + 'uprn = "UPRN"\n[[where]]\ncolumn = "K"\nnot_in = ["BUS", ""]\n' + OWED)
    folder.csv("1,5,DOM", "2,5,BUS", "3,5,", header="UPRN,Owed,K")
    assert folder.read()["uprn"].to_list() == [1]


@pytest.mark.parametrize(
    ("text", "forename", "surname"),
    [
        ("Mrs Ann Clegg", "Mrs Ann", "Clegg"),
        ('"CLEGG, Ann Mary"', "Ann Mary", "CLEGG"),
        ("Maria de Souza", "Maria", "de Souza"),
        ("Clegg", None, "Clegg"),
        ("", None, None),
        ("Mr J & Mrs A Smith", None, None),
    ],
)
def test_one_column_for_the_whole_name(folder, text, forename, surname):
    folder.mapping(TOP + '[identifiers]\nname = "Name"\n' + OWED)
    folder.csv(f"{text},5", header="Name,Owed")
    asked = (Identifier.FORENAME, Identifier.SURNAME)
    (record,) = read(folder.source(), identifiers=asked).values
    assert (record["identifier_forename"], record["identifier_surname"]) == (forename, surname)


def test_one_record_for_each_person_of_a_row(folder):
    folder.mapping(
        TOP + 'uprn = "UPRN"\n[[people]]\nDOB = "DOB1"\nForename = "F1"\n'
        '[[people]]\nDOB = "DOB2"\nForename = "F2"\n[identifiers]\nforename = "Forename"\n' + OWED
        + OWED.replace("owed", "people").replace('"Owed"', '"DOB"').replace("number", "integer")
        .replace('"sum"', '"count"')
        + OWED.replace("owed", "oldest").replace('"Owed"', '"DOB"').replace("number", "integer")
        .replace('"sum"', '"max"') + 'transform = "age"\nformat = "%d/%m/%Y"\n'
    )  # fmt: skip
    folder.csv(
        "1,5,01/01/1950,Ann,02/02/1960,Ben", "2,7,01/01/1970,Cy,,", "3,x,,,bad,Di",
        header="UPRN,Owed,DOB1,F1,DOB2,F2",
    )  # fmt: skip
    found = read(folder.source(), ("owed", "oldest"), identifiers=(Identifier.FORENAME,))
    assert [tuple(record.values()) for record in found.values] == [
        (1, 5, 76, "Ann"), (2, 7, 56, "Cy"), (3, None, None, None),
        (1, None, 66, "Ben"), (3, None, None, "Di"),
    ]  # fmt: skip
    assert found.unread == {4: {"owed", "oldest"}}
    assert [(entry.row, entry.field) for entry in found.rejected] == [(4, "Owed"), (4, "DOB2")]
