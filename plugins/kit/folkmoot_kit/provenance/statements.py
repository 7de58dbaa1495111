"""The signed documents about a plugin: its manifest, reviews of it, and reports of the kit.

Each names the wheel by its digest, so that what is said of one wheel is said of no other.
"""

from __future__ import annotations

import datetime
from typing import ClassVar, Self

from pydantic import Field, model_validator

from folkmoot_kit.provenance.declarations import Declarations
from folkmoot_kit.provenance.privileges import Privileges
from folkmoot_kit.provenance.signed import Document, Part
from folkmoot_kit.provenance.words import Line, Name, Path, Sha256, Version, Words

MAX_YEARS = 3
"""Longest time for which a signature is valid: people change, and so does what they know."""
_MAX_DAYS = MAX_YEARS * 366


class Statement(Document):
    """What all of them say.

    Attributes:
        distribution: Name of the plugin's distribution, normalised.
        version: Its version.
        wheel: SHA-256 of the wheel.
        content: Digest of the files in it.
        valid_from: First day on which it counts.
        valid_until: Last day on which it counts.
    """

    distribution: Name
    version: Version
    wheel: Sha256
    content: Sha256
    valid_from: datetime.date
    valid_until: datetime.date

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        days = (self.valid_until - self.valid_from).days
        if not 0 <= days <= _MAX_DAYS:
            raise ValueError(f"valid_until is before valid_from, or {MAX_YEARS} years after it")
        return self

    def out_of_time(self, today: datetime.date) -> str:
        """Why it does not count on a day, as the end of a sentence; empty if it counts."""
        if today < self.valid_from:
            return f"is valid from {self.valid_from} on"
        return f"expired on {self.valid_until}" if today > self.valid_until else ""


class Manifest(Statement):
    """What a vendor says of a plugin.

    Attributes:
        vendor: Who made it.
        licence: Its licence, as SPDX writes it.
        sbom: SHA-256 of the vendor's list of components, CycloneDX in JSON.
        sdk: Versions of the SDK that it works with, such as `>=0.5,<0.6`.
        privileges: What it asks for.
        declares: What it offers, and what it reads for that.
        files: SHA-256 of each file that is installed, hexadecimal, by path.
    """

    kind: ClassVar[str] = "plugin manifest"
    vendor: Words
    licence: Words
    sbom: Sha256
    sdk: Words
    privileges: Privileges = Privileges()
    declares: Declarations
    files: dict[Path, str] = Field(max_length=10_000)


class Review(Statement):
    """What a person says who has read a plugin.

    Attributes:
        person: Who has read it.
        organisation: For whom.
        statement: What they looked at, and what they found.
    """

    kind: ClassVar[str] = "plugin review"
    person: Words
    organisation: Words
    statement: Words


class Outcome(Part):
    """How one check of the conformance kit ended.

    Attributes:
        check: Its name.
        passed: Whether it found nothing.
        finding: What it found; empty if nothing.
        remedy: What to do about it; empty if nothing.
    """

    check: Words
    passed: bool
    finding: Line = ""
    remedy: Line = ""


class Report(Statement):
    """What the conformance kit found.

    Attributes:
        kit: Version of the kit.
        sdk: Version of the SDK.
        outcomes: How each check ended.
        attacks: How each attempt of the attack suite ended; empty if it was not run.
        layers: Layers of confinement that worked while it ran.
    """

    kind: ClassVar[str] = "plugin conformance report"
    kit: Version
    sdk: Version
    outcomes: tuple[Outcome, ...] = Field(max_length=2000)
    attacks: tuple[Outcome, ...] = Field(default=(), max_length=2000)
    layers: tuple[Words, ...] = Field(default=(), max_length=20)

    @property
    def passed(self) -> bool:
        """Whether there were checks, and all of them found nothing."""
        return bool(self.outcomes) and all(one.passed for one in (*self.outcomes, *self.attacks))
