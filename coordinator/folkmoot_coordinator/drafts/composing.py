"""A question made from a form, and how precise its answers would be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import ValidationError

from folkmoot.council_codes import CouncilList
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.rounds import RoundState
from folkmoot_coordinator.aggregation.aggregate import aggregate
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.drafts.offer import Offer
from folkmoot_coordinator.membership.catalogues import catalogues_of
from folkmoot_coordinator.planning.cell_sizes import CellSizes, EarlierRound, EqualCells
from folkmoot_coordinator.planning.forecast import Forecast
from folkmoot_coordinator.planning.question_checks import doubts_of_question
from folkmoot_coordinator.publication.long_table import LongTable, Part
from folkmoot_coordinator.publication.round_result import released_counts
from folkmoot_coordinator.rounds.question import Question
from folkmoot_coordinator.rounds.round_file import RoundFile
from folkmoot_coordinator.rounds.round_making import PlannedRound, make_round
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_operator.problems import ExitCode, Problem

_PLACE = Path("the question")


class FormProblem(Problem):
    """What is wrong with a form, for each of its fields.

    Attributes:
        fields: By name of a field of `QuestionForm` what is wrong with it.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(
            "; ".join(f"{name}: {text}" for name, text in fields.items()),
            where="the question",
            remedy="Correct the fields named; nothing was stored",
            exit_code=ExitCode.SETTINGS,
        )
        self.fields = dict(fields)


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """What a person fills in to ask something. Texts are as they were typed.

    Attributes:
        title: For people.
        purpose: One that councils allow.
        policy_digest: Of the risk stratification policy, 64 hexadecimal digits.
        councils: GSS codes of those to ask.
        minimum_councils: How many must release, so that something is published.
        rho: Privacy loss asked of each council.
        delta: At which the loss is also given as epsilon.
        deadline_hours: How long councils have to answer.
        attributes: By name the codes to count; none for areas, or for all that are shared.
        marginals: What to count: names of attributes, with a weight.
        objective: What the plan minimises.
    """

    title: str = ""
    purpose: str = ""
    policy_digest: str = ""
    councils: tuple[str, ...] = ()
    minimum_councils: str = "1"
    rho: str = "0.1"
    delta: str = "1e-6"
    deadline_hours: str = "168"
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    marginals: tuple[tuple[tuple[str, ...], int], ...] = ()
    objective: Literal["sum", "maximum"] = "sum"


@dataclass(frozen=True, slots=True)
class QuestionForecast:
    """How precise the answers to a question would be, and what they would cost.

    Attributes:
        asked: The round that would be opened.
        forecast: Standard errors by marginal; shares of reliable cells if sizes are assumed.
        doubts: What may not be meant, or will not be answered, each a sentence without full stop.
    """

    asked: PlannedRound
    forecast: Forecast
    doubts: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """For pages: the parts that take little time; `planning.forecast_json` has them all."""
        round_, shares = self.asked.round_, self.forecast.shares
        return {
            "title": round_.title,
            "councils": list(round_.councils),
            "rho": str(round_.loss),
            "delta": round_.delta.value,
            "epsilon_at_delta": round_.epsilon_for(),
            "guess_rate_at_most": round_.guess_rate(),
            "assumption": self.forecast.sizes.assumption if self.forecast.sizes else None,
            "reliable_share": shares.reliable if shares else None,
            "usable_share": shares.usable if shares else None,
            "marginals": [
                {
                    "marginal": one.marginal.name,
                    "cells": list(one.cells),
                    "standard_error": one.typical.standard_error,
                    "standard_errors": list(one.standard_errors),
                    "half_width_95": one.typical.half_width,
                    "region_standard_error": one.region.standard_error,
                    "usable_from": one.typical.usable_from,
                    "reliable_from": one.typical.reliable_from,
                    "reliable_share": one.shares.reliable if one.shares else None,
                    "usable_share": one.shares.usable if one.shares else None,
                }
                for one in self.forecast.marginals
            ],
            "doubts": list(self.doubts),
        }


def compose(form: QuestionForm, offer: Offer, now: int) -> Question:
    """Makes a question from a form.

    Args:
        form: As a person filled it in.
        offer: What councils offer, by `offer.offered_attributes`.
        now: Seconds since 1970-01-01T00:00:00Z.

    Raises:
        FormProblem: If no question can be made of it; says what is wrong with each field.
    """
    wrong = dict(_wrong(form, offer))
    if wrong:
        raise FormProblem(wrong)
    files: dict[str, bytes] = {}
    entries = []
    for name, codes in form.attributes.items():
        offered = offer.attributes[name]
        if not offered.is_area:
            entries.append({"name": name, "codes": list(codes or offered.shared_codes)})
            continue
        assert offered.areas is not None  # _wrong has looked
        within = offered.areas.within_attribute
        nested = bool(within) and within in form.attributes
        file = f"{name}.csv"
        files[file] = offered.areas.csv(form.councils, nested=nested)
        entry: dict[str, Any] = {"name": name, "areas": file}
        if nested:
            entry["within"] = within
        if offered.areas.vintage:
            entry["vintage"] = offered.areas.vintage
        entries.append(entry)
    values = {
        "title": form.title.strip(),
        "purpose": form.purpose,
        "policy_digest": form.policy_digest.strip().lower(),
        "councils": sorted(form.councils),
        "minimum_councils": form.minimum_councils.strip(),
        "rho": form.rho.strip(),
        "delta": form.delta.strip(),
        "objective": form.objective,
        "deadline_hours": form.deadline_hours.strip(),
        "attributes": entries,
        "marginals": [
            {"attributes": list(names), "weight": weight} for names, weight in form.marginals
        ],
    }
    try:
        question = Question(RoundFile.model_validate(values), _PLACE, files)
        make_round(question, (), now)
    except ValidationError as error:
        raise FormProblem(
            {
                str(one["loc"][0]) if one["loc"] else "title": one["msg"]
                for one in error.errors(include_url=False, include_input=False)
            }
        ) from None
    except Problem as problem:
        text = problem.problem.removeprefix(f"{_named_in(problem)}: ")
        raise FormProblem({_field_of(problem): f"{text}. {problem.remedy}"}) from None
    return question


def forecast(
    question: Question,
    region: Database,
    known: CouncilList,
    now: int,
    *,
    households: int | None = None,
    like: str | None = None,
) -> QuestionForecast:
    """How precise the answers to a question would be. Nothing is asked, and nothing stored.

    Args:
        question: What would be asked; it names its councils.
        region: The region's database; it is only read.
        known: The list of councils.
        now: Seconds since 1970-01-01T00:00:00Z.
        households: Households of the region, to say which share of cells would be reliable if
            those of a council are equal.
        like: Instead of that: id of an earlier round, as whose cells those of this one are taken
            to be.

    Raises:
        Problem: If no round can be made of the question, it is a series
            (`planning.series_plan.planned_rounds` is for these), or the earlier round has no
            result.
    """
    asked = make_round(question, (), now)
    round_ = asked.round_
    if round_.series is not None:
        raise Problem(
            "is a series, whose rounds do not cost and err like one alone",
            where=str(question.path),
            remedy="See `folkmoot-coordinator series plan`",
            exit_code=ExitCode.USAGE,
        )
    sizes: CellSizes | None = None
    if like is not None:
        stored = find_round(region, like)
        label = Path(f"round {stored.round_.round_id[:12]}")
        sizes = EarlierRound(round_.workload, label, _values_of(region, stored.round_.round_id))
    elif households is not None:
        sizes = EqualCells.of_region(round_, households)
    catalogues = catalogues_of(region, round_.councils)
    doubts = doubts_of_question(asked, known, catalogues)
    return QuestionForecast(asked, Forecast(round_, asked.planning, sizes), doubts)


@lru_cache(maxsize=4)
def _values_of(region: Database, round_id: str) -> pl.DataFrame:
    """The published values of a closed round, one row for each estimate.

    Returns:
        The columns and nulls of `round_files.long_table`.
    """
    stored = find_round(region, round_id)
    published = stored.state in (RoundState.COMPLETE, RoundState.PARTIAL)
    counts = {} if stored.round_.series or not published else released_counts(region, stored)
    if not counts:
        raise Problem(
            "has no result whose cells could be taken as an example",
            where=f"round {round_id}",
            remedy="Choose a round that has a result, is in no series, and whose counts are kept",
            exit_code=ExitCode.REFUSED,
        )
    found = aggregate(stored.round_, "region", counts, presentable=False)
    table = LongTable(stored.round_.workload.attributes, [Part(found, "")], {})
    return pl.concat(list(table.pieces()))


def _wrong(form: QuestionForm, offer: Offer) -> Iterator[tuple[str, str]]:
    """For each field what is wrong with it, before a question is made."""
    if not form.title.strip():
        yield "title", "Enter what the figures will be called"
    if form.purpose not in offer.purposes:
        allowed = ", ".join(offer.purposes) or "none"
        yield "purpose", f"Choose a purpose that councils allow: {allowed}"
    if not form.councils:
        yield "councils", "Choose one council or more"
    for code in form.councils:
        try:
            GssCode(code)
        except ContractError as error:
            yield "councils", f"{error.problem}. {error.remedy}"
    if not form.marginals:
        yield "marginals", "Choose what to count"
    unknown = [name for name in form.attributes if name not in offer.attributes]
    if unknown:
        yield "attributes", f"No council offers {', '.join(unknown)}"
        return
    for name, codes in form.attributes.items():
        offered = offer.attributes[name]
        strange = [code for code in codes if code not in offered.codes]
        if offered.is_area and offered.areas is None:
            yield (
                "attributes",
                f"The areas of {name} are not known here: open a first round with a file of areas "
                "(`folkmoot-coordinator round open`)",
            )
        elif offered.is_area and codes:
            yield "attributes", f"{name} is counted for all areas: choose no codes of it"
        elif strange:
            yield "attributes", f"No council has {', '.join(strange)} of {name}"
        elif not offered.is_area and not (codes or offered.shared_codes):
            yield "attributes", f"Choose codes of {name}: councils have none in common"


def _named_in(problem: Problem) -> str:
    """What of a round a problem names before its first colon."""
    named, colon, _ = problem.problem.partition(": ")
    return named if colon else ""


def _field_of(problem: Problem) -> str:
    """The field of the form that a problem is about, as far as that is known."""
    said = _named_in(problem).removeprefix("round.").split("[")[0]
    names = {"loss": "rho", "deadline": "deadline_hours", "workload": "marginals"}
    found = names.get(said, said)
    return found if found in QuestionForm.__dataclass_fields__ else "marginals"
