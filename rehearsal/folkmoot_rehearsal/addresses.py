"""Addresses of homes as a gazetteer has them: streets, houses, flats, rooms, postcodes.

All shares are assumed, guided by English housing: about a fifth of homes are flats, one in
thirty has a name, and fifteen or so share a postcode. Street names are common ones, and the
same name occurs in several towns of a council, as it does in real ones. Postcodes are in
ZZ, which no post town has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

_FIRST = (
    "Acacia", "Albert", "Alma", "Ash", "Barton", "Beech", "Birch", "Bridge", "Brook", "Buckingham",
    "Cambridge", "Canal", "Cedar", "Chapel", "Chester", "Church", "Clifton", "Cross", "Derby",
    "Devonshire", "Dovedale", "Elm", "Fairfield", "Farm", "George", "Gladstone", "Grange", "Green",
    "Grosvenor", "Hall", "Hawthorn", "Hazel", "Heath", "High", "Hill", "Holly", "Hope", "Ivy",
    "Kensington", "King", "Lancaster", "Larch", "Laurel", "Lime", "London", "Manor", "Maple",
    "Market", "Marlborough", "Meadow", "Mill", "Moor", "Mosley", "Nelson", "New", "North",
    "Northumberland", "Oak", "Orchard", "Oxford", "Park", "Poplar", "Prince", "Priory", "Queen",
    "Railway", "Regent", "Richmond", "Rose", "Rowan", "Royal", "Russell", "Rydal", "Salisbury",
    "School", "South", "Spring", "Stanley", "Station", "Sycamore", "Temple", "Union", "Vicarage",
    "Victoria", "Walnut", "Warwick", "Washway", "Water", "Waterloo", "Well", "Wellington", "West",
    "Westminster", "Willow", "Windermere", "Windsor", "Woodland", "York",
)  # fmt: skip
STREET_TYPES = (
    "Street", "Road", "Avenue", "Close", "Drive", "Lane", "Grove", "Crescent", "Court", "Place",
    "Terrace", "Gardens", "Way", "Walk",
)  # fmt: skip
_TYPE_SHARES = (0.2, 0.26, 0.14, 0.09, 0.08, 0.05, 0.05, 0.04, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01)
_TOWNS = (
    "Altonbury", "Brackley Moor", "Coldwater", "Denholme Green", "Eastleigh Cross", "Fernshaw",
    "Grimsdale", "Hallbrook", "Ingleford", "Kelmarsh", "Longbarrow", "Marsden Vale", "Norbury",
    "Oakworth", "Penistone Hill", "Ravensholme",
)  # fmt: skip
_HOUSE_NAMES = (
    "Rose Cottage", "The Old Vicarage", "Ivy House", "Hillcrest", "The Bungalow", "Oakdene",
    "The Lodge", "Woodlands", "Fairview", "The Gables", "Holly Bank", "Orchard House", "Sunnyside",
    "Mill House", "The Coach House", "Greenacres", "Lyndhurst", "Beechwood", "The Cottage",
    "Ashfield", "Thornleigh", "Rivendell", "Briar Cottage", "The Firs",
)  # fmt: skip
_BLOCKS = ("Court", "House", "Lodge", "Mansions", "Heights", "Point", "Place")
_FLOORS = ("Basement Flat", "Ground Floor Flat", "First Floor Flat", "Second Floor Flat")
_HOMES_PER_TOWN = 9_000
_HOMES_PER_POSTCODE = 16
_BLOCK, _CONVERTED, _ROOMS, _NAMED, _SUFFIXED = 0.009, 0.025, 0.002, 0.03, 0.03
"""Chances that what stands next in a street is a block of flats, a house made into flats, one
let by the room, one with a name, or one with a letter after its number."""
_INWARD = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a home.

    Attributes:
        unit: `Flat 3`, `Basement Flat`, `Room 2`; empty for a whole house.
        building: Name of the house or block, or empty.
        number: Number in the street, `12` or `12A`, or empty.
        street: The street.
        town: The town.
        postcode: The postcode, such as `ZZ12 3AB`.
    """

    unit: str
    building: str
    number: str
    street: str
    town: str
    postcode: str

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands on an envelope, without the postcode."""
        house = f"{self.number} {self.street}".strip()
        return tuple(line for line in (self.unit, self.building, house, self.town) if line)

    @property
    def in_gazetteer(self) -> str:
        """In one line of capitals, as gazetteers write it."""
        return ", ".join(self.lines).upper()


def draw(count: int, rng: np.random.Generator) -> list[Address]:
    """Draws the addresses of homes that stand in this order: neighbours come together.

    Args:
        count: How many; all differ.
        rng: Source of randomness.
    """
    towns = max(1, min(len(_TOWNS), round(count / _HOMES_PER_TOWN)))
    per_town = -(-count // towns)
    found: list[Address] = []
    for at in range(towns):
        wanted = min(per_town, count - len(found))
        found += _town(_TOWNS[at], at, wanted, rng)
    return found


def table(uprns: np.ndarray[tuple[int], np.dtype[np.int64]], homes: list[Address]) -> pl.DataFrame:
    """One row for each home: columns `uprn`, `address` (one line), `postcode`; no null."""
    return pl.DataFrame(
        {
            "uprn": uprns,
            "address": [home.in_gazetteer for home in homes],
            "postcode": [home.postcode for home in homes],
        },
        schema={"uprn": pl.Int64, "address": pl.String, "postcode": pl.String},
    )


def _town(town: str, at: int, wanted: int, rng: np.random.Generator) -> list[Address]:
    found: list[Address] = []
    postcodes = _postcodes(at)
    for street in _streets(rng):
        if len(found) >= wanted:
            break
        length = int(rng.integers(12, 110))
        found += _street(street, town, postcodes, length, rng)
    return found[:wanted]


def _streets(rng: np.random.Generator) -> Iterator[str]:
    """Names of the streets of a town, each once: common types first."""
    weights = np.repeat(np.array(_TYPE_SHARES), len(_FIRST)) / len(_FIRST)
    order = rng.choice(len(weights), size=len(weights), replace=False, p=weights)
    for one in order.tolist():
        yield f"{_FIRST[one % len(_FIRST)]} {STREET_TYPES[one // len(_FIRST)]}"
    for number in range(1, 1_000_000):
        yield f"Plot {number} Lane"


def _postcodes(town: int) -> Iterator[str]:
    """Postcodes of a town, each once."""
    for district in range(100):
        for sector in range(10):
            for first in _INWARD:
                for second in _INWARD:
                    yield f"ZZ{(town * 7 + district) % 100} {sector}{first}{second}"


def _street(
    street: str, town: str, postcodes: Iterator[str], length: int, rng: np.random.Generator
) -> list[Address]:
    found: list[Address] = []
    number, here, postcode = 1, 0, next(postcodes)
    chances = rng.random((length, 2))
    for chance, other in chances.tolist():
        if here >= _HOMES_PER_POSTCODE:
            here, postcode = 0, next(postcodes)
        if chance < _BLOCK:
            here, postcode = 0, next(postcodes)  # a block has a postcode of its own
            units = [f"Flat {flat}" for flat in range(1, 6 + int(other * 30))]
            name = f"{_FIRST[int(other * 7919) % len(_FIRST)]} {_BLOCKS[int(other * 104_729) % 7]}"
            built = [Address(unit, name, str(number), street, town, postcode) for unit in units]
        elif chance < _BLOCK + _CONVERTED:
            letters = [f"Flat {letter}" for letter in "ABCD"]
            units = letters[: 2 + int(other * 10) % 3] if other < 0.6 else list(_FLOORS[1:])
            built = [Address(unit, "", str(number), street, town, postcode) for unit in units]
        elif chance < _BLOCK + _CONVERTED + _ROOMS:
            units = [f"Room {room}" for room in range(1, 4 + int(other * 5))]
            built = [Address(unit, "", str(number), street, town, postcode) for unit in units]
        elif other < _NAMED:
            name = _HOUSE_NAMES[int(other / _NAMED * len(_HOUSE_NAMES))]
            own = "" if chance > 0.6 and not any(a.building == name for a in found) else number
            built = [Address("", name, str(own), street, town, postcode)]
        else:
            built = [Address("", "", str(number), street, town, postcode)]
            if other > 1 - _SUFFIXED:
                built.append(Address("", "", f"{number}A", street, town, postcode))
        found += built
        here += len(built)
        number += 1 if number == 12 else 2 if other < 0.02 else 1
    return found
