"""How a name of the SDK leaves: it warns for at least one version before it goes."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """One name that will go.

    Attributes:
        name: As vendors write it.
        since: The version of the SDK that warns first, such as `0.2`.
        removed_in: The version that no longer has it; later than `since`.
        instead: What to use.
    """

    name: str
    since: str
    removed_in: str
    instead: str

    def __str__(self) -> str:
        return (
            f"{self.name} is deprecated since folkmoot-sdk {self.since} and will be removed in "
            f"{self.removed_in}. {self.instead}"
        )


DEPRECATIONS: list[Deprecation] = []
"""All of this version, in the order in which modules are imported."""


def deprecated(
    *, since: str, removed_in: str, instead: str, name: str = ""
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Marks a function of the SDK: who calls it is warned, and it works as before.

    Args:
        since: The version that warns first.
        removed_in: The version that no longer has it.
        instead: What to use, as a sentence.
        name: What vendors write, if it is not the function's own name.

    Raises:
        ValueError: If no version that warns comes before the removal.
    """
    if _release(removed_in) <= _release(since):
        raise ValueError(f"{removed_in} does not come after {since}: warn one version ahead")

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        entry = Deprecation(name or function.__qualname__, since, removed_in, instead)
        DEPRECATIONS.append(entry)

        @functools.wraps(function)
        def warned(*args: P.args, **kwargs: P.kwargs) -> R:
            warnings.warn(str(entry), DeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)

        return warned

    return mark


def overdue(running: str) -> tuple[Deprecation, ...]:
    """What the running version was to have removed; a test of the SDK wants none."""
    return tuple(d for d in DEPRECATIONS if _release(d.removed_in) <= _release(running))


def _release(version: str) -> tuple[int, int]:
    """Major and minor number: only a version that raises one of them removes anything."""
    major, minor, *_ = version.split(".")
    return int(major), int(minor)
