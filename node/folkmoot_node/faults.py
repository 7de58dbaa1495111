"""Names what broke, without quoting what it was working on."""

from __future__ import annotations

import traceback
from pathlib import Path

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import as_problem
from folkmoot_sdk.loading import Origin


class FactorsFailed(Problem):
    """A plugin failed at its factors: it broke its contract, died or hung.

    Attributes:
        distribution: Name of its distribution, if it did not come with the node. A run may go on
            with all of its factors unknown, where the council says so. Empty for one that did.
    """

    def __init__(
        self,
        problem: str,
        *,
        where: str,
        remedy: str,
        distribution: str,
        exit_code: ExitCode = ExitCode.FAULT,
    ) -> None:
        super().__init__(problem, where=where, remedy=remedy, exit_code=exit_code)
        self.distribution = distribution

    @classmethod
    def of(cls, problem: Problem, distribution: str) -> FactorsFailed:
        """The same problem, at the factors of a distribution."""
        return cls(
            problem.problem,
            where=problem.where,
            remedy=problem.remedy,
            distribution=distribution,
            exit_code=problem.exit_code,
        )


def plugin_fault(origin: Origin, hook: str, where: str, error: BaseException) -> Problem:
    """A problem that names distribution, version, hook, kind of error and line of code.

    The error's own text is left out: it may quote a resident's record.

    Args:
        origin: The plugin.
        hook: The method of its class that was called: `score`, `explain`, `read`.
        where: The factor or source.
        error: What it raised; or the `PluginFailure` of a confined process, whose words are the
            node's own.
    """
    named = getattr(error, "origin", None)
    if isinstance(named, Origin):
        what, remedy = getattr(error, "problem", ""), getattr(error, "remedy", "")
    else:
        what = _kind_and_place(error)
        remedy = "Report it to the plugin's supplier, who can repeat it with folkmoot-plugin check"
    return Problem(
        f"plugin {origin} failed: {what}",
        where=f"{where}, {hook}",
        remedy=remedy,
        exit_code=ExitCode.FAULT,
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
