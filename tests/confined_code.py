"""Runs code in a confined process, after it has locked itself down, and says what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from folkmoot_kit.confinement import ConfinedProcess, Ending, Grants, import_folders, start
from folkmoot_kit.confinement.layers import Setup
from folkmoot_kit.hosting import PluginProcess

HERE = Path(__file__).resolve().parent / "confined"
"""A folder that holds the program alone: a confined process sees all of it."""
_PROGRAM = HERE / "run_code.py"
_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """What came of code.

    Attributes:
        value: What it left in the variable `result`; None if it ended in another way.
        error: Type and text of the exception that it ended with; empty if none.
        fault: Layer and problem, if the process could not be locked down.
        ending: How the process ended.
        said: What it has written to standard output and error.
    """

    value: Any
    error: str
    fault: tuple[str, str] | None
    ending: Ending | None
    said: str


def run_confined(
    code: str,
    grants: Grants | None = None,
    *,
    before: str = "",
    imports: Sequence[Path] = (),
    setup: Callable[[Setup], None] = lambda _: None,
    seconds: float = _SECONDS,
) -> Outcome:
    """Runs code in a confined process.

    Args:
        code: What is run after lock-down; its variable `result` comes back as JSON.
        grants: What the process is granted; None for nothing.
        before: What is run before lock-down.
        imports: Further folders to import from.
        setup: Changes what the process is told, before it is sent.
        seconds: How long it may take.
    """
    folders = [HERE, *import_folders(), *imports]
    with start(grants or Grants(), folders, script=_PROGRAM) as process:
        setup(process.setup)
        return _outcome(process, code, before, folders, seconds)


def limit_calls(processes: Iterable[PluginProcess], seconds: float) -> None:
    """Lets calls of processes that run take no longer from now on."""
    for process in processes:
        grants = process.hosting.grants
        limits = replace(grants.limits, seconds=seconds)
        process.hosting = replace(process.hosting, grants=replace(grants, limits=limits))


def _outcome(
    process: ConfinedProcess, code: str, before: str, folders: Sequence[Path], seconds: float
) -> Outcome:
    given = {
        "confinement": process.setup,
        "import_folders": [str(folder) for folder in folders],
        "before": before,
        "code": code,
    }
    process.channel.settimeout(seconds)
    answer: dict[str, Any] = {}
    try:
        process.channel.sendall(json.dumps(given).encode() + b"\n")
        with process.channel.makefile("rb") as lines:
            answer = json.loads(lines.readline() or b"{}")
    except OSError:
        pass
    ending = process.wait(2 if answer else 5)
    if ending is None:
        process.kill()
        ending = process.ended()
    return Outcome(
        value=answer.get("result"),
        error=answer.get("error", ""),
        fault=tuple(answer["fault"]) if "fault" in answer else None,
        ending=ending,
        said=process.stderr_text(),
    )
