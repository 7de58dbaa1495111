"""Leaves a region in this process, which is killed at a step or before a change of the disk."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from folkmoot_node.home import open_home
from folkmoot_node.operations.leaving import Step, leave
from folkmoot_operator.accounts import current_operator

WHY = "the programme has ended"
_CHANGING = ("fsync", "link", "mkdir", "remove", "rename", "replace", "rmdir", "unlink")


def main(home: str, kind: str, point: str) -> None:
    """Leaves; prints how often it has changed the disk, if it is let.

    Args:
        home: The node's folder.
        kind: `step` to be killed when a step is done, `change` before a change of the disk.
        point: Name of the step; number of the change, from 1, or 0 for none.
    """
    changes = 0

    def counting(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal changes
            changes += 1
            if kind == "change" and changes == int(point):
                _die()
            return original(*arguments, **options)

        return call

    def done(step: Step) -> None:
        if kind == "step" and step.name == point:
            _die()

    with open_home(Path(home)) as opened:
        for name in _CHANGING:
            setattr(os, name, counting(getattr(os, name)))
        leave(opened, WHY, current_operator(), done)
    print(changes)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
