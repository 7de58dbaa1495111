"""Makes the documents that people sign about a wheel."""

from __future__ import annotations

import datetime

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pydantic import ValidationError

from folkmoot_kit.provenance.declarations import Declarations
from folkmoot_kit.provenance.privileges import Privileges
from folkmoot_kit.provenance.registry_index import digest
from folkmoot_kit.provenance.statements import Manifest, Review
from folkmoot_kit.provenance.wheel_file import Wheel
from folkmoot_kit.provenance.words import one_line
from folkmoot_operator.problems import ExitCode, Problem

VALID_DAYS = 730
"""Days for which a signature counts, if nothing else is said."""
_SDK = "folkmoot-sdk"


def make_manifest(
    wheel: Wheel,
    *,
    vendor: str,
    declares: Declarations,
    privileges: Privileges,
    sbom: bytes,
    today: datetime.date,
    days: int = VALID_DAYS,
    licence: str = "",
) -> Manifest:
    """The manifest of a wheel.

    Args:
        wheel: The wheel.
        vendor: Who made it.
        declares: What it offers, as the plugin says itself.
        privileges: What it asks for.
        sbom: Its list of components.
        today: First day on which the manifest counts.
        days: For how many days it counts.
        licence: Its licence; what the wheel says if empty.

    Raises:
        Problem: If the wheel does not say what a manifest must.
    """
    try:
        return Manifest(
            distribution=wheel.name,
            version=wheel.version,
            wheel=wheel.digest,
            content=wheel.content,
            valid_from=today,
            valid_until=today + datetime.timedelta(days=days),
            vendor=one_line(vendor),
            licence=_licence(wheel, licence),
            sbom=digest(sbom),
            sdk=sdk_range(wheel),
            privileges=privileges,
            declares=declares,
            files=dict(wheel.counted),
        )
    except ValidationError as error:
        raise _wrong(wheel, error) from None


def make_review(
    wheel: Wheel,
    *,
    person: str,
    organisation: str,
    statement: str,
    today: datetime.date,
    days: int = VALID_DAYS,
) -> Review:
    """A review of a wheel.

    Args:
        wheel: The wheel.
        person: Who has read it.
        organisation: For whom.
        statement: What they looked at, and what they found.
        today: First day on which the review counts.
        days: For how many days it counts.

    Raises:
        Problem: If nobody is named, or nothing is said.
    """
    try:
        return Review(
            distribution=wheel.name,
            version=wheel.version,
            wheel=wheel.digest,
            content=wheel.content,
            valid_from=today,
            valid_until=today + datetime.timedelta(days=days),
            person=one_line(person),
            organisation=one_line(organisation),
            statement=one_line(statement),
        )
    except ValidationError as error:
        raise _wrong(wheel, error) from None


def sdk_range(wheel: Wheel) -> str:
    """Versions of the SDK that a wheel works with, as it requires them.

    Raises:
        Problem: If it requires none, or any: a plugin that is not changed may fail with the next.
    """
    for text in wheel.requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) == _SDK and str(requirement.specifier):
            return str(requirement.specifier)
    raise Problem(
        "it does not say with which versions of the SDK it works",
        where=wheel.path.name,
        remedy=f'Put "{_SDK}>=A,<B" among the dependencies in its pyproject.toml',
        exit_code=ExitCode.DATA,
    )


def _licence(wheel: Wheel, licence: str) -> str:
    said = one_line(licence or wheel.licence)
    if not said:
        raise Problem(
            "it does not name its licence",
            where=wheel.path.name,
            remedy="Set `license` in its pyproject.toml, or give --licence",
            exit_code=ExitCode.DATA,
        )
    return said


def _wrong(wheel: Wheel, error: ValidationError) -> Problem:
    faults = [
        f"{'.'.join(map(str, one['loc']))}: "
        + ("is empty" if one["input"] == "" else f"{one['msg'][:1].lower()}{one['msg'][1:]}")
        for one in error.errors(include_url=False)
    ]
    return Problem(
        "\n".join(faults),
        where=wheel.path.name,
        remedy="Correct what is named; nothing was signed",
        exit_code=ExitCode.USAGE,
    )
