"""`folkmoot-coordinator round drafts`, `approve` and `draft`: questions that two people ask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_operator.console import application, minute, print_json, print_text
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from folkmoot.geography import GssCode
    from folkmoot_coordinator.config import CoordinatorSettings
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.drafts.decisions import Decision
    from folkmoot_coordinator.drafts.drafts import Draft
    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.rounds.question import Question

draft_app = application("draft", "A draft of a round: show, refuse, withdraw.")

DraftArgument = Annotated[
    str, typer.Argument(metavar="DRAFT", help="A draft's id, or its beginning.")
]


def add_to(round_app: typer.Typer) -> None:
    """Adds the commands to the group `round`."""
    round_app.command("drafts")(drafts)
    round_app.command("approve")(approve_)
    round_app.add_typer(draft_app, name="draft")


def store_draft(
    place: Home,
    settings: CoordinatorSettings,
    question: Question,
    councils: Sequence[GssCode],
    *,
    wait: bool,
    json_: bool,
) -> None:
    """Stores a question as a draft that another account has to approve, and says so.

    Raises:
        Problem: USAGE, if the end of the round is to be waited for.
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.drafts.decisions import submit_draft
    from folkmoot_coordinator.drafts.drafts import save_draft
    from folkmoot_coordinator.drafts.opening import open_drafts
    from folkmoot_coordinator.drafts.people import person_here

    if wait:
        raise Problem(
            "there is no round to wait for yet: a second person has to approve the question",
            where="--wait",
            remedy="Leave it out; then wait with `folkmoot-coordinator round show latest --wait`",
            exit_code=ExitCode.USAGE,
        )
    database, person, now = open_drafts(place, settings), person_here(), system_clock()
    draft = save_draft(database, question, person, now, enrolled=councils)
    draft = submit_draft(database, draft.draft_id, person, now, second_person=True)
    if json_:
        print_json(_facts(draft, settings))
        return
    typer.echo(f"Draft {draft.draft_id} is stored; no council is asked yet")
    print_text(f"  {_waits(draft, settings)}")
    typer.echo(f"Next, as another account: `folkmoot-coordinator round approve {_short(draft)}`")


def drafts(
    home: HomeOption = Path(),
    all_: Annotated[
        bool, typer.Option("--all", help="Those too that were opened, refused or withdrawn.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """List drafts, and who has to do something before each goes on.

    Example: `folkmoot-coordinator round drafts`
    """
    from folkmoot_coordinator.drafts.drafts import DraftState, list_drafts
    from folkmoot_operator.moments import to_text

    settings, database = _open(home)
    ended = (DraftState.OPENED, DraftState.WITHDRAWN, DraftState.REFUSED)
    found = [one for one in list_drafts(database) if all_ or one.state not in ended]
    if json_:
        print_json([_facts(one, settings) for one in found])
        return
    if not found:
        typer.echo("There is no draft that goes on. `--all` shows those that have ended")
        return
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(Column("Draft", no_wrap=True), "Title", "By", "State")
    table.add_column("Changed (UTC)", no_wrap=True)
    table.add_column("Who is waited for, and why")
    for one in found:
        cells = (one.title, one.author.name, one.state.meaning)
        table.add_row(
            _short(one),
            *map(escape, cells),
            minute(to_text(one.changed_at)),
            escape(_waits(one, settings) or one.note),
        )
    print_table(table)


def approve_(
    draft: DraftArgument,
    home: HomeOption = Path(),
    digest: Annotated[
        str | None,
        typer.Option(help="Beginning of the digest that `draft show` printed: approve only that."),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Approve a draft that somebody else has written, and open its round.

    You are the account that signed in at this machine, or else the one that runs the command.

    Example: `folkmoot-coordinator round approve 3f2a --digest 9c41`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.drafts.decisions import approve, end_opening
    from folkmoot_coordinator.drafts.drafts import find_draft
    from folkmoot_coordinator.drafts.opening import PROGRAM, open_draft
    from folkmoot_coordinator.drafts.people import person_here
    from folkmoot_coordinator.signing import SigningKey

    place, region = open_home(home)
    settings, database = _open(home)
    now, found = system_clock(), find_draft(database, draft)
    if digest is not None and not (digest and found.digest.hex().startswith(digest.lower())):
        raise Problem(
            f"has the digest {found.digest.hex()[:12]}, not {digest[:64]}: it was changed",
            where=f"draft {_short(found)}",
            remedy=f"Read it again: `folkmoot-coordinator round draft show {_short(found)}`",
            exit_code=ExitCode.REFUSED,
        )
    key = SigningKey.load(place.keys)
    approvers = settings.rounds.approvers
    found = approve(database, found.draft_id, person_here(), found.digest, now, approvers=approvers)
    try:
        round_id = open_draft(database, region, key, place, settings, found, now)
    except Problem as problem:
        if problem.exit_code is not ExitCode.UNREACHABLE:
            reason = f"{problem}. {problem.remedy}"
            end_opening(database, found.draft_id, PROGRAM, now, reason=reason)
        raise
    end_opening(database, found.draft_id, PROGRAM, now, round_id=round_id)
    found = find_draft(database, found.draft_id)
    if json_:
        print_json(_facts(found, settings))
    else:
        typer.echo(f"Round {round_id} is open")
        typer.echo(f"Next: `folkmoot-coordinator round show {round_id[:12]}`")


@draft_app.command()
def show(draft: DraftArgument, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Show what a draft asks, what was decided about it, and who is waited for.

    Example: `folkmoot-coordinator round draft show 3f2a`
    """
    from folkmoot_coordinator.drafts.decisions import decisions_of
    from folkmoot_coordinator.drafts.drafts import find_draft, question_of
    from folkmoot_coordinator.rounds.question import as_values

    settings, database = _open(home)
    found = find_draft(database, draft)
    question = question_of(database, found)
    decisions = decisions_of(database, found.draft_id)
    if json_:
        print_json(
            _facts(found, settings)
            | {
                "question": as_values(question),
                "files": {name: text.decode() for name, text in question.files.items()},
                "decisions": [_decision(one) for one in decisions],
            }
        )
        return
    typer.echo(f"Draft {found.draft_id}: {found.title}")
    typer.echo(f"  {found.state.meaning}; written by {found.author}")
    typer.echo(f"  digest {found.digest.hex()}")
    for text in (found.note, _waits(found, settings)):
        if text:
            print_text(f"  {text}")
    typer.echo("Asks:")
    for key, value in as_values(question).items():
        print_text(f"  {key}: {_as_text(value)}")
    for name, content in question.files.items():
        typer.echo(f"  with the file {name}, {len(content):,} bytes")
    for one in decisions:
        facts = _decision(one)
        why = f": {facts['reason']}" if facts["reason"] else ""
        print_text(f"{minute(facts['at'])} {facts['action']} by {one.person}{why}")


@draft_app.command()
def refuse(
    draft: DraftArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, for its author.")],
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Refuse a draft that somebody else has written. Its author may change and submit it again.

    Example: `folkmoot-coordinator round draft refuse 3f2a --reason "Ask for wards, not LSOAs"`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.drafts import decisions
    from folkmoot_coordinator.drafts.drafts import find_draft
    from folkmoot_coordinator.drafts.people import person_here

    settings, database = _open(home)
    found = find_draft(database, draft)
    found = decisions.refuse(database, found.draft_id, person_here(), reason, system_clock())
    _ended(found, settings, json_)


@draft_app.command()
def withdraw(
    draft: DraftArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, for others.")] = "",
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """End a draft that was not opened. It is decisions.

    Example: `folkmoot-coordinator round draft withdraw 3f2a`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.drafts import decisions
    from folkmoot_coordinator.drafts.drafts import find_draft
    from folkmoot_coordinator.drafts.people import person_here

    settings, database = _open(home)
    found = find_draft(database, draft)
    found = decisions.withdraw_draft(
        database, found.draft_id, person_here(), system_clock(), reason
    )
    _ended(found, settings, json_)


def _ended(draft: Draft, settings: CoordinatorSettings, json_: bool) -> None:
    if json_:
        print_json(_facts(draft, settings))
    else:
        typer.echo(f"Draft {draft.draft_id} is {draft.state.meaning}")


def _open(home: Path) -> tuple[CoordinatorSettings, Database]:
    """The settings, and the database of drafts."""
    from folkmoot_coordinator.drafts.opening import open_drafts
    from folkmoot_coordinator.home import Home

    place = Home(home)
    settings = place.settings()
    return settings, open_drafts(place, settings)


def _short(draft: Draft) -> str:
    return draft.draft_id[:12]


def _waits(draft: Draft, settings: CoordinatorSettings) -> str:
    from folkmoot_coordinator.drafts.drafts import waiting_for

    waiting = waiting_for(draft, settings.rounds.approvers)
    return f"{waiting.who} {waiting.why}" if waiting else ""


def _facts(draft: Draft, settings: CoordinatorSettings) -> dict[str, Any]:
    from folkmoot_coordinator.drafts.drafts import waiting_for

    waiting = waiting_for(draft, settings.rounds.approvers)
    return draft.facts() | {
        "waiting_for": {"who": waiting.who, "why": waiting.why} if waiting else None
    }


def _decision(one: Decision) -> dict[str, Any]:
    from folkmoot_operator.moments import to_text

    return {
        "action": one.action.value,
        "person": one.person.name,
        "kind": one.person.kind.value,
        "at": to_text(one.at),
        "digest": one.digest.hex(),
        "reason": one.reason or None,
    }


def _as_text(value: Any) -> str:
    """A value of a round file, on as few lines as can be."""
    if isinstance(value, list):
        return "; ".join(map(_as_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_as_text(part)}" for key, part in value.items())
    return str(value)
