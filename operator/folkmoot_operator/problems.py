"""Problems that an operator can fix, and the exit codes for them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every Folkmoot command; documented in the README."""

    OK = 0
    FAULT = 1
    """A fault in Folkmoot or in a plugin."""
    USAGE = 2
    """The command line is wrong."""
    SETTINGS = 3
    """A settings or policy file is wrong, missing or not signed."""
    DATA = 4
    """Input data were rejected beyond the threshold, or are missing."""
    REFUSED = 5
    """A policy or the other side refused. Trying again does not help."""
    UNREACHABLE = 6
    """The other side cannot be reached, or a file cannot be used, now. Trying again may help."""
    VERIFICATION = 7
    """A check of stored evidence failed: ledger, receipt, signature."""


class Problem(Exception):
    """What is wrong, where, and how to fix it.

    The texts may be logged and shown; they carry no value derived from residents'
    records, but for `for_operator`, which a command prints on its terminal and nothing keeps.

    Attributes:
        problem: What is wrong.
        where: File, key, row or address; may be empty.
        remedy: What the operator can do.
        exit_code: How the command ends.
        for_operator: Lines with figures from records, for the terminal of who runs the command.
    """

    def __init__(
        self,
        problem: str,
        *,
        where: str = "",
        remedy: str = "",
        exit_code: ExitCode,
        for_operator: Sequence[str] = (),
    ) -> None:
        super().__init__(f"{where}: {problem}" if where else problem)
        self.problem = problem
        self.where = where
        self.remedy = remedy
        self.exit_code = exit_code
        self.for_operator = tuple(for_operator)
