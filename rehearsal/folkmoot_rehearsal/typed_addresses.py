"""Addresses as people type them: shortened, misspelt, out of order, with parts left out.

All rates are assumed; each is the chance of that slip where it can be made. Slips are made
one after the other, so that an address often has several.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from folkmoot_rehearsal.addresses import Address

SHORTENED = 0.40
"""The type of the street is shortened: St, Rd, Ave."""
MISSPELT = 0.10
"""A letter of street, house name or town is left out, doubled, swapped or another."""
NO_TOWN = 0.20
NO_POSTCODE = 0.08
WRONG_POSTCODE = 0.04
"""One character of the postcode is another."""
UNSPACED_POSTCODE = 0.20
NO_COMMAS = 0.35
SWAPPED_LINES = 0.03
"""Two lines stand in the other order."""
FLAT_OTHERWISE = 0.45
"""A flat is written in another way: Flt 3, Apt 3, F3, 3/12, or after the street."""
NO_BUILDING = 0.25
"""The name of a block that has a number in the street is left out."""
NO_NUMBER = 0.10
"""The number of a house or block that has a name is left out."""
NO_FLAT = 0.04
"""The flat or room is not given: nobody can know which it is."""
WRONG_NUMBER = 0.001
"""The number of the house is another; what is typed may be a neighbour's address."""
ELSEWHERE = 0.02
"""The address is in no town of the council."""

_SHORT = {
    "Street": ("St", "St.", "Str"), "Road": ("Rd", "Rd."), "Avenue": ("Ave", "Av"),
    "Close": ("Cl", "Clo"), "Drive": ("Dr", "Drv"), "Lane": ("Ln", "La"), "Grove": ("Gr", "Grv"),
    "Crescent": ("Cres", "Cr"), "Court": ("Ct", "Crt"), "Place": ("Pl",), "Terrace": ("Terr",),
    "Gardens": ("Gdns", "Gdn"), "Way": ("Wy",), "Walk": ("Wk",),
}  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ELSEWHERE = ("Bath", "Truro", "Kendal", "Whitby", "Ludlow")


class Truth(Enum):
    """What a typed address says."""

    HOME = "home"
    """Which home it is, if not without slips."""
    HOUSE_ONLY = "house_only"
    """The house or block, but not which of its homes."""
    ANOTHER = "another"
    """Another number than the right one."""
    ELSEWHERE = "elsewhere"
    """A place outside the council."""


@dataclass(frozen=True, slots=True)
class Typed:
    """An address as it was typed.

    Attributes:
        address: Its lines, joined.
        postcode: The postcode; empty if none was typed.
        truth: What it says.
    """

    address: str
    postcode: str
    truth: Truth


def typed(home: Address, rng: np.random.Generator) -> Typed:
    """Types the address of a home."""
    chance = dict(zip(_SLIPS, rng.random(len(_SLIPS)).tolist(), strict=True))
    pick = rng.integers(0, 1 << 30, size=12).tolist()
    truth = Truth.HOME
    unit, building, number = home.unit, home.building, home.number
    street, town, postcode = home.street, home.town, home.postcode
    if chance["elsewhere"] < ELSEWHERE:
        truth, town = Truth.ELSEWHERE, _ELSEWHERE[pick[0] % len(_ELSEWHERE)]
        postcode = f"QQ{pick[1] % 90 + 1} {pick[2] % 10}AB"
    elif unit and chance["no_flat"] < NO_FLAT:
        truth, unit = Truth.HOUSE_ONLY, ""
    elif number.isdigit() and chance["wrong_number"] < WRONG_NUMBER:
        truth, number = Truth.ANOTHER, str(int(number) + 2)
    if building and number and unit and chance["no_building"] < NO_BUILDING:
        building = ""
    elif building and number and chance["no_number"] < NO_NUMBER:
        number = ""
    if chance["misspelt"] < MISSPELT:
        wrong = pick[3] % 3
        if wrong == 0 and building:
            building = _misspelt(building, pick[4], pick[5])
        elif wrong == 1:
            town = _misspelt(town, pick[4], pick[5])
        else:
            street = _misspelt(street, pick[4], pick[5])
    name, _, kind = street.rpartition(" ")
    if kind in _SHORT and chance["shortened"] < SHORTENED:
        street = f"{name} {_SHORT[kind][pick[6] % len(_SHORT[kind])]}"
    lines = _lines(unit, building, number, street, chance["flat_otherwise"], pick[7])
    if len(lines) > 1 and chance["swapped_lines"] < SWAPPED_LINES:
        lines[0], lines[1] = lines[1], lines[0]
    if chance["no_town"] >= NO_TOWN or truth is Truth.ELSEWHERE:
        lines.append(town)
    text = (" " if chance["no_commas"] < NO_COMMAS else ", ").join(lines)
    return Typed(_cased(text, pick[8]), _postcode(postcode, chance, pick[9], pick[10]), truth)


_SLIPS = (
    "elsewhere", "no_flat", "wrong_number", "no_building", "no_number", "misspelt", "shortened",
    "flat_otherwise", "swapped_lines", "no_town", "no_commas", "no_postcode", "wrong_postcode",
    "unspaced_postcode",
)  # fmt: skip


def _lines(
    unit: str, building: str, number: str, street: str, chance: float, pick: int
) -> list[str]:
    house = f"{number} {street}".strip()
    word, _, which = unit.partition(" ")
    if chance >= FLAT_OTHERWISE or not unit:
        return [line for line in (unit, building, house) if line]
    if word == "Flat":
        ways = [f"Flt {which}", f"Apt {which}", f"Apartment {which}", f"F{which}", f"Flat{which}"]
        if which.isdigit() and number:
            ways.append("slash")
        if which.isalpha() and number:
            ways.append("letter")
        ways.append("last")
        way = ways[pick % len(ways)]
        if way == "slash":
            return [line for line in (building, f"{which}/{number} {street}") if line]
        if way == "letter":
            return [line for line in (building, f"{number}{which} {street}") if line]
        if way == "last":
            return [line for line in (building, house, unit) if line]
        return [line for line in (way, building, house) if line]
    if word == "Room":
        unit = (f"Rm {which}", f"Bedroom {which}", f"Room{which}")[pick % 3]
    else:  # Ground Floor Flat
        ground = {"Ground": "GFF", "First": "FFF", "Second": "SFF", "Basement": "Bsmt Flat"}
        unit = (f"{word} Floor", f"{word} Flr Flat", ground[word])[pick % 3]
    return [line for line in (unit, building, house) if line]


def _misspelt(text: str, at: int, how: int) -> str:
    """One letter of a word wrong; the first letter of the text is right."""
    places = [place for place in range(1, len(text) - 1) if text[place].isalpha()]
    if not places:
        return text
    place = places[at % len(places)]
    ways = (
        text[:place] + text[place + 1 :],
        text[:place] + text[place] + text[place:],
        text[:place] + text[place + 1] + text[place] + text[place + 2 :],
        text[:place] + _LETTERS[how // 4 % 26] + text[place + 1 :],
    )
    return ways[how % 4]


def _postcode(postcode: str, chance: dict[str, float], at: int, what: int) -> str:
    if chance["no_postcode"] < NO_POSTCODE:
        return ""
    if chance["wrong_postcode"] < WRONG_POSTCODE:
        outward, _, inward = postcode.partition(" ")
        place = at % 3
        other = str(what % 10) if place == 0 else "ABDEFGHJLN"[what % 10]
        postcode = f"{outward} {inward[:place]}{other}{inward[place + 1 :]}"
    if chance["unspaced_postcode"] < UNSPACED_POSTCODE:
        return postcode.replace(" ", "").lower()
    return postcode


def _cased(text: str, pick: int) -> str:
    return (text, text, text.upper(), text.lower())[pick % 4]
