"""What rules can tell of typed addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.linkage.address_parser import parts, rewritten, without_reference
from folkmoot_node.linkage.address_rules import contradicts
from folkmoot_node.linkage.address_slips import distance


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Flt3, 12 High St", "FLAT 3, 12 HIGH ST"),
        ("apt. 3  12 High St", "FLAT 3 12 HIGH ST"),
        ("F3, 12 High St", "FLAT 3, 12 HIGH ST"),
        ("FlatB 12 High St", "FLAT B 12 HIGH ST"),
        ("3/12 High St", "FLAT 3, 12 HIGH ST"),
        ("GFF, 12 High St", "GROUND FLOOR FLAT, 12 HIGH ST"),
        ("First Flr, 12 High St", "FIRST FLOOR FLAT, 12 HIGH ST"),
        ("Bsmt Flat, 12 High St", "BASEMENT FLAT, 12 HIGH ST"),
        ("Rm2, 12 High St", "ROOM 2, 12 HIGH ST"),
        ("12 Flatford Road", "12 FLATFORD ROAD"),
        ("12 North Street, Romford RM1 2AB", "12 NORTH STREET, ROMFORD RM1 2AB"),
        ("12 North Street, Romford RM12AB", "12 NORTH STREET, ROMFORD RM12AB"),
        ("Flat 3/2, 12 High St", "FLAT 3/2, 12 HIGH ST"),
        ("12 Room Lane", "12 ROOM LANE"),
        ("", ""),
    ],
)
def test_flats_are_written_as_in_a_gazetteer(typed, written):
    assert rewritten(typed) == written


@given(st.text(max_size=60))
def test_any_text_is_taken_apart_and_contradicts_nothing_in_itself(text):
    once = rewritten(text)
    assert rewritten(once) == once or len(rewritten(once)) < len(once) + 30
    assert not contradicts(parts(once, None), parts(once, None))


WORDS = [
    "5", "12", "3A", "B", "THE", "OLD", "MILL", "HOUSE", "COTTAGE", "BARN", "LANE", "ROAD", "WAY",
    "NORTH", "UPPER", "FIRST", "FLOOR", "FLAT", "ROOM", "ANNEXE", "REAR", "OF", "ADJACENT", "LAND",
    "OVER", "SHOP", "ST", "MARYS", "HIGH", "GREEN", ",", "-", "ESTATE", "BLOCK", "PLOT", "HEOL",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_no_address_contradicts_itself(words):
    address = parts(rewritten(" ".join(words)), "EX1 1AA")
    assert not contradicts(address, address)


@pytest.mark.parametrize(
    ("typed", "sought"),
    [
        ("TY LARCH REAR OF 130 MARLOW ROAD", "TY LARCH, MARLOW ROAD"),
        ("TY LARCH, R/O 130 MARLOW ROAD", "TY LARCH, MARLOW ROAD"),
        ("TY LARCH (REAR OF 130), MARLOW ROAD", "TY LARCH, MARLOW ROAD"),
        ("TY LARCH PLOT 1 ADJ 130 MARLOW ROAD", "TY LARCH, MARLOW ROAD"),
        ("TY LARCH LAND ADJACENT TO 12-14 MARLOW ROAD", "TY LARCH, MARLOW ROAD"),
        ("REAR OF 130 MARLOW ROAD", "REAR OF 130 MARLOW ROAD"),
        ("LAND ADJ 130 MARLOW ROAD", "LAND ADJ 130 MARLOW ROAD"),
        ("FLAT REAR OF 130 MARLOW ROAD", "FLAT REAR OF 130 MARLOW ROAD"),
        ("12 MARLOW ROAD", "12 MARLOW ROAD"),
        ("TY LARCH, MARLOW ROAD", "TY LARCH, MARLOW ROAD"),
        ("", ""),
    ],
)
def test_the_number_of_another_home_is_left_out(typed, sought):
    assert without_reference(typed) == sought


ROOM = "ROOM 2, 12 HIGH STREET, SALE"
FLAT = "FLAT 24, WATER HOUSE, 24 GLADSTONE ROAD, SALE"
HOUSE = "12 GRANGE ROAD, SALE"
NAMED = "THE FIRS, 22 STATION ROAD, SALE"
FLOOR = "GROUND FLOOR FLAT, 12 HIGH STREET, SALE"


@pytest.mark.parametrize(
    ("typed", "candidate"),
    [
        ("Water House, 24 Gladstone Road", FLAT),  # the house, not which flat of it
        ("24 Gladstone Road", FLAT),
        ("Flat 3, 24 Gladstone Road", FLAT),
        ("12 High Street", ROOM),
        ("12 High Street", FLOOR),
        ("First Floor, 12 High Street", FLOOR),
        ("Flat 12, 25 Grange Road", HOUSE),  # the number of a flat is not that of a house
        ("14 Grange Road", HOUSE),
        ("12A Grange Road", HOUSE),
        ("12 Poplar Road", HOUSE),  # another street with the right postcode
        ("12 Grange Road, Ludlow", HOUSE),  # without a postcode each word counts
    ],
)
def test_what_a_person_must_look_at(typed, candidate):
    assert contradicts(parts(rewritten(typed), None), parts(candidate, "M33 1AA"))


@pytest.mark.parametrize(
    ("typed", "candidate"),
    [
        ("Flt 24 Water House 24 Gladstone Rd", FLAT),
        ("Flat 24, Water House, Gladstone Road", FLAT),
        ("24/24 Gladstone Rd", FLAT),
        ("Rm 2, 12 High St., Sale", ROOM),
        ("GFF 12 High St", FLOOR),
        ("12 Grnage Rd", HOUSE),
        ("The Firs, Station Road", NAMED),
        ("22 Station Road", NAMED),
        ("45B Mill Lane", "FLAT B, 45 MILL LANE, SALE"),
        ("Flat B, 45 Mill Lane", "45B MILL LANE, SALE"),
        ("12-14 Mill Lane", "12-14 MILL LANE, SALE"),
        ("3 First Avenue", "3 FIRST AVENUE, SALE"),
    ],
)
def test_what_may_be_taken_by_its_weight(typed, candidate):
    assert not contradicts(parts(rewritten(typed), None), parts(candidate, "M33 1AA"))


def test_a_postcode_of_another_area_is_looked_at():
    candidate = parts(HOUSE, "M33 1AA")
    assert contradicts(parts("12 GRANGE ROAD", "TR1 1AA"), candidate)
    assert not contradicts(parts("12 GRANGE ROAD", "M3 9ZZ"), candidate)
    assert parts("12 GRANGE ROAD M33 1AA", None).numbers == {"12": 1}


@given(st.text("ABC", max_size=6), st.text("ABC", max_size=6))
def test_the_distance_of_words_is_adistance(first, second):
    there, back = distance(first, second, 9), distance(second, first, 9)
    assert there == back
    assert (there == 0) == (first == second)
    assert abs(len(first) - len(second)) <= there <= max(len(first), len(second))


def test_a_swap_of_neighbours_is_one_slip():
    assert distance("STREET", "STRETE", 2) == 1
    assert distance("GRANGE", "POPLAR", 2) > 2


@pytest.mark.parametrize(
    "typed",
    [
        "SIDE OF 4 CHURCH LANE, TESTHAM",
        "HALF OF 4 CHURCH LANE, TESTHAM",
        "PART OF 4 CHURCH LANE, TESTHAM",
        "FORMERLY 4 CHURCH LANE, TESTHAM",
        "SUMMER HOUSE, 4 CHURCH LANE, TESTHAM",
        "SUMMERHOUSE, 4 CHURCH LANE, TESTHAM",
        "SHEPHERDS HUT, 4 CHURCH LANE, TESTHAM",
    ],
)
def test_a_part_of_a_house_or_what_stands_in_its_garden_is_not_the_house(typed):
    home = parts("4 CHURCH LANE, TESTHAM", "ZE1 1AA")
    assert contradicts(parts(typed, "ZE1 1AA"), home)
