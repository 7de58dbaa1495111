"""Publication of a series up to one of its rounds: cumulative and new counts by month."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

from folkmoot.geography import GssCode
from folkmoot.round_codec import series_digest
from folkmoot.strategy import Plan
from folkmoot.workload import Marginal
from folkmoot_coordinator.aggregation.cumulative import MonthlyStatistics
from folkmoot_coordinator.publication.estimable import Moment
from folkmoot_coordinator.publication.long_table import DESCRIPTIONS as LONG_TABLE
from folkmoot_coordinator.publication.long_table import LongTable, Part
from folkmoot_coordinator.publication.privacy_statement import series_statement
from folkmoot_coordinator.publication.reference_tables import CODES, NOISE, code_list, noise
from folkmoot_coordinator.publication.reference_tables import DESCRIPTIONS as BESIDE
from folkmoot_coordinator.publication.round_files import (
    attributes_of,
    of_marginal,
    question_and_answers,
)
from folkmoot_coordinator.publication.round_result import Coverage, RoundResult
from folkmoot_coordinator.publication.series_result import SeriesResult
from folkmoot_coordinator.publication.table_files import Format, Publication, write_files
from folkmoot_coordinator.rounds.withdrawal import MARK

_ID_SHOWN = 12
_ABOUT = {"month": "number of the round in the series", "measure": "cumulative or new"}
_DESCRIPTIONS = {
    "month": "number of the round in the series",
    "measure": "cumulative: households counted so far; new: those counted since the round "
    "before, of councils that answered both. Values of different months have correlated noise",
}


def publish_series(result: SeriesResult, folder: Path, form: Format | None = None) -> Publication:
    """Writes the files of a series up to a round; the same round gives the same files.

    Args:
        result: The result of the series.
        folder: Where; made if it is missing.
        form: How the table is written; None for Parquet, and CSV too unless it is large.
    """
    series = result.stored.round_.series
    assert series is not None
    stem = f"series-{series.series_id[:_ID_SHOWN]}-{series.position:02}"
    beside = {
        CODES: code_list(result.stored.round_, result.stored.code_names, result.names),
        NOISE: noise(*_noise_by_month(result)),
    }
    return write_files(folder, stem, monthly_table(result), series_metadata(result), form, beside)


def _noise_by_month(
    result: SeriesResult,
) -> tuple[dict[GssCode, Plan], dict[Moment, dict[GssCode, float]]]:
    round_ = result.stored.round_
    councils = {council for month in result.months for council in month.councils}
    plans = {council: round_.plan(council) for council in sorted(councils)}
    factors = {Moment(one.position, one.measure): dict(one.factors) for one in result.months}
    return plans, factors


def monthly_table(result: SeriesResult, marginal: Marginal | None = None) -> LongTable:
    """All statistics of a series, or those of one marginal, one row for each estimate.

    Returns:
        The columns `month` (Int32) and `measure` (String), never null, and those of
        `round_files.long_table` without `presentable`.
    """
    parts = [
        Part(
            of_marginal(month.statistics, marginal),
            str(_covered(result, month)),
            month.position,
            month.measure.value,
            _dates(result, month),
            result.withdrawn(month.position),
        )
        for month in result.months
    ]
    attributes = attributes_of(result.stored.round_, marginal)
    return LongTable(attributes, parts, result.names, result.stored.code_names, in_series=True)


def series_metadata(result: SeriesResult) -> dict[str, Any]:
    """What a reader needs to know about a series, apart from the files' digests."""
    round_ = result.stored.round_
    series = round_.series
    assert series is not None
    last = result.coverage[series.position]
    described = question_and_answers(
        RoundResult(
            result.stored,
            result.region,
            last,
            (),
            result.names,
            result.as_of.get(series.position, {}),
        )
    )
    described["privacy"] |= {
        "rho_of_the_series": str(round_.loss),
        "epsilon_at_delta": round_.epsilon_for(),
        "charges": [str(charge) for charge in round_.charges],
        "statement": series_statement(
            round_, len(last.released), result.as_of.get(series.position, {}).values()
        ),
    }
    del described["privacy"]["rho_per_release"]
    described["columns"] = _DESCRIPTIONS | described["columns"]
    if why := result.withdrawn(series.position):
        text = f"This result was {why}. Its figures are wrong: do not use them."
        described["withdrawn"] = (described["withdrawn"] or {}) | {"statement": text}
        described["round"]["title"] = f"{MARK}{round_.title}"
        described["columns"]["withdrawn"] = LONG_TABLE["withdrawn"]
    described["errors"]["tables"] = BESIDE | {NOISE: _ABOUT | BESIDE[NOISE]}
    del described["columns"]["presentable"]  # whole numbers of one month would not fit the next
    described["series"] = {
        "digest": series_digest(round_).hex(),
        "rounds": [
            {
                "position": position,
                "round_id": stored.round_.round_id,
                "digest": stored.digest.hex(),
                "state": stored.state.name.lower(),
                "withdrawn": stored.withdrawal.facts() if stored.withdrawal else None,
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


def _dates(result: SeriesResult, month: MonthlyStatistics) -> dict[str, date]:
    """Dates of the councils that are in the figures of a month."""
    known = result.as_of.get(month.position, {})
    return {council: known[council] for council in month.councils if council in known}


def _covered(result: SeriesResult, month: MonthlyStatistics) -> Coverage:
    covered = result.coverage[month.position]
    others = (council for council in covered.released if council not in set(month.councils))
    return dataclasses.replace(
        covered,
        released=month.councils,
        missing=tuple(sorted({*covered.missing, *others})),
    )
