"""Public commands run in this process: the same entry points, without starting a program.

Starting an interpreter and importing libraries takes longer than most commands do. Tests that
are about processes (killed ones, what native libraries write, two at once) start some.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from folkmoot_coordinator.database.connection import Database

PROGRAMS = {
    "folkmoot-node": "folkmoot_node.cli",
    "folkmoot-coordinator": "folkmoot_coordinator.cli",
    "folkmoot-plugin": "folkmoot_kit.cli",
}
KEYS_OF_DOCTORS = frozenset(
    {"check", "ok", "state", "subject", "verdict", "detail", "remedy", "command"}
)
"""Of each finding of `doctor --json`, of either program."""


@dataclass(frozen=True)
class Done:
    """How a command ended; a negative code is the signal that ended it."""

    code: int
    stdout: str
    stderr: str

    def said(self, expect: int | None = 0) -> str:
        """What it printed: to standard output if it had to succeed, else to both.

        Args:
            expect: Exit code that it must have; None for any.
        """
        assert expect in (None, self.code), f"exit code {self.code}\n{self.stdout}\n{self.stderr}"
        return self.stdout if expect == 0 else self.stdout + self.stderr


def help_of(program: str, *command: str) -> str:
    """What a command's `--help` says, without the lines and breaks of its layout."""
    return " ".join(run_inside(program, *command, "--help").said().replace("│", " ").split())


def run_inside(program: str, *arguments: object) -> Done:
    """Runs a command through the entry point of its console script."""
    out, err = io.StringIO(), io.StringIO()
    main = importlib.import_module(PROGRAMS[program]).main
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _signal_handlers_put_back(),
        _databases_closed(patch),
    ):
        patch.setattr(sys, "argv", [program, *map(str, arguments)])
        try:
            main()
        except SystemExit as end:
            code = end.code
    return Done(int(code or 0), out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _databases_closed(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A coordinator's command closes its database by ending; a test may then replace the file."""
    opened: list[Database] = []
    original = Database.__init__

    def note(database: Database, *arguments: Any, **options: Any) -> None:
        original(database, *arguments, **options)
        opened.append(database)

    patch.setattr(Database, "__init__", note)
    try:
        yield
    finally:
        for database in opened:
            database.close()


@contextlib.contextmanager
def _signal_handlers_put_back() -> Iterator[None]:
    """`serve` catches signals; afterwards they are pytest's again."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
