"""What a round asks for: marginals over public attributes.

Every cell comes from a public code list, so which cells exist never depends on data.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from folkmoot.attributes import Attribute
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.hierarchy import Axis, AxisLevel, contrast_rows

MAXIMUM_CELLS = 50_000_000
"""Most cells that one council may be asked for; bounds memory on both sides."""
MAXIMUM_ATTRIBUTES = 64
"""Most attributes in one round."""
MAXIMUM_MARGINALS = 1_000
"""Most marginals in one round; with the former, bounds the time to check a round."""
MAXIMUM_PARTS = 65_536
"""Most components of all marginals together; bounds the time to plan a round."""
MAXIMUM_CODES = 5_000_000
"""Most codes of all councils together; bounds the time to check a round."""
MAXIMUM_NESTING = 8
"""Most attributes in one chain; with the former, bounds what the axes of a plan hold."""
MAX_WEIGHT = 2**32 - 1
_Terms = tuple[tuple[tuple[str, ...], int], ...]
"""A sum of products: names of the factors that differ between councils, product of the others."""


def check_counts(attributes: int, marginals: int) -> None:
    """Raises ContractError if a workload has more of them than a round may have."""
    if attributes > MAXIMUM_ATTRIBUTES or marginals > MAXIMUM_MARGINALS:
        raise ContractError(
            "workload",
            f"has {attributes} attributes and {marginals} marginals",
            f"Give at most {MAXIMUM_ATTRIBUTES} attributes, {MAXIMUM_MARGINALS} marginals",
        )


@dataclass(frozen=True, slots=True)
class Marginal:
    """Counts of households over the cross-product of `attributes`.

    Attributes:
        attributes: Names, in cell order: the last varies fastest. Empty is the total.
        weight: Importance of the variance of each of its cells, relative to the cells of
            the other marginals; from 1.
    """

    attributes: tuple[str, ...]
    weight: int = 1

    def __post_init__(self) -> None:
        if len(set(self.attributes)) != len(self.attributes):
            raise ContractError(
                f"marginal {self.name}", "an attribute is repeated", "Name each attribute once"
            )
        if not 1 <= self.weight <= MAX_WEIGHT:
            raise ContractError(
                f"marginal {self.name}: weight",
                f"{self.weight} is out of range",
                f"Give a whole number from 1 to {MAX_WEIGHT}",
            )

    @property
    def name(self) -> str:
        """For people and file names: `band*lsoa`, or `total`."""
        return "*".join(self.attributes) or "total"


@dataclass(frozen=True)
class Workload:
    """A set of marginals over public attributes.

    The households that a round is about are those that have a cell of every attribute that
    some marginal uses; the others are in no marginal at all, so that marginals agree.
    """

    attributes: tuple[Attribute, ...]
    marginals: tuple[Marginal, ...]

    def __post_init__(self) -> None:
        check_counts(len(self.attributes), len(self.marginals))
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
        self._check_nesting()
        if self.parts > MAXIMUM_PARTS:
            raise ContractError(
                "workload.marginals",
                f"have {self.parts} parts",
                f"At most {MAXIMUM_PARTS} can be planned: name fewer attributes in one marginal",
            )

    def _check_nesting(self) -> None:
        taken: set[str] = set()
        for attribute in self.attributes:
            if not attribute.within:
                continue
            where = f"attribute {attribute.name}: within"
            above = next((one for one in self.attributes if one.name == attribute.within), None)
            if above is None:
                raise ContractError(
                    where, f"attribute {attribute.within!r} is not declared", "Declare it"
                )
            if attribute.within in taken:
                raise ContractError(
                    where,
                    f"another attribute is within {attribute.within!r} already",
                    "Nest attributes in one chain, or ask in two rounds",
                )
            taken.add(attribute.within)
            if attribute.others and not above.others:
                raise ContractError(
                    where,
                    f"{attribute.name} has others and {above.name} has not",
                    "Let both have a cell for other codes",
                )
            self._check_parents(attribute, above, where)
        for attribute in self.attributes:
            chain = self._chain(attribute)
            if attribute.name in chain[1:]:
                raise ContractError(
                    f"attribute {attribute.name}: within", "goes round in a circle", "Cut it"
                )
            if len(chain) > MAXIMUM_NESTING:
                raise ContractError(
                    f"attribute {attribute.name}: within",
                    f"lies in {len(chain) - 1} others",
                    f"Nest at most {MAXIMUM_NESTING} attributes in each other",
                )
        for marginal in self.marginals:
            for name in marginal.attributes:
                double = set(self._chain(self.attribute(name))[1:]).intersection(
                    marginal.attributes
                )
                if double:
                    raise ContractError(
                        f"marginal {marginal.name}",
                        f"names {name} and {min(double)}, which follows from it",
                        f"Leave {min(double)} out",
                    )

    def _check_parents(self, attribute: Attribute, above: Attribute, where: str) -> None:
        if above.is_area and not attribute.is_area:
            raise ContractError(
                where, f"{above.name} differs between councils", "Nest areas in areas"
            )
        shared = [(None, attribute.codes)] if attribute.codes else []
        everywhere = set(above.codes)
        for council, codes in [*shared, *attribute.by_council.items()]:
            known = everywhere or set(above.by_council.get(council, ()) if council else ())
            for code in codes:
                if attribute.parents[code] not in known:
                    raise ContractError(
                        where,
                        f"code {code} lies in {attribute.parents[code][:40]!r}, which is not "
                        f"listed{f' for {council}' if council else ''}",
                        f"Add it to the codes of {above.name}, or correct the parent",
                    )

    def _chain(self, attribute: Attribute) -> list[str]:
        """An attribute's name and those above it; stops where it would go round."""
        chain = [attribute.name]
        while attribute.within and attribute.within not in chain[1:]:
            attribute = self.attribute(attribute.within)
            chain.append(attribute.name)
        return chain

    def above(self, name: str) -> tuple[str, ...]:
        """Names of the attributes in which an attribute nests, nearest first."""
        return tuple(self._chain(self.attribute(name))[1:])

    @cached_property
    def parts(self) -> int:
        """Components of all marginals, each counted as often as a marginal has it."""
        return sum(
            math.prod(len(self._chain(self.attribute(name))) + 1 for name in marginal.attributes)
            for marginal in self.marginals
        )

    def attribute(self, name: str) -> Attribute:
        """The attribute of that name; KeyError if there is none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Attribute]:
        return {attribute.name: attribute for attribute in self.attributes}

    @cached_property
    def _chains(self) -> tuple[tuple[str, ...], ...]:
        """Attributes that belong together, coarsest first, where marginals use any of them."""
        used = {name for marginal in self.marginals for name in marginal.attributes}
        inner = {attribute.within for attribute in self.attributes}
        chains = (
            tuple(reversed(self._chain(attribute)))
            for attribute in self.attributes
            if attribute.name not in inner
        )
        return tuple(chain for chain in chains if used.intersection(chain))

    @cached_property
    def _measured_chains(self) -> tuple[tuple[str, ...], ...]:
        """The same, without the attributes that no marginal uses."""
        used = {name for marginal in self.marginals for name in marginal.attributes}
        return tuple(tuple(name for name in chain if name in used) for chain in self._chains)

    @property
    def counted_by(self) -> tuple[Attribute, ...]:
        """The attributes of a household that decide its cells: the finest of each chain."""
        return tuple(self.attribute(chain[-1]) for chain in self._chains)

    def axes(self, council: GssCode) -> tuple[Axis, ...]:
        """The attributes that marginals use, as axes of one council."""
        return tuple(
            self._shared_axes.get(chain) or self._axis(chain, council)
            for chain in self._measured_chains
        )

    @cached_property
    def _shared_axes(self) -> dict[tuple[str, ...], Axis]:
        """The axes without areas: the same for all councils, so that each is made once."""
        return {
            chain: self._axis(chain, None)
            for chain in self._measured_chains
            if not any(self.attribute(name).is_area for name in chain)
        }

    def _axis(self, chain: tuple[str, ...], council: GssCode | None) -> Axis:
        levels: list[AxisLevel] = []
        for name in chain:
            codes = self.attribute(name).codes_of(council)
            parents = (0,) * len(codes)
            if levels:
                above = levels[-1]
                place = {code: at for at, code in enumerate(above.codes)}
                parents = tuple(place[self.ancestor(name, code, above.attribute)] for code in codes)
            levels.append(AxisLevel(name, codes, parents))
        return Axis(tuple(levels))

    def ancestor(self, name: str, code: str, above: str) -> str:
        """The code of attribute `above` in which a code of attribute `name` lies."""
        while name != above:
            attribute = self.attribute(name)
            name, code = attribute.within, attribute.parent_of(code)
        return code

    def shape(self, marginal: Marginal, council: GssCode) -> tuple[int, ...]:
        """Number of codes of each attribute of `marginal`; () for the total."""
        return tuple(len(self.attribute(name).codes_of(council)) for name in marginal.attributes)

    def size(self, marginal: Marginal, council: GssCode) -> int:
        """Number of cells of `marginal` for `council`; 1 for the total."""
        return math.prod(self.shape(marginal, council))

    def cells(self, council: GssCode) -> int:
        """Number of cells of all marginals for `council`."""
        sizes = {one.name: len(one.codes_of(council)) for one in self.attributes if one.is_area}
        return _total(self._cell_terms, sizes)

    def rows_at_most(self, council: GssCode) -> int:
        """At least as many whole numbers as a council's release can hold."""
        rows: dict[str, int] = {}
        for chain in self._measured_chains:
            rows |= self._rows_below(chain, council, self._shared_rows)
        return _total(self._row_terms, rows)

    @property
    def sums_of_areas(self) -> int:
        """Products that are summed for each council to find how much it is asked for."""
        return len(self._cell_terms) + len(self._row_terms)

    @cached_property
    def _cell_terms(self) -> _Terms:
        return self._terms(
            {one.name: len(one.codes_of(None)) for one in self.attributes if not one.is_area}
        )

    @cached_property
    def _row_terms(self) -> _Terms:
        return self._terms(self._shared_rows)

    def _terms(self, shared: Mapping[str, int]) -> _Terms:
        """What all councils share of a sum over marginals, multiplied once for all of them.

        A round may ask a thousand councils for a thousand marginals: a million products each
        time it is read, if each council had all of them.
        """
        terms: dict[tuple[str, ...], int] = {}
        for marginal in self.marginals:
            own = tuple(sorted(name for name in marginal.attributes if name not in shared))
            factor = math.prod(shared.get(name, 1) for name in marginal.attributes)
            terms[own] = terms.get(own, 0) + factor
        return tuple(terms.items())

    @cached_property
    def _shared_rows(self) -> dict[str, int]:
        """`_rows_below` of all attributes that are no areas, so that it is found once."""
        shared: dict[str, int] = {}
        for chain in self._measured_chains:
            # Areas may lie in what all councils share, never the other way round.
            common = tuple(name for name in chain if not self.attribute(name).is_area)
            shared |= self._rows_below(common, None, {})
        return shared

    def _rows_below(
        self, chain: tuple[str, ...], council: GssCode | None, known: Mapping[str, int]
    ) -> dict[str, int]:
        """For each attribute of a chain the rows of all contrasts down to it.

        Args:
            chain: Names, coarsest first.
            council: Whose areas are meant.
            known: The rows of those attributes that need not be looked at again.
        """
        found: dict[str, int] = {}
        rows, above = 1, ""
        for name in chain:
            if name in known:
                rows = known[name]
            else:
                codes = self.attribute(name).codes_of(council)
                groups = Counter(
                    self.ancestor(name, code, above) if above else "" for code in codes
                )
                rows += sum(map(contrast_rows, groups.values()))
                found[name] = rows
            above = name
        return found

    def keys(self, marginal: Marginal, council: GssCode) -> Iterator[tuple[str, ...]]:
        """Codes of each cell of `marginal`, in cell order."""
        return product(*(self.attribute(name).codes_of(council) for name in marginal.attributes))


def _total(terms: _Terms, sizes: Mapping[str, int]) -> int:
    return sum(factor * math.prod(sizes[name] for name in own) for own, factor in terms)
