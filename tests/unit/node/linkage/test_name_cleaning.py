"""How identifiers of people are brought into one spelling."""

from __future__ import annotations

import datetime
import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.linkage.name_cleaning import MODEL_COLUMNS, comparable
from folkmoot_node.linkage.name_frequency import public_frequencies
from folkmoot_node.linkage.person_model import person_model
from folkmoot_sdk.schema import Identifier


def one(**identifiers: object) -> dict[str, object]:
    kinds = {"date_of_birth": pl.Date}
    frame = pl.DataFrame(
        {Identifier(name).column: [value] for name, value in identifiers.items()},
        schema={Identifier(n).column: kinds.get(n, pl.String) for n in identifiers},
    )
    return comparable(frame).row(0, named=True)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Siobhán", "siobhan"),
        ("  MARY  Jane ", "mary"),
        ("Mrs. Ann", "ann"),
        ("Prof Dr Ann", "ann"),
        ("Renée-Louise", "renee"),
        ("J.", "j"),
        ("Łukasz", "lukasz"),
        ("Søren", "soren"),
        ("Weiß", "weiss"),
        ("Dr", "dr"),
        ("Unknown", None),
        ("Baby", None),
        ("-", None),
        ("", None),
        ("123", None),
        (None, None),
    ],
)
def test_forenames(written, read):
    assert one(forename=written)["forename"] == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("O'Brien", ("obrien", None, None)),
        ("O’Brien", ("obrien", None, None)),
        ("Taylor-Webb", ("taylorwebb", "taylor", "webb")),
        ("Taylor Webb", ("taylorwebb", "taylor", "webb")),
        ("van der Berg", ("vanderberg", "van", "berg")),
        ("Smith Jnr", ("smith", None, None)),
        ("Dvořáková", ("dvorakova", None, None)),
        ("n/a", (None, None, None)),
    ],
)
def test_surnames(written, read):
    found = one(surname=written)
    assert (found["surname"], found["surname_first"], found["surname_last"]) == read


@pytest.mark.parametrize(
    ("forename", "roots"),
    [
        ("Bob", ("robert", None)),
        ("Harry", ("harold", "henry")),
        ("Chris", ("christopher", "christine")),
        ("Robert", ("robert", None)),
        ("Zebedee", ("zebedee", None)),
        ("B", (None, None)),
        (None, (None, None)),
    ],
)
def test_what_a_forename_is_short_for(forename, roots):
    found = one(forename=forename)
    assert (found["forename_root"], found["forename_other"]) == roots


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("m1 1ae", ("M11AE", "M11", "M1")),
        ("SW1A  2AA", ("SW1A2AA", "SW1A2", "SW1A")),
        ("BL9-1AA", ("BL91AA", "BL91", "BL9")),
        ("w1a0ax", ("W1A0AX", "W1A0", "W1A")),
        ("EC1A 1BB", ("EC1A1BB", "EC1A1", "EC1A")),
        ("DN55 1PT", ("DN551PT", "DN551", "DN55")),
        ("GIR 0AA", (None, None, None)),
        ("M1 \N{ARABIC-INDIC DIGIT ONE}AE", (None, None, None)),
        ("BL9", (None, None, None)),
        ("not known", (None, None, None)),
    ],
)
def test_postcodes(written, read):
    found = one(postcode=written)
    assert (found["postcode"], found["sector"], found["district"]) == read


def test_dates_of_birth_and_what_stands_for_none():
    assert one(date_of_birth=datetime.date(1974, 5, 23))["dob"] == "19740523"
    assert one(date_of_birth=datetime.date(1900, 1, 1))["dob"] is None
    assert one(date_of_birth=None)["dob"] is None


def test_nhs_numbers():
    assert one(nhs_number="998 000 0018")["nhs_number"] == "9980000018"
    assert one(nhs_number="998000001")["nhs_number"] is None


@pytest.mark.parametrize("number", [*(str(digit) * 10 for digit in range(10)), "999 000 0018"])
def test_placeholders_and_test_numbers_are_no_nhs_numbers(number):
    assert one(nhs_number=number)["nhs_number"] is None


@pytest.mark.parametrize(
    ("surname", "sound"),
    [
        ("Robert", "r163"), ("Rupert", "r163"), ("Tymczak", "t522"), ("Pfister", "p236"),
        ("Honeyman", "h555"), ("Ashcraft", "a261"), ("O'Brien", "o165"), ("Lee", "l000"),
    ],
)  # fmt: skip
def test_surnames_that_sound_alike_have_one_code(surname, sound):
    """The examples of the National Archives, and of Knuth, TAOCP 6."""
    assert one(surname=surname)["surname_sound"] == sound


def test_the_commoner_a_name_the_less_it_says():
    model = person_model(nhs_numbers=False)
    found = dict(public_frequencies(model))
    assert list(found) == ["forename", "surname", "dob", "postcode"]
    for name, frame in found.items():
        assert frame[name].is_unique().all()
        least = model[name].by_frequency
        assert least is not None
        assert (frame[f"tf_{name}"] > least.u).all()
    assert found["surname"].row(0) == ("smith", pytest.approx(0.01, rel=0.1))
    for name in ("forename", "surname"):
        assert frame_is_comparable(found[name][name])


def frame_is_comparable(names: pl.Series) -> bool:
    """Whether names stand in the list as they are compared; else nobody would find them."""
    column = Identifier.SURNAME.column
    return comparable(names.to_frame(column).rename({column: column}))["surname"].equals(names)


def test_what_a_source_has_not_is_unknown():
    found = comparable(pl.DataFrame({"other": [1, 2]}))
    assert found.columns == list(MODEL_COLUMNS)
    assert found.height == 2
    assert sum(found.null_count().row(0)) == 2 * len(MODEL_COLUMNS)


@given(st.text(st.characters(max_codepoint=0x17FF), max_size=30))
def test_case_and_composition_do_not_matter_and_any_text_is_read(text):
    found = one(forename=text, surname=text, postcode=text, nhs_number=text)
    again = unicodedata.normalize("NFD", text)
    assert one(forename=again, surname=again)["surname"] == found["surname"]
    for column in ("forename", "surname"):
        name = found[column]
        assert name is None or name.isalpha()


def test_the_model_is_a_distribution_at_each_comparison():
    model = person_model(nhs_numbers=True)
    for comparison in model.comparisons:
        assert sum(level.m for level in comparison.levels) == pytest.approx(1, abs=1e-6)
        assert sum(level.u for level in comparison.levels) == pytest.approx(1, abs=0.03)
        assert all(0 < level.m < 1 and 0 < level.u < 1 for level in comparison.levels)
        names = [level.name for level in comparison.levels]
        assert len(set(names)) == len(names)
        assert [bool(level.condition) for level in comparison.levels[:-1]] == [True] * (
            len(names) - 1
        )
        assert comparison.levels[-1].condition == ""


def test_nhs_numbers_are_left_out_of_the_model_without_a_basis():
    without = person_model(nhs_numbers=False)
    assert "nhs_number" not in [comparison.name for comparison in without.comparisons]
    assert not any("nhs" in rule for rule in without.blocking)
