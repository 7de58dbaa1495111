"""How every Folkmoot command prints, ends and reports trouble."""

from __future__ import annotations

import atexit
import gc
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperGroup

from folkmoot_operator.plain_text import is_plain, plain
from folkmoot_operator.private_files import close_new_files
from folkmoot_operator.problems import ExitCode, Problem, Stop
from folkmoot_operator.supervised import supervise
from folkmoot_operator.unusable_files import as_problem

_WIDE = 160
"""Characters in a line of a table that goes to a file or a pipe."""
_FURTHER_IN = 2
"""Characters by which a line that was broken off stands further in."""
_INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells give it."""
_ALLOCATIONS = 50_000
"""New objects after which Python looks for garbage. By default it looks after 700, so that it
spent a tenth of a short command on what imports make, which is never garbage."""

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rich.console import Console
    from rich.progress import Progress
    from rich.text import Text


class _Commands(TyperGroup):
    """Commands of which none ends the process by itself: only a plugin does that."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command.

        Raises:
            Problem: Exit code FAULT, if something that it ran has called for the process to end.
        """
        try:
            return super().invoke(ctx)
        except SystemExit as end:
            raise Problem(
                "something that the command ran has ended it before it was done (exit code "
                f"{end.code if isinstance(end.code, int) else 1})",
                where=ctx.invoked_subcommand or "",
                remedy="Find out which plugin does that; `folkmoot-plugin check` tries each",
                exit_code=ExitCode.FAULT,
            ) from None


def application(name: str, help_: str) -> typer.Typer:
    """A Typer application with the house's manners."""
    return typer.Typer(
        name=name,
        cls=_Commands,
        help=help_,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def version_option(program: str, distribution: str) -> Any:
    """The default of a parameter for `--version`: it prints the version, and the program ends.

    Args:
        program: What the command is called.
        distribution: Whose version it is, as it is installed.
    """

    def show(asked: bool) -> None:
        if asked:
            from importlib.metadata import version

            typer.echo(f"{program} {version(distribution)}")
            raise typer.Exit

    help_ = "Show the version and exit."
    return typer.Option(False, "--version", callback=show, is_eager=True, help=help_)


def add_version(app: typer.Typer, distribution: str) -> None:
    """Gives `--version` to an application of several commands, called as its distribution."""
    option = version_option(distribution, distribution)

    @app.callback()
    def common(version: bool = option) -> None:
        pass


def run(app: typer.Typer, *, with_plugins: Collection[str] = ()) -> NoReturn:
    """Runs an application; turns what it raises into a message and an exit code.

    Args:
        app: The application.
        with_plugins: Commands that run code of others, and so are watched by a process of
            their own; see `supervised`.

    A Problem, and any error with `where`, `problem` and `remedy`, prints these three and
    no stack trace; lines `for_operator` come after the problem. A file that cannot be
    used now is named, with the cause that the operating system gives. `--debug` anywhere on the
    command line shows the trace.
    """
    report = supervise() if sys.argv[1:2] and sys.argv[1] in with_plugins else None
    try:
        _run(app)
    except SystemExit as end:
        if report is not None:
            report(end.code if isinstance(end.code, int) else ExitCode.FAULT)
        raise


def _run(app: typer.Typer) -> NoReturn:
    close_new_files()
    gc.set_threshold(_ALLOCATIONS)
    atexit.register(gc.freeze)  # or Python looks through everything once more before it ends
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    try:
        _require_plain(sys.argv[1:])
        _require_ascii_digits(sys.argv[1:])
        app()
    except SystemExit as end:
        if end.code == _INTERRUPTED:  # Typer turns Ctrl-C into this, and says nothing
            print("Interrupted.", file=sys.stderr)
        raise
    except BrokenPipeError:
        sys.exit(0)
    except Stop as stop:
        sys.exit(_report(stop.problem))
    except Exception as error:
        if debug:
            raise
        sys.exit(_report(error))
    sys.exit(0)


def _require_plain(arguments: Sequence[str]) -> None:
    """Refuses signs that steer a terminal: what is entered is kept, and shown to others later.

    Raises:
        Problem: Exit code USAGE, naming the first argument that has one.
    """
    for argument in arguments:
        if not is_plain(argument):
            raise Problem(
                f"{argument[:80]!r} has control characters in it",
                where="command line",
                remedy="Write it without them; a line may end, and tabs are fine",
                exit_code=ExitCode.USAGE,
            )


def _require_ascii_digits(arguments: Sequence[str]) -> None:
    """Refuses numbers and dates in the digits of other scripts, which Python reads as numbers.

    Raises:
        Problem: Exit code USAGE, naming the first.
    """
    for argument in arguments:
        value = argument.rpartition("=")[2] if argument.startswith("--") else argument
        foreign = any(sign.isdecimal() and not sign.isascii() for sign in value)
        if foreign and not any(sign.isalpha() or sign in "/ " for sign in value):
            raise Problem(
                f"{value[:80]!r} is written with the digits of another script",
                where="command line",
                remedy="Write it with the digits 0 to 9",
                exit_code=ExitCode.USAGE,
            )


def _report(error: Exception) -> int:
    error = as_problem(error) or error
    problem = getattr(error, "problem", None)
    if problem is None:
        print(
            f"Error: a fault in Folkmoot ({type(error).__name__}).\n"
            "  Remedy: run the command again with --debug and report the trace. "
            "Check it for residents' data before sharing it.",
            file=sys.stderr,
        )
        return ExitCode.FAULT
    where = getattr(error, "where", "")
    remedy = getattr(error, "remedy", "")
    where, remedy = plain(str(where)), plain(str(remedy))
    lines = plain(str(problem)).splitlines() or [""]
    if len(lines) == 1:
        print(f"Error: {where}: {lines[0]}" if where else f"Error: {lines[0]}", file=sys.stderr)
    else:
        print(f"Error: {where}:", file=sys.stderr)
        for line in lines:
            print(f"  - {line}", file=sys.stderr)
    for line in getattr(error, "for_operator", ()):
        print(f"  {plain(line)}", file=sys.stderr)
    if remedy:
        print(f"  Remedy: {remedy}", file=sys.stderr)
    return int(getattr(error, "exit_code", ExitCode.SETTINGS))


def print_json(value: Any) -> None:
    """Prints a value as JSON for programs to read, with controls in texts written out."""
    sys.stdout.write(plain(json.dumps(value, indent=2, ensure_ascii=False, default=str)) + "\n")


def console(*, stderr: bool = False) -> Console:
    """A Rich console; plain where the output is no terminal, and wide unless COLUMNS is set."""
    from rich.console import Console

    class _Plain(Console):
        def render_str(self, text: str, *more: Any, **options: Any) -> Text:
            return super().render_str(plain(text), *more, **options)

        def on_broken_pipe(self) -> None:
            """Nobody reads on, as after `| head`: Rich ends the process, which a plugin may not."""
            try:
                super().on_broken_pipe()
            except SystemExit:
                raise BrokenPipeError from None

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if re.fullmatch("[1-9][0-9]{1,4}", columns) else _WIDE
    return _Plain(stderr=stderr, highlight=False, width=None if terminal else width)


def print_text(text: str) -> None:
    """Prints paragraphs: broken between words on a terminal, whole where programs read."""
    console().print(text, markup=False, soft_wrap=not sys.stdout.isatty())


def hanging(text: str, indent: int = 5) -> list[str]:
    """The lines of a text that stands indented, so that a terminal breaks none by itself.

    Args:
        text: Its own line breaks stay. Words that are longer than a line are not broken.
        indent: Characters that stand before each line.

    Returns:
        Lines without the indent; whole ones where programs read.
    """
    import textwrap

    lines = plain(text).splitlines()
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return lines
    width = max(20, console().width - indent)
    return [
        part
        for line in lines
        for part in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
        or [""]
    ]


def print_indented(text: str) -> None:
    """Prints lines of which some stand indented; what a terminal breaks off stands further in."""
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        first, *others = hanging(line.strip(), indent + _FURTHER_IN) or [""]
        typer.echo(" " * indent + first)
        for other in others:
            typer.echo(" " * (indent + _FURTHER_IN) + other)


def minute(moment: str | None, otherwise: str = "") -> str:
    """A time in few characters, for a column of a table.

    Args:
        moment: ISO 8601 with seconds, in UTC: `2026-12-01T12:00:00Z`; or None.
        otherwise: What stands for None.
    """
    return f"{moment[:10]} {moment[11:16]}" if moment else otherwise


def progress() -> Progress:
    """A progress display on standard error, removed when done; none without a terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
