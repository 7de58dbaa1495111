"""Finds the home of a record by its address: which UPRN of the gazetteer it is.

uk-address-matcher weighs the evidence; it is Splink with a model that the
Ministry of Justice trained on UK addresses, in a database in memory. Nothing is written to
disk. `address_parser` adds rules for what a model's weight cannot decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import polars as pl

from folkmoot_node.linkage import address_parser as address_text
from folkmoot_node.linkage.address_parser import AddressParts
from folkmoot_node.linkage.address_rules import contradicts, may_be_called
from folkmoot_node.linkage.postcode import compact
from folkmoot_node.settings.linkage import AddressSettings
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot_node.linkage.address_matcher import Matcher, Scored

CHUNK = 50_000
"""Different addresses that are matched at a time; bounds memory."""

EXACT = 100.0
"""Stands for the match weight of an exact address, where several homes have it, or where it is
exact but for the number of another home."""

RECORD, ADDRESS, POSTCODE, UPRN = "record", "address", "postcode", "uprn"
_TYPED = "__typed"


class Outcome(Enum):
    """What became of a record."""

    LINKED = "linked"
    AMBIGUOUS = "ambiguous"
    UNLINKED = "unlinked"


@dataclass(frozen=True, slots=True)
class AddressLinks:
    """What became of the records.

    Attributes:
        records: One row for each record, in the order given: `record`, `outcome` (text, see
            `Outcome`), `uprn` (int64, null unless linked), `match_weight` (bits; null for an
            exact address and without a candidate), `distinguishability` (bits; null if
            there is no second candidate).
        candidates: Of each ambiguous record the best candidates: `record`, `rank` (from 1),
            `uprn`, `address` and `postcode` of the gazetteer, `match_weight`.
    """

    records: pl.DataFrame
    candidates: pl.DataFrame


class PreparedGazetteer:
    """A gazetteer made ready once, against which addresses are matched chunk by chunk."""

    def __init__(self, homes: pl.DataFrame, matcher: Matcher) -> None:
        self._homes = homes
        self._matcher = matcher
        self._parts: dict[int, AddressParts] = {}
        self._alike = _alike(homes)

    def link(
        self,
        records: pl.DataFrame,
        thresholds: AddressSettings,
        refused: Mapping[tuple[str | None, str | None], Set[int]] | None = None,
    ) -> AddressLinks:
        """Finds the homes of records.

        Args:
            records: `record` (int64, distinct), `address` and `postcode` (text, may be null).
            thresholds: When a candidate is taken.
            refused: For address and postcode, as `written` gives them, the UPRNs that they
                are not, as a person has said.
        """
        records = written(records)
        known = records.filter(pl.col(ADDRESS).is_not_null() & (pl.col(ADDRESS) != ""))
        # A household often has many records, with its address typed the same way.
        different = known.select(ADDRESS, POSTCODE).unique(maintain_order=True)
        different = different.with_row_index(_TYPED).cast({_TYPED: pl.Int64})
        found = [
            self._matched(different.slice(start, CHUNK), thresholds, refused or {})
            for start in range(0, different.height, CHUNK)
        ]
        keyed = records.join(
            different, on=[ADDRESS, POSTCODE], how="left", nulls_equal=True, maintain_order="left"
        )
        outcomes = pl.concat([_no_outcomes(), *(part.records for part in found)])
        candidates = pl.concat([_no_candidates(), *(part.candidates for part in found)])
        each = keyed.select(RECORD, _TYPED)
        linked = each.join(
            outcomes.rename({RECORD: _TYPED}), on=_TYPED, how="left", maintain_order="left"
        )
        shown = each.join(
            candidates.rename({RECORD: _TYPED}), on=_TYPED, how="inner", maintain_order="left_right"
        )
        unlinked = pl.col("outcome").fill_null(Outcome.UNLINKED.value)
        return AddressLinks(linked.with_columns(unlinked).drop(_TYPED), shown.drop(_TYPED))

    def _matched(
        self,
        typed: pl.DataFrame,
        thresholds: AddressSettings,
        refused: Mapping[tuple[str | None, str | None], Set[int]],
    ) -> AddressLinks:
        """The outcome of different addresses, which `__typed` numbers."""
        scored = self._matcher.match(_also_without_reference(typed.rename({_TYPED: RECORD})))
        by_typed = _candidates(scored)
        outcomes: list[tuple[int, str, int | None, float | None, float | None]] = []
        shown: list[tuple[int, int, int, float]] = []
        exact = dict(scored.exact.iter_rows())
        for record, address, postcode in typed.iter_rows():
            wrong = refused.get((address, postcode), frozenset())
            if record in exact:
                # A gazetteer that gives several homes one address cannot distinguish them.
                same = self._alike.get(exact[record], [exact[record]])
                candidates = [_Candidate(uprn, EXACT) for uprn in same if uprn not in wrong]
                decided = self._exactly(address, postcode, candidates)
            else:
                candidates = [c for c in by_typed.get(record, []) if c.uprn not in wrong]
                decided = self._decide(address, postcode, candidates, thresholds)
            outcomes.append((record, *decided))
            if decided[0] == Outcome.AMBIGUOUS.value:
                best = candidates[: thresholds.candidates]
                shown += [(record, at, c.uprn, c.weight) for at, c in enumerate(best, start=1)]
        listed = pl.DataFrame(shown, _CANDIDATES, orient="row").join(
            self._homes, on=UPRN, how="left", maintain_order="left"
        )
        return AddressLinks(
            pl.DataFrame(outcomes, _OUTCOMES, orient="row"), listed.select(_no_candidates().columns)
        )

    def _decide(
        self,
        address: str,
        postcode: str | None,
        candidates: list[_Candidate],
        thresholds: AddressSettings,
    ) -> _Decided:
        if not candidates or candidates[0].weight < thresholds.review_weight:
            return Outcome.UNLINKED.value, None, candidates[0].weight if candidates else None, None
        typed = address_text.parts(address, postcode)
        fitting = [
            candidate
            for candidate in candidates
            if not contradicts(typed, self._parts_of(candidate.uprn))
        ]
        if not fitting:
            return Outcome.AMBIGUOUS.value, None, candidates[0].weight, None
        weight = fitting[0].weight
        gap = weight - fitting[1].weight if len(fitting) > 1 else None
        clear = gap is None or gap >= thresholds.distinguishability
        name = may_be_called(typed, self._parts_of(fitting[0].uprn))
        others = (self._parts_of(other.uprn) for other in candidates if other is not fitting[0])
        anothers = bool(name) and any(name <= other.vocabulary for other in others)
        if weight >= thresholds.match_weight and clear and not anothers:
            return Outcome.LINKED.value, fitting[0].uprn, weight, gap
        return Outcome.AMBIGUOUS.value, None, weight, gap

    def _exactly(self, address: str, postcode: str | None, homes: list[_Candidate]) -> _Decided:
        """The outcome of an address that matches those of some homes letter for letter.

        The matcher passes over the word Flat, which a rule may not.
        """
        if not homes:
            return Outcome.UNLINKED.value, None, None, None
        typed = address_text.parts(address, postcode)
        if len(homes) > 1 or contradicts(typed, self._parts_of(homes[0].uprn)):
            return Outcome.AMBIGUOUS.value, None, None, 0.0
        return Outcome.LINKED.value, homes[0].uprn, None, None

    def _parts_of(self, uprn: int) -> AddressParts:
        if uprn not in self._parts:
            address, postcode = self._matcher.home(uprn)
            self._parts[uprn] = address_text.parts(address, postcode)
        return self._parts[uprn]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A home that a typed address may be."""

    uprn: int
    weight: float


def _also_without_reference(typed: pl.DataFrame) -> pl.DataFrame:
    """Typed addresses, and those that refer to another home once more without it.

    The number of the other home weighs more than the name of the right one.

    Returns:
        The rows given, and behind them one for each such address: `record` (Int64, -1 less the
        number of its first row), `address` (String) and `postcode` (String, may be null).
    """
    shorter = pl.col(ADDRESS).map_elements(address_text.without_reference, return_dtype=pl.String)
    more = typed.with_columns(shorter.alias("shorter")).filter(pl.col(ADDRESS) != pl.col("shorter"))
    again = more.select((-1 - pl.col(RECORD)).alias(RECORD), "shorter", POSTCODE)
    return pl.concat([typed, again.rename({"shorter": ADDRESS}).select(typed.columns)])


def _candidates(scored: Scored) -> dict[int, list[_Candidate]]:
    """By typed address its candidates, the best first, each home once."""
    found: dict[int, list[_Candidate]] = {}
    for record, uprn, weight in scored.candidates.iter_rows():
        found.setdefault(record, []).append(_Candidate(uprn, weight))
    for record, uprn in scored.exact.iter_rows():
        if record < 0:
            found[record] = [_Candidate(uprn, EXACT)]
    for record in [record for record in found if record < 0]:
        both = found.pop(record) + found.get(-1 - record, [])
        both.sort(key=lambda candidate: (-candidate.weight, candidate.uprn))
        found[-1 - record] = list({c.uprn: c for c in reversed(both)}.values())[::-1]
    return found


def _alike(homes: pl.DataFrame) -> dict[int, list[int]]:
    """For each home that shares its address with others: all of these homes, including itself."""
    letters = pl.col(ADDRESS).str.to_uppercase().str.replace_all(r"[^A-Z0-9]+", " ")
    code = compact(pl.col(POSTCODE))
    groups = (
        homes.select(UPRN, letters.str.strip_chars().alias(ADDRESS), code.alias(POSTCODE))
        .group_by(ADDRESS, POSTCODE)
        .agg(pl.col(UPRN).sort())
        .filter(pl.col(UPRN).list.len() > 1)
    )
    return {uprn: group for group in groups[UPRN].to_list() for uprn in group}


_Decided = tuple[str, int | None, float | None, float | None]
"""Outcome, UPRN, match weight, distinguishability."""

_OUTCOMES = {
    RECORD: pl.Int64, "outcome": pl.String, UPRN: pl.Int64, "match_weight": pl.Float64,
    "distinguishability": pl.Float64,
}  # fmt: skip
_CANDIDATES = {RECORD: pl.Int64, "rank": pl.Int64, UPRN: pl.Int64, "match_weight": pl.Float64}


def _no_outcomes() -> pl.DataFrame:
    return pl.DataFrame(schema=_OUTCOMES)


def _no_candidates() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            RECORD: pl.Int64, "rank": pl.Int64, UPRN: pl.Int64, ADDRESS: pl.String,
            POSTCODE: pl.String, "match_weight": pl.Float64,
        }
    )  # fmt: skip


def written(records: pl.DataFrame) -> pl.DataFrame:
    """Rewrites the address of each record in one spelling.

    Returns:
        One row for each record: columns `record` (Int64), `address` (String, as
        `address_text.rewritten` gives it) and `postcode` (String), null where missing.
    """
    return records.select(
        RECORD,
        pl.col(ADDRESS).map_elements(address_text.rewritten, return_dtype=pl.String),
        POSTCODE,
    )


def no_links(records: pl.DataFrame) -> AddressLinks:
    """What becomes of records if none has an address."""
    unlinked = pl.lit(Outcome.UNLINKED.value).alias("outcome")
    nothing = [pl.lit(None, kind).alias(name) for name, kind in list(_OUTCOMES.items())[2:]]
    return AddressLinks(records.select(RECORD, unlinked, *nothing), _no_candidates())


@contextmanager
def prepared(gazetteer: pl.DataFrame, *, threads: int = 1) -> Iterator[PreparedGazetteer]:
    """Makes a gazetteer ready; the database ends with the context.

    Args:
        gazetteer: `uprn` (int64, distinct), `address` and `postcode` (text); homes without an
            address are never found.
        threads: Threads of the database.

    Raises:
        Problem: Exit code SETTINGS if the extra `linkage` is not installed, DATA if no home
            has an address.
    """
    homes = gazetteer.select(UPRN, ADDRESS, POSTCODE).filter(
        pl.col(ADDRESS).is_not_null() & (pl.col(ADDRESS) != "")
    )
    if not homes.height:
        raise Problem(
            "no home of the household frame has an address",
            where="linkage",
            remedy="Name the address columns in the mapping of the frame's source, or take the "
            "gazetteer as the frame",
            exit_code=ExitCode.DATA,
        )
    try:
        from folkmoot_node.linkage.address_matcher import Matcher
    except ImportError:
        raise missing_extra() from None
    with closing(Matcher(homes, threads)) as matcher:
        yield PreparedGazetteer(homes, matcher)


def missing_extra() -> Problem:
    """The problem when linkage is configured and its libraries are missing."""
    return Problem(
        "the libraries of linkage are not installed",
        where="node.toml: linkage",
        remedy=f"Install them with {how_to_install('folkmoot-node', 'linkage')}, or take the table "
        "[linkage] out",
        exit_code=ExitCode.SETTINGS,
    )
