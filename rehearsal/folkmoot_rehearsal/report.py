"""What a rehearsal shows at its end: the regional table, the refusal, the privacy promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from folkmoot_rehearsal.comparison import Agreement, agreements, with_truth
from folkmoot_rehearsal.layout import README_FILE, Layout

if TYPE_CHECKING:
    from rich.console import Console

    from folkmoot_rehearsal.alone import Nodes
    from folkmoot_rehearsal.launcher import Outcome, Publication, RoundOutcome
    from folkmoot_rehearsal.viewing import Opened

SHOWN_MARGINALS = ("band*household_type", "band*tenure")
"""Of the regional statistics those that are printed in full."""


def compare(outcome: Outcome, publication: Publication) -> pl.DataFrame:
    """The published rows with the columns of `with_truth`, of councils that released; no null."""
    released = publication.metadata["coverage"]["released"]
    return with_truth(publication.table, {code: outcome.scored[code] for code in released})


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome for programs."""
    return {
        "state": "finished",
        "seconds": round(outcome.seconds, 1),
        "councils": len(outcome.scores),
        "households": sum(score["households"] for score in outcome.scores.values()),
        "people": outcome.people,
        "bands": _bands(outcome.scores),
        "rejected": _rejected(outcome.scores),
        "rounds": [_round_json(outcome, round_) for round_ in outcome.rounds],
    }


def nodes_json(nodes: Nodes) -> dict[str, Any]:
    """Nodes that stand alone, for programs."""
    return {
        "state": "finished",
        "seconds": round(nodes.seconds, 1),
        "councils": len(nodes.scores),
        "households": sum(score["households"] for score in nodes.scores.values()),
        "people": nodes.people,
        "bands": _bands(nodes.scores),
        "rejected": _rejected(nodes.scores),
        "debt_older_alone": nodes.in_cohort,
        "homes": {code: str(home) for code, home in nodes.homes.items()},
    }


def show_nodes(nodes: Nodes, layout: Layout, out: Console) -> None:
    """Prints the same for people."""
    households = sum(score["households"] for score in nodes.scores.values())
    noun = "council" if len(nodes.scores) == 1 else "councils"
    out.print(
        f"[bold]{len(nodes.scores)} {noun}, {households:,} households, "
        f"{nodes.people:,} people[/bold] (all synthetic), {nodes.seconds:.0f} s."
    )
    for code, home in nodes.homes.items():
        out.print(f"  {home}", markup=False, soft_wrap=True)
        out.print(
            f"    {nodes.in_cohort[code]:,} households owe over 1,000 pounds of council tax and "
            "are one person of 65 or over, in truth",
            markup=False,
            soft_wrap=True,
        )
    out.print(f"Look further: {layout.root / README_FILE}", markup=False, soft_wrap=True)


def _round_json(outcome: Outcome, round_: RoundOutcome) -> dict[str, Any]:
    described: dict[str, Any] = {
        "title": round_.shown["title"],
        "state": round_.shown["state"],
        "councils": round_.shown["councils"],
    }
    if round_.publication is None:
        return described
    compared = compare(outcome, round_.publication)
    region = compared.filter(
        (pl.col("level") == "region") & pl.col("marginal").is_in(SHOWN_MARGINALS)
    )
    return described | {
        "coverage": round_.publication.metadata["coverage"],
        "privacy": round_.publication.metadata["privacy"],
        "published": str(round_.publication.table),
        "agreement": [
            {
                "level": found.level,
                "marginal": found.marginal,
                "cells": found.cells,
                "within_95": found.within,
            }
            for found in agreements(compared)
        ],
        "region": [
            {name: value for name, value in row.items() if value is not None}
            for row in region.to_dicts()
        ],
    }


def show(outcome: Outcome, layout: Layout, out: Console) -> None:
    """Prints the outcome for people."""
    households = sum(score["households"] for score in outcome.scores.values())
    out.print(
        f"[bold]{len(outcome.scores)} councils, {households:,} households, "
        f"{outcome.people:,} people[/bold] (all synthetic), {outcome.seconds:.0f} s."
    )
    for round_ in outcome.rounds:
        out.print()
        _show_round(outcome, round_, out)
    first = outcome.rounds[0].publication
    if first is not None:
        out.print()
        out.print("[bold]What is promised[/bold]")
        out.print(first.metadata["privacy"]["statement"], markup=False)
    out.print()
    out.print(f"Look further: {layout.root / README_FILE}", markup=False)
    out.print("Open the region's web site, with an account made for it:")
    out.print(f"  {layout.view_command}", markup=False, soft_wrap=True)


def show_site(site: Opened, out: Console, what: str = "The region's web site") -> None:
    """Prints where a site of a rehearsal is, and who can sign in."""
    out.print(f"{what}: {site.address}", markup=False, soft_wrap=True)
    for account in site.accounts:
        out.print(f"  {account.name} ({account.purpose})", markup=False, soft_wrap=True)
        if account.link is None:
            out.print("    signs in with the password that was chosen before")
        else:
            out.print("    chooses a password here, once:")
            out.print(f"    {account.link}", markup=False, soft_wrap=True)
    out.print("To stop it, press Ctrl-C.")


def site_json(site: Opened) -> dict[str, Any]:
    """The same for programs."""
    return {
        "address": site.address,
        "accounts": [
            {"name": one.name, "roles": list(one.roles), "link": one.link} for one in site.accounts
        ],
    }


def _show_round(outcome: Outcome, round_: RoundOutcome, out: Console) -> None:
    out.print(f"[bold]{round_.shown['title']}[/bold]: {round_.shown['state']}")
    if round_.publication is not None:
        _show_publication(outcome, round_.publication, out)
    _show_refusals(round_, out)


def _show_publication(outcome: Outcome, publication: Publication, out: Console) -> None:
    from rich.table import Table

    compared = compare(outcome, publication)
    out.print(f"Coverage: {publication.metadata['coverage']['summary']}", markup=False)
    region = compared.filter(pl.col("level") == "region")
    for marginal in SHOWN_MARGINALS:
        rows = region.filter(pl.col("marginal") == marginal)
        if rows.is_empty():
            continue
        names = marginal.split("*")
        table = Table(title=f"Region: households by {' and '.join(names)}", title_justify="left")
        for name in names:
            table.add_column(name)
        for heading in ("Estimate", "Std. error", "95 % interval", "True value", "Within"):
            table.add_column(heading, justify="right")
        for row in rows.iter_rows(named=True):
            table.add_row(
                *(row[name] for name in names),
                f"{row['value']:,.1f}",
                f"{row['standard_error']:,.1f}",
                f"{row['lower']:,.1f} to {row['upper']:,.1f}",
                f"{row['true']:,}",
                "yes" if row["within"] else "[yellow]no[/yellow]",
            )
        out.print(table)
    for found in agreements(compared):
        out.print(f"  {_sentence(found)}", markup=False)


def _show_refusals(round_: RoundOutcome, out: Console) -> None:
    from rich.table import Table

    refused = [c for c in round_.shown["councils"] if c["answer"] == "refused"]
    if not refused:
        return
    table = Table(title="Refused", title_justify="left")
    for heading in ("Council", "Reason", "What it means", "Next step"):
        table.add_column(heading)
    for council in refused:
        table.add_row(
            council["council"], council["reason"], council["meaning"], council["next_step"]
        )
    out.print(table)


def _sentence(found: Agreement) -> str:
    share, level = found.within / found.cells, found.level.replace("_", " ")
    return (
        f"{found.marginal}, {level}: the 95 % interval holds the true value in "
        f"{found.within:,} of {found.cells:,} cells ({share:.1%})"
    )


def _rejected(scores: Mapping[str, dict[str, Any]]) -> dict[str, int]:
    return {
        code: sum(source["rejected"] for source in score["sources"])
        for code, score in scores.items()
    }


def _bands(scores: Mapping[str, dict[str, Any]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for score in scores.values():
        for band, number in score["bands"].items():
            total[band] = total.get(band, 0) + number
    return total
