"""Checks of an installation, each with what to do if it fails.

A check belongs to the code whose needs it looks at. A `doctor` is a list of them.
"""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from folkmoot_operator.private_files import is_open_to_others
from folkmoot_operator.problems import ExitCode, Problem

_QUOTED = re.compile(r"`([^`]+)`")
_PROGRAMS = frozenset(
    {"folkmoot-node", "folkmoot-coordinator", "folkmoot-plugin", "chmod", "timedatectl", "pip"}
)
"""What a remedy may tell to run."""


class State(Enum):
    """Outcome of a check."""

    OK = auto()
    WARN = auto()
    FAIL = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        name: What was looked at.
        state: How it is.
        what: What was found. It may be shown and logged.
        remedy: What the operator can do; empty if nothing needs doing.
        where: File or address, if a `Problem` named one; else empty.
    """

    name: str
    state: State
    what: str
    remedy: str = ""
    where: str = ""

    @property
    def command(self) -> str:
        """The command that repairs it, with words in capitals to fill in; empty if none does.

        It stands in the remedy: in backticks, or as the whole of it.
        """
        quoted = (text for text in _QUOTED.findall(self.remedy) if _is_command(text))
        return next(quoted, self.remedy if _is_command(self.remedy) else "")

    @property
    def ok(self) -> bool:
        """False if the check failed; a warning is no failure."""
        return self.state is not State.FAIL


@dataclass(frozen=True, slots=True)
class Check:
    """Something that `doctor` looks at.

    Attributes:
        name: What it looks at.
        run: Looks. Gives what was found, if all is well, or findings. May raise: a
            `Problem` becomes a finding that failed.
    """

    name: str
    run: Callable[[], str | Iterable[Finding]]


def _is_command(text: str) -> bool:
    return text.partition(" ")[0] in _PROGRAMS


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Runs checks in order, all of them: what one raises does not stop the others.

    Of an exception that is no `Problem` and has no remedy of its own, only the type is shown:
    its text may quote a record.
    """
    for check in checks:
        try:
            found = check.run()
            if isinstance(found, str):
                yield Finding(check.name, State.OK, found)
            else:
                yield from found
        except Problem as problem:
            yield failed(check.name, problem)
        except Exception as error:
            if hasattr(error, "remedy"):
                yield Finding(check.name, State.FAIL, str(error), str(error.remedy))
            else:
                remedy = "Report it: this is a fault of Folkmoot or of a plugin"
                yield Finding(check.name, State.FAIL, type(error).__name__, remedy)


def failed(name: str, problem: Problem) -> Finding:
    """The finding that a problem is."""
    return Finding(name, State.FAIL, problem.problem, problem.remedy, problem.where)


def exit_code(findings: Iterable[Finding]) -> ExitCode:
    """How `doctor` ends: SETTINGS if a check failed."""
    return ExitCode.OK if all(finding.ok for finding in findings) else ExitCode.SETTINGS


def open_to_others(paths: Iterable[Path]) -> list[Path]:
    """Those of the files and folders that another account can read, write or enter."""
    return [path for path in paths if is_open_to_others(path)]


def free_bytes(folder: Path) -> int:
    """Free bytes of the disk that holds a folder."""
    return shutil.disk_usage(folder).free


def free_share(folder: Path) -> float:
    """Share of the disk that is free, from 0 to 1 in whole hundredths, for metrics."""
    usage = shutil.disk_usage(folder)
    return math.floor(100 * usage.free / usage.total) / 100


def sized(number: float) -> str:
    """Bytes in few words: `12.3 GiB`; in the units of the settings, `memory_mib` for example."""
    for power, name in ((4, "TiB"), (3, "GiB"), (2, "MiB")):
        if number >= 1024**power:
            return f"{number / 1024**power:.1f} {name}"
    return f"{number / 1024:.0f} KiB"
