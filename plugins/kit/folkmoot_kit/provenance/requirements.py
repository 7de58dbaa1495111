"""What a plugin brings with it: the installed distributions that its requirements reach."""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from folkmoot_kit.provenance.installed import Installation
from folkmoot_operator.problems import ExitCode, Problem

OWN = ("folkmoot-node", "folkmoot-kit", "folkmoot-sdk")
"""Distributions whose requirements are not a plugin's: they are installed without it, too."""

_FOR_AN_EXTRA = re.compile(r";\s*extra\s*==\s*(['\"])[^'\"]*\1\s*$")
"""Most requirements are for extras that nobody asked for; to parse them takes long."""


def reached(installation: Installation, name: str) -> tuple[str, ...]:
    """Normalised names of the distributions that a plugin needs and the node does not, sorted.

    Args:
        installation: Where it is installed.
        name: Its name.

    Raises:
        Problem: Exit code SETTINGS, if one that it needs is not installed.
    """
    return _without_own(installation, _closure(installation, (name,), is_strict=True), name)


def comes_with_the_node(installation: Installation, name: str) -> bool:
    """Whether a distribution is the node's own, or one that it requires."""
    return canonicalize_name(name) in {*OWN, *_own(installation)}


def not_pinned(installation: Installation, name: str, pinned: Collection[str]) -> tuple[str, ...]:
    """Names of distributions that a plugin reaches and neither pin nor node brings, sorted.

    It reads of the node's own requirements as few as it must, for it runs at each start.

    Args:
        installation: Where it is installed.
        name: Its name.
        pinned: Normalised names of what its pin lists.

    Raises:
        Problem: As `reached`.
    """
    own_name = str(canonicalize_name(name))
    found = set(_walk(installation, [(own_name, "")], is_strict=True, only={own_name, *pinned}))
    missing = found - {own_name, *pinned}
    if missing:
        for own in _closure(installation, OWN, is_strict=False):
            missing.discard(own)
            if not missing:
                break
    return tuple(sorted(missing))


def reached_from(
    installation: Installation, requirements: Iterable[str], name: str
) -> tuple[str, ...]:
    """The same of a wheel that is not installed.

    Args:
        installation: Where what it requires is installed.
        requirements: What it requires, as `Requires-Dist` has it.
        name: Its name.

    Raises:
        Problem: As `reached`.
    """
    needed = [one for text in requirements for one in _wanted(text, "")]
    return _without_own(installation, _walk(installation, needed, is_strict=True), name)


def _without_own(installation: Installation, needed: Iterable[str], name: str) -> tuple[str, ...]:
    return tuple(sorted(set(needed) - _own(installation) - {canonicalize_name(name)}))


@functools.lru_cache(maxsize=4)
def _own(installation: Installation) -> frozenset[str]:
    """What the node needs itself; it does not change while an installation is looked at."""
    return frozenset(_closure(installation, OWN, is_strict=False))


def _closure(installation: Installation, names: Iterable[str], *, is_strict: bool) -> Iterator[str]:
    start = [(str(canonicalize_name(name)), "") for name in names]
    return _walk(installation, start, is_strict=is_strict)


def _walk(
    installation: Installation,
    start: Iterable[tuple[str, str]],
    *,
    is_strict: bool,
    only: Collection[str] | None = None,
) -> Iterator[str]:
    """Names that are reached, nearest first; beyond those of `only`, if it is given, none."""
    waiting = deque(start)
    seen = set(waiting)
    while waiting:
        name, extra = waiting.popleft()
        distribution = installation.find(name)
        if distribution is None:
            if is_strict:
                raise Problem(
                    "is needed and not installed",
                    where=f"distribution {name}",
                    remedy="Install the plugin's wheel with all that it requires",
                    exit_code=ExitCode.SETTINGS,
                )
            continue
        yield name
        if only is not None and name not in only:
            continue
        for text in distribution.requires or ():
            for needed in _wanted(text, extra):
                if needed not in seen:
                    seen.add(needed)
                    waiting.append(needed)


def _wanted(text: str, extra: str) -> list[tuple[str, str]]:
    """Names and extras that one requirement asks for, here and with an extra of whoever asks."""
    if not extra and _FOR_AN_EXTRA.search(text):
        return []
    try:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            return []
    except (InvalidRequirement, UndefinedEnvironmentName):
        return []
    name = str(canonicalize_name(requirement.name))
    return [(name, ""), *((name, canonicalize_name(one)) for one in requirement.extras)]
