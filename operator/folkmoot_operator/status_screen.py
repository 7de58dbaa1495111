"""One screen that says how a program is: sections, and what needs somebody. Shared by programs.

What is read is a document for programs; a screen is made of the same document, so that both say
the same. A part that cannot be read is named, and hides none of the others.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_operator.checks import sized
from folkmoot_operator.console import minute
from folkmoot_operator.plain_text import plain
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from rich.console import RenderableType

NEEDS_SOMEBODY = ExitCode.FAULT
"""Exit code of `status --check` if something needs somebody."""
WatchOption = Annotated[
    float | None,
    typer.Option("--watch", metavar="SECONDS", help="Look again and again, until Ctrl-C.", min=0.5),
]
CheckOption = Annotated[
    bool,
    typer.Option("--check", help="For monitoring: exit code 1 if something needs somebody."),
]
_TITLE_WIDTH = 12


@dataclass(frozen=True, slots=True)
class Need:
    """Something that somebody has to do.

    Attributes:
        what: What is wrong or waits, for people.
        command: What to run, or what else to do.
        urgency: Smaller comes first.
    """

    what: str
    command: str
    urgency: int = 50

    def as_json(self) -> dict[str, str]:
        """For programs."""
        return {"what": self.what, "command": self.command}


@dataclass(slots=True)
class Status:
    """How a program is.

    Attributes:
        document: For programs; see docs/looking-after.md for its keys.
        needs: What needs somebody.
    """

    document: dict[str, Any]
    needs: list[Need] = field(default_factory=list)

    def read(self, section: str, read: Callable[[], Any]) -> None:
        """Reads one part; one that cannot be read becomes null, and is named with the reason.

        Of an exception that is no `Problem` only the type is kept: its text may quote a record.

        Args:
            section: Key of the document.
            read: Gives its value.
        """
        try:
            self.document[section] = read()
            return
        except Problem as problem:
            what, remedy = str(problem), problem.remedy
        except Exception as error:
            what, remedy = type(error).__name__, "Run `doctor`, which looks closer"
        self.document[section] = None
        self.unreadable(section, what, remedy)

    def unreadable(self, section: str, what: str, remedy: str) -> None:
        """Names a part that cannot be read."""
        unreadable = {"section": section, "problem": what, "remedy": remedy}
        self.document.setdefault("unreadable", []).append(unreadable)

    def need(self, what: str, command: str, urgency: int = 50) -> None:
        """Adds something that needs somebody."""
        self.needs.append(Need(what, command, urgency))

    def finished(self) -> Status:
        """The same with what needs somebody in order, each once, in the document too.

        One cause that several parts cannot be read for is named once, with the parts.
        """
        parts: dict[tuple[str, str], list[str]] = {}
        for one in self.document.get("unreadable", ()):
            parts.setdefault((one["problem"], one["remedy"]), []).append(one["section"])
        for (what, remedy), sections in parts.items():
            self.need(f"{' and '.join(sections)} cannot be read: {what}", remedy, 0)
        ordered = sorted(dict.fromkeys(self.needs), key=lambda need: need.urgency)
        self.needs = ordered
        self.document.setdefault("unreadable", [])
        self.document["needs"] = [need.as_json() for need in ordered]
        return self


def show_status(
    read: Callable[[], Status],
    screen: Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]],
    *,
    as_json: bool,
    watch: float | None,
    check: bool,
) -> None:
    """Prints how a program is, once or again and again.

    Args:
        read: Reads it.
        screen: Lines of a document: title and text.
        as_json: Whether to print the document.
        watch: Seconds between two looks, until Ctrl-C; None for one look.
        check: Whether to end with exit code 1 if something needs somebody.

    Raises:
        typer.Exit: With exit code 1, see `check`.
    """
    if watch is not None:
        if check:
            raise typer.BadParameter("give one of them", param_hint="--check, --watch")
        _watch(read, screen, as_json=as_json, seconds=watch)
        return
    found = read()
    _print(found, screen, as_json=as_json)
    if check and found.needs:
        raise typer.Exit(NEEDS_SOMEBODY)


def _watch(
    read: Callable[[], Status],
    screen: Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]],
    *,
    as_json: bool,
    seconds: float,
) -> None:
    try:
        if as_json or not sys.stdout.isatty():
            while True:
                _print(read(), screen, as_json=as_json, lines=True)
                sys.stdout.flush()
                time.sleep(seconds)
        from rich.live import Live

        from folkmoot_operator.console import console

        with Live(console=console(), screen=True, auto_refresh=False) as live:
            while True:
                found = read()
                live.update(_rendered(found, screen), refresh=True)
                time.sleep(seconds)
    except (KeyboardInterrupt, BrokenPipeError):
        return


def _print(
    found: Status,
    screen: Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]],
    *,
    as_json: bool,
    lines: bool = False,
) -> None:
    if as_json and lines:
        import json

        typer.echo(plain(json.dumps(found.document, ensure_ascii=False)))
    elif as_json:
        from folkmoot_operator.console import print_json

        print_json(found.document)
    else:
        from rich.console import Console

        terminal = sys.stdout.isatty()
        Console(highlight=False, width=None if terminal else 80).print(_rendered(found, screen))


def _rendered(
    found: Status, screen: Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]
) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(width=_TITLE_WIDTH, no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    for title, text in screen(found.document):
        grid.add_row(Text(title, style="bold"), Text(plain(text)))
    needs = Table.grid(padding=(0, 1), expand=True)
    needs.add_column(width=2, justify="right", no_wrap=True)
    needs.add_column(overflow="fold", ratio=1)
    for number, need in enumerate(found.needs, 1):
        needs.add_row(f"{number}", Text(plain(need.what)))
        if need.command:
            needs.add_row("", Text(plain(need.command), style="cyan"))
    heading = (
        Text(f"Needs somebody ({len(found.needs)})", style="bold yellow")
        if found.needs
        else Text("Nothing needs anybody.", style="green")
    )
    return Group(grid, Text(""), heading, needs) if found.needs else Group(grid, Text(""), heading)


def pause_line(found: Mapping[str, Any], title: str = "Paused") -> Iterator[tuple[str, str]]:
    """Since when, by whom and why the program is paused; nothing if it is not."""
    pause = found.get("pause")
    if pause:
        yield title, f"since {minute(pause['since'])} UTC by {pause['by']}: {pause['reason']}"


def backup_line(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The newest backup; nothing where there is nothing left to back up."""
    pause, backup = found.get("pause"), found.get("backup")
    if any(one["section"] == "backup" for one in found.get("unreadable", ())):
        yield "Backup", "cannot be read"
    elif backup is None and "backup" in found and not (pause and pause["final"]):
        yield "Backup", "not set up; `doctor` says how"
    elif backup:
        made = backup["made_at"]
        yield "Backup", f"{ago(backup['age_seconds'])} old ({minute(made)} UTC)" if made else "none"


def disk_line(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How much of the disk is free; nothing if that is not known."""
    disk = found.get("disk")
    if disk:
        yield "Disk", f"{sized(disk['free_bytes'])} of {sized(disk['total_bytes'])} free"


def incidents_line(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How many incidents there are; nothing if there was none."""
    incidents = found.get("incidents")
    if incidents and incidents["all"]:
        yield "Incidents", f"{incidents['open']} open of {incidents['all']}"


def ago(seconds: float) -> str:
    """How long ago, in few words: `3 hours`, `12 days`.

    Args:
        seconds: Not negative.
    """
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        number = int(seconds // size)
        if number >= 1:
            return f"{number} {name}{'s' * (number > 1)}"
    return "less than a minute"
