"""What contradicts a candidate: numbers and words that place or name another home.

A flat is not a house of the same number, a house is not one of its flats, what stands behind
a house is not the house, a Close is not the Road of its name. The wrong home is worse than
a question to a person, so a word that is not understood counts against the candidate where it
stands before or in the street's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from folkmoot_node.linkage.address_parser import AddressParts, Word, Zone
from folkmoot_node.linkage.address_slips import is_one_slip, same
from folkmoot_node.linkage.address_words import (
    BUILDINGS,
    DISTINGUISHING,
    DWELLINGS,
    KNOWN,
    PLACING,
    REFERRING,
    SAYING_NOTHING,
    STREET_TYPES,
    TELLING,
)

_PARTS_OF_A_HOUSE = PLACING | {"FRONT", "BACK", "MIDDLE", "OVER", "UNDER"}
_ELSEWHERE = PLACING | DWELLINGS
"""Words that speak of another home wherever they stand in a typed address."""


def contradicts(typed: AddressParts, candidate: AddressParts) -> bool:
    """Whether a person must look before a typed address is taken for a candidate's.

    This is so if it has a number that the candidate lacks, or lacks the candidate's flat; if
    it gives another floor, or a postcode of another area; if the names of their houses or streets
    differ, with all that belongs to them: North, Upper, Close, Cottage; if only one of them is
    behind, beside, above or a part of something; or if without a postcode some word of
    it is not the candidate's.
    """
    if typed.area and candidate.area and typed.area != candidate.area:
        return True
    if (typed.words, typed.units, typed.floors) == (
        candidate.words,
        candidate.units,
        candidate.floors,
    ):
        return False
    if typed.numbers - candidate.numbers and not typed.vocabulary & REFERRING:
        return True  # which spares most neighbours the comparison of words
    found = _Comparison.of(typed, candidate)
    return found.numbers_differ() or found.candidate_lacks() or found.typed_lacks()


def may_be_called(typed: AddressParts, candidate: AddressParts) -> frozenset[str]:
    """Typed words that a candidate lacks and that may be a name of its house.

    If another home of the street has that name, a person must look.
    """
    found = _Comparison.of(typed, candidate)
    names = (typed.words[at].text for at in found.more_name)
    return frozenset(name for name in names if name not in SAYING_NOTHING)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two addresses beside each other.

    Attributes:
        typed: The typed one.
        candidate: That of a home.
        unknown: Places of typed words that the candidate lacks.
        missing: The candidate's words that the typed address lacks, by zone.
        street: Places of typed words that name the candidate's street; empty if none does.
        is_whole: False if typed words of the street's name stand apart from these, so
            that they are another's: CHURCH FARM, MILL LANE for MILL FARM, CHURCH LANE.
        aside: Places of typed words that say where the home is by another one, as REAR OF 130
            does where the home has a name.
        numbers: Typed numbers but for those aside.
        same_postcode: True if the postcodes are equal.
        close: True if they are but for one character.
    """

    typed: AddressParts
    candidate: AddressParts
    unknown: frozenset[int]
    missing: dict[Zone, list[str]]
    street: range
    is_whole: bool
    aside: range
    numbers: Counter[str]
    same_postcode: bool
    close: bool

    @classmethod
    def of(cls, typed: AddressParts, candidate: AddressParts) -> _Comparison:
        same_postcode = bool(typed.postcode) and typed.postcode == candidate.postcode
        close = bool(typed.postcode) and is_one_slip(typed.postcode, candidate.postcode)
        unknown = frozenset(
            at
            for at, word in enumerate(typed.words)
            if not word.is_number
            and not _is_among(at, typed, candidate.vocabulary, candidate.pairs, close)
        )
        missing: dict[Zone, list[str]] = {zone: [] for zone in Zone}
        for at, word in enumerate(candidate.words):
            if not (
                word.is_number or _is_among(at, candidate, typed.vocabulary, typed.pairs, close)
            ):
                missing[word.zone].append(word.text)
        street, said = _street(typed.words, candidate, close)
        of_street = set(_telling(candidate.texts(Zone.STREET))) - set(missing[Zone.STREET])
        aside = _aside(typed, candidate, close)
        set_aside = Counter(typed.words[at].text for at in aside if typed.words[at].is_number)
        return cls(
            typed=typed,
            candidate=candidate,
            unknown=unknown,
            missing=missing,
            street=street,
            is_whole=said >= of_street,
            aside=aside,
            numbers=typed.numbers - set_aside,
            same_postcode=same_postcode,
            close=close,
        )

    @property
    def has_house_number(self) -> bool:
        """Whether the candidate's number in its street has been typed."""
        typed = self.numbers - self.candidate.numbers_of(Zone.NAME)
        wanted = self.candidate.numbers_of(Zone.STREET)
        digits = [number for number in wanted if number.isdigit()]
        # Of 12-14 one is enough; in FLAT B TANNER HOUSE the letter is all there is.
        return any(number in typed for number in digits or wanted)

    def numbers_differ(self) -> bool:
        """Whether numbers, flats or floors are others."""
        candidate = self.candidate
        if self.numbers - candidate.numbers:
            return True
        missing = candidate.numbers - self.numbers
        of_unit = candidate.numbers_of(Zone.NAME)
        if of_unit - self.numbers or any(number.isalpha() for number in missing):
            return True
        named_by_number = bool(of_unit)
        if self.typed.floors != candidate.floors and not (
            named_by_number and not (self.typed.floors and candidate.floors)
        ):
            return True
        lacking = candidate.units - self.typed.units
        if lacking and not (self.typed.units or (not missing and candidate.numbers)):
            return True
        more = self.typed.units - candidate.units
        if not more:
            return False
        # 45B is Flat B of 45; 24 PARRY COURT is Flat 24 of the court.
        street = candidate.texts(Zone.STREET)
        in_building = bool(street) and street[-1] in BUILDINGS
        lettered = any(number.isalpha() for number in candidate.numbers)
        by_floor = bool(candidate.floors) and candidate.floors == self.typed.floors
        return bool(candidate.units or more != {"FLAT"}) or not (
            in_building or lettered or by_floor
        )

    def typed_lacks(self) -> bool:
        """Whether the candidate has words of importance that were not typed."""
        of_name = [word for word in self.missing[Zone.NAME] if word not in SAYING_NOTHING]
        of_street = [word for word in self.missing[Zone.STREET] if word not in SAYING_NOTHING]
        if any(word in _PARTS_OF_A_HOUSE for word in of_name):
            return True
        if of_name and not self.has_house_number:
            return True
        if not (self.has_house_number or self._is_named):
            return True
        if not of_street:
            return False
        # 12 High, M33 1AA is in High Street; Dale House is not Dale House Mews.
        kept = [word for word in self.candidate.texts(Zone.STREET) if word not in of_street]
        return (
            any(word not in STREET_TYPES for word in of_street)
            or not self.typed.area
            or not [word for word in kept if word not in SAYING_NOTHING]
            or kept[-1] in BUILDINGS
        )

    @property
    def _is_named(self) -> bool:
        """Whether the candidate is found without a number in its street: by a name, by a flat."""
        if self.candidate.texts(Zone.NAME) or self.candidate.numbers_of(Zone.NAME):
            street_numbers = self.candidate.numbers_of(Zone.STREET)
            return not street_numbers or bool(self.candidate_name)
        return not self.candidate.numbers_of(Zone.STREET)

    def candidate_lacks(self) -> bool:
        """Whether words of importance were typed that the candidate lacks."""
        words = self.typed.words
        if not self.typed.area and any(
            words[at].text not in SAYING_NOTHING and at not in self.aside for at in self.unknown
        ):
            return True
        if not self.is_whole or (not self.street and _telling(self.candidate.texts(Zone.STREET))):
            return True
        return any(self._matters(at) for at in range(len(words)) if not words[at].is_number)

    def _matters(self, at: int) -> bool:
        """Whether a typed word speaks of another home than the candidate."""
        word = self.typed.words[at]
        if at in self.aside or word.text in SAYING_NOTHING:
            return False
        if at >= self.street.stop:
            return at in self.unknown and self._matters_behind(at)
        if at in self.unknown:
            return at not in self.more_name
        if at in self.street or self._is_in(at, Zone.NAME):
            return False
        # NORTH of the town North Moor is not that of 5 North Mill Lane, and MILL of a street
        # does not make LODGE a Mill Lodge.
        return word.text in KNOWN or not self._is_in(at, Zone.TOWN)

    @property
    def more_name(self) -> list[int]:
        """Places of typed words that may be a name of the house which the gazetteer lacks.

        So they are before the right number in the right street and postcode, if the candidate has
        no other name, and if a house may be called so: FERN VILLA, but not GARDEN COTTAGE.
        """
        if not (self.same_postcode and self.has_house_number) or self.candidate_name:
            return []
        numbers = self.candidate.numbers_of(Zone.STREET)
        places = [
            at
            for at, word in enumerate(self.typed.words)
            if word.is_number and word.text in numbers
        ]
        before = [at for at in sorted(self.unknown) if at < places[-1]]
        words = self.typed.words
        return [] if any(words[at].text in DISTINGUISHING for at in before) else before

    @property
    def candidate_name(self) -> list[str]:
        """What the candidate's house is called."""
        return _telling(self.candidate.texts(Zone.NAME))

    def _matters_behind(self, at: int) -> bool:
        """Whether a word behind the street's name makes it another, or speaks of a part of it."""
        words = self.typed.words
        word = words[at]
        line = [other.text for other in words if other.line == word.line]
        if not self.street:
            return True
        if word.text in _ELSEWHERE and "ESTATE" not in line:
            return True
        last = words[self.street[-1]]
        if word.line != last.line or at != self.street.stop:
            return False
        if word.text in ("ST", "GR") and at + 1 < len(words) and words[at + 1].line == word.line:
            return last.text not in STREET_TYPES
        return word.text in TELLING or (word.text in KNOWN and last.text not in STREET_TYPES)

    def _is_in(self, at: int, zone: Zone) -> bool:
        texts = self.candidate.texts(zone)
        return _is_among(at, self.typed, frozenset(texts), _together(texts), self.close)


def _telling(words: Sequence[str]) -> list[str]:
    return [word for word in words if word not in SAYING_NOTHING]


def _aside(typed: AddressParts, candidate: AddressParts, close: bool) -> range:
    """Where a home that has a name is placed by another one: REAR OF 130, PLOT 1 ADJ MILL HOUSE.

    The name must stand before, and be the whole name of the candidate.
    """
    name = _telling(candidate.texts(Zone.NAME))
    if not name or any(word in _PARTS_OF_A_HOUSE for word in name):
        return range(0)
    words = typed.words
    referring = REFERRING - candidate.vocabulary
    start = next((at for at, word in enumerate(words) if word.text in referring), 0)
    before = [word.text for word in words[:start] if not word.is_number]
    if not before or not all(any(same(word, one, close) for one in before) for word in name):
        return range(0)
    street = candidate.texts(Zone.STREET)
    end = start + 1
    while end < len(words) and (
        words[end].is_number or not any(same(words[end].text, one, close) for one in street)
    ):
        end += 1
    return range(start, end)


def _street(
    words: Sequence[Word], candidate: AddressParts, close: bool
) -> tuple[range, frozenset[str]]:
    """Where the candidate's street is named in one run of words, and what is said of it.

    Of several runs, the longest; of those as long, the one behind the number of the house, or
    else the first.
    """
    street = _telling(candidate.texts(Zone.STREET))
    numbers = candidate.numbers_of(Zone.STREET)
    best: tuple[int, bool, range, frozenset[str]] = (0, False, range(0), frozenset())
    at = 0
    while at < len(words):
        if words[at].text in SAYING_NOTHING:
            at += 1
            continue
        start, said = at, frozenset[str]()
        while at < len(words) and (of_word := _said(at, words, street, close)):
            said |= of_word
            at += 1
        behind = start > 0 and words[start - 1].is_number and words[start - 1].text in numbers
        if said and (len(said), behind) > best[:2]:
            best = (len(said), behind, range(start, at), said)
        at = max(at, start + 1)
    return best[2], best[3]


def _said(at: int, words: Sequence[Word], street: Sequence[str], close: bool) -> frozenset[str]:
    """The words of a street's name that a typed word is, alone or with a neighbour."""
    word = words[at]
    if word.is_number:
        return frozenset()
    if word.text in SAYING_NOTHING:
        # It does not end a run; THE GREEN and HEOL Y BRYN are written with and without it.
        following = at + 1 < len(words) and bool(_said(at + 1, words, street, close))
        return frozenset(("",)) if following else frozenset()
    said = {one for one in street if same(word.text, one, close)}
    near = [one.text for one in words[max(at - 1, 0) : at + 2] if not one.is_number]
    written = {word.text, *_together(near)}
    said |= {one for one in street if one in written}
    said |= {one for pair in pairwise(street) if pair[0] + pair[1] in written for one in pair}
    return frozenset(said)


def _together(texts: Sequence[str]) -> frozenset[str]:
    """Words that stand beside each other, written as one."""
    return frozenset(first + second for first, second in pairwise(texts))


def _is_among(
    at: int, address: AddressParts, others: frozenset[str], pairs: frozenset[str], close: bool
) -> bool:
    """Whether a word is among others, with slips, or written apart or together: YEWTREE."""
    word = address.words[at].text
    if word in others or word in pairs or any(same(word, one, close) for one in others):
        return True
    near = [one.text for one in address.words[max(at - 1, 0) : at + 2] if not one.is_number]
    together = _together(near)
    return bool(together & others or together & pairs)
