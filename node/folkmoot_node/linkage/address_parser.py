"""What rules find in a typed address: numbers, unit, street, postcode.

The matcher weighs the evidence of words and numbers with a model. These rules add to it
where a model's weight is not enough: a flat is not a house of the same number, and a house
is not one of its flats.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from folkmoot_sdk.geography import POSTCODE_AREA, POSTCODE_DISTRICT, POSTCODE_INWARD

_UNIT_WORDS = frozenset(
    ("FLAT", "FLATS", "FLT", "APARTMENT", "APT", "APPT", "UNIT", "ROOM", "RM", "BEDROOM", "BEDSIT",
     "STUDIO", "MAISONETTE", "ANNEXE", "ANNEX")
)  # fmt: skip
_FLOORS = {
    "BASEMENT": "BASEMENT", "BSMT": "BASEMENT", "LOWER": "LOWER", "GROUND": "GROUND",
    "GRD": "GROUND", "GND": "GROUND", "FIRST": "FIRST", "SECOND": "SECOND", "THIRD": "THIRD",
    "TOP": "TOP", "UPPER": "UPPER", "ATTIC": "ATTIC",
}  # fmt: skip
_STREET_TYPES = frozenset(
    ("STREET", "ST", "STR", "ROAD", "RD", "AVENUE", "AVE", "AV", "CLOSE", "CL", "CLO", "DRIVE",
     "DR", "DRV", "LANE", "LN", "LA", "GROVE", "GR", "GRV", "CRESCENT", "CRES", "CR", "COURT", "CT",
     "CRT", "PLACE", "PL", "TERRACE", "TERR", "TER", "GARDENS", "GDNS", "GDN", "WAY", "WY", "WALK",
     "WK", "SQUARE", "SQ", "HILL", "PARK", "ROW", "MEWS", "RISE", "VIEW", "GREEN", "HOUSE", "THE")
)  # fmt: skip
_REWRITTEN = (
    (re.compile(r"\bG\.?F\.?F\b\.?"), "GROUND FLOOR FLAT"),
    (re.compile(r"\bF\.?F\.?F\b\.?"), "FIRST FLOOR FLAT"),
    (re.compile(r"\bS\.?F\.?F\b\.?"), "SECOND FLOOR FLAT"),
    (re.compile(r"\bT\.?F\.?F\b\.?"), "TOP FLOOR FLAT"),
    (re.compile(r"\b(?:BSMT|BMT|BASMT)\b\.?"), "BASEMENT"),
    (re.compile(r"\b(?:FLR|FLOO)\b\.?"), "FLOOR"),
    (re.compile(r"\b1ST(?= FLOOR)"), "FIRST"),
    (re.compile(r"\b2ND(?= FLOOR)"), "SECOND"),
    (re.compile(r"\b3RD(?= FLOOR)"), "THIRD"),
    (re.compile(r"\b(?:GRD|GND)\b\.?(?= FLOOR)"), "GROUND"),
    (re.compile(r"\b((?:BASEMENT|GROUND|FIRST|SECOND|THIRD|TOP) FLOOR)\b(?! FLAT)"), r"\1 FLAT"),
    (
        re.compile(r"\b(?:FLAT|FLT|APT|APPT|APARTMENT)\.? ?(?:NO\.? ?)?([0-9]+[A-Z]?|[A-Z])\b"),
        r"FLAT \1",
    ),
    (re.compile(r"(^|, ?)F ?([0-9]+[A-Z]?|[A-H])\b(?=[ ,])"), r"\1FLAT \2"),
    # RM1 2AB is a postcode of Romford.
    (
        re.compile(rf"\b(?:ROOM|RM|BEDROOM)\.? ?([0-9]+[A-Z]?|[A-Z])\b(?! ?{POSTCODE_INWARD}\b)"),
        r"ROOM \1",
    ),
    # Flat 3/2 is the second on the third floor, in Scotland.
    (re.compile(r"(?<!FLAT )\b([0-9]+[A-Z]?) ?/ ?([0-9]+[A-Z]?)\b"), r"FLAT \1, \2"),
)
_WORD = re.compile(r"[0-9]+|[A-Z]+(?:'[A-Z]+)?")
_NUMBER_LETTER = re.compile(r"(?<=[0-9])(?=[A-Z]\b)|(?<=\b[A-Z])(?=[0-9])")
_POSTCODE = re.compile(rf"\b({POSTCODE_AREA}){POSTCODE_DISTRICT} ?{POSTCODE_INWARD}\b")
_RANGE = re.compile(r"\b([0-9]+)([A-Z]?) ?- ?([0-9]+)([A-Z]?)\b")


def rewritten(text: str) -> str:
    """An address in capitals in which a flat is written as a gazetteer writes it.

    `Flt3`, `Apt 3`, `F3` and `3/12` become `FLAT 3`, `GFF` becomes `GROUND FLOOR FLAT`.
    """
    found = " ".join(text.upper().replace("\u2019", "'").split())
    for pattern, replacement in _REWRITTEN:
        found = pattern.sub(replacement, found)
    return found


@dataclass(frozen=True, slots=True)
class AddressParts:
    """What rules find in an address.

    Attributes:
        numbers: Numbers, and the letters of flats and house numbers, with how often each
            stands there: `FLAT B, 45 MILL LANE` and `45B MILL LANE` have 45 and B once each.
        floors: Floors that are named.
        has_unit: True if a flat, room or floor is named.
        words: The other words.
        street: Words of the street's name, as far as it can be found: those after the last
            number up to the next comma, without Street, Road and the like.
        area: Letters at the beginning of the postcode; empty without one.
    """

    numbers: Counter[str]
    floors: frozenset[str]
    has_unit: bool
    words: frozenset[str]
    street: frozenset[str]
    area: str


def parts(address: str, postcode: str | None) -> AddressParts:
    """Takes an address apart.

    Args:
        address: As `rewritten` gives it, or a gazetteer's; a postcode in it is not taken for
            numbers.
        postcode: The postcode, if it is known apart.
    """
    text = address.upper()
    code = _POSTCODE.search((postcode or "").upper()) or _POSTCODE.search(text)
    text = _RANGE.sub(r"\1\2 \3\4", _POSTCODE.sub(" ", text))
    numbers: Counter[str] = Counter()
    floors: set[str] = set()
    street: list[str] = []
    lines: list[list[str]] = []
    has_unit = False
    for line in _NUMBER_LETTER.sub(" ", text).split(","):
        before, numbered = "", False
        lines.append([])
        for word in _WORD.findall(line):
            if word.isdigit() or (len(word) == 1 and _takes_letter(before)):
                numbers[word.lstrip("0") or word] += 1
                numbered, street = True, []
            elif word in _UNIT_WORDS:
                has_unit = True
            elif word in _FLOORS and not numbered:
                floors.add(_FLOORS[word])
            elif word != "FLOOR" and len(word) > 1:
                lines[-1].append(word)
                if numbered:
                    street.append(word)
            before = word
    if not street:
        street = [word for line in lines[:-1] for word in line]
    words = frozenset(word for line in lines for word in line)
    # A first floor is named by a flat; FIRST AVENUE and TOP ROAD are streets.
    return AddressParts(
        numbers=numbers,
        floors=frozenset(floors) if has_unit or "FLOOR" in text else frozenset(),
        has_unit=has_unit,
        words=words,
        street=frozenset(street) - _STREET_TYPES,
        area=code[1] if code else "",
    )


def _takes_letter(before: str) -> bool:
    return before.isdigit() or before in _UNIT_WORDS


def contradicts(typed: AddressParts, candidate: AddressParts) -> bool:
    """Whether a person must look before a typed address is taken for a candidate's.

    This is so if it has a number that the candidate lacks, or lacks the candidate's flat; if
    another floor, a street of another name or a postcode of another area is given; or if
    without a postcode some word of it is not the candidate's.
    """
    if typed.numbers - candidate.numbers or typed.floors != candidate.floors:
        return True
    missing = candidate.numbers - typed.numbers
    if candidate.has_unit and not typed.has_unit and (missing or not candidate.numbers):
        return True
    if missing and candidate.has_unit and sum(missing.values()) > 1:
        return True
    if typed.area and candidate.area and typed.area != candidate.area:
        return True
    if candidate.street and not any(_known(word, typed.words) for word in candidate.street):
        return True
    if typed.area:
        return False
    return any(not _known(word, candidate.words) for word in typed.words - _STREET_TYPES)


def _known(word: str, others: frozenset[str]) -> bool:
    """Whether a word is among others, allowing for a slip of the keyboard."""
    if word in others:
        return True
    allowed = 1 if len(word) <= 5 else 2
    return any(
        abs(len(word) - len(other)) <= allowed and _distance(word, other, allowed) <= allowed
        for other in others
    )


def _distance(first: str, second: str, limit: int) -> int:
    """Insertions, deletions, changes and swaps of neighbours from one word to another.

    Optimal string alignment (Damerau 1964); above `limit` any number above it.
    """
    before, last = [0] * (len(second) + 1), list(range(len(second) + 1))
    for row, letter in enumerate(first, start=1):
        current = [row]
        for at, other in enumerate(second, start=1):
            cost = min(last[at] + 1, current[at - 1] + 1, last[at - 1] + (letter != other))
            swapped = row > 1 and at > 1 and letter == second[at - 2] and first[row - 2] == other
            current.append(min(cost, before[at - 2] + 1) if swapped else cost)
        if min(current) > limit:
            return limit + 1
        before, last = last, current
    return last[-1]
