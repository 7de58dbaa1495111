"""Takes a typed address, or a gazetteer's, apart: numbers, flat, floors, street, postcode.

The matcher weighs the evidence of words and numbers with a model. `address_rules` adds rules
to it where a model's weight is not enough.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from folkmoot_node.linkage.address_words import (
    BUILDINGS,
    FLOORS,
    LETTERED,
    PLACING,
    REFERRING,
    STREET_TYPES,
    UNITS,
    spelt,
)
from folkmoot_sdk.geography import POSTCODE_AREA, POSTCODE_DISTRICT, POSTCODE_INWARD

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
_ALWAYS_FLOORS = frozenset(("BASEMENT", "BSMT", "BST", "ATTIC"))
_ASIDE = re.compile(r"\bR ?/ ?O\b|\bBACK OF\b")
_REFERENCE = re.compile(
    r"(?P<name>[A-Z' ]+?)[ ,(]+(?:(?:LAND|PLOT [0-9]+),? )?(?:AT |TO )?(?:THE )?"
    r"(?:REAR OF|R/O|BEHIND|BACK OF|ADJ\.?|ADJACENT|ADJOINING|OPP\.?|OPPOSITE|NEXT|NEAR|OFF)"
    r"(?: TO)? (?:NO\.? ?)?[0-9]+[A-Z]?(?: ?- ?[0-9]+[A-Z]?)?\b[ ,)]*"
)
_UNIT_THEN_HOUSE = re.compile(rf"\b({'|'.join(UNITS)}) ([0-9]+[A-Z]?|[A-Z])(?= [0-9])")
_ORDINAL = r"[0-9]+(?:ST|ND|RD|TH)\b"
_WORD = re.compile(rf"{_ORDINAL}|[0-9]+|[A-Z]+")
_NUMBER_LETTER = re.compile(r"(?<=[0-9])(?=[A-Z]\b)|(?<=\b[A-Z])(?=[0-9])")
_POSTCODE = re.compile(rf"\b({POSTCODE_AREA}){POSTCODE_DISTRICT} ?{POSTCODE_INWARD}\b")
_RANGE = re.compile(r"\b([0-9]+)([A-Z]?) ?- ?([0-9]+)([A-Z]?)\b")
_LINE = re.compile(r"[,;()\n]| - ")


def rewritten(text: str) -> str:
    """An address in capitals in which a flat is written as a gazetteer writes it.

    `Flt3`, `Apt 3`, `F3` and `3/12` become `FLAT 3`, `GFF` becomes `GROUND FLOOR FLAT`.
    """
    found = " ".join(text.upper().replace("\u2019", "'").split())
    for pattern, replacement in _REWRITTEN:
        found = pattern.sub(replacement, found)
    return found


def without_reference(text: str) -> str:
    """An address without the number of another home by which it is placed.

    `TY LARCH REAR OF 130 MARLOW ROAD` becomes `TY LARCH, MARLOW ROAD`; an address in which no
    name stands before such words stays as it is.

    Args:
        text: As `rewritten` gives it.
    """
    found = _REFERENCE.match(text)
    if found is None or not set(found["name"].split()) - REFERRING - PLACING - UNITS.keys():
        return text
    return f"{found['name'].strip()}, {text[found.end() :]}"


class Zone(Enum):
    """The part of an address in which a word stands."""

    NAME = "name"
    """Before the number and the street: flat, block, name of the house."""
    STREET = "street"
    TOWN = "town"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an address.

    Attributes:
        text: As `address_words.spelt` gives it; a number without leading zeros.
        line: Which line it stands in, from 0.
        is_number: True for a number, and for the letter of a flat or a house number.
        zone: Where it stands.
    """

    text: str
    line: int
    is_number: bool
    zone: Zone


@dataclass(frozen=True, slots=True)
class AddressParts:
    """What rules find in an address.

    Attributes:
        words: Its words and numbers in their order, without those of `units` and `floors`.
        numbers: Numbers, and the letters of flats and house numbers, with how often each
            stands there: `FLAT B, 45 MILL LANE` and `45B MILL LANE` have 45 and B once each.
        floors: Floors that are named.
        units: Which kinds of flat or room are named.
        postcode: The postcode without blanks; empty without one.
        area: Letters at the beginning of the postcode; empty without one.
        vocabulary: The texts of its words that are no numbers.
        pairs: Words that stand beside each other, written together.
    """

    words: tuple[Word, ...]
    numbers: Counter[str]
    floors: frozenset[str]
    units: frozenset[str]
    postcode: str
    area: str
    vocabulary: frozenset[str]
    pairs: frozenset[str]

    def texts(self, *zones: Zone) -> list[str]:
        """The words of some zones, without numbers."""
        return [word.text for word in self.words if word.zone in zones and not word.is_number]

    def numbers_of(self, zone: Zone) -> Counter[str]:
        """The numbers of a zone."""
        return Counter(word.text for word in self.words if word.zone is zone and word.is_number)


def parts(address: str, postcode: str | None) -> AddressParts:
    """Takes an address apart.

    Args:
        address: As `rewritten` gives it, or a gazetteer's; a postcode in it is not taken for
            numbers.
        postcode: The postcode, if it is known apart.
    """
    text = unicodedata.normalize("NFKD", address.upper())
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    code = _POSTCODE.search((postcode or "").upper()) or _POSTCODE.search(text)
    text = _ASIDE.sub("REAR OF", _POSTCODE.sub(" ", text)).replace("'", "")
    text = _RANGE.sub(r"\1\2 \3\4", _UNIT_THEN_HOUSE.sub(r"\1 \2,", text))
    split = _LINE.split(_NUMBER_LETTER.sub(" ", text))
    lines = [[spelt(word) for word in _WORD.findall(line)] for line in split]
    floors: set[str] = set()
    units: set[str] = set()
    kept: list[list[tuple[str, bool]]] = []
    for line in lines:
        on_floors = _floors(line)
        floors |= {FLOORS[line[at]] for at in on_floors if line[at] in FLOORS}
        units |= {UNITS[word] for word in line if word in UNITS}
        found: list[tuple[str, bool]] = []
        for at, word in enumerate(line):
            before = line[at - 1] if at else ""
            if word.isdigit() or (len(word) == 1 and _takes_letter(before)):
                found.append((word.lstrip("0") or word, True))
            elif word not in UNITS and at not in on_floors and len(word) > 1:
                found.append((word, False))
        if found:
            kept.append(found)
    texts = [[word for word, is_number in line if not is_number] for line in kept]
    return AddressParts(
        words=tuple(_zoned(kept)),
        numbers=Counter(word for line in kept for word, is_number in line if is_number),
        floors=frozenset(floors),
        units=frozenset(units),
        postcode=code[0].replace(" ", "") if code else "",
        area=code[1] if code else "",
        vocabulary=frozenset(word for line in texts for word in line),
        pairs=frozenset(first + second for line in texts for first, second in pairwise(line)),
    )


def _takes_letter(before: str) -> bool:
    return before.isdigit() or before in UNITS or before in LETTERED


def _floors(line: list[str]) -> set[int]:
    """Where floors are named; FIRST AVENUE and UPPER PARK ROAD are streets."""
    found: set[int] = set()
    at = 0
    while at < len(line):
        start = at
        while at < len(line) and (line[at] in FLOORS or (at > start and line[at] == "AND")):
            at += 1
        if at == start:
            at += 1
            continue
        after = line[at] if at < len(line) else ""
        before = line[start - 1] if start else ""
        named = after in ("FLOOR", "FLOORS") or after in UNITS or before in UNITS
        found |= {place for place in range(start, at) if named or line[place] in _ALWAYS_FLOORS}
        if after in ("FLOOR", "FLOORS"):
            found.add(at)
    return found


def _zoned(lines: list[list[tuple[str, bool]]]) -> Iterator[Word]:
    """The words of an address with the zone of each.

    The street's line is the last in which a word follows a number, otherwise the last with a word
    such as Road; a line behind it is a place. If there is none, all but the last line
    is the home's name.
    """
    numbered = [at for at, line in enumerate(lines) if _number_before_word(line) is not None]
    typed = [at for at, line in enumerate(lines) if any(word in STREET_TYPES for word, _ in line)]
    of_street = (numbered or typed or [max(len(lines) - 2, 0)])[-1]
    for at, line in enumerate(lines):
        start, end = (0, len(line)) if at == of_street else (len(line), len(line))
        if at > of_street:
            start = end = 0
        elif at == of_street:
            start = _number_before_word(line) or 0
            if len(lines) == 1:
                end = _end_of_street(line)
        for place, (word, is_number) in enumerate(line):
            zone = Zone.NAME if place < start else Zone.STREET if place < end else Zone.TOWN
            yield Word(word, at, is_number, zone)


def _number_before_word(line: list[tuple[str, bool]]) -> int | None:
    """Where the last number stands that a word follows, or the first of those side by side."""
    for at in range(len(line) - 2, -1, -1):
        if line[at][1] and not line[at + 1][1] and len(line[at + 1][0]) > 1:
            while at and line[at - 1][1]:
                at -= 1
            return at
    return None


def _end_of_street(line: list[tuple[str, bool]]) -> int:
    """Where the street ends in an address without commas."""
    for kinds in (STREET_TYPES, BUILDINGS):
        places = [at for at, (word, _) in enumerate(line) if word in kinds and at]
        if places:
            return places[-1] + 1
    return len(line)
