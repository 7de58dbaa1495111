"""What `validate` and `weights` print for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import typer
from rich.markup import escape
from rich.table import Column, Table

from folkmoot_coordinator.inference.federated_weights import DEPARTURE, Coefficient, Weights
from folkmoot_coordinator.inference.validation import Agreement, BandRates
from folkmoot_coordinator.publication.outcome_round import JudgedRound
from folkmoot_coordinator.publication.outcome_validation import RegionalValidation
from folkmoot_coordinator.publication.outcome_weights import RegionalWeights
from folkmoot_coordinator.publication.outcome_words import (
    EVERY_EVENT,
    METHOD,
    TOO_FEW,
    agreement_says,
    apart,
    difference_says,
    rate_texts,
)
from folkmoot_operator.console import print_text
from folkmoot_operator.tables import print_table


def print_validation(found: RegionalValidation, names: Mapping[str, str]) -> None:
    """Prints a validation.

    Args:
        found: The validation.
        names: Of councils by GSS code, as far as they are known.
    """
    asked = found.asked
    print_withdrawal(asked)
    print_text(
        f"Bands against the outcome {asked.outcome.name}: {asked.coverage}, "
        f"round {asked.stored.round_.round_id}"
    )
    print_text(f"Bands from lowest to highest, as the round lists them: {', '.join(found.bands)}")
    if found.unknown is not None:
        print_text(
            f"In no rate: about {found.unknown.value:,.0f} households without a known outcome"
        )
    typer.echo()
    _print_rates(asked.known.region, found.region)
    for council, rates in found.councils.items():
        typer.echo()
        _print_rates(names.get(council, council), rates)
    typer.echo()
    _print_agreement(found.agreement, names, "council")
    for code, rates in found.groups.items():
        typer.echo()
        _print_rates(f"{found.by} {code}", rates)
    if found.by is not None:
        typer.echo()
        _print_agreement(found.between_groups, {}, "group")
    typer.echo()
    print_text(METHOD)


def print_withdrawal(asked: JudgedRound) -> None:
    """Says that a result was withdrawn, if it was."""
    if asked.stored.withdrawal is not None:
        print_text(f"WITHDRAWN. The figures are wrong, do not use them: {asked.stored.withdrawal}")
        typer.echo()


def _print_rates(title: str, rates: Sequence[BandRates]) -> None:
    typer.echo(title)
    right = [
        Column(name, justify="right")
        for name in ("Precision", "Noise", "And chance", "Recall", "Noise", "And chance")
    ]
    table = Table("Band", *right)
    for at, one in enumerate(rates):
        recall = (
            rate_texts(one.recall) if at else (EVERY_EVENT, "", "")
        )  # the lowest band and all others
        table.add_row(escape(one.band), *rate_texts(one.precision), *recall)
    print_table(table)


def _print_agreement(found: Sequence[Agreement], names: Mapping[str, str], kind: str) -> None:
    print_text(agreement_says(found, kind))
    for one in apart(found):
        print_text(f"- {difference_says(one, names.get(one.place, one.place))}")


def print_weights(found: RegionalWeights, names: Mapping[str, str]) -> None:
    """Prints fitted weights.

    Args:
        found: The weights.
        names: Of councils by GSS code, as far as they are known.
    """
    asked = found.asked
    print_text(
        f"Additive weights for {asked.outcome.name}: {asked.coverage}, "
        f"round {asked.stored.round_.round_id}"
    )
    print_text(
        f"About {found.region.events:,.0f} events among {found.region.households:,.0f} households"
    )
    typer.echo()
    _print_model(found.region)
    for council, model in found.alone.items():
        typer.echo()
        typer.echo(f"{names.get(council, council)} alone")
        if model is None:
            print_text(
                "No model: its events are too few, or one level has nearly all or none of them."
            )
        else:
            _print_model(model)
    typer.echo()
    print_text(
        "Each level adds so much to the log odds of the event, against the level with 0. Errors "
        "are standard errors: by noise, and by noise and chance. Left open: how far a weight may "
        f"move, by what the tables do not say of three and more factors together (a departure of "
        f"{DEPARTURE:g}). Interactions are not in the model; see docs/validation.md."
    )
    if found.region.unpaired:
        pairs = ", ".join("*".join(pair) for pair in found.region.unpaired)
        print_text(
            f"The round did not ask for {pairs}: they were taken to go together only as far as "
            "other factors make them."
        )


def _print_model(model: Weights) -> None:
    right = [
        Column(name, justify="right")
        for name in ("Log odds", "95 % interval", "Error: noise", "And chance", "Left open")
    ]
    table = Table("Factor: level", *right)
    for one in model.coefficients:
        name = f"{one.factor}: {one.level}"
        table.add_row(escape(name), *_figures(one, model.quantile))
    print_table(table)


def _figures(one: Coefficient, quantile: float) -> tuple[str, ...]:
    if one.value is None:
        return TOO_FEW, "", "", "", ""
    if one.error == 0:
        return "0", "", "", "", ""
    reach = quantile * one.error
    return (
        f"{one.value:.3f}",
        f"{one.value - reach:.3f} to {one.value + reach:.3f}",
        f"{one.noise_error:.3f}",
        f"{one.error:.3f}",
        f"{one.left_open:.3f}",
    )
