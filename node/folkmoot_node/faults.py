"""Names what broke, without quoting what it was working on."""

from __future__ import annotations

import traceback
from pathlib import Path

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import as_problem
from folkmoot_sdk.loading import Origin


class PluginProblem(Problem):
    """A plugin failed while it worked: it broke its contract, died or hung.

    Attributes:
        origin: The plugin.
    """

    def __init__(self, problem: str, *, where: str, remedy: str, origin: Origin) -> None:
        super().__init__(problem, where=where, remedy=remedy, exit_code=ExitCode.FAULT)
        self.origin = origin


def plugin_fault(origin: Origin, hook: str, where: str, error: BaseException) -> PluginProblem:
    """A problem that names distribution, version, hook, kind of error and line of code.

    The error's own text is left out: it may quote a resident's record.

    Args:
        origin: The plugin.
        hook: The method of its class that was called: `score`, `explain`, `read`.
        where: The factor or source.
        error: What it raised.
    """
    return PluginProblem(
        f"plugin {origin} failed: {_kind_and_place(error)}",
        where=f"{where}, {hook}",
        remedy="Report it to the plugin's supplier, who can repeat it with folkmoot-plugin check",
        origin=origin,
    )


def fault_among_counts(error: BaseException) -> Problem:
    """A problem that names kind of error and line of code.

    The error's own text is left out: it may quote an exact count.
    """
    return Problem(
        f"the counts could not be made noisy: {_kind_and_place(error)}",
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
        f"a fault in Folkmoot: {_kind_and_place(error)}",
        where=where,
        remedy="Run `folkmoot-node score --debug`, and report the fault",
        exit_code=ExitCode.FAULT,
    )


def _kind_and_place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    line = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{line}"
