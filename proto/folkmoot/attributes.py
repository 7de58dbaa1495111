"""Public attributes of households, and the code lists of which cells are made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CODE = re.compile(r"[A-Za-z0-9_.+<>=-]{1,32}")
OTHER = "(other)"
"""Cell of the households with none of an attribute's codes; no code has brackets."""


def check_identifier(value: str, where: str) -> str:
    """Returns `value` if it is an identifier, else raises ContractError."""
    if not _NAME.fullmatch(value):
        raise ContractError(
            where,
            f"{value[:40]!r} is not an identifier",
            "Use lower-case letters, digits and underscores, starting with a letter, "
            "at most 63 characters",
        )
    return value


def check_codes(codes: tuple[str, ...], where: str) -> None:
    """Raises ContractError unless `codes` are codes, each named once."""
    for position, code in enumerate(codes):
        if not _CODE.fullmatch(code):
            raise ContractError(
                f"{where}[{position}]",
                f"{code[:40]!r} is not a code",
                "Use 1 to 32 letters, digits or . _ + < > = -",
            )
    if len(set(codes)) != len(codes):
        raise ContractError(where, "a code is repeated", "Name each code once")


@dataclass(frozen=True, slots=True)
class Attribute:
    """A public attribute of a household, with its code list.

    Attributes:
        name: Identifier, for example `band`.
        codes: Code list shared by all councils, in cell order; empty if `by_council`.
        by_council: Code lists by council, for areas; empty if `codes`.
        others: True if a last cell, `(other)`, counts the households that have none of the
            codes. Otherwise such households are left out of the whole round.
        within: Name of the attribute in whose codes these nest, or empty.
        parents: For each code the code of `within` that it lies in; empty if `within` is.
    """

    name: str
    codes: tuple[str, ...] = ()
    by_council: Mapping[GssCode, tuple[str, ...]] = field(default_factory=dict)
    others: bool = False
    within: str = ""
    parents: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_identifier(self.name, "attribute.name")
        where = f"attribute {self.name}"
        if bool(self.codes) == bool(self.by_council):
            raise ContractError(
                where,
                "needs either codes or codes by council",
                "Give the public code list once, or once for each council",
            )
        check_codes(self.codes, f"{where}: codes")
        seen: set[str] = set()
        for council, codes in self.by_council.items():
            check_codes(codes, f"{where}: codes of {council}")
            if seen.intersection(codes):
                raise ContractError(
                    f"{where}: codes of {council}",
                    "a code belongs to two councils",
                    "Areas of different councils are disjoint",
                )
            seen.update(codes)
        if self.within:
            check_identifier(self.within, f"{where}: within")
        listed = seen.union(self.codes)
        if set(self.parents) != (listed if self.within else set()):
            raise ContractError(
                f"{where}: parents",
                "are not given for each code" if self.within else "are given without `within`",
                "Name the attribute above, and for each code its code there",
            )

    def codes_of(self, council: GssCode | None) -> tuple[str, ...]:
        """The cells of one council, in order; without a council, an area has none."""
        listed = self.codes or (self.by_council.get(council, ()) if council else ())
        return (*listed, OTHER) if self.others else listed

    def parent_of(self, code: str) -> str:
        """The code of `within` in which a code of this attribute lies."""
        return OTHER if code == OTHER else self.parents[code]

    @property
    def is_area(self) -> bool:
        """True if each council has its own codes."""
        return bool(self.by_council)
