"""The risk stratification policy: a public document that says how households are scored."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from folkmoot_node.policies.attribute_entries import AttributeEntry, ascending
from folkmoot_node.settings.slug import Slug
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings, nearest, parse, read
from folkmoot_sdk.schema import ProtectedCharacteristic

BAND = "band"
"""The attribute that every policy defines."""
Sentence = Annotated[str, Field(min_length=1, max_length=2000)]

RENEWAL = (
    "The policy's owner must review it and decide on a new one with a new date; name its file in "
    "node.toml as scoring.risk_policy"
)
"""What to do when a policy has ended: no command helps."""
WARN_DAYS = 30
"""So many days before the end of a policy or of a licence, `doctor` and `status` warn."""

Days = Annotated[int, Field(ge=0, le=3660)]


class FactorEntry(Settings):
    """One `[[factors]]` table.

    Attributes:
        factor: Name of a risk factor.
        weight: Points that the factor adds to the score at most; from 0.01 to 1000.
        parameters: Parameters of the factor; its plugin checks them.
    """

    factor: Slug
    weight: Annotated[float, Field(ge=0.01, le=1000, allow_inf_nan=False)]
    parameters: dict[str, Any] = {}


class Band(Settings):
    """One `[[bands]]` table.

    Attributes:
        name: Slug, a public code.
        minimum: Smallest score of the band; key `from`.
        action: What is done for a household in the band.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    minimum: Annotated[float, Field(alias="from", ge=0, le=200_000, allow_inf_nan=False)]
    action: Sentence


class ProtectedUse(Settings):
    """One `[[protected]]` table: a protected characteristic that may be scored, and why.

    Attributes:
        characteristic: The characteristic, as the Equality Act 2010 protects it.
        reason: Why the score may use it, for whoever reads the policy.
    """

    characteristic: ProtectedCharacteristic
    reason: Sentence


class ConsumerDataUse(Settings):
    """One `[[consumer_data]]` table: a bought field that may be scored.

    Attributes:
        field: Name of the field.
        purpose: What for.
        licence_ends: Last day on which it may be used; it is not read after that.
    """

    field: Slug
    purpose: Sentence
    licence_ends: datetime.date


class EqualityEntry(Settings):
    """One `[[equality]]` table: a protected characteristic to audit, where it is held.

    Attributes:
        field: The field that states it.
        breaks: For a number: the lower ends of all groups but the first, ascending.
        groups: For a category: codes that are taken together, by the name of the group.
            Other codes are groups of their own.
    """

    field: Slug
    breaks: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] = ()
    groups: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")],
        Annotated[tuple[str, ...], Field(min_length=1)],
    ] = {}

    _ascend = field_validator("breaks")(ascending)


class Retention(Settings):
    """Table `[retention]`: how long data about households may be kept, in days.

    Attributes:
        scores_days: Scores, from the end of the run that made them.
        quarantine_days: Lists of rejected records, from their last change.
        review_days: Files for clerical review, from their last change.
        extracts_days: Files in the folder `extracts`, from the last good run that read them.
            What no good run has read stays.
        outcomes_days: Files in the folder `extracts` that hold outcomes alone, from the last
            back-test that read them.
        after_sunset_days: All of these, from the policy's last day.
        purge: Who deletes: `serve` by this rule, or a person by hand.
    """

    scores_days: Days = 90
    quarantine_days: Days = 30
    review_days: Days = 30
    extracts_days: Days = 30
    outcomes_days: Days = 210
    after_sunset_days: Days = 0
    purge: Literal["automatic", "manual"] = "automatic"


class PolicyDocument(Settings):
    """The policy file, as written.

    Attributes:
        schema_: Version of this file's layout.
        name: What the policy is called, for people.
        purpose: What the scores are for; rounds and cohorts name the same.
        legal_basis: The law under which households are scored.
        owner: Who answers for the policy.
        sunset: Last day on which its scores may be used.
        attributes: By name, public attributes of a household, for counts.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    purpose: Slug
    legal_basis: Sentence
    owner: Sentence
    sunset: datetime.date
    factors: Annotated[tuple[FactorEntry, ...], Field(min_length=1, max_length=200)]
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=100)]
    protected: tuple[ProtectedUse, ...] = ()
    consumer_data: tuple[ConsumerDataUse, ...] = ()
    attributes: dict[Slug, AttributeEntry] = {}
    retention: Retention = Retention()
    equality: Annotated[tuple[EqualityEntry, ...], Field(max_length=50)] = ()

    @field_validator("factors")
    @classmethod
    def _factors_differ(cls, factors: tuple[FactorEntry, ...]) -> tuple[FactorEntry, ...]:
        names = [entry.factor for entry in factors]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the factor {name!r} is named twice; name it once")
        return factors

    @field_validator("bands")
    @classmethod
    def _bands_ascend(cls, bands: tuple[Band, ...]) -> tuple[Band, ...]:
        if bands[0].minimum != 0:
            raise ValueError("the first band must start from 0, so that each score has a band")
        for lower, upper in pairwise(bands):
            if upper.minimum <= lower.minimum:
                raise ValueError(f"the band {upper.name!r} must start above {lower.name!r}")
        if len({band.name for band in bands}) != len(bands):
            raise ValueError("two bands have the same name")
        return bands

    @field_validator("protected")
    @classmethod
    def _characteristics_differ(cls, uses: tuple[ProtectedUse, ...]) -> tuple[ProtectedUse, ...]:
        if len({use.characteristic for use in uses}) != len(uses):
            raise ValueError("a characteristic is named twice; give one reason")
        return uses

    @field_validator("consumer_data")
    @classmethod
    def _licences_differ(cls, uses: tuple[ConsumerDataUse, ...]) -> tuple[ConsumerDataUse, ...]:
        if len({use.field for use in uses}) != len(uses):
            raise ValueError("a field is named twice; give one licence")
        return uses

    @field_validator("equality")
    @classmethod
    def _audits_differ(cls, entries: tuple[EqualityEntry, ...]) -> tuple[EqualityEntry, ...]:
        if len({entry.field for entry in entries}) != len(entries):
            raise ValueError("a field is named twice; name it once")
        return entries

    @field_validator("attributes")
    @classmethod
    def _band_is_reserved(cls, value: dict[str, AttributeEntry]) -> dict[str, AttributeEntry]:
        if BAND in value:
            raise ValueError(f"{BAND!r} is always an attribute; choose another name")
        return value

    @model_validator(mode="after")
    def _levels_are_of_factors(self) -> PolicyDocument:
        names = [entry.factor for entry in self.factors]
        for name, entry in self.attributes.items():
            if entry.factor is not None and entry.factor not in names:
                near = nearest(entry.factor, names)
                raise ValueError(
                    f"attributes.{name}.factor: the policy has no factor {entry.factor!r}"
                    + (f"; did you mean {near!r}?" if near else "")
                )
        return self

    @model_validator(mode="after")
    def _bands_can_be_reached(self) -> PolicyDocument:
        total = sum(entry.weight for entry in self.factors)
        last = self.bands[-1]
        if last.minimum > total:
            raise ValueError(
                f"bands: {last.name!r} starts from {last.minimum:g}, but the weights add up "
                f"to {total:g}"
            )
        return self


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """A risk stratification policy and the digest that names it everywhere.

    Attributes:
        document: The file as written.
        digest: SHA-256 of the file's bytes, 32 bytes.
        path: Where it was read, for messages.
        text: The file itself, which scores carry with them.
    """

    document: PolicyDocument
    digest: bytes
    path: str
    text: str

    @property
    def name(self) -> str:
        """Name for people."""
        return self.document.name

    @property
    def purpose(self) -> str:
        """The purpose, a slug."""
        return self.document.purpose

    @property
    def factors(self) -> tuple[FactorEntry, ...]:
        """Factors with their weights, in the order of the file."""
        return self.document.factors

    @property
    def bands(self) -> tuple[Band, ...]:
        """Bands, ascending."""
        return self.document.bands

    @property
    def band_names(self) -> tuple[str, ...]:
        """Codes of the attribute `band`, ascending."""
        return tuple(band.name for band in self.document.bands)

    @property
    def sunset(self) -> datetime.date:
        """Last day on which the policy may be used."""
        return self.document.sunset

    @property
    def outcomes(self) -> frozenset[str]:
        """Attributes that say whether something happened after a past date."""
        attributes = self.document.attributes
        return frozenset(name for name, entry in attributes.items() if entry.outcome)

    @property
    def retention(self) -> Retention:
        """How long data about households may be kept."""
        return self.document.retention

    @property
    def total_weight(self) -> float:
        """The highest score possible."""
        return sum(entry.weight for entry in self.document.factors)

    def check_sunset(self, today: datetime.date) -> None:
        """Refuses a policy that has ended.

        Raises:
            Problem: Exit code REFUSED, if `today` is after the last day.
        """
        if today > self.sunset:
            raise Problem(
                f"the policy ended on {self.sunset.isoformat()}; nothing is scored after its "
                "sunset date",
                where=f"{self.path}: sunset",
                remedy=f"{RENEWAL}. `folkmoot-node purge` deletes the scores that were made under "
                "the old one",
                exit_code=ExitCode.REFUSED,
            )

    @property
    def licences(self) -> dict[str, datetime.date]:
        """Last day of the licence of each bought field."""
        return {use.field: use.licence_ends for use in self.document.consumer_data}

    def ended_licences(self, today: datetime.date) -> dict[str, datetime.date]:
        """Bought fields that may no longer be read, and the last day of each."""
        return {field: end for field, end in self.licences.items() if today > end}


def load_policy(path: Path) -> RiskPolicy:
    """Reads and validates a policy file.

    Raises:
        Problem: Exit code SETTINGS, naming each wrong key.
    """
    return parse_policy(read(path), str(path))


def parse_policy(content: bytes, path: str) -> RiskPolicy:
    """Validates the content of a policy file.

    Raises:
        Problem: Exit code SETTINGS, naming each wrong key.
    """
    document = parse(PolicyDocument, content, path)
    return RiskPolicy(document, hashlib.sha256(content).digest(), path, content.decode("utf-8"))
