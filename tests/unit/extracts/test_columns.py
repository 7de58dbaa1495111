"""Every text of a column is a value, unknown or malformed; none is lost on the way."""

import datetime
import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_plugin_extracts.cells import read_column
from folkmoot_plugin_extracts.codes import Boolean, CodeList, Valued
from folkmoot_plugin_extracts.columns import Area, Date, Identity, Text, Uprn
from folkmoot_plugin_extracts.elapsed import Elapsed
from folkmoot_plugin_extracts.numbers import Number
from folkmoot_plugin_extracts.postcode import Postcode

TODAY = datetime.date(2026, 4, 1)
AGE = Elapsed(Date("%d/%m/%Y"), TODAY, "years", 0, 120, True)
READERS = [
    Uprn(),
    Area(),
    Identity(),
    Text(),
    Boolean(("Y", "1"), ("N", "0")),
    CodeList((("1", "own"), ("2", "rent")), ("rent", "own")),
    CodeList((("own", "own"), ("rent", "rent")), ("own", "rent")),
    Valued((("7", 65), ("8", 75)), True),
    Number(0, 100, False),
    Number(None, None, True),
    Postcode(),
    Date("%d/%m/%Y"),
    Date("%Y-%m-%d"),
    AGE,
]
NULLS = ("NULL", "-9")


def read(reader, texts, nulls=NULLS):
    parsed = read_column(reader, pl.Series("c", texts, dtype=pl.String), nulls)
    assert len(parsed.values) == len(texts)
    malformed = parsed.malformed if parsed.malformed is not None else [False] * len(texts)
    return parsed.values.to_list(), list(malformed)


LIKELY = """
1 2 7 Y N own rent -9 NULL 0 12 31/02/2026 01/02/2026 2026-02-01 E01000001 nan 1e400 5.0 -1 +3
123456789012 1234567890123 0x1 1_0 Infinity 1/1/2026 01/02/26 99999999999999999999
"""
likely = st.sampled_from(LIKELY.split())
padded = st.builds(lambda text, pad: pad + text + pad, likely, st.sampled_from(["", " ", "\t"]))
texts = st.lists(st.none() | padded | st.text(max_size=8) | st.just(""), max_size=20)


@pytest.mark.parametrize(
    ("text", "value"),
    [("8.0", 8), (" 12.000 ", 12), ("-3.0", -3), ("8.5", None), ("1.0e3", None), (".0", None)],
)
def test_a_whole_number_may_be_written_with_a_point(text, value):
    values, malformed = read(Number(None, None, whole=True), [text])
    assert (values, malformed) == ([value], [value is None])


def test_a_uprn_may_be_written_with_a_point():
    texts = ["100012345678.0", "100012345678.00", "100012345678.5", "1.00012E+11"]
    number = 100012345678
    assert read(Uprn(), texts) == ([number, number, None, None], [False, False, True, True])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("M32 0TH", "M320TH"),
        ("m320th", "M320TH"),
        ("SW1A  1AA", "SW1A1AA"),
        ("M1 1AE ", "M11AE"),
        ("W1A 0AX", "W1A0AX"),
        ("EC1A 1BB", "EC1A1BB"),
        ("DN55 1PT", "DN551PT"),
        ("CR2 6XH", "CR26XH"),
        ("GIR 0AA", None),  # was a bank's
        ("M\N{FULLWIDTH DIGIT ONE} 1AE", None),
        ("M\N{ARABIC-INDIC DIGIT ONE} 1AE", None),
        ("M32 0T", None),
        ("32 0TH", None),
    ],
)
def test_a_postcode_is_known_however_it_is_spaced(text, value):
    assert read(Postcode(), [text]) == ([value], [value is None])


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: type(reader).__name__)
@settings(max_examples=40)  # for each of a dozen readers
@given(texts=texts)
def test_each_text_is_a_value_unknown_or_malformed(reader, texts):
    values, malformed = read(reader, texts)
    for text, value, wrong in zip(texts, values, malformed, strict=True):
        stripped = pl.Series([text], dtype=pl.String).str.strip_chars().item()
        unknown = stripped in (None, "", *NULLS)
        assert [value is not None, wrong, unknown].count(True) == 1, (text, value, wrong)
        if wrong:
            assert stripped in reader.fault(stripped)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: type(reader).__name__)
@settings(max_examples=40)
@given(texts=texts.filter(len))
def test_a_value_does_not_depend_on_its_neighbours(reader, texts):
    values, malformed = read(reader, texts)
    alone = [read(reader, [text]) for text in texts]
    assert values == [value for (value,), _ in alone]
    assert malformed == [wrong for _, (wrong,) in alone]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_integers_come_back(numbers):
    values, malformed = read(Number(None, None, True), [str(n) for n in numbers], ())
    assert values == numbers
    assert not any(malformed)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_come_back_to_the_last_bit(numbers):
    values, malformed = read(Number(None, None, False), [repr(n) for n in numbers], ())
    assert values == numbers
    assert not any(malformed)


@pytest.mark.parametrize(
    "pattern",
    ["%d/%m/%Y", "%Y-%m-%d", "%d-%b-%Y", "%Y%m%d", "%d %B %Y", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S"],
)
@given(days=st.lists(st.dates(datetime.date(1850, 1, 1), datetime.date(2199, 12, 31))))
def test_dates_come_back(pattern, days):
    values, malformed = read(Date(pattern), [day.strftime(pattern) for day in days])
    assert values == days
    assert not any(malformed)


@given(
    st.lists(st.dates(datetime.date(1906, 4, 2), TODAY)),
    st.dates(TODAY, datetime.date(2026, 12, 31)),
)
def test_age_is_the_number_of_birthdays(born, today):
    reader = Elapsed(Date("%Y-%m-%d"), today, "years", None, None, True)
    values, _ = read(reader, [day.isoformat() for day in born])
    assert values == [
        today.year - day.year - ((today.month, today.day) < (day.month, day.day)) for day in born
    ]


def test_who_was_born_on_29_february_has_a_birthday_on_1_march():
    for today, age in [(datetime.date(2026, 2, 28), 17), (datetime.date(2026, 3, 1), 18)]:
        reader = Elapsed(Date("%d/%m/%Y"), today, "years", 0, 120, True)
        assert read(reader, ["29/02/2008"])[0] == [age]


@given(st.lists(st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1))))
def test_days_since_may_be_negative_unless_a_minimum_is_set(days):
    texts = [day.isoformat() for day in days]
    free = Elapsed(Date("%Y-%m-%d"), TODAY, "days", None, None, True)
    assert read(free, texts)[0] == [(TODAY - day).days for day in days]
    past = Elapsed(Date("%Y-%m-%d"), TODAY, "days", 0, None, True)
    assert read(past, texts)[1] == [day > TODAY for day in days]


@given(st.lists(st.text(max_size=5)))
def test_identity_keeps_sameness_and_nothing_else(texts):
    values, _ = read(Identity(), texts, ())
    stripped = pl.Series(texts, dtype=pl.String).str.strip_chars().to_list()
    known = {text: value for text, value in zip(stripped, values, strict=True) if text}
    assert len(set(known.values())) == len(known)
    assert [known.get(text) for text in stripped] == values


@pytest.mark.parametrize(
    ("reader", "text", "reason"),
    [
        (Uprn(), "12A", "12A is not a UPRN (1 to 12 digits)"),
        (Uprn(), "0", "stands for a UPRN that is not known"),
        (Uprn(), "1234567890123", "not a UPRN"),
        (Uprn(), "100012345.5", "not a UPRN"),
        (Area(), "E0100000", "not a GSS code (a letter and eight digits)"),
        (Area("lsoa21"), "E05000650", "is a ward, not an LSOA or data zone"),
        (Area("lsoa21"), "E08000009", "is a district or unitary council, not an LSOA or data zone"),
        (Area("oa21"), "E01000001", "is an LSOA or data zone, not an output area"),
        (Area(), "E99999999", "is a pseudo code: it stands for no area"),
        (Number(0, 10, False), "-1", "-1 is below the smallest valid value, 0"),
        (Number(0, 10, False), "11", "11 is above the largest valid value, 10"),
        (Number(0, 10, False), "£5", "£5 is not a number"),
        (Number(0, 10, False), "1,5", "1,5 is not a number"),
        (Number(0, None, False), "nan", "nan is not a finite number"),
        (Number(0, None, False), "1e400", "not a finite number"),
        (Number(None, None, True), "5.5", "5.5 is not a whole number"),
        (Number(None, None, True), "x", "x is not a whole number"),
        (Number(None, None, True), "9223372036854775808", "too large for an integer of 64 bits"),
        (CodeList((("1", "own"),), ("own",)), "9", "9 is not in the code list ('1')"),
        (Valued((("7", 65),), True), "9", "9 is not in the table of values ('7')"),
        (Boolean(("Y",), ("N",)), "y", "y is neither 'Y' (true) nor 'N' (false)"),
        (Date("%d/%m/%Y"), "31/02/2026", "31/02/2026 is not a date (DD/MM/YYYY, 1850 to 2199)"),
        (Date("%d/%m/%Y"), "01/02/26", "not a date"),
        (Date("%d/%m/%Y"), "01/02/2026 00:00", "not a date"),
        (Date("%Y-%m-%d"), "0026-02-01", "not a date"),
        (
            AGE,
            "01/01/1900",
            "01/01/1900 gives 126, which is above the largest valid value, 120 (years)",
        ),
        (AGE, "02/04/2026", "gives -1, which is below the smallest valid value, 0 (years)"),
        (AGE, "31/02/2000", "31/02/2000 is not a date"),
    ],
)
def test_says_what_is_wrong(reader, text, reason):
    assert read(reader, ["", text]) == ([None, None], [False, True])
    assert reason in reader.fault(text)


def test_blanks_around_a_value_are_ignored():
    assert read(Number(None, None, True), [" 5", "6 ", "7"]) == ([5, 6, 7], [False] * 3)
    assert read(Boolean(("Y",), ("N",)), ["Y ", "\tN"]) == ([True, False], [False] * 2)
    assert read(Number(0, None, False), [" NULL ", " "]) == ([None, None], [False] * 2)


def test_a_null_value_that_looks_like_a_value_is_unknown():
    assert read(Number(None, None, True), ["-9", "9"]) == ([None, 9], [False] * 2)
    assert read(Date("%d/%m/%Y"), ["01/01/1900"], ("01/01/1900",)) == ([None], [False])


def test_a_reader_s_own_words_go_before_null_values():
    blank_is_no = Boolean(("Y",), ("N", ""))
    assert read(blank_is_no, ["Y", "", None, "NULL"])[0] == [True, False, False, None]
    not_required = CodeList((("1", "one"), ("-9", "not_required")), ("one", "not_required"))
    assert read(not_required, ["1", "-9", "NULL"])[0] == ["one", "not_required", None]


def typed(reader, values, dtype):
    parsed = read_column(reader, pl.Series("c", values, dtype=dtype, strict=False), NULLS)
    wrong = parsed.malformed.to_list() if parsed.malformed is not None else []
    return parsed.values.to_list(), [at for at, is_wrong in enumerate(wrong) if is_wrong]


@pytest.mark.parametrize(
    ("reader", "values", "dtype", "expected", "wrong"),
    [
        (Uprn(), [1, None, 0], pl.Int32, [1, None, None], [2]),
        (Uprn(), [1.0, None, 1.5], pl.Float64, [1, None, None], [2]),
        (Uprn(), ["1", "x"], pl.String, [1, None], [1]),
        (Number(0, None, False), [1, -9, -1], pl.Int16, [1.0, None, None], [2]),
        (Number(0, None, False), [1.5, math.nan, math.inf], pl.Float32, [1.5, None, None], [1, 2]),
        (Number(0, None, False), [1.25, None], pl.Decimal(10, 2), [1.25, None], []),
        (Number(0, None, True), [3.0, 3.5, None], pl.Float64, [3, None, None], [1]),
        (Number(0, None, True), [2**63], pl.UInt64, [None], [0]),
        (Boolean(("Y",), ("N",)), [True, None, False], pl.Boolean, [True, None, False], []),
        (Boolean(("1",), ("0",)), [1, 0, 2], pl.Int8, [True, False, None], [2]),
        (CodeList((("1", "own"),), ("own",)), [1, 2, -9], pl.Int64, ["own", None, None], [1]),
        (CodeList((("a", "a"),), ("a",)), ["a", "b"], pl.Categorical, ["a", None], [1]),
        (Date("%d/%m/%Y"), [TODAY, None], pl.Date, [TODAY, None], []),
        (
            Date("%d/%m/%Y"),
            [datetime.datetime(2026, 4, 1, 13), datetime.datetime(1026, 4, 1)],
            pl.Datetime, [TODAY, None], [1],
        ),
        (AGE, [datetime.date(2000, 4, 1), datetime.date(1900, 1, 1)], pl.Date, [26, None], [1]),
        (Area(), ["E01000001", "e1"], pl.Categorical, ["E01000001", None], [1]),
    ],
)  # fmt: skip
def test_typed_columns_of_parquet(reader, values, dtype, expected, wrong):
    assert typed(reader, values, dtype) == (expected, wrong)


def test_identity_is_one_number_for_text_and_integer_and_keeps_nulls():
    text, _ = typed(Identity(), ["7", None], pl.String)
    number, _ = typed(Identity(), [7, None], pl.Int64)
    assert text == number
    assert text[1] is None


def test_numbers_are_dates_as_they_are_written():
    reader = Date("%Y%m%d")
    for raw in (pl.Series([20260401, 20260231, None]), pl.Series([20260401.0, 20260231.0, None])):
        parsed = read_column(reader, raw, [])
        assert parsed.values.to_list() == [TODAY, None, None]
        assert parsed.malformed.to_list() == [False, True, False]
    assert Date("%Y-%m-%d").parse(pl.Series([20454])).to_list() == [None]


@pytest.mark.parametrize("dtype", [pl.Date, pl.Datetime("us"), pl.Datetime("us", "UTC")])
def test_days_beyond_the_calendar_are_malformed_and_can_be_quoted(dtype):
    limit = 2**31 - 1 if dtype == pl.Date else 2**63 - 1
    raw = pl.Series([limit, -limit, 20454 if dtype == pl.Date else 0]).cast(
        pl.Int32 if dtype == pl.Date else pl.Int64
    )
    raw = raw.cast(dtype)
    for reader in (Date("%Y-%m-%d"), CodeList((("a", "a"),), ("a",))):
        parsed = read_column(reader, raw, ["NULL"])
        assert parsed.malformed.to_list()[:2] == [True, True]
    assert Text().parse(raw)[0].startswith("9999-12-31")
    assert Text().parse(raw)[1].startswith("0001-01-01")


@pytest.mark.parametrize(("false", "expected"), [(("N", ""), False), (("N",), None)])
def test_an_empty_cell_of_a_column_of_booleans_may_be_a_word(false, expected):
    parsed = read_column(Boolean(("Y",), false), pl.Series([True, None, False]), [])
    assert parsed.values.to_list() == [True, expected, False]
    assert parsed.malformed is None
