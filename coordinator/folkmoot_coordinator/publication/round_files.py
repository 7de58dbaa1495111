"""Publication of a round: CSV and Parquet for reading, JSON for knowing what was read."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from folkmoot.interval import CONFIDENCE
from folkmoot.precision import RELIABLE_BELOW, UNRELIABLE_ABOVE
from folkmoot.workload import Attribute
from folkmoot_coordinator.aggregation.aggregate import (
    ALL_AREAS,
    GeographicLevel,
    RegionalStatistic,
)
from folkmoot_coordinator.publication.consistency_statement import presentable_statement
from folkmoot_coordinator.publication.privacy_statement import privacy_statement
from folkmoot_coordinator.publication.round_result import RoundResult

FORMAT = 1
"""Version of the published files' form."""
_ID_SHOWN = 12

_DESCRIPTIONS = {
    "level": "council, or region: the councils that released, together",
    "place": "GSS code of the council, or the region's name",
    "place_name": "name of the council or region; empty where it is not known",
    "coverage": "councils that the round's regional figures are from; empty for a council",
    "marginal": "what was counted: attributes joined by *, or total; all "
    "marginals agree with each other",
    "value": "households, with noise; best linear unbiased estimate, may be negative",
    "standard_error": "of the noise, households",
    "lower": f"lower end of the {CONFIDENCE:.0%} interval, households",
    "upper": f"upper end of the {CONFIDENCE:.0%} interval, households",
    "coefficient_of_variation": "standard error over value; empty where value is not positive",
    "reliability": f"reliable: coefficient of variation below {RELIABLE_BELOW:.0%}; unreliable: "
    f"above {UNRELIABLE_ABOVE:.0%}, or value not positive; use with caution: between",
    "presentable": "whole households, not negative, sums agree, for tables that people read; "
    "biased, see `presentable.bias`; empty where the marginal is not presented",
}


@dataclass(frozen=True, slots=True)
class Publication:
    """The files of one round.

    Attributes:
        csv: Table as CSV.
        parquet: The same table as Parquet.
        metadata: What it is, as JSON.
        rows: Rows of the table.
    """

    csv: Path
    parquet: Path
    metadata: Path
    rows: int


def publish(result: RoundResult, folder: Path) -> Publication:
    """Writes the files of a round; the same round gives the same files.

    The Parquet file carries the metadata too, so that it can stand alone.

    The metadata, which names the other files' digests, is written last.
    """
    stem = f"round-{result.stored.round_.round_id[:_ID_SHOWN]}"
    return write_files(folder, stem, long_table(result), metadata(result))


def write_files(
    folder: Path, stem: str, table: pl.DataFrame, described: dict[str, Any]
) -> Publication:
    """Writes a table as CSV and Parquet, and what it is as JSON.

    Args:
        folder: Where; made if it is missing.
        stem: Name of the files without their endings.
        table: The table.
        described: Metadata, apart from the files' digests.
    """
    folder.mkdir(parents=True, exist_ok=True)
    publication = Publication(
        folder / f"{stem}.csv", folder / f"{stem}.parquet", folder / f"{stem}.json", 0
    )
    _write(publication.csv, lambda path: table.write_csv(path, float_precision=6))
    _write(
        publication.parquet,
        lambda path: table.write_parquet(path, metadata={"folkmoot": json.dumps(described)}),
    )
    described |= {
        "files": {
            path.name: {"sha256": _sha256(path), "bytes": path.stat().st_size}
            for path in (publication.csv, publication.parquet)
        }
    }
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    _write(publication.metadata, lambda path: path.write_text(text, encoding="utf-8"))
    return Publication(publication.csv, publication.parquet, publication.metadata, table.height)


def long_table(result: RoundResult) -> pl.DataFrame:
    """All statistics of a round, one row for each estimate.

    Columns are those of `metadata(result)["columns"]`; the column of an attribute is null
    where the marginal does not use it.
    """
    names = [attribute.name for attribute in result.stored.round_.workload.attributes]
    coverage = str(result.coverage)
    return pl.concat(
        [_rows(statistic, names, coverage, result.names) for statistic in result.statistics]
    )


def metadata(result: RoundResult) -> dict[str, Any]:
    """What a reader needs to know about a round's figures, apart from the files' digests."""
    shown = presentable_statement(result.stored.round_, result.statistics, result.stored.digest)
    return question_and_answers(result) | {"presentable": shown}


def question_and_answers(result: RoundResult) -> dict[str, Any]:
    """What was asked, who answered, what is promised, and what the columns are."""
    stored, covered = result.stored, result.coverage
    round_ = stored.round_
    return {
        "format": FORMAT,
        "region": result.region,
        "round": {**stored.facts(), "digest": stored.digest.hex()},
        "policy_digest": round_.policy_digest.hex(),
        "question": {
            "attributes": [_attribute(attribute) for attribute in round_.workload.attributes],
            "marginals": [
                {
                    "name": marginal.name,
                    "attributes": list(marginal.attributes),
                    "weight": weight,
                    "signed_weight": marginal.weight,
                }
                for marginal, weight in zip(
                    round_.workload.marginals, stored.planning.weights, strict=True
                )
            ],
            "objective": {
                "name": stored.planning.objective.value,
                "meaning": stored.planning.objective.meaning,
                "above_optimum_at_most": stored.planning.excess,
            },
        },
        "coverage": {
            "summary": str(covered),
            "invited": covered.invited,
            "released": list(covered.released),
            "refused": [
                {
                    "council": council,
                    "reason": reason.name.lower(),
                    "meaning": reason.meaning,
                    "next_step": reason.next_step,
                }
                for council, reason in covered.refused
            ],
            "missing": list(covered.missing),
        },
        "privacy": {
            "definition": "zero-concentrated differential privacy (Bun and Steinke 2016)",
            "unit": "household",
            "neighbouring": "tables that differ by the presence of one household",
            "mechanism": round_.mechanism.name.lower(),
            "rho_per_release": str(round_.loss),
            "delta": round_.delta.value,
            "epsilon_at_delta": round_.epsilon_for(),
            "statement": privacy_statement(round_, len(covered.released)),
        },
        "columns": _DESCRIPTIONS
        | {
            _column(
                attribute.name
            ): "code of the attribute; empty where the marginal does not use it"
            + (f"; {ALL_AREAS} for all areas together" if attribute.is_area else "")
            for attribute in round_.workload.attributes
        },
        "software": {
            "name": "folkmoot-coordinator",
            "version": version("folkmoot-coordinator"),
        },
    }


def _rows(
    statistic: RegionalStatistic, attributes: list[str], coverage: str, names: Mapping[str, str]
) -> pl.DataFrame:
    rows, region = len(statistic), statistic.level is GeographicLevel.REGION
    codes = dict(zip(statistic.marginal.attributes, statistic.codes, strict=True))
    columns: dict[str, pl.Series] = {
        "level": _repeat(statistic.level.value, rows),
        "place": _repeat(statistic.place, rows),
        "place_name": _repeat(statistic.place if region else names.get(statistic.place), rows),
        "coverage": _repeat(coverage if region else None, rows),
        "marginal": _repeat(statistic.marginal.name, rows),
    }
    for name in attributes:
        columns[_column(name)] = (
            pl.Series(codes[name], dtype=pl.String) if name in codes else _repeat(None, rows)
        )
    columns |= {
        "value": pl.Series(statistic.value),
        "standard_error": pl.Series(statistic.standard_error),
        "lower": pl.Series(statistic.lower),
        "upper": pl.Series(statistic.upper),
        "coefficient_of_variation": pl.Series(statistic.coefficient_of_variation, nan_to_null=True),
        "reliability": pl.Series(statistic.reliability, dtype=pl.String),
        "presentable": pl.Series([None] * rows, dtype=pl.Int64)
        if statistic.presentable is None
        else pl.Series(statistic.presentable),
    }
    return pl.DataFrame(columns)


def _column(attribute: str) -> str:
    """The attribute's column; with an underscore where the name is taken."""
    return f"{attribute}_" if attribute in _DESCRIPTIONS else attribute


def _repeat(value: str | None, rows: int) -> pl.Series:
    return pl.Series(np.full(rows, value, dtype=object), dtype=pl.String)


def _attribute(attribute: Attribute) -> dict[str, Any]:
    described: dict[str, Any] = {"name": attribute.name, "others": attribute.others}
    if attribute.within:
        described["within"] = attribute.within
    if attribute.is_area:
        areas = {council: len(codes) for council, codes in sorted(attribute.by_council.items())}
        return described | {"areas": areas}
    return described | {"codes": list(attribute.codes)}


def _write(path: Path, write: Callable[[Path], Any]) -> None:
    """Writes a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
