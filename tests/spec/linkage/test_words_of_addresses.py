"""Words that place or name a home count as numbers do: the wrong home is never linked.

Each case is an address as somebody typed it, with the home that it is, or none where a person
must be asked. All of Exampleton is below, so that what is not there is no home.
"""

from __future__ import annotations

import polars as pl
import pytest

from folkmoot_node.linkage.addresses import AddressLinks
from tests.linked import link_addresses

TOWN = "EXAMPLETON"
HOMES = {
    "EX1 1AA": ("5 ANVIL ROAD", "7 ANVIL ROAD", "COPPER BEECHES, ANVIL ROAD", "9A ANVIL ROAD"),
    "EX1 1AB": ("TY CELYN, BRIDLE ROAD", "130 BRIDLE ROAD", "132 BRIDLE ROAD"),
    "EX1 1AD": ("THE OLD FORGE, REAR OF 8 CANDLE STREET", "8 CANDLE STREET", "10 CANDLE STREET"),
    "EX1 1AE": ("ANNEXE, 3 DROVE ROAD", "3 DROVE ROAD", "5 DROVE ROAD"),
    "EX1 1AF": ("PRIORY HOUSE, EEL LANE", "ASH COTTAGE, EEL LANE", "HIGHER FARM, EEL LANE"),
    "EX1 1AG": ("THE BARN, FLINT LANE", "MILL LODGE, FLINT LANE", "WOODSIDE, FLINT LANE"),
    "EX1 1AH": ("5 GRINDLE ROAD", "7 GRINDLE ROAD"),
    "EX1 1AJ": ("6 HURDLE STREET", "8 HURDLE STREET"),
    "EX1 1AL": ("7 EAST TERRACE", "9 EAST TERRACE"),
    "EX1 1AN": ("9 UPPER KILN ROAD", "11 NEW LOOM STREET", "15 NORTH PARADE", "4 FIRST AVENUE"),
    "EX1 1AP": ("FLAT 1, OSIER COURT", "FLAT 11, OSIER COURT", "FLAT 7, TANNER HOUSE"),
    "EX1 1AQ": ("7 TANNER HOUSE MEWS", "9 TANNER HOUSE MEWS"),
    "EX1 1AR": ("PLOT 5, QUARRY FIELDS", "6 QUARRY FIELDS", "CARAVAN 2, QUARRY FIELDS"),
    "EX1 1AS": ("FLAT OVER SHOP, 77 RASP STREET", "79 RASP STREET", "81 RASP STREET"),
    "EX1 1AT": ("GROUND FLOOR FLAT, 3 SADDLER STREET", "FIRST FLOOR FLAT, 3 SADDLER STREET",
                "BASEMENT FLAT, 5 SADDLER STREET", "7 SADDLER STREET"),
    "EX1 1AU": ("FLAT 2, BLOCK A, THATCH HOUSE", "FLAT 3, BLOCK A, THATCH HOUSE"),
    "EX1 1AW": ("ROOM 1, 12 WHEEL STREET", "ROOM 2, 12 WHEEL STREET", "14 WHEEL STREET"),
    "EX1 1AX": ("21 YEW TREE AVENUE", "HAZELDENE, 23 YEW TREE AVENUE", "12-14 YEW TREE AVENUE"),
    "EX1 1AY": ("7 HEOL Y COED", "9 HEOL Y COED"),
    "EX1 1AZ": ("THE LODGE, WEAVER HALL", "WEAVER HALL", "THE STABLES, WEAVER HALL"),
    "EX1 1BA": ("4 ST MARYS GARDENS", "6 ST MARYS GARDENS"),
    "EX1 1BB": ("BASEMENT FRONT FLAT, 2 QUOIN ROAD", "BASEMENT REAR FLAT, 2 QUOIN ROAD"),
    "EX1 1BD": ("MAISONETTE FIRST AND SECOND FLOORS, 4 QUOIN ROAD", "6 QUOIN ROAD"),
}  # fmt: skip

ASKED = None
"""A person is asked."""
CASES: dict[tuple[str, str | None], str | None] = {
    # Columns: as typed, postcode, home
    # Behind, beside, over, before something that is a home
    ("Rear of 5 Anvil Road", "EX1 1AA"): ASKED,
    ("r/o 5 Anvil Rd, Exampleton", "EX1 1AA"): ASKED,
    ("5 Anvil Road (rear)", "EX1 1AA"): ASKED,
    ("Behind 7 Anvil Road", "EX1 1AA"): ASKED,
    ("Back of 5 Anvil Road", "EX1 1AA"): ASKED,
    ("Land adj 5 Anvil Road", "EX1 1AA"): ASKED,
    ("Land at 7 Anvil Road, Exampleton", "EX1 1AA"): ASKED,
    ("Land adjacent to 7 Anvil Road", "EX1 1AA"): ASKED,
    ("Adjoining 5 Anvil Road", "EX1 1AA"): ASKED,
    ("Next to 5 Anvil Road", "EX1 1AA"): ASKED,
    ("Opposite 7 Anvil Road", "EX1 1AA"): ASKED,
    ("Opp. 7 Anvil Road", "EX1 1AA"): ASKED,
    ("Between 5 and 7 Anvil Road", "EX1 1AA"): ASKED,
    ("Off 5 Anvil Road", "EX1 1AA"): ASKED,
    ("Under 5 Anvil Road", "EX1 1AA"): ASKED,
    ("Above 79 Rasp Street", "EX1 1AS"): ASKED,
    ("Flat over 79 Rasp Street", "EX1 1AS"): ASKED,
    ("Flat above shop, 81 Rasp Street", "EX1 1AS"): ASKED,
    ("Rear of 5 Anvil Road", None): ASKED,
    ("Ty Onnen rear of 132 Bridle Road", "EX1 1AB"): ASKED,
    ("Ty Onnen, rear of 132 Bridle Road, Exampleton", "EX1 1AB"): ASKED,
    # Parts of a house, and what stands in its garden
    ("Annexe, 5 Anvil Road", "EX1 1AA"): ASKED,
    ("The Annex 5 Anvil Road", "EX1 1AA"): ASKED,
    ("5 Anvil Road Annexe", "EX1 1AA"): ASKED,
    ("Granny annexe, 7 Grindle Road", "EX1 1AH"): ASKED,
    ("The Coach House, 7 Anvil Road", "EX1 1AA"): ASKED,
    ("The Coachhouse, 7 Anvil Road", "EX1 1AA"): ASKED,
    ("Garage at 6 Hurdle Street", "EX1 1AJ"): ASKED,
    ("The Studio, 6 Hurdle Street", "EX1 1AJ"): ASKED,
    ("The Stables, 6 Hurdle Street", "EX1 1AJ"): ASKED,
    ("Garden Cottage, 6 Hurdle Street", "EX1 1AJ"): ASKED,
    ("The Bungalow, 8 Hurdle Street", "EX1 1AJ"): ASKED,
    ("Caravan at 8 Hurdle Street", "EX1 1AJ"): ASKED,
    ("Mobile home, 8 Hurdle Street", "EX1 1AJ"): ASKED,
    ("Workshop, 8 Hurdle Street", "EX1 1AJ"): ASKED,
    ("Basement, 7 Saddler Street", "EX1 1AT"): ASKED,
    ("Attic, 7 Saddler Street", "EX1 1AT"): ASKED,
    ("Top floor, 7 Saddler Street", "EX1 1AT"): ASKED,
    ("Flat 7, 7 Saddler Street", "EX1 1AT"): ASKED,
    ("Flat, 7 Saddler Street", "EX1 1AT"): ASKED,
    ("Flat 7, Grindle Road", "EX1 1AH"): ASKED,
    ("Unit 7, Tanner House", "EX1 1AP"): ASKED,
    ("Room 3, 14 Wheel Street", "EX1 1AW"): ASKED,
    ("7A Grindle Road", "EX1 1AH"): ASKED,
    ("9 Anvil Road", "EX1 1AA"): ASKED,
    ("3 Drove Road Annexe", "EX1 1AE"): "ANNEXE, 3 DROVE ROAD",
    # Names of houses
    ("Priory Cottage, Eel Lane", "EX1 1AF"): ASKED,
    ("Priory Lodge, Eel Lane", "EX1 1AF"): ASKED,
    ("Old Priory, Eel Lane", "EX1 1AF"): ASKED,
    ("Ash Barn, Eel Lane", "EX1 1AF"): ASKED,
    ("Oak Cottage, Eel Lane", "EX1 1AF"): ASKED,
    ("Higher Farm Cottage, Eel Lane", "EX1 1AF"): ASKED,
    ("Higher Farm Barn, Eel Lane", "EX1 1AF"): ASKED,
    ("Lower Farm, Eel Lane", "EX1 1AF"): ASKED,
    ("Farm Cottage, Eel Lane", "EX1 1AF"): ASKED,
    ("The Old Barn, Flint Lane", "EX1 1AG"): ASKED,
    ("Mill House, Flint Lane", "EX1 1AG"): ASKED,
    ("Mill Cottage, Flint Lane", "EX1 1AG"): ASKED,
    ("Woodside Cottage, Flint Lane", "EX1 1AG"): ASKED,
    ("The Gatehouse, Weaver Hall", "EX1 1AZ"): ASKED,
    ("Copper Beeches, 5 Anvil Road", "EX1 1AA"): ASKED,
    ("Ivydene, 23 Yew Tree Avenue", "EX1 1AX"): ASKED,
    ("Flint Lane", "EX1 1AG"): ASKED,
    ("Lane Lodge, Flint Mill", "EX1 1AG"): ASKED,
    ("Eel Cottage, Eel Lane", "EX1 1AF"): ASKED,
    ("Flat A, Anvil Road", "EX1 1AA"): ASKED,
    ("Copper Beeches, Back Anvil Road", "EX1 1AA"): ASKED,
    # Another street
    ("5 Grindle Close", "EX1 1AH"): ASKED,
    ("5 Grindle Close, Exampleton", None): ASKED,
    ("6 Hurdle Road", "EX1 1AJ"): ASKED,
    ("6 Hurdle Avenue, Exampleton", None): ASKED,
    ("6 Hurdle Court, Exampleton", None): ASKED,
    ("6 Hurdle Green", "EX1 1AJ"): ASKED,
    ("7 West Terrace", "EX1 1AL"): ASKED,
    ("7 Weast Terrace", "EX1 1AL"): ASKED,
    ("7 Terrace", "EX1 1AL"): ASKED,
    ("9 Lower Kiln Road", "EX1 1AN"): ASKED,
    ("9 Kiln Road", "EX1 1AN"): ASKED,
    ("11 Old Loom Street", "EX1 1AN"): ASKED,
    ("11 Loom Street", "EX1 1AN"): ASKED,
    ("15 South Parade", "EX1 1AN"): ASKED,
    ("4 Second Avenue", "EX1 1AN"): ASKED,
    ("5 Grindle Road North", "EX1 1AH"): ASKED,
    ("5 North Grindle Road", "EX1 1AH"): ASKED,
    ("5 Grindle Mill Road", "EX1 1AH"): ASKED,
    ("7 Tanner House Close", "EX1 1AQ"): ASKED,
    ("5 Quarry Fields", "EX1 1AR"): ASKED,
    ("Plot 6, Quarry Fields", "EX1 1AR"): ASKED,
    ("Caravan 3, Quarry Fields", "EX1 1AR"): ASKED,
    ("Flat 2, Block B, Thatch House", "EX1 1AU"): ASKED,
    ("Basement flat, 2 Quoin Road", "EX1 1BB"): ASKED,
    # The right home under such words
    ("Ty Celyn rear of 130 Bridle Road", "EX1 1AB"): "TY CELYN, BRIDLE ROAD",
    ("Ty Celyn, r/o 130 Bridle Rd, Exampleton", "EX1 1AB"): "TY CELYN, BRIDLE ROAD",
    ("Ty Celyn adj 132 Bridle Road", "EX1 1AB"): "TY CELYN, BRIDLE ROAD",
    ("Ty Celyn behind 130 Bridle Road, Exampleton", "EX1 1AB"): "TY CELYN, BRIDLE ROAD",
    ("Ty Celyn (rear of 130), Bridle Road", "EX1 1AB"): "TY CELYN, BRIDLE ROAD",
    ("Ty Celyn opposite 130 Bridle Road", "EX1 1AB"): "TY CELYN, BRIDLE ROAD",
    ("Ty Celyn, plot 1 adj 130 Bridle Road", "EX1 1AB"): "TY CELYN, BRIDLE ROAD",
    ("Ty Celyn, 130 Bridle Road", "EX1 1AB"): ASKED,
    ("Copper Beeches, land adjacent 7 Anvil Road", "EX1 1AA"): "COPPER BEECHES, ANVIL ROAD",
    ("Old Forge rear of 8 Candle St", "EX1 1AD"): "THE OLD FORGE, REAR OF 8 CANDLE STREET",
    ("8 Candle St", "EX1 1AD"): "8 CANDLE STREET",
    ("The Annex, 3 Drove Rd", "EX1 1AE"): "ANNEXE, 3 DROVE ROAD",
    ("3 Drove Rd", "EX1 1AE"): "3 DROVE ROAD",
    ("Priory Hse, Eel Ln", "EX1 1AF"): "PRIORY HOUSE, EEL LANE",
    ("Ash Cott, Eel Lane, Exampleton", "EX1 1AF"): "ASH COTTAGE, EEL LANE",
    ("Barn, Flint La", "EX1 1AG"): "THE BARN, FLINT LANE",
    ("Woodside, Flint Ln", "EX1 1AG"): "WOODSIDE, FLINT LANE",
    ("5 Grindel Rd", "EX1 1AH"): "5 GRINDLE ROAD",
    ("5 Grindle Raod", "EX1 1AH"): "5 GRINDLE ROAD",
    ("6 Hurdel St.", "EX1 1AJ"): "6 HURDLE STREET",
    ("7 East Terr", "EX1 1AL"): "7 EAST TERRACE",
    ("9 Upr Kiln Rd", "EX1 1AN"): "9 UPPER KILN ROAD",
    ("4 1st Ave", "EX1 1AN"): "4 FIRST AVENUE",
    ("1 Osier Ct", "EX1 1AP"): "FLAT 1, OSIER COURT",
    ("Flat 7 Tanner Hse", "EX1 1AP"): "FLAT 7, TANNER HOUSE",
    ("7 Tanner House Mews", "EX1 1AQ"): "7 TANNER HOUSE MEWS",
    ("Plot 5 Quarry Fields", "EX1 1AR"): "PLOT 5, QUARRY FIELDS",
    ("Flat above shop, 77 Rasp St", "EX1 1AS"): "FLAT OVER SHOP, 77 RASP STREET",
    ("Bsmt flat, 5 Saddler St", "EX1 1AT"): "BASEMENT FLAT, 5 SADDLER STREET",
    ("Gnd Flr Flat, 3 Saddler St", "EX1 1AT"): "GROUND FLOOR FLAT, 3 SADDLER STREET",
    ("Flat 2 Block A Thatch House", "EX1 1AU"): "FLAT 2, BLOCK A, THATCH HOUSE",
    ("Bedroom 2, 12 Wheel St", "EX1 1AW"): "ROOM 2, 12 WHEEL STREET",
    ("21 Yewtree Ave", "EX1 1AX"): "21 YEW TREE AVENUE",
    ("23 Yew Tree Avenue", "EX1 1AX"): "HAZELDENE, 23 YEW TREE AVENUE",
    ("Hazeldene, Yew Tree Avenue", "EX1 1AX"): "HAZELDENE, 23 YEW TREE AVENUE",
    ("Fern Villa, 21 Yew Tree Avenue", "EX1 1AX"): "21 YEW TREE AVENUE",
    ("c/o Mrs Okafor, 5 Grindle Road", "EX1 1AH"): "5 GRINDLE ROAD",
    ("5 Grindle Road, Moor Green, Exampleton", "EX1 1AH"): "5 GRINDLE ROAD",
    ("24 Grindle Road", "EX1 1AH"): ASKED,
    ("7 Heol-y-Coed", "EX1 1AY"): "7 HEOL Y COED",
    ("Lodge, Weaver Hall", "EX1 1AZ"): "THE LODGE, WEAVER HALL",
    ("Weaver Hall, Exampleton", "EX1 1AZ"): "WEAVER HALL",
    ("4 Saint Mary's Gdns", "EX1 1BA"): "4 ST MARYS GARDENS",
    ("Flat bst front, 2 Quoin Rd", "EX1 1BB"): "BASEMENT FRONT FLAT, 2 QUOIN ROAD",
    ("Mais 1st and 2nd flrs, 4 Quoin Road", "EX1 1BD"):
        "MAISONETTE FIRST AND SECOND FLOORS, 4 QUOIN ROAD",
}  # fmt: skip


@pytest.fixture(scope="module")
def found() -> AddressLinks:
    homes = [
        (f"{address}, {TOWN}", postcode) for postcode, some in HOMES.items() for address in some
    ]
    gazetteer = pl.DataFrame(homes, ["address", "postcode"], orient="row").with_row_index("uprn", 1)
    typed = [(number, *one) for number, one in enumerate(CASES)]
    schema = {"record": pl.Int64, "address": pl.String, "postcode": pl.String}
    records = pl.DataFrame(typed, schema, orient="row")
    links = link_addresses(records, gazetteer.cast({"uprn": pl.Int64}))
    home = gazetteer.cast({"uprn": pl.Int64}).select("uprn", pl.col("address").alias("home"))
    return AddressLinks(
        links.records.join(home, on="uprn", how="left", maintain_order="left"), links.candidates
    )


@pytest.mark.parametrize(
    ("at", "home"),
    list(enumerate(CASES.values())),
    ids=[" ".join(filter(None, typed)) for typed in CASES],
)
def test_the_home_of_an_address(found, at, home):
    row = found.records.row(at, named=True)
    if home is None:
        assert row["outcome"] in ("ambiguous", "unlinked"), row["home"]
    else:
        assert (row["outcome"], row["home"]) == ("linked", f"{home}, {TOWN}"), row


def test_a_person_is_shown_what_was_not_taken(found):
    """An address that is not linked is nearly always in the review file, with its candidates."""
    asked = [at for at, home in enumerate(CASES.values()) if home is None]
    outcomes = found.records["outcome"].gather(asked)
    assert (outcomes == "ambiguous").mean() > 0.9
