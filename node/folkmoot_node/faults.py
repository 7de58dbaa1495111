"""Names what broke, without quoting what it was working on."""

from __future__ import annotations

import traceback
from pathlib import Path

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import as_problem


def fault_among_counts(error: BaseException) -> Problem:
    """A problem that names kind of error and line of code.

    The error's own text is left out: it may quote an exact count.
    """
    return Problem(
        f"the counts could not be made noisy: {kind_and_place(error)}",
        where="release",
        remedy="Nothing was sent. Score again if the store is damaged, or report the fault",
        exit_code=ExitCode.FAULT,
    )


def work_fault(where: str, error: BaseException) -> Problem:
    """A problem of a run that names kind of error and line of code.

    The error's own text is left out: it may quote a resident's record. A file that cannot be used
    now is no fault of the program's.
    """
    return as_problem(error) or Problem(
        f"a fault in Folkmoot: {kind_and_place(error)}",
        where=where,
        remedy="Run `folkmoot-node score --debug`, and report the fault",
        exit_code=ExitCode.FAULT,
    )


def kind_and_place(error: BaseException) -> str:
    """The type of an error and its line of code, and nothing of its text."""
    frames = traceback.extract_tb(error.__traceback__)
    line = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{line}"
