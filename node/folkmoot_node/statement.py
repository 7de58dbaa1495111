"""What a round asks and costs, in plain English, for the council that decides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from folkmoot.geography import GssCode
from folkmoot.interval import half_width
from folkmoot.privacy import Rho
from folkmoot.series import Series, variance_factor
from folkmoot.strategy import Plan
from folkmoot.workload import Marginal, Workload
from folkmoot_node.admission import judge
from folkmoot_node.rounds import KnownRound
from folkmoot_node.series import SeriesStanding
from folkmoot_operator.problems import Problem

if TYPE_CHECKING:
    from folkmoot_node.home import NodeHome
    from folkmoot_node.ledger import Balance


@dataclass(frozen=True, slots=True)
class MarginalStatement:
    """What one marginal would give the region.

    Attributes:
        name: Names of the attributes.
        cells: Number of cells of this council.
        standard_error: Of a cell, in households; root of the mean variance of the cells. In
            a series, of the cumulative count up to this round.
        half_width: Of the 95 % interval of such a cell, in households.
    """

    name: str
    cells: int
    standard_error: float
    half_width: float


@dataclass(frozen=True, slots=True)
class AttributeStatement:
    """The codes by which a round counts.

    Attributes:
        name: Name of the attribute.
        codes: What the round lists for this council.
        left_out: Codes that the council publishes and the round does not list; households
            with them are in no count of this attribute.
        is_area: True if the codes are areas of this council.
    """

    name: str
    codes: tuple[str, ...]
    left_out: tuple[str, ...]
    is_area: bool

    @property
    def text(self) -> str:
        """For people."""
        if self.is_area:
            return f"{self.name}: {len(self.codes):,} areas"
        text = f"{self.name}: {', '.join(self.codes)}"
        if self.left_out:
            text += f". NOT counted, though the policy has them: {', '.join(self.left_out)}"
        return text


@dataclass(frozen=True, slots=True)
class RoundStatement:
    """What a round asks of this council, and what answering would cost.

    Attributes:
        known: The round.
        marginals: What is asked.
        attributes: The codes by which it counts.
        epsilon: Of the round, at its delta.
        person_rho: Loss of a person recorded in several households.
        person_epsilon: The same as epsilon.
        households_per_person: In how many households.
        balance: What is spent and left before; after is less by the loss, unless refused.
        paid: True if the loss is in the ledger already.
        answered: True if the answer is made; nothing more is spent then.
        objection: Why it would be refused now, or None.
        obstacle: Why that cannot be told, or None.
        charge: What the ledger asks for this answer: the loss of the round, or in a series
            a part of the loss of the series.
    """

    known: KnownRound
    marginals: tuple[MarginalStatement, ...]
    attributes: tuple[AttributeStatement, ...]
    epsilon: float
    person_rho: Rho
    person_epsilon: float
    households_per_person: int
    balance: Balance
    paid: bool
    answered: bool
    objection: str | None
    obstacle: str | None
    charge: Rho

    def after(self, remaining: Rho) -> Rho:
        """What is left after answering, of what is left before."""
        if self.paid or self.answered or self.objection:
            return remaining
        return Rho(max(0, remaining.nano - self.charge.nano))

    @property
    def budget_text(self) -> str:
        """What is left now and after an answer, in plain English."""
        left = {
            "in this accounting period": self.balance.period_remaining,
            "for all time": self.balance.lifetime_remaining,
        }
        return (
            "Budget left: "
            + "; ".join(
                f"rho {before} {where}"
                + ("" if self.answered else f", {self.after(before)} after an answer")
                for where, before in left.items()
            )
            + "."
        )

    @property
    def privacy_text(self) -> str:
        """What answering costs, in plain English; printed with each release."""
        round_ = self.known.round
        what, charged = "", ""
        if round_.series is not None:
            what = f" by all {round_.series.length} rounds of the series together"
            charged = f" Of that, this answer is charged rho {self.charge}."
        return (
            f"Privacy loss of a household{what}: rho {round_.loss} (zero-concentrated differential "
            f"privacy), which is epsilon {self.epsilon:.2f} at delta {round_.delta}. Of a person "
            f"recorded in {self.households_per_person} households: rho {self.person_rho}, "
            f"epsilon {self.person_epsilon:.2f}." + charged
        )

    @property
    def series_text(self) -> str:
        """Which round of which series it is; empty if of none."""
        series = self.known.round.series
        if series is None:
            return ""
        ends = datetime.fromtimestamp(series.ends_at, UTC)
        return (
            f"It is round {series.position} of {series.length} of a series, which ends on "
            f"{ends:%d %B %Y}. A household is counted once in the series, in the first round "
            f"in which {series.event}; the counts below are of all households counted so far. "
            "Until the series ends this node keeps an encrypted list of them."
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "marginals": [
                {
                    "marginal": item.name,
                    "cells": item.cells,
                    "standard_error": item.standard_error,
                    "half_width_95": item.half_width,
                }
                for item in self.marginals
            ],
            "attributes": [
                {
                    "attribute": item.name,
                    "codes": list(item.codes),
                    "left_out": list(item.left_out),
                }
                for item in self.attributes
            ],
            "epsilon": self.epsilon,
            "delta": str(self.known.round.delta),
            "charge": str(self.charge),
            "series": _series_json(self.known.round.series),
            "person_rho": str(self.person_rho),
            "person_epsilon": self.person_epsilon,
            "remaining_before": str(self.balance.remaining),
            "remaining_after": str(self.after(self.balance.remaining)),
            "lifetime_remaining_before": str(self.balance.lifetime_remaining),
            "lifetime_remaining_after": str(self.after(self.balance.lifetime_remaining)),
            "objection": self.objection,
            "obstacle": self.obstacle,
        }

    def as_text(self) -> str:
        """For people."""
        round_ = self.known.round
        deadline = datetime.fromtimestamp(round_.deadline, UTC)
        lines = [
            f"Round {round_.round_id}: {round_.title or 'without title'}",
            f"Purpose: {round_.purpose}. Councils invited: {len(round_.councils)}. "
            f"Deadline: {deadline:%d %B %Y %H:%M} UTC.",
            *([self.series_text] if self.series_text else []),
            "",
            "The region asks for counts of households, each with noise added here:",
        ]
        lines += [
            f"  - by {item.name.replace('*', ' and ')}: {item.cells:,} counts, each within "
            f"{item.half_width:.1f} of the truth 19 times in 20 "
            f"(standard error {item.standard_error:.2f})"
            for item in self.marginals
        ]
        if self.attributes:
            lines.append("They are counted by these codes:")
            lines += [f"  - {item.text}" for item in self.attributes]
        lines += [
            "",
            self.privacy_text,
            self.budget_text,
        ]
        if self.paid:
            lines.append("The loss of this round is in the ledger already.")
        if self.objection:
            lines.append(f"The release policy refuses this round: {self.objection}.")
        if self.obstacle:
            lines.append(f"It cannot be answered yet: {self.obstacle}")
        if self.known.decision:
            lines.append(f"{self.known.decision.value.capitalize()} by {self.known.decided_by}.")
        return "\n".join(lines)


def _series_json(series: Series | None) -> dict[str, Any] | None:
    if series is None:
        return None
    return {
        "series_id": series.series_id,
        "position": series.position,
        "length": series.length,
        "event": {"attribute": series.event.attribute, "codes": list(series.event.codes)},
        "ends_at": series.ends_at,
    }


def _marginal(
    workload: Workload,
    marginal: Marginal,
    plan: Plan,
    council: GssCode,
    found: SeriesStanding | None,
) -> MarginalStatement:
    variance, step = plan.mean_variance(marginal.attributes), plan.largest_step(marginal.attributes)
    if found is not None:
        variance *= variance_factor(found.weights, found.length)
        step *= max(map(abs, found.weights))
    error = math.sqrt(variance)
    return MarginalStatement(
        name=marginal.name,
        cells=workload.size(marginal, council),
        standard_error=error,
        half_width=half_width(error, step, plan.quantile),
    )


def describe(home: NodeHome, known: KnownRound) -> RoundStatement:
    """What a round asks of this council, and what answering would cost now."""
    round_, council = known.round, home.config.council
    signed = home.release_policy()
    persons = signed.policy.loss.households_per_person
    objection = obstacle = None
    published: Mapping[str, tuple[str, ...] | None] = {}
    paid = home.ledger.debit_of(round_.round_id) is not None
    answered = home.outbox.find(round_.round_id) is not None
    try:
        with home.open_store() as store:
            published = store.attributes
            if not answered:
                found = judge(round_, home.standing(store, signed, round_))
                objection = found.detail if found else None
    except Problem as problem:
        obstacle = None if answered else str(problem)
    person = round_.loss.for_person(persons)
    plan = round_.plan(council)
    in_series = home.standing_in_series(signed, round_, home.clock())
    return RoundStatement(
        known=known,
        marginals=tuple(
            _marginal(round_.workload, marginal, plan, council, in_series)
            for marginal in round_.workload.marginals
        ),
        attributes=tuple(
            AttributeStatement(
                name=attribute.name,
                codes=attribute.codes_of(council),
                left_out=tuple(
                    code
                    for code in published.get(attribute.name) or ()
                    if code not in attribute.codes
                ),
                is_area=attribute.is_area,
            )
            for attribute in round_.workload.attributes
        ),
        epsilon=round_.epsilon_for(),
        person_rho=person,
        person_epsilon=round_.epsilon_for(persons),
        households_per_person=persons,
        balance=home.balance(),
        paid=paid,
        answered=answered,
        objection=objection,
        obstacle=obstacle,
        charge=in_series.charge if in_series else round_.loss,
    )
