"""`folkmoot-node casework cohort`: cohorts as files, counted, saved, run and listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import application, print_json, print_text
from folkmoot_operator.moments import to_text
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from folkmoot_node.casework.cohort_commands import CohortCommand
    from folkmoot_node.casework.cohorts.runs import Run
    from folkmoot_node.casework.cohorts.seen import SeenRun

cohort_app = application(
    "cohort", "Cohorts: households that meet conditions, about which people then decide."
)

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The cohort as a TOML file.", dir_okay=False)
]
CohortArgument = Annotated[
    str, typer.Argument(metavar="COHORT", help="Id or title of a saved cohort.")
]


@cohort_app.command("count")
def count(file: FileArgument, home: Home = HERE, as_json: AsJson = False) -> None:
    """Counts the households of a cohort's file. Nobody is listed, and nothing is saved.

    Example: folkmoot-node casework cohort count arrears.toml
    """
    with _command(home, "cohorts") as command:
        from folkmoot_node.casework.cohorts.definition import load_definition

        definition = load_definition(file)
        counted = command.desk.cohorts.count(definition, command.by, definition.purpose)
        from folkmoot_node.casework.cohorts.seen import FEW, rough

        shown = rough(counted)
        if as_json:
            # null stands for a number from 1 to below this
            print_json(shown | {"fewer_than": FEW})
            return
        _print_count(shown)
        typer.echo("Households that are hidden from you are not in the count.")


@cohort_app.command("save")
def save(
    file: FileArgument,
    changes: Annotated[
        str | None,
        typer.Option("--changes", metavar="COHORT", help="Change this saved cohort instead."),
    ] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Saves a cohort's file, so that it can be run. Prints its id.

    Example: folkmoot-node casework cohort save arrears.toml
    """
    with _command(home, "cohorts") as command:
        from folkmoot_node.casework.cohorts.definition import load_definition

        definition = load_definition(file)
        cohorts = command.desk.cohorts
        if changes is None:
            cohort_id = cohorts.save(definition, command.by)
        else:
            cohort = command.cohort(changes)
            cohort_id = cohort.cohort_id
            cohorts.change(cohort_id, cohort.version, definition, command.by)
        if as_json:
            print_json({"cohort_id": cohort_id})
            return
        typer.echo(cohort_id)


@cohort_app.command("run")
def run(named: CohortArgument, home: Home = HERE, as_json: AsJson = False) -> None:
    """Runs a saved cohort on the last scores: who is in it, who is new and who is gone.

    Example: folkmoot-node casework cohort run 7k2m9q4xw3ab
    """
    with _command(home, "cohorts") as command:
        from folkmoot_node.casework.cohorts.runs import get_run, run_cohort

        cohort = command.cohort(named)
        run_id = run_cohort(command.desk.cohorts, cohort.cohort_id, command.by)
        with command.desk.state.database.reading() as session:
            found = _seen(command, session, get_run(session, run_id)).run
        if as_json:
            print_json(found.as_json())
            return
        _print_run(found)


@cohort_app.command("list")
def list_(home: Home = HERE, as_json: AsJson = False) -> None:
    """Lists saved cohorts, with the last run of each.

    Example: folkmoot-node casework cohort list
    """
    with _command(home, "lists") as command:
        from folkmoot_node.casework.cohorts.runs import last_runs

        cohorts = command.desk.cohorts.listed()
        with command.desk.state.database.reading() as session:
            runs = {
                one: _seen(command, session, last).run for one, last in last_runs(session).items()
            }
        if as_json:
            print_json(
                [
                    {
                        "cohort_id": one.cohort_id,
                        "title": one.definition.title,
                        "ends": one.definition.ends.isoformat(),
                        "last_run": last.as_json() if last else None,
                    }
                    for one, last in ((one, runs.get(one.cohort_id)) for one in cohorts)
                ]
            )
            return
        if not cohorts:
            typer.echo("No cohort is saved. `folkmoot-node casework cohort save FILE` saves one.")
            return
        from rich.table import Table

        table = Table("Cohort", "Title", "Last day", "Last run (UTC)", "Households", "New")
        for one in cohorts:
            last = runs.get(one.cohort_id)
            shown = (
                (to_text(last.ran_at), f"{last.counted.members:,}", f"{last.standing['new']:,}")
                if last
                else ("", "", "")
            )
            definition = one.definition
            table.add_row(one.cohort_id, definition.title, definition.ends.isoformat(), *shown)
        print_table(table)


@cohort_app.command("show")
def show(named: CohortArgument, home: Home = HERE, as_json: AsJson = False) -> None:
    """Shows a saved cohort as its file, with its runs.

    Example: folkmoot-node casework cohort show "Council tax arrears, 65 or over, alone"
    """
    with _command(home, "lists") as command:
        from folkmoot_node.casework.cohorts.runs import runs_of

        cohort = command.cohort(named)
        with command.desk.state.database.reading() as session:
            runs = [_seen(command, session, one).run for one in runs_of(session, cohort.cohort_id)]
        if as_json:
            print_json(
                {
                    "cohort_id": cohort.cohort_id,
                    "definition": cohort.definition.model_dump(
                        mode="json", by_alias=True, exclude_none=True
                    ),
                    "runs": [one.as_json() for one in runs],
                }
            )
            return
        print_text(cohort.definition.as_toml())
        for one in runs:
            _print_run(one)


@cohort_app.command("members")
def members(
    named: CohortArgument,
    gone: Annotated[
        bool, typer.Option("--gone", help="Those that have gone since the run before.")
    ] = False,
    new: Annotated[bool, typer.Option("--new", help="Only those that are new.")] = False,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Lists the households of a cohort's newest run by opaque ids, without UPRN and address.

    Example: folkmoot-node casework cohort members 7k2m9q4xw3ab --new
    """
    with _command(home, "lists") as command:
        from folkmoot_node.casework.cohorts.deciding import note_list
        from folkmoot_node.casework.cohorts.runs import MAX_MEMBERS, Standing, runs_of
        from folkmoot_node.casework.cohorts.runs import members as members_of

        cohort = command.cohort(named)
        wanted = [Standing.GONE] if gone else [Standing.NEW]
        if not gone and not new:
            wanted.append(Standing.UNCHANGED)
        hidden = command.desk.cohorts.hidden(command.by)
        with command.desk.state.database.reading() as session:
            runs = runs_of(session, cohort.cohort_id)
            shows_bands = bool(runs) and _seen(command, session, runs[0]).shows_bands
            rows = (
                members_of(
                    session,
                    runs[0].run_id,
                    standing=wanted,
                    first=0,
                    size=MAX_MEMBERS,
                    without=hidden,
                    by_score=shows_bands,
                )[1]
                if runs
                else []
            )
        if runs:
            note_list(command.desk.cohorts, runs[0], command.by, 0)
        if as_json:
            print_json(
                [
                    {
                        "household": row.household_id,
                        "standing": row.standing,
                        "why_gone": row.why_gone,
                        "band": row.band if shows_bands else None,
                    }
                    for row in rows
                ]
            )
            return
        if not rows:
            typer.echo("No household." if runs else "The cohort was not run yet.")
        for row in rows:
            more = row.why_gone or (row.band if shows_bands else None)
            typer.echo("  ".join(filter(None, (row.household_id, row.standing, more))))


@contextmanager
def _command(home: Path, right: str) -> Iterator[CohortCommand]:
    from folkmoot_node.casework.settings import load_config_as_reader, require_casework

    require_casework()
    from folkmoot_node.casework.authority.rights import Right
    from folkmoot_node.casework.cohort_commands import cohort_command

    with cohort_command(load_config_as_reader(home), Right(right)) as command:
        yield command


def _seen(command: CohortCommand, session: Session, run: Run) -> SeenRun:
    from folkmoot_node.casework.cohorts.seen import seen_run

    return seen_run(command.desk.cohorts, session, run, command.by)


def _print_run(run: Run) -> None:
    typer.echo(f"Run {run.number}, {to_text(run.ran_at)}, by {run.ran_by}")
    _print_count(run.counted.as_json())
    if run.number > 1:
        numbers = ", ".join(f"{count:,} {name}" for name, count in run.standing.items())
        typer.echo(f"Since the run before: {numbers}.")
    typer.echo("Households that are hidden from you are not in the count.")


def _print_count(counted: Mapping[str, Any]) -> None:
    """Prints a count by the names of `Counted`; None stands for fewer than 5."""
    from folkmoot_node.casework.cohorts.definition import Mark
    from folkmoot_node.casework.cohorts.seen import FEW
    from folkmoot_node.casework.cohorts.words import MARKS

    def number(value: int | None) -> str:
        return f"fewer than {FEW}" if value is None else f"{value:,}"

    undecided = counted["undecided"]
    more = "" if undecided == 0 else f"; {number(undecided)} more may belong"
    first = f"{number(counted['members'])} of {counted['households']:,} households{more}."
    typer.echo(first[:1].upper() + first[1:])
    for text, value in counted["not_known"].items():
        typer.echo(f"  not known of {number(value)} of those: {text}")
    for mark, value in counted["left_out"].items():
        typer.echo(f"  left out: {number(value)} ({MARKS[Mark(mark)]})")
    for mark, value in counted["marked"].items():
        typer.echo(f"  marked: {number(value)} ({MARKS[Mark(mark)]})")
