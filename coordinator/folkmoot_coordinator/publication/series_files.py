"""Publication of a series up to one of its rounds: cumulative and new counts by month."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from folkmoot.codec import series_digest
from folkmoot_coordinator.aggregation.cumulative import MonthlyStatistics
from folkmoot_coordinator.publication.privacy_statement import series_statement
from folkmoot_coordinator.publication.round_files import (
    Publication,
    long_table,
    question_and_answers,
    write_files,
)
from folkmoot_coordinator.publication.round_result import RoundResult
from folkmoot_coordinator.publication.series_result import SeriesResult

_ID_SHOWN = 12
_DESCRIPTIONS = {
    "month": "number of the round in the series",
    "measure": "cumulative: households counted so far; new: those counted since the round "
    "before, of councils that answered both. Values of different months have correlated noise",
}


def publish_series(result: SeriesResult, folder: Path) -> Publication:
    """Writes the files of a series up to a round; the same round gives the same files."""
    series = result.stored.round_.series
    assert series is not None
    stem = f"series-{series.series_id[:_ID_SHOWN]}-{series.position:02}"
    return write_files(folder, stem, monthly_table(result), series_metadata(result))


def monthly_table(result: SeriesResult) -> pl.DataFrame:
    """All statistics of a series, one row for each estimate.

    Returns:
        The columns `month` (Int32) and `measure` (String), never null, and those of
        `round_files.long_table`.
    """
    return pl.concat(
        long_table(one).select(
            pl.lit(month.position, dtype=pl.Int32).alias("month"),
            pl.lit(month.measure.value).alias("measure"),
            pl.exclude("presentable"),
        )
        for month, one in _as_rounds(result)
    )


def series_metadata(result: SeriesResult) -> dict[str, Any]:
    """What a reader needs to know about a series, apart from the files' digests."""
    round_ = result.stored.round_
    series = round_.series
    assert series is not None
    last = result.coverage[series.position]
    described = question_and_answers(
        RoundResult(result.stored, result.region, last, (), result.names),
    )
    described["privacy"] |= {
        "rho_of_the_series": str(round_.loss),
        "epsilon_at_delta": round_.epsilon_for(),
        "charges": [str(charge) for charge in round_.charges],
        "statement": series_statement(round_, len(last.released)),
    }
    del described["privacy"]["rho_per_release"]
    described["columns"] = _DESCRIPTIONS | described["columns"]
    del described["columns"]["presentable"]  # whole numbers of one month would not fit the next
    described["series"] = {
        "digest": series_digest(round_).hex(),
        "rounds": [
            {
                "position": position,
                "round_id": stored.round_.round_id,
                "digest": stored.digest.hex(),
                "state": stored.state.name.lower(),
                "deadline": stored.facts()["deadline"],
                "released": list(result.coverage[position].released),
            }
            for position, stored in sorted(result.rounds.items())
        ],
        "not_usable": [
            {"council": council, "from_month": position}
            for council, position in result.unusable.items()
        ],
    }
    return described


def _as_rounds(result: SeriesResult) -> Iterator[tuple[MonthlyStatistics, RoundResult]]:
    for month in result.months:
        stored = result.rounds[month.position]
        covered = result.coverage[month.position]
        counted = set(month.councils)
        others = (council for council in covered.released if council not in counted)
        yield (
            month,
            RoundResult(
                stored=stored,
                region=result.region,
                coverage=dataclasses.replace(
                    covered,
                    released=month.councils,
                    missing=tuple(sorted({*covered.missing, *others})),
                ),
                statistics=month.statistics,
                names=result.names,
            ),
        )
