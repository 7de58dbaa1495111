"""Publication of a round: CSV and Parquet for reading, JSON for knowing what was read."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from folkmoot.attributes import Attribute
from folkmoot.rounds import Round
from folkmoot.workload import Marginal
from folkmoot_coordinator.aggregation.aggregate import ALL_AREAS
from folkmoot_coordinator.aggregation.statistic import RegionalStatistic
from folkmoot_coordinator.publication.consistency_statement import presentable_statement
from folkmoot_coordinator.publication.estimable import Moment
from folkmoot_coordinator.publication.long_table import (
    DESCRIPTIONS,
    LongTable,
    Part,
    column_of,
    note_columns,
)
from folkmoot_coordinator.publication.privacy_statement import privacy_statement
from folkmoot_coordinator.publication.reference_tables import (
    CODES,
    METHOD,
    NOISE,
    code_list,
    noise,
)
from folkmoot_coordinator.publication.reference_tables import DESCRIPTIONS as BESIDE
from folkmoot_coordinator.publication.round_result import RoundResult
from folkmoot_coordinator.publication.table_files import Format, Publication, write_files
from folkmoot_coordinator.rounds.code_names import CodeNames

FORMAT = 1
"""Version of the published files' form."""
_ID_SHOWN = 12


def publish(result: RoundResult, folder: Path, form: Format | None = None) -> Publication:
    """Writes the files of a round; the same round gives the same files.

    The Parquet file carries the metadata too, so that it can stand alone.

    The metadata, which names the other files' digests, is written last.

    Args:
        result: The result of the round.
        folder: Where; made if it is missing.
        form: How the table is written; None for Parquet, and CSV too unless it is large.
    """
    stem = f"round-{result.stored.round_.round_id[:_ID_SHOWN]}"
    round_, code_names = result.stored.round_, result.stored.code_names
    released = result.coverage.released
    beside = {
        CODES: code_list(round_, code_names, result.names),
        NOISE: noise(
            {council: round_.plan(council) for council in released},
            {Moment(): dict.fromkeys(released, 1.0)},
        ),
    }
    return write_files(folder, stem, long_table(result), metadata(result), form, beside)


def long_table(result: RoundResult, marginal: Marginal | None = None) -> LongTable:
    """All statistics of a round, or those of one marginal, one row for each estimate.

    Columns are those of `metadata(result)["columns"]`; the column of an attribute is null
    where the marginal does not use it. The table of one marginal has columns of its attributes
    alone.
    """
    gone = result.stored.withdrawal
    part = Part(
        of_marginal(result.statistics, marginal),
        str(result.coverage),
        as_of=result.as_of,
        withdrawn=str(gone) if gone else None,
    )
    attributes = attributes_of(result.stored.round_, marginal)
    return LongTable(attributes, [part], result.names, result.stored.code_names)


def of_marginal(
    statistics: Sequence[RegionalStatistic], marginal: Marginal | None
) -> Sequence[RegionalStatistic]:
    """The statistics of one marginal; all of them if it is None."""
    return [one for one in statistics if marginal in (None, one.marginal)]


def attributes_of(round_: Round, marginal: Marginal | None) -> Sequence[Attribute]:
    """The attributes of a marginal; all of the round's if it is None."""
    if marginal is None:
        return round_.workload.attributes
    return [round_.workload.attribute(name) for name in marginal.attributes]


def metadata(result: RoundResult) -> dict[str, Any]:
    """What a reader needs to know about a round's figures, apart from the files' digests."""
    shown = presentable_statement(result.stored.round_, result.statistics, result.stored.digest)
    return question_and_answers(result) | {"presentable": shown}


def question_and_answers(result: RoundResult) -> dict[str, Any]:
    """What was asked, who answered, what is promised, and what the columns are."""
    stored, covered = result.stored, result.coverage
    round_ = stored.round_
    absent = {
        *(() if result.as_of else ("as_of",)),
        *(() if stored.withdrawal else ("withdrawn",)),
    }
    return {
        "format": FORMAT,
        "region": result.region,
        "round": {**stored.facts(), "digest": stored.digest.hex()},
        "withdrawn": stored.withdrawal.facts() if stored.withdrawal else None,
        "policy_digest": round_.policy_digest.hex(),
        "question": {
            "attributes": [
                _attribute(attribute, stored.code_names) for attribute in round_.workload.attributes
            ],
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
            "as_of": {council: day.isoformat() for council, day in sorted(result.as_of.items())},
        },
        "privacy": {
            "definition": "zero-concentrated differential privacy (Bun and Steinke 2016)",
            "unit": "household",
            "neighbouring": "tables that differ by the presence of one household",
            "mechanism": round_.mechanism.name.lower(),
            "rho_per_release": str(round_.loss),
            "delta": round_.delta.value,
            "epsilon_at_delta": round_.epsilon_for(),
            "statement": privacy_statement(round_, len(covered.released), result.as_of.values()),
        },
        "errors": {"method": METHOD, "tables": BESIDE},
        "columns": {name: text for name, text in DESCRIPTIONS.items() if name not in absent}
        | {
            column_of(
                attribute.name
            ): "code of the attribute; empty where the marginal does not use it"
            + (f"; {ALL_AREAS} at level all_areas" if attribute.is_area else "")
            for attribute in round_.workload.attributes
        }
        | {
            one.name: one.description
            for one in note_columns(round_.workload.attributes, stored.code_names)
        },
        "software": {
            "name": "folkmoot-coordinator",
            "version": version("folkmoot-coordinator"),
        },
    }


def _attribute(attribute: Attribute, code_names: CodeNames) -> dict[str, Any]:
    described: dict[str, Any] = {"name": attribute.name, "others": attribute.others}
    if attribute.name in code_names.vintages:
        described["vintage"] = code_names.vintages[attribute.name]
    if attribute.within:
        described["within"] = attribute.within
    if attribute.is_area:
        areas = {council: len(codes) for council, codes in sorted(attribute.by_council.items())}
        return described | {"areas": areas}
    return described | {"codes": list(attribute.codes)}
