"""Which councils a person may name."""

import pytest

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_rehearsal.councils import MAXIMUM_COUNCILS, named, region
from folkmoot_rehearsal.synthesis import Recipe, draw


@pytest.mark.parametrize("number", [1, 10, MAXIMUM_COUNCILS])
def test_a_number_names_the_first_councils(number):
    assert named(str(number)) == region(number)


def test_codes_name_councils_in_their_order_whatever_the_case_and_spaces():
    borough, trafford = named("e09000002, E08000009")
    assert (borough.name, trafford.name) == ("Barking and Dagenham", "Trafford")
    assert trafford == region(9)[8]


def test_one_code_is_a_council():
    (borough,) = named("E09000002")
    assert borough.code == "E09000002"


def test_no_two_councils_share_a_place():
    london = ",".join(f"E090000{number:02d}" for number in range(1, 34))
    places = [council.index for council in (*region(MAXIMUM_COUNCILS), *named(london))]
    assert len(set(places)) == len(places) == MAXIMUM_COUNCILS + 33


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0", "1 to 40"),
        ("41", "1 to 40"),
        ("-1", "neither a number nor a GSS code"),
        ("", "neither a number nor a GSS code"),
        ("Trafford", "neither a number nor a GSS code"),
        ("E09000002,", "neither a number nor a GSS code"),
        ("E09000002,3", "neither a number nor a GSS code"),
        ("\u0663", "neither a number nor a GSS code"),
        ("E07000008", "E07000008 is no metropolitan district of England or London borough"),
        ("E09000002,E09000002", "E09000002 is named twice"),
    ],
)
def test_what_names_no_council_is_refused(text, says):
    with pytest.raises(Problem, match=says) as caught:
        named(text)
    assert caught.value.exit_code is ExitCode.USAGE
    assert "E09000002" in caught.value.remedy


def test_a_councils_residents_do_not_depend_on_the_others(recipe):
    small = Recipe(households=300, seed=recipe.seed, today=recipe.today)
    alone = draw(named("E08000009")[0], small)
    among = draw(named("E09000002,E08000009")[1], small)
    assert alone.household_table().equals(among.household_table())


def test_a_london_borough_has_codes_and_numbers_of_its_own(recipe):
    small = Recipe(households=300, seed=recipe.seed, today=recipe.today)
    table = draw(named("E09000002")[0], small).household_table()
    others = draw(region(40)[39], small).household_table()
    assert table["lsoa"].str.len_chars().unique().to_list() == [9]
    assert not set(table["lsoa"]) & set(others["lsoa"])
    assert not set(table["uprn"]) & set(others["uprn"])
    assert table["uprn"].cast(str).str.len_chars().max() == 12
