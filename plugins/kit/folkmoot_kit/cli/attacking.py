"""`folkmoot-plugin attack`: shows that this machine contains what a hostile plugin tries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import typer

from folkmoot_operator import console
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot_kit.attacks.attempts import Attempt
    from folkmoot_kit.attacks.unconfined import Control
    from folkmoot_kit.attacks.verdicts import Outcome

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("attack")(attack)


def attack(
    only: list[str] = typer.Option(
        [], "--only", metavar="ID", help="Make this attempt alone; may be given several times."
    ),
    control: bool = typer.Option(
        False, help="Make the attempts without confinement, to show that they would come through."
    ),
    list_: bool = typer.Option(False, "--list", help="Say what is tried, and try nothing."),
    json: bool = typer.Option(False, "--json", help="For programs to read."),
) -> None:
    """Try to break out of the confinement of plugins, in every way that we know.

    Each attempt runs as a plugin, confined as in a node, against servers, files and processes
    made for it. All take some minutes, need no node and change nothing. With --control
    those that do no harm run in a plain process: what fails there too shows nothing.

    Examples:
    `folkmoot-plugin attack`

    `folkmoot-plugin attack --only connect-ipv4 --only read-keys`

    `folkmoot-plugin attack --control --json`
    """
    chosen = _chosen(only)
    if list_:
        _list(chosen, json)
    elif control:
        _control(chosen, json)
    else:
        _attack(chosen, json)


def _chosen(only: Sequence[str]) -> list[Attempt]:
    from folkmoot_kit.attacks.catalogue import ATTEMPTS
    from folkmoot_sdk.parameters import closest

    for name in only:
        if name not in ATTEMPTS:
            close = closest(name, list(ATTEMPTS))
            raise Problem(
                "is not an attempt",
                where=f"--only {name}",
                remedy=(f"Did you mean {close!r}? " if close else "")
                + "`folkmoot-plugin attack --list` shows all",
                exit_code=ExitCode.SETTINGS,
            )
    return [entry for entry in ATTEMPTS.values() if not only or entry.id in only]


def _list(chosen: Sequence[Attempt], json: bool) -> None:
    if json:
        console.print_json([_about(entry) for entry in chosen])
        return
    for entry in chosen:
        typer.echo(f"{entry.id}: {entry.title}. {entry.tries}")
    typer.echo(f"{len(chosen)} attempts")


def _attack(chosen: Sequence[Attempt], json: bool) -> None:
    from folkmoot_kit.attacks.confined import outcomes
    from folkmoot_kit.attacks.verdicts import Verdict

    tried = [entry for entry in chosen if entry.applies]
    found = _followed(outcomes(tried), len(tried))
    limits = [one for one in found if one.verdict is Verdict.KNOWN_LIMIT]
    contained = [one for one in found if one.verdict is Verdict.CONTAINED]
    if json:
        console.print_json([_outcome(one) for one in found])
    else:
        for one in found:
            _line(one.verdict.value, one.attempt, one.how)
        typer.echo(
            f"{len(contained)} of {len(found)} attempts were contained, "
            f"{len(limits)} came through where nothing else is promised"
        )
    if len(contained) + len(limits) < len(found):
        raise typer.Exit(ExitCode.FAULT)


def _control(chosen: Sequence[Attempt], json: bool) -> None:
    from folkmoot_kit.attacks.unconfined import controls

    tried = [entry for entry in chosen if entry.applies]
    found = _followed(controls(tried), len(tried))
    if json:
        console.print_json([_of_control(one) for one in found])
        return
    words = {True: "comes through", False: "fails here too", None: "not tried"}
    for one in found:
        _line(words[one.comes_through], one.attempt, one.how)
    through = sum(one.comes_through is True for one in found)
    run = sum(one.comes_through is not None for one in found)
    typer.echo(f"{through} of {run} attempts come through where nothing confines them")


def _followed(results: Iterable[T], count: int) -> list[T]:
    """The results, with a bar that grows meanwhile on a terminal."""
    with console.progress() as bar:
        task = bar.add_task("attempts", total=count)
        found = []
        for one in results:
            found.append(one)
            bar.advance(task)
    return found


def _line(word: str, attempt: Attempt, how: str) -> None:
    typer.echo(f"{word:<14} {attempt.id}: {attempt.title} ({' '.join(how.split())})")


def _about(attempt: Attempt) -> dict[str, object]:
    return {
        "id": attempt.id,
        "group": attempt.group.value,
        "title": attempt.title,
        "tries": attempt.tries,
    }


def _outcome(one: Outcome) -> dict[str, object]:
    return {**_about(one.attempt), "verdict": one.verdict.value, "how": one.how}


def _of_control(one: Control) -> dict[str, object]:
    return {**_about(one.attempt), "comes_through": one.comes_through, "how": one.how}
