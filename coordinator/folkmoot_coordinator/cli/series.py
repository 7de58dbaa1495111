"""`folkmoot-coordinator series`: plan, open, next, show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_coordinator.cli.planning import doubts, print_doubts
from folkmoot_coordinator.cli.rounds import state_of
from folkmoot_operator.console import application, minute, print_json, print_text
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from folkmoot.rounds import Round
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.planning.series_plan import SeriesForecast
    from folkmoot_coordinator.rounds.question import Question
    from folkmoot_coordinator.rounds.round_making import PlannedRound
    from folkmoot_coordinator.rounds.round_store import StoredRound

series_app = application(
    "series", "Repeated rounds: cumulative counts month by month, at a loss fixed in advance."
)

FileArgument = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A round file (TOML) with a table [series]."),
]
SeriesArgument = Annotated[
    str, typer.Argument(metavar="SERIES", help="A series' id, its beginning, or `latest`.")
]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(series_app, name="series")


@series_app.command()
def plan(file: FileArgument, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Say what a series will cost and how far its counts will be off. Nothing is asked.

    Example: `folkmoot-coordinator series plan winter-months.toml`
    """
    from folkmoot_coordinator.planning.series_plan import planned_rounds

    asked, *_ = _read(file, home)
    round_ = asked.round_
    assert round_.series is not None
    planned = planned_rounds(round_.loss, round_.series.length)
    found = doubts(asked, home)
    if json_:
        print_json(_plan_json(round_, planned) | {"doubts": list(found)})
    else:
        _print_plan(round_, planned)
        print_doubts(found)


@series_app.command("open")
def open_(file: FileArgument, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Open the first round of a series.

    Where `[rounds] second_person = true` is set, it stores a draft that another account approves.
    The rounds that follow ask the same question: whoever approves the first approves them all.

    Example: `folkmoot-coordinator series open winter-months.toml`
    """
    from folkmoot_coordinator.cli.drafts import store_draft
    from folkmoot_coordinator.rounds.opening import open_planned
    from folkmoot_coordinator.signing import SigningKey

    asked, question, place, database = _read(file, home)
    print_doubts(doubts(asked, home), err=True)
    settings = place.settings()
    if settings.rounds.second_person:
        store_draft(place, settings, question, asked.round_.councils, wait=False, json_=json_)
        return
    key = SigningKey.load(place.keys)
    _opened(open_planned(database, key, asked), json_)


@series_app.command("next")
def next_(
    series: SeriesArgument = "latest", home: HomeOption = Path(), json_: JsonOption = False
) -> None:
    """Open the next round of a series: the same question, for as long as the last was open.

    Example: `folkmoot-coordinator series next latest`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.publication.series_result import find_series, next_round
    from folkmoot_coordinator.rounds.round_store import open_round
    from folkmoot_coordinator.signing import SigningKey

    place, database = open_home(home)
    rounds = find_series(database, series)
    round_, last = next_round(rounds, system_clock()), rounds[-1]
    key = SigningKey.load(place.keys)
    _opened(open_round(database, key, round_, last.planning, last.code_names), json_)


@series_app.command()
def show(
    series: SeriesArgument = "latest", home: HomeOption = Path(), json_: JsonOption = False
) -> None:
    """Show the rounds of a series so far, who is in them, and what was spent.

    Example: `folkmoot-coordinator series show latest`
    """
    from folkmoot_coordinator.publication.round_result import coverage
    from folkmoot_coordinator.publication.series_result import find_series, withdrawn_by
    from folkmoot_coordinator.rounds.round_store import series_facts
    from folkmoot_operator.moments import to_text

    _, database = open_home(home)
    rounds = find_series(database, series)
    last = rounds[-1].round_
    assert last.series is not None
    covered = [coverage(database, stored) for stored in rounds]
    withdrawn = withdrawn_by(dict(enumerate(rounds, 1)), len(rounds))
    if json_:
        print_json(
            {
                **series_facts(last.series),
                "rho": str(last.loss),
                "charges": [str(charge) for charge in last.charges],
                "withdrawn": withdrawn,
                "opened": [
                    {**stored.facts(), "released": list(found.released)}
                    for stored, found in zip(rounds, covered, strict=True)
                ],
            }
        )
        return
    typer.echo(f"Series {last.series.series_id}: {last.title or last.purpose}")
    if withdrawn is not None:
        print_text(f"WITHDRAWN: {withdrawn}. Figures from that round on are wrong: do not use them")
    ends = to_text(last.series.ends_at)
    typer.echo(f"  {len(rounds)} of {last.series.length} rounds opened; ends {ends}")
    print_text(
        f"  counts each household in the first round in which {last.series.event}; rho "
        f"{last.loss} for all rounds together (epsilon {last.epsilon_for():.2f} "
        f"at delta {last.delta})"
    )
    from rich.table import Column, Table

    table = Table("Month", Column("Round", no_wrap=True), "State", "Released", "rho charged")
    table.add_column("Deadline (UTC)", no_wrap=True)
    for at, (stored, found) in enumerate(zip(rounds, covered, strict=True)):
        table.add_row(
            str(at + 1),
            stored.round_.round_id[:12],
            state_of(stored),
            str(found),
            str(last.charges[at]),
            minute(to_text(stored.round_.deadline)),
        )
    print_table(table)


def _read(file: Path, home: Path) -> tuple[PlannedRound, Question, Home, Database]:
    """The first round of the series in a file, its question, the home and the database."""
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.councils import members
    from folkmoot_coordinator.rounds.question import read_question
    from folkmoot_coordinator.rounds.round_making import make_round

    place, database = open_home(home)
    now = system_clock()
    question = read_question(file)
    asked = make_round(question, members(database, now), now)
    round_ = asked.round_
    if round_.series is None:
        raise Problem(
            "has no table [series]",
            where=str(file),
            remedy="Add one with rounds, until and event, or run `folkmoot-coordinator round open`",
            exit_code=ExitCode.SETTINGS,
        )
    return asked, question, place, database


def _opened(stored: StoredRound, json_: bool) -> None:
    from folkmoot_operator.moments import to_text

    round_ = stored.round_
    series = round_.series
    assert series is not None
    if json_:
        print_json({**stored.facts(), "councils": list(round_.councils)})
        return
    typer.echo(f"Round {round_.round_id} is open until {to_text(round_.deadline)}")
    typer.echo(
        f"  round {series.position} of {series.length} of series {series.series_id}; rho "
        f"{round_.loss} for all of them together"
    )
    typer.echo("Next: `folkmoot-coordinator series show latest`")


def _plan_json(round_: Round, planned: tuple[SeriesForecast, ...]) -> dict[str, Any]:
    from folkmoot_coordinator.planning.series_plan import single_round_error

    return {
        "rho": str(round_.loss),
        "delta": round_.delta.value,
        "epsilon_at_delta": round_.epsilon_for(),
        "marginals": [
            {"marginal": one.name, "standard_error_of_one_round": single_round_error(round_, one)}
            for one in round_.workload.marginals
        ],
        "rounds": [
            {
                "position": one.position,
                "charge": str(one.charge),
                "spent": str(one.spent),
                "variance": {
                    "cumulative": one.cumulative,
                    "new": one.new,
                    "one_by_one": one.one_by_one,
                    "summed": one.summed,
                    "binary_tree": one.binary_tree,
                },
            }
            for one in planned
        ],
    }


def _print_plan(round_: Round, planned: tuple[SeriesForecast, ...]) -> None:
    from rich.table import Table

    from folkmoot_coordinator.planning.series_plan import single_round_error

    assert round_.series is not None
    marginal = round_.workload.marginals[0]
    unit = single_round_error(round_, marginal)
    print_text(
        f"{len(planned)} rounds cost a household rho {round_.loss} together, whatever is found "
        f"(epsilon {round_.epsilon_for():.2f} at delta {round_.delta}). Each "
        f"household is counted once, in the first round in which {round_.series.event}."
    )
    table = Table(
        "Month", "rho charged", "rho so far", "cumulative", "new", "one by one", "summed", "tree",
        title=f"Standard error of a count by {marginal.name.replace('*', ' and ')}, households",
    )  # fmt: skip
    for one in planned:
        variances = (one.cumulative, one.new, one.one_by_one, one.summed, one.binary_tree)
        table.add_row(
            str(one.position),
            str(one.charge),
            str(one.spent),
            *(f"{unit * variance**0.5:.2f}" for variance in variances),
        )
    print_table(table)
    largest = max(one.cumulative for one in planned)
    print_text(
        "The last three columns are cumulative counts at the same total loss, released in other "
        "ways: each month with noise of its own; as sums of new counts; from a binary tree. The "
        f"largest variance here is {largest:.2f} times that of a single round, against "
        f"{max(one.one_by_one for one in planned):.0f}, {max(one.summed for one in planned):.0f} "
        f"and {max(one.binary_tree for one in planned):.0f}."
    )
    others = round_.workload.marginals[1:]
    for other in others:
        typer.echo(
            f"  by {other.name.replace('*', ' and ')}: "
            f"{single_round_error(round_, other) / unit:.2f} times the table"
        )
