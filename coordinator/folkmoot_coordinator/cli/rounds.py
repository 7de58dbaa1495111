"""`folkmoot-coordinator round`: open, list, show, close."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_coordinator.cli.planning import doubts, print_doubts
from folkmoot_operator.console import application, minute, print_json, print_text
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from folkmoot.rounds import RoundState
    from folkmoot_coordinator.config import CoordinatorSettings
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.rounds.progress import CouncilResponse, RoundSummary
    from folkmoot_coordinator.rounds.round_store import StoredRound

round_app = application("round", "Collection rounds: questions to councils, and their answers.")

RoundArgument = Annotated[
    str, typer.Argument(metavar="ROUND", help="A round's id, its beginning, or `latest`.")
]
WaitOption = Annotated[
    bool,
    typer.Option(
        "--wait",
        help="Wait until the round has ended, with progress on standard error. Ctrl-C ends the "
        "waiting, not the round.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(round_app, name="round")


@round_app.command("open")
def open_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The round file (TOML).")],
    home: HomeOption = Path(),
    wait: WaitOption = False,
    json_: JsonOption = False,
) -> None:
    """Open a round: sign the question and offer it to the councils named.

    With `--wait` it ends when the round does, and then shows it as `round show` would. Where
    `[rounds] second_person = true` is set, it stores a draft that another account approves.

    Example: `folkmoot-coordinator round open winter.toml --wait`
    """
    from folkmoot_coordinator.cli.drafts import store_draft
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.councils import members
    from folkmoot_coordinator.rounds.opening import open_planned
    from folkmoot_coordinator.rounds.question import read_question
    from folkmoot_coordinator.rounds.round_making import make_round
    from folkmoot_coordinator.signing import SigningKey
    from folkmoot_operator.moments import to_text
    from folkmoot_operator.problems import ExitCode, Problem

    place, database = open_home(home)
    settings, now = place.settings(), system_clock()
    known = members(database, now)
    question = read_question(file)
    asked = make_round(question, known, now)
    round_ = asked.round_
    if round_.series is not None:
        raise Problem(
            "is the file of a series",
            where=str(file),
            remedy=f"Run `folkmoot-coordinator series open {file}`",
            exit_code=ExitCode.USAGE,
        )
    print_doubts(doubts(asked, home), err=True)
    if settings.rounds.second_person:
        store_draft(place, settings, question, round_.councils, wait=wait, json_=json_)
        return
    key = SigningKey.load(place.keys)
    open_planned(database, key, asked)
    missing = [council for council in round_.councils if council not in known]
    if json_ and not wait:
        print_json(
            {
                "round_id": round_.round_id,
                "deadline": to_text(round_.deadline),
                "councils": list(round_.councils),
                "not_enrolled": missing,
            }
        )
        return
    # What is waited for is the result; until then people and logs are kept informed.
    typer.echo(f"Round {round_.round_id} is open until {to_text(round_.deadline)}", err=wait)
    invited = len(round_.councils)
    typer.echo(
        f"  {invited} council{'s' * (invited > 1)} invited; each is asked for rho {round_.loss} "
        f"(epsilon {round_.epsilon_for():.2f} at delta {round_.delta})",
        err=wait,
    )
    if missing:
        typer.echo(f"  not enrolled yet: {', '.join(missing)}", err=wait)
    if wait:
        _show(settings, database, round_.round_id, wait=True, json_=json_)
    else:
        typer.echo("Next: `folkmoot-coordinator round show latest`")


@round_app.command("list")
def list_(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """List all rounds, newest first.

    Example: `folkmoot-coordinator round list --json`
    """
    from folkmoot_coordinator.rounds.progress import summaries
    from folkmoot_operator.moments import to_text

    _, database = open_home(home)
    found = summaries(database)
    if json_:
        print_json([_summary(summary) for summary in found])
        return
    if not found:
        typer.echo("No round yet. Open one: `folkmoot-coordinator round open FILE`")
        return
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(Column("Round", no_wrap=True), "Title", "State", "Answers")
    table.add_column("Deadline (UTC)", no_wrap=True)
    for summary in found:
        answers = f"{summary.released} of {summary.invited}"
        table.add_row(
            summary.round_id[:12],
            escape(summary.title),
            state_of(summary),
            f"{answers}, {summary.refused} refused" if summary.refused else answers,
            minute(to_text(summary.deadline)),
        )
    print_table(table)


@round_app.command()
def show(
    round_: RoundArgument,
    home: HomeOption = Path(),
    wait: WaitOption = False,
    json_: JsonOption = False,
) -> None:
    """Show who has answered a round, who refused and why, and who is waited for.

    Example: `folkmoot-coordinator round show latest`
    """
    place, database = open_home(home)
    _show(place.settings(), database, round_, wait=wait, json_=json_)


def _show(
    settings: CoordinatorSettings, database: Database, reference: str, *, wait: bool, json_: bool
) -> None:
    from folkmoot_coordinator.rounds.progress import council_responses
    from folkmoot_coordinator.rounds.round_store import find_round

    stored = find_round(database, reference)
    if wait:
        from folkmoot_coordinator.clock import system_clock
        from folkmoot_coordinator.rounds.waiting import wait_until_ended

        wait_until_ended(
            database, stored.round_, system_clock, lambda answers: typer.echo(answers, err=True)
        )
        stored = find_round(database, stored.round_.round_id)
    found = council_responses(database, stored.round_)
    if json_:
        print_json(_shown(stored, found, settings))
    else:
        _print_round(stored, found, settings)


@round_app.command("withdraw")
def withdraw_(
    round_: RoundArgument,
    reason: Annotated[
        str, typer.Option("--reason", help="What is wrong, in a sentence for readers.")
    ],
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back that the result is wrong.")
    ] = False,
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Mark the result of a round as wrong, wherever it is shown or exported. It is kept.

    Export it again, so that the files that you published say so too. In a series, the figures of
    later months are marked as well: they are estimated from this round among others.

    Example: `folkmoot-coordinator round withdraw latest --reason "Trafford scored an old extract"`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.rounds.round_store import find_round
    from folkmoot_coordinator.rounds.withdrawal import reinstate, withdraw

    _, database = open_home(home)
    identifier = find_round(database, round_).round_.round_id
    if undo:
        reinstate(database, identifier, reason, system_clock())
    else:
        withdraw(database, identifier, reason, system_clock())
    stored = find_round(database, identifier)
    if json_:
        print_json(stored.facts())
        return
    if stored.withdrawal is None:
        typer.echo(f"The result of round {identifier} stands again")
    else:
        typer.echo(f"The result of round {identifier} was {stored.withdrawal}")
    typer.echo(f"Next: {_after_closing(stored.state, identifier)}, in place of earlier files")


@round_app.command()
def close(round_: RoundArgument, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Close a round now, whoever has answered. It cannot be opened again.

    Example: `folkmoot-coordinator round close latest`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.rounds.closing import close_round
    from folkmoot_coordinator.rounds.round_store import find_round

    _, database = open_home(home)
    identifier = find_round(database, round_).round_.round_id
    state = close_round(database, identifier, system_clock(), by_hand=True)
    if json_:
        print_json({"round_id": identifier, "state": state.name.lower()})
    else:
        typer.echo(f"Round {identifier} is closed: {state.name.lower()}")
        typer.echo(f"Next: {_after_closing(state, identifier)}")


def _after_closing(state: RoundState, identifier: str) -> str:
    if state.name == "VOID":
        return f"`folkmoot-coordinator round show {identifier[:12]}` says why it has no result"
    return f"`folkmoot-coordinator export {identifier[:12]} --out FOLDER`"


def _summary(summary: RoundSummary) -> dict[str, Any]:
    from folkmoot_operator.moments import to_text

    return {
        "round_id": summary.round_id,
        "title": summary.title,
        "state": summary.state.name.lower(),
        "invited": summary.invited,
        "released": summary.released,
        "refused": summary.refused,
        "opened_at": to_text(summary.opened_at),
        "deadline": to_text(summary.deadline),
        "closed_at": to_text(summary.closed_at) if summary.closed_at else None,
        "withdrawn": summary.withdrawal.facts() if summary.withdrawal else None,
    }


def state_of(one: RoundSummary | StoredRound) -> str:
    """Where a round stands, in a word or two for a table."""
    return f"{one.state.name.lower()}{', withdrawn' if one.withdrawal else ''}"


def _shown(
    stored: StoredRound, found: list[CouncilResponse], settings: CoordinatorSettings
) -> dict[str, Any]:
    from folkmoot_operator.moments import to_text

    return {
        **stored.facts(),
        "invited": len(found),
        "released": sum(response.answer == "released" for response in found),
        "refused": sum(response.answer == "refused" for response in found),
        "waiting": sum(response.answer == "waiting" for response in found),
        "councils": [
            {
                "council": response.council,
                "name": settings.names.get(response.council),
                "answer": _answer(stored, response),
                "answered_at": to_text(response.answered_at) if response.answered_at else None,
                "reason": response.refusal.name.lower() if response.refusal else None,
                "attribute": response.refused_attribute,
                "meaning": response.refusal.meaning if response.refusal else None,
                "next_step": response.refusal.next_step if response.refusal else None,
                "enrolled": response.enrolled,
                "last_seen": to_text(response.last_seen) if response.last_seen else None,
            }
            for response in found
        ],
    }


def _print_round(
    stored: StoredRound, found: list[CouncilResponse], settings: CoordinatorSettings
) -> None:
    from rich.table import Column, Table

    from folkmoot_coordinator.rounds.waiting import why_waiting
    from folkmoot_operator.moments import to_text

    round_ = stored.round_
    waiting = sum(response.answer == "waiting" for response in found)
    typer.echo(f"Round {round_.round_id}: {round_.title or round_.purpose}")
    if round_.series is not None:
        series = round_.series
        typer.echo(f"  round {series.position} of {series.length} of series {series.series_id}")
    if stored.withdrawal is not None:
        print_text(f"  WITHDRAWN. {stored.withdrawal.facts()['statement']}")
    closed = f", closed at {to_text(stored.closed_at)}" if stored.closed_at else ""
    typer.echo(f"  {stored.state.name.lower()}{closed}; deadline {to_text(round_.deadline)}")
    released = sum(response.answer == "released" for response in found)
    refused = sum(response.answer == "refused" for response in found)
    unanswered = "waited for" if stored.closed_at is None else "without an answer"
    typer.echo(
        f"  of {len(found)} invited: {released} released, {refused} refused, {waiting} {unanswered}"
    )
    typer.echo(f"  published if at least {round_.minimum_councils} released")
    table = Table(Column("Council", no_wrap=True), "Answer")
    table.add_column("When (UTC)", no_wrap=True)
    table.add_column("Last seen (UTC)", no_wrap=True)
    table.add_column("Why, and what to do")
    for response in found:
        table.add_row(
            settings.label(response.council),
            _answer(stored, response),
            minute(to_text(response.answered_at) if response.answered_at else None),
            minute(to_text(response.last_seen) if response.last_seen else None, "never"),
            why_waiting(response, is_closed=stored.closed_at is not None),
        )
    print_table(table)


def _answer(stored: StoredRound, response: CouncilResponse) -> str:
    if response.answer == "waiting" and stored.closed_at is not None:
        return "missing"
    return response.answer
