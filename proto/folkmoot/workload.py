"""What a round asks for: marginals over public attributes.

Every cell comes from a public code list, so which cells exist never depends on data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CODE = re.compile(r"[A-Za-z0-9_.+<>=-]{1,32}")
MAXIMUM_CELLS = 50_000_000
"""Most cells that one council may be asked for; bounds memory on both sides."""


MAXIMUM_ATTRIBUTES = 64
"""Most attributes in one round."""
MAXIMUM_MARGINALS = 1_000
"""Most marginals in one round; with the former, bounds the time to check a round."""


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


def _check_codes(codes: tuple[str, ...], where: str) -> None:
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
    """

    name: str
    codes: tuple[str, ...] = ()
    by_council: Mapping[GssCode, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_identifier(self.name, "attribute.name")
        where = f"attribute {self.name}"
        if bool(self.codes) == bool(self.by_council):
            raise ContractError(
                where,
                "needs either codes or codes by council",
                "Give the public code list once, or once for each council",
            )
        _check_codes(self.codes, f"{where}: codes")
        seen: set[str] = set()
        for council, codes in self.by_council.items():
            _check_codes(codes, f"{where}: codes of {council}")
            if seen.intersection(codes):
                raise ContractError(
                    f"{where}: codes of {council}",
                    "a code belongs to two councils",
                    "Areas of different councils are disjoint",
                )
            seen.update(codes)

    def codes_of(self, council: GssCode) -> tuple[str, ...]:
        """The code list of one council, in cell order; may be empty for an area."""
        return self.codes or self.by_council.get(council, ())

    @property
    def is_area(self) -> bool:
        """True if each council has its own codes."""
        return bool(self.by_council)


@dataclass(frozen=True, slots=True)
class Marginal:
    """Counts of households over the cross-product of `attributes`.

    Attributes:
        attributes: Names, in cell order: the last varies fastest. Empty is the total.
        weight: Importance relative to the other marginals; from 1.
    """

    attributes: tuple[str, ...]
    weight: int = 1

    def __post_init__(self) -> None:
        if len(set(self.attributes)) != len(self.attributes):
            raise ContractError(
                f"marginal {self.name}", "an attribute is repeated", "Name each attribute once"
            )
        if not 1 <= self.weight <= 1_000_000:
            raise ContractError(
                f"marginal {self.name}: weight",
                f"{self.weight} is out of range",
                "Give a whole number from 1 to 1000000",
            )

    @property
    def name(self) -> str:
        """For people and file names: `band*lsoa`, or `total`."""
        return "*".join(self.attributes) or "total"


@dataclass(frozen=True, slots=True)
class Workload:
    """A set of marginals over public attributes."""

    attributes: tuple[Attribute, ...]
    marginals: tuple[Marginal, ...]

    def __post_init__(self) -> None:
        if len(self.attributes) > MAXIMUM_ATTRIBUTES or len(self.marginals) > MAXIMUM_MARGINALS:
            raise ContractError(
                "workload",
                f"has {len(self.attributes)} attributes and {len(self.marginals)} marginals",
                f"Give at most {MAXIMUM_ATTRIBUTES} attributes, {MAXIMUM_MARGINALS} marginals",
            )
        names = [attribute.name for attribute in self.attributes]
        if len(set(names)) != len(names):
            raise ContractError(
                "workload.attributes", "a name is repeated", "Name each attribute once"
            )
        if not self.marginals:
            raise ContractError("workload.marginals", "is empty", "Ask for at least one marginal")
        queries = [frozenset(marginal.attributes) for marginal in self.marginals]
        if len(set(queries)) != len(queries):
            raise ContractError(
                "workload.marginals", "the same marginal is asked for twice", "Ask once"
            )
        for marginal in self.marginals:
            for name in marginal.attributes:
                if name not in names:
                    raise ContractError(
                        f"marginal {marginal.name}",
                        f"attribute {name[:40]!r} is not declared",
                        f"Declare it among the attributes ({', '.join(names) or 'none'})",
                    )

    def attribute(self, name: str) -> Attribute:
        """The attribute of that name; KeyError if there is none."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        raise KeyError(name)

    def shape(self, marginal: Marginal, council: GssCode) -> tuple[int, ...]:
        """Number of codes of each attribute of `marginal`; () for the total."""
        return tuple(len(self.attribute(name).codes_of(council)) for name in marginal.attributes)

    def size(self, marginal: Marginal, council: GssCode) -> int:
        """Number of cells of `marginal` for `council`; 1 for the total."""
        return math.prod(self.shape(marginal, council))

    def cells(self, council: GssCode) -> int:
        """Number of cells of the whole workload for `council`."""
        codes = {one.name: len(one.codes_of(council)) for one in self.attributes}
        return sum(
            math.prod(codes[name] for name in marginal.attributes) for marginal in self.marginals
        )

    def keys(self, marginal: Marginal, council: GssCode) -> Iterator[tuple[str, ...]]:
        """Codes of each cell of `marginal`, in cell order."""
        return product(*(self.attribute(name).codes_of(council) for name in marginal.attributes))
