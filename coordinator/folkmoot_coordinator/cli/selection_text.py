"""What `equality` prints for people."""

from __future__ import annotations

from collections.abc import Mapping

import typer
from rich.markup import escape
from rich.table import Column, Table

from folkmoot_coordinator.cli.outcome_text import print_withdrawal
from folkmoot_coordinator.publication.outcome_words import (
    agreement_says,
    apart,
    difference_says,
    rate_texts,
)
from folkmoot_coordinator.publication.selection_rates import Selected, SelectionRates
from folkmoot_operator.console import print_text
from folkmoot_operator.tables import print_table


def print_selection(found: SelectionRates, names: Mapping[str, str]) -> None:
    """Prints selection rates.

    Args:
        found: The rates.
        names: Of councils by GSS code, as far as they are known.
    """
    asked = found.asked
    print_withdrawal(asked)
    print_text(
        f"Households from each band upwards, by {found.by}: {asked.coverage}, "
        f"round {asked.stored.round_.round_id}"
    )
    typer.echo()
    _print_place(found, found.region, asked.known.region)
    for code, place in found.councils.items():
        typer.echo()
        _print_place(found, place, names.get(code, code))
    typer.echo()
    print_text(
        "Of a group's households, the share in the band or a higher one. The first interval (95 %) "
        "is about the households that were counted, and holds the noise; the second holds chance "
        "too. A difference is not yet unfair: need differs between groups. See `validate --by` for "
        "whether bands find need alike."
    )


def _print_place(found: SelectionRates, place: Selected, title: str) -> None:
    typer.echo(title)
    right = [Column(name, justify="right") for name in ("Share", "Noise", "And chance")]
    table = Table("From band", "Group", *right)
    for at, band in enumerate(found.bands):
        for name, rates in place.rates.items():
            table.add_row(escape(band), escape(name), *rate_texts(rates[at]))
    print_table(table)
    print_text(agreement_says(place.differences, "group", found.offered))
    for found_apart in apart(place.differences):
        figure = f"from {found_apart.band} upwards"
        print_text(f"- {difference_says(found_apart, found_apart.place, figure)}")
