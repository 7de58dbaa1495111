"""The table that the API sends: rows of the published table, chosen by the address.

Its figures are those of `Published.table`, which `export` writes and pages show. Each row also
names the round, the policy, and whether it was withdrawn, so that it can stand alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from folkmoot.workload import Marginal
from folkmoot_coordinator.aggregation.aggregate import ALL_AREAS
from folkmoot_coordinator.aggregation.cumulative import Measure
from folkmoot_coordinator.aggregation.statistic import GeographicLevel
from folkmoot_coordinator.publication.long_table import DESCRIPTIONS, LongTable, column_of
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.publication.series_result import SeriesResult
from folkmoot_web.errors import WebProblem

WITHDRAWN = "withdrawn"
_ROUND, _POLICY = "round_id", "policy_digest"
_ADDED = {
    _ROUND: "id of the round",
    _POLICY: "SHA-256 of the risk stratification policy, hexadecimal",
    WITHDRAWN: DESCRIPTIONS[WITHDRAWN],
}
_NEVER_EMPTY = (
    *("level", "place", "marginal", "value", "standard_error", "lower", "upper", "reliability"),
    *("month", "measure"),
)
_REMEDY = "Leave the parameter out for all rows."


@dataclass(frozen=True, slots=True)
class FiguresTable:
    """Rows of a published table.

    Attributes:
        published: The round.
        marginal: What was counted; None for every table of the round in one.
        chosen: By column the texts or numbers that its rows have; all rows where it is empty.
    """

    published: Published
    marginal: Marginal | None
    chosen: Mapping[str, tuple[str | int, ...]]

    @property
    def columns(self) -> dict[str, str]:
        """What each column says, in the order of `schema`."""
        said = described(self.published)["columns"]
        added = dict(zip(self._added(), _ADDED.values(), strict=True))
        return {name: added.get(name) or said.get(name, "") for name in self.schema}

    @property
    def never_empty(self) -> tuple[str, ...]:
        """Columns that have a value in each row."""
        codes = () if self.marginal is None else tuple(map(column_of, self.marginal.attributes))
        return (*self._added()[:2], *_NEVER_EMPTY, *codes)

    @property
    def schema(self) -> pl.Schema:
        """Columns and their types."""
        return self._with_added(pl.DataFrame(schema=self._table.schema)).schema

    @property
    def rows(self) -> int:
        """Number of rows before any are chosen."""
        return self._table.rows

    def pieces(self) -> Iterator[pl.DataFrame]:
        """The rows in order, some at a time.

        Yields:
            Columns and types of `schema`, at least one piece, which may be empty; null where
            `columns` says "empty".
        """
        for piece in self._table.pieces():
            kept = piece
            for name, values in self.chosen.items():
                column = kept[name]
                if isinstance(values[0], str):
                    column = column.cast(pl.String)
                kept = kept.filter(column.is_in(list(values)))
            yield self._with_added(kept)

    @property
    def _table(self) -> LongTable:
        key = "long table", self.marginal, standing(self.published)
        found = self.published.kept(key, lambda: self.published.table(self.marginal))
        assert isinstance(found, LongTable)
        return found

    def _with_added(self, piece: pl.DataFrame) -> pl.DataFrame:
        round_id, policy, withdrawn = self._added()
        constants = {
            round_id: self.published.round_.round_id,
            policy: self.published.round_.policy_digest.hex(),
        }
        first = [
            pl.lit(text, dtype=pl.Enum([text])).alias(name) for name, text in constants.items()
        ]
        gone = (
            pl.col(WITHDRAWN).cast(pl.String)
            if WITHDRAWN in piece.columns
            else pl.lit(None, dtype=pl.String)
        )
        rest = [name for name in piece.columns if name != WITHDRAWN]
        return piece.select(*first, gone.alias(withdrawn), *rest)

    def _added(self) -> tuple[str, str, str]:
        """Names of the columns that are added: another where an attribute has one."""
        taken = {column_of(one.name) for one in self.published.round_.workload.attributes}
        round_id, policy = (f"{one}_" if one in taken else one for one in (_ROUND, _POLICY))
        return round_id, policy, WITHDRAWN


def standing(published: Published) -> tuple[str, ...]:
    """What of a round can change after it is closed: which of its figures were withdrawn, and why.

    A round of a series has figures from the rounds before it.
    """
    result = published.result
    rounds = result.rounds.values() if isinstance(result, SeriesResult) else (published.stored,)
    return tuple(str(one.withdrawal or "") for one in rounds)


def described(published: Published) -> dict[str, Any]:
    """The metadata that `export` writes; not to be written to."""
    key = "metadata", standing(published)
    found: dict[str, Any] = published.kept(key, published.metadata)
    return found


def choose(
    published: Published, marginal: Marginal | None, asked: Iterable[tuple[str, str]]
) -> FiguresTable:
    """The rows that an address asks for.

    Args:
        published: The round.
        marginal: What was counted; None for every table in one.
        asked: Parameters of the address; of one that is repeated, rows with either value.

    Raises:
        WebProblem: Status 422, naming the parameter, if there is no such column or value.
    """
    known = _known(published, marginal)
    chosen: dict[str, list[str | int]] = {}
    for name, text in asked:
        if name not in known:
            raise _wrong(name, f"Rows can be chosen by: {', '.join(known)}.")
        values = {str(value): value for value in known[name]}
        if text not in values:
            listed = list(values)[:20]
            more = " and others" if len(values) > len(listed) else ""
            raise _wrong(name, f"Choose from: {', '.join(listed)}{more}. {_REMEDY}")
        chosen.setdefault(name, []).append(values[text])
    return FiguresTable(published, marginal, {name: tuple(of) for name, of in chosen.items()})


def _known(published: Published, marginal: Marginal | None) -> dict[str, tuple[str | int, ...]]:
    """By parameter the values that it may have."""
    found: dict[str, tuple[str | int, ...]] = {
        "level": tuple(GeographicLevel),
        "place": (*published.coverage.released, published.region),
    }
    if published.latest.month is not None:
        months = sorted({one.month for one in published.moments if one.month is not None})
        found |= {"month": tuple(months), "measure": tuple(map(str, Measure))}
    for attribute in published.round_.workload.attributes:
        if marginal is None or attribute.name in marginal.attributes:
            if attribute.is_area:
                codes = [
                    code
                    for council in published.round_.councils
                    for code in attribute.codes_of(council)
                ]
                found[column_of(attribute.name)] = (*dict.fromkeys(codes), ALL_AREAS)
            else:
                found[column_of(attribute.name)] = tuple(attribute.codes_of(None))
    return found


def _wrong(where: str, remedy: str) -> WebProblem:
    problem = "There is no such parameter, or no such value of it."
    return WebProblem(422, "The request is wrong", problem, remedy, where=where[:100])
