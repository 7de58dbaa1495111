"""Compares what is installed with what was pinned, and names the file that differs."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_version

from folkmoot_kit.provenance.content import digest_of_files
from folkmoot_kit.provenance.installed import Installation, Installed
from folkmoot_kit.provenance.pin import REQUIREMENT, Pin
from folkmoot_kit.provenance.requirements import not_pinned
from folkmoot_kit.provenance.standing_faults import Fault, Reason, fault_of
from folkmoot_kit.provenance.statements import Manifest
from folkmoot_operator.problems import Problem
from folkmoot_sdk.hooks import PROJECT

_AGAIN = (
    "Find out who changed it, install the pinned wheel again, or read what is new and pin that "
    "with `folkmoot-plugin pin`"
)
_OTHERS = "Ask the vendor for a wheel whose entry points lead to modules of its own"


def pin_faults(
    name: str, pin: Pin, installation: Installation, manifest: Manifest | None
) -> tuple[Fault, ...]:
    """How the installed files of a plugin, and of what it requires, differ from its pin.

    Args:
        name: Normalised name of its distribution.
        pin: What the council allows.
        installation: Where it is installed.
        manifest: Its manifest, which names each file; None if there is none that counts.
    """
    return (
        *_own(name, pin, installation, manifest),
        *_required(name, pin, installation),
    )


def _own(
    name: str, pin: Pin, installation: Installation, manifest: Manifest | None
) -> Iterator[Fault]:
    try:
        found = installation.read(name)
    except Problem as problem:
        yield fault_of(Reason.CHANGED, problem)
        return
    where = f"distribution {name} {found.version}"
    if _plain(found.version) != _plain(pin.version):
        yield Fault(Reason.CHANGED, f"version {pin.version} is pinned", _AGAIN, where)
    elif found.content != pin.content:
        yield Fault(Reason.CHANGED, _which(found, pin, manifest), _AGAIN, where)
    elif (distribution := installation.find(name)) is not None:
        for point in distribution.entry_points:
            if point.group == PROJECT and not _is_own(point.value, found):
                said = f"its entry point {point.name!r} leads to a module that is none of its files"
                yield Fault(Reason.CHANGED, said, _OTHERS, where)


def _is_own(value: str, found: Installed) -> bool:
    """Whether an entry point's module is among a distribution's files: a pin covers no other's."""
    path = value.partition(":")[0].partition("[")[0].strip().replace(".", "/")
    return any(place.startswith((f"{path}.", f"{path}/")) for place in found.files)


def _which(found: Installed, pin: Pin, manifest: Manifest | None) -> str:
    """What is not as it was pinned, by name if anything still says how it was."""
    if manifest is not None and digest_of_files(manifest.files) == pin.content:
        known = manifest.files
        places = sorted(known.keys() | found.files.keys())
        wrong = [place for place in places if known.get(place) != found.files.get(place)]
    else:
        wrong = list(found.changed)
    if not wrong:
        return (
            "its files are not those that were pinned, and its own list of them agrees with "
            "them: another wheel was installed, or both were changed"
        )
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return f"{wrong[0]} is not the file that was pinned{more}"


def _required(name: str, pin: Pin, installation: Installation) -> Iterator[Fault]:
    try:
        missing = not_pinned(installation, name, pin.requires.keys())
    except Problem as problem:
        yield fault_of(Reason.REQUIREMENT_CHANGED, problem)
        return
    for other in missing:
        said = f"{name} requires it, and it is not pinned"
        yield Fault(Reason.REQUIREMENT_CHANGED, said, _AGAIN, f"distribution {other}")
    for other, held in sorted(pin.requires.items()):
        stated = REQUIREMENT.fullmatch(held)
        where = f"distribution {other}, which {name} requires"
        try:
            found = installation.read(other)
        except Problem as problem:
            yield fault_of(Reason.REQUIREMENT_CHANGED, problem)
            continue
        if stated is None or _plain(found.version) != _plain(stated["version"]):
            said = f"version {found.version} is installed, and {held[:40]!r} is pinned"
            yield Fault(Reason.REQUIREMENT_CHANGED, said, _AGAIN, where)
        elif found.content != stated["content"]:
            said = "its files are not those that were pinned"
            if found.changed:
                said = f"{found.changed[0]} is not the file that was pinned"
            yield Fault(Reason.REQUIREMENT_CHANGED, said, _AGAIN, where)


def _plain(version: str) -> str:
    return canonicalize_version(version)
