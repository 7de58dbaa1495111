"""`folkmoot-coordinator round plan`: how precise a round would be and what it would cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_operator.console import print_json
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot.catalogue import Catalogue
    from folkmoot.geography import GssCode
    from folkmoot.rounds import Round
    from folkmoot_coordinator.planning.cell_sizes import CellSizes
    from folkmoot_coordinator.rounds.round_making import PlannedRound

_HOUSEHOLDS = re.compile(r"(?:([^=]+)=)?([0-9][0-9_,]*)")


def add_to(round_app: typer.Typer) -> None:
    """Adds the command to the group `round`."""
    round_app.command()(plan)


def plan(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The round file (TOML).")],
    home: HomeOption = Path(),
    households: Annotated[
        list[str] | None,
        typer.Option(
            "--households",
            metavar="[COUNCIL=]NUMBER",
            help="Households of the region, or of each council by its GSS code (repeat); all "
            "cells of a council are then taken as equal.",
        ),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            "--like", help="Table of an earlier round, Parquet or CSV: cells are as large as in it."
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Write what more or less loss would buy: .svg .png .html"),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="List every marginal of a long plan.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Say how precise a round's figures would be and what they would cost. Nothing is asked.

    Needs no coordinator where the file names its councils.

    Example: `folkmoot-coordinator round plan winter.toml --households 1200000`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.planning.forecast import Forecast
    from folkmoot_coordinator.rounds.question import read_question
    from folkmoot_coordinator.rounds.round_making import make_round

    if households and like:
        raise _usage("--households and --like", "cannot both be given", "Give one of them")
    if plot:
        from folkmoot_operator.pictures import check_suffix

        check_suffix(plot)
    question = read_question(file)
    asked = make_round(question, _enrolled(home) if question.names_all else (), system_clock())
    if asked.round_.series is not None:
        raise _usage(
            str(file),
            "is the file of a series, whose rounds do not cost and err like one alone",
            f"Run `folkmoot-coordinator series plan {file}`",
        )
    sizes = _sizes(asked.round_, households or [], like)
    forecast = Forecast(asked.round_, asked.planning, sizes)
    if plot:
        from folkmoot_coordinator.planning.budget_chart import write_chart

        write_chart(forecast, plot)
    found = doubts(asked, home)
    if json_:
        from folkmoot_coordinator.planning.forecast_json import as_json

        print_json(as_json(forecast) | {"doubts": list(found)})
        return
    from folkmoot_coordinator.cli.forecast_text import print_forecast

    print_forecast(forecast, every=all_)
    print_doubts(found)
    if plot:
        typer.echo(f"\nThe plot is in {plot}")


def doubts(asked: PlannedRound, home: Path) -> tuple[str, ...]:
    """What in a question may not be meant, or will not be answered.

    Args:
        asked: The question, and what else its file says.
        home: The coordinator's folder; what councils have published is known if it is one.

    Raises:
        Problem: If it invites what is no council, or two that have the same homes.
    """
    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.membership.known_councils import known_councils
    from folkmoot_coordinator.planning.question_checks import doubts_of_question

    published = _published(home, asked.round_.councils)
    return doubts_of_question(asked, known_councils(Home(home)), published)


def print_doubts(found: Sequence[str], *, err: bool = False) -> None:
    """Prints what `doubts` found; nothing if there is nothing."""
    if found:
        lines = ["To check before councils are asked:", *(f"- {text}." for text in found)]
        typer.echo("\n" + "\n".join(lines), err=err)


def _published(home: Path, councils: Sequence[GssCode]) -> dict[GssCode, Catalogue]:
    """What councils offer; nothing where there is no coordinator, which planning can do without."""
    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.membership.catalogues import catalogues_of

    if not Home(home).settings_file.is_file():
        return {}
    _, database = open_home(home)
    return catalogues_of(database, councils)


def _enrolled(home: Path) -> list[GssCode]:
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.councils import members

    _, database = open_home(home)
    return members(database, system_clock())


def _sizes(round_: Round, households: list[str], like: Path | None) -> CellSizes | None:
    from folkmoot_coordinator.planning.cell_sizes import EarlierRound, EqualCells

    if like:
        return EarlierRound(round_.workload, like)
    if not households:
        return None
    found = dict(_household_number(text) for text in households)
    if len(found) < len(households):
        raise _usage("--households", "a council is given twice", "Give each council once")
    if None in found:
        if len(found) > 1:
            raise _usage(
                "--households",
                "the region and single councils are given",
                "Give NUMBER for the region, or COUNCIL=NUMBER for each council",
            )
        return EqualCells.of_region(round_, found[None])
    by_council = {code: number for code, number in found.items() if code is not None}
    if set(by_council) != set(round_.councils):
        missing = sorted(set(round_.councils) - set(by_council))
        strange = sorted(set(by_council) - set(round_.councils))
        raise _usage(
            "--households",
            f"{missing[0]} is not given" if missing else f"{strange[0]} is not invited",
            "Give COUNCIL=NUMBER for each council of the round, or NUMBER for the region",
        )
    return EqualCells(round_.workload, by_council)


def _household_number(text: str) -> tuple[GssCode | None, int]:
    from folkmoot_coordinator.cli.options import read_council

    match = _HOUSEHOLDS.fullmatch(text.strip())
    number = int(re.sub("[_,]", "", match[2])) if match else 0
    if match is None or not number:
        raise _usage("--households", f"{text[:40]!r} is not a number of households", "Write 90000")
    return (read_council(match[1]) if match[1] else None), number


def _usage(where: str, problem: str, remedy: str) -> Problem:
    return Problem(problem, where=where, remedy=remedy, exit_code=ExitCode.USAGE)
