"""Names the plugin that failed at its work, without quoting what it was working on."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_kit.hosting import FailureKind, PluginFailure
from folkmoot_node.faults import kind_and_place
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.loading import BrokenPlugin, Origin, Plugins

_ITS_OWN = {FailureKind.RAISED, FailureKind.CONTRACT}
"""What one factor or source of a process did; all else happened to the process."""


class FactorsFailed(Problem):
    """A plugin failed at its factors: it broke its contract, died or hung.

    Attributes:
        distribution: Name of its distribution.
        may_be_spared: Whether a run may go on with its factors unknown, where the council says
            so. Not if the plugin came with the node.
    """

    def __init__(
        self,
        problem: str,
        *,
        where: str,
        remedy: str,
        distribution: str,
        may_be_spared: bool,
        exit_code: ExitCode = ExitCode.FAULT,
    ) -> None:
        super().__init__(problem, where=where, remedy=remedy, exit_code=exit_code)
        self.distribution = distribution
        self.may_be_spared = may_be_spared

    @classmethod
    def of(cls, problem: Problem, distribution: str, *, may_be_spared: bool) -> FactorsFailed:
        """The same problem, at the factors of a distribution."""
        return cls(
            problem.problem,
            where=problem.where,
            remedy=problem.remedy,
            distribution=distribution,
            may_be_spared=may_be_spared,
            exit_code=problem.exit_code,
        )


def plugin_fault(origin: Origin, hook: str, where: str, error: BaseException) -> Problem:
    """A problem that names distribution, version and hook, and how the plugin failed.

    An error's own text is left out: it may quote a resident's record.

    Args:
        origin: The plugin.
        hook: What was asked of it: `score`, `explain`, `read`.
        where: The factor or source.
        error: What it raised, or `PluginFailure` of its process.
    """
    how = kind_and_place(error)
    remedy = "Report it to the plugin's supplier, who can repeat it with folkmoot-plugin check"
    if isinstance(error, PluginFailure):
        how, remedy = error.problem, error.remedy
    return Problem(
        f"plugin {origin} failed: {how}",
        where=f"{where}, {hook}",
        remedy=remedy,
        exit_code=ExitCode.FAULT,
    )


def is_its_own(failure: PluginFailure) -> bool:
    """Whether a failure is that of one factor or source, and not of the process it shares."""
    return failure.kind in _ITS_OWN


def code_without(plugins: Plugins) -> ExitCode:
    """How a command ends where no plugin provides a name that it needs.

    VERIFICATION if a plugin that is allowed is refused, as `plugins list` ends: it may be the one
    that provides the name. SETTINGS otherwise.
    """
    for one in getattr(plugins, "placements", ()):
        if one.problem is not None and one.problem.exit_code is ExitCode.VERIFICATION:
            return ExitCode.VERIFICATION
    return ExitCode.SETTINGS


def after_broken(broken: Sequence[BrokenPlugin], names: str) -> str:
    """What to do where no plugin provides a name: correct those that do not run, or the name.

    Args:
        broken: The plugins that were not loaded; one of them may provide it.
        names: A hint at the names that there are.
    """
    if not broken:
        return names
    return (
        f"Correct the plugin that is named (`folkmoot-node plugins list`). Or name another. {names}"
    )
