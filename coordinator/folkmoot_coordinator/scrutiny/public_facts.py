"""The file in which a council publishes how it scores, read as something that a stranger wrote.

Its node writes it beside its public page: `folkmoot-node dossier public`. Nothing in it is signed;
whoever adds it to the region answers for having it from the council.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from folkmoot.errors import ContractError
from folkmoot.geography import GSS_CODE, GssCode
from folkmoot.public_facts import PUBLIC_FACTS, is_public, version_says
from folkmoot_operator.plain_text import plain
from folkmoot_operator.problems import ExitCode, Problem

MAX_BYTES = 2 * 1024 * 1024
"""Of a file. One with eight sources, twenty factors and fifty approved versions has a tenth."""
_MAX_DEPTH = 16
_MAX_TEXT = 50_000
_MAX_WHOLE = 2**53
_MANY = 10_000

MISSING = "missing"
BY_PERSON = "entered by a person"


def _seconds(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp())


def _check_moment(text: str) -> str:
    _seconds(text)
    return text


def _check_key(key: str) -> str:
    if not is_public(key):
        raise ValueError("is the key of a fact that is not published, or not known here")
    return key


Text = Annotated[str, Field(max_length=_MAX_TEXT)]
Line = Annotated[str, Field(max_length=1_000)]
Key = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_check_key)]
Moment = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        description="UTC, as RFC 3339 writes it",
    ),
    AfterValidator(_check_moment),
]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hexadecimal")]
Code = Annotated[str, Field(pattern=f"^{GSS_CODE}$", description="GSS code")]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class PublicFact(_Shape):
    """One thing that is known of how the council scores, or is known to be missing."""

    key: Key = Field(description="Dotted path, which stays: policy.risk.sunset")
    label: Line = Field(description="What it is, for people")
    value: JsonValue = Field(description="Null if it is missing")
    mark: Literal["from the system", "entered by a person", "missing"] = Field(
        description="Who says so"
    )

    @model_validator(mode="after")
    def _missing_is_nothing(self) -> PublicFact:
        if (self.mark == MISSING) and self.value is not None:
            raise ValueError("is missing and has a value")
        return self


class PublicChange(_Shape):
    """One thing that differs from what was approved before."""

    kind: Literal["added", "removed", "changed"]
    key: Line = Field(description="Of the fact, or of the thing that was added or removed")
    facts: list[Key] = Field(
        min_length=1, max_length=_MANY, description="Keys of all facts that it covers"
    )
    words: Text = Field(description="What has changed, a sentence")
    before: JsonValue
    now: JsonValue


class PublicRelease(_Shape):
    """Noisy counts that the council has released to its region."""

    round_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    title: Line
    purpose: Line
    answered_at: Moment
    rho: Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?$")] = Field(
        description="zCDP loss of a household; in a series, of the whole series"
    )
    epsilon: Annotated[float, Field(ge=0)] = Field(description="The same, at `delta`")
    delta: Annotated[str, Field(pattern=r"^[0-9.e+-]{1,30}$")]
    counted: list[Line] = Field(
        max_length=1_000, description="What was counted and how precisely, a line each"
    )
    sha256: Digest

    @property
    def at(self) -> int:
        """When it was answered, seconds since 1970-01-01T00:00:00Z."""
        return _seconds(self.answered_at)


class PublicVersion(_Shape):
    """What the council approved at one time."""

    number: Annotated[int, Field(ge=1)]
    approved_at: Moment
    reason: Text = Field(description="Why, as the person who approved it has written")
    facts_sha256: Digest
    changes: list[PublicChange] = Field(
        max_length=_MANY, description="What differs from the version before; empty of the first"
    )

    @property
    def at(self) -> int:
        """When it was approved, seconds since 1970-01-01T00:00:00Z."""
        return _seconds(self.approved_at)

    @property
    def words(self) -> tuple[str, ...]:
        """What has changed, a sentence each."""
        return version_says(self.number, self.changes)


class PublicFacts(_Shape):
    """How a council scores households, as it publishes it: configuration, and noisy releases."""

    layout: Literal[PUBLIC_FACTS]  # type: ignore[valid-type]
    council: Code
    name: Annotated[str, Field(min_length=1, max_length=200)]
    made_at: Moment
    facts: list[PublicFact] = Field(max_length=_MANY, description="As they are now, by key")
    changes_since_approval: list[PublicChange] = Field(max_length=_MANY)
    unpublished_changes_since_approval: bool = Field(
        description="Whether anything else differs, which is not published"
    )
    releases: list[PublicRelease] = Field(max_length=_MANY, description="Oldest first")
    versions: list[PublicVersion] = Field(
        min_length=1, max_length=_MANY, description="What was approved, oldest first"
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> PublicFacts:
        keys = [one.key for one in self.facts]
        if keys != sorted(set(keys)):
            raise ValueError("facts: are not in the order of their keys, or one is there twice")
        if [one.number for one in self.versions] != list(range(1, len(self.versions) + 1)):
            raise ValueError("versions: are not numbered from 1")
        if any(one.key == "node.council" and one.value != self.council for one in self.facts):
            raise ValueError("facts: node.council is another council")
        return self

    @property
    def made(self) -> int:
        """When the file was written, seconds since 1970-01-01T00:00:00Z."""
        return _seconds(self.made_at)

    @property
    def latest(self) -> PublicVersion:
        """The version that was approved last."""
        return self.versions[-1]

    @property
    def is_as_approved(self) -> bool:
        """Whether the council's system is as it was approved last."""
        return not (self.changes_since_approval or self.unpublished_changes_since_approval)

    @cached_property
    def by_key(self) -> Mapping[str, PublicFact]:
        """The facts by key."""
        return {one.key: one for one in self.facts}


def read_public_facts(content: bytes, council: GssCode, where: str) -> PublicFacts:
    """Reads a council's file, and checks all of it.

    Args:
        content: The bytes of the file.
        council: Whose it has to be.
        where: The file, for messages.

    Raises:
        Problem: Exit code DATA, if it is none, has something that is not known or not published,
            or is another council's. The message quotes no value.
    """
    if not content or len(content) > MAX_BYTES:
        raise _wrong(where, f"is empty, or longer than {MAX_BYTES // 1024**2} MiB")
    try:
        body = json.loads(content, parse_constant=_refuse, object_pairs_hook=_once)
        _check_values(body)
    except (ValueError, RecursionError) as error:  # also UnicodeDecodeError and JSONDecodeError
        raise _wrong(where, _why(error)) from None
    try:
        found = PublicFacts.model_validate(body)
    except ValidationError as error:
        raise _wrong(where, _first(error)) from None
    try:
        GssCode(found.council)
    except ContractError as error:
        raise _wrong(where, error.problem) from None
    if found.council != council:
        raise _wrong(where, f"is about {found.council}, and not about {council}")
    return found


def public_facts_schema() -> dict[str, Any]:
    """The JSON schema of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **PublicFacts.model_json_schema(),
    }


def _refuse(name: str) -> Any:
    raise ValueError(f"has {name}, which is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("has an object with a name that is there twice")
    return found


def _check_values(body: Any) -> None:
    """Checks what every value has to keep to: its depth, its size, characters that mislead."""
    waiting = [(body, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise ValueError(f"is nested more than {_MAX_DEPTH} deep")
        match value:
            case str() if plain(value) != value:
                raise ValueError("has a control character, or one that changes the order of others")
            case int() if abs(value) > _MAX_WHOLE:
                raise ValueError("has a number of more than 15 digits")
            case float() if not math.isfinite(value):
                raise ValueError("has a number that is too large")
            case list():
                waiting.extend((one, depth + 1) for one in value)
            case dict():
                waiting.extend((one, depth + 1) for pair in value.items() for one in pair)


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is no JSON (line {error.lineno}, column {error.colno})"
    if isinstance(error, UnicodeDecodeError):
        return "is not in UTF-8"
    if isinstance(error, RecursionError):
        return f"is nested more than {_MAX_DEPTH} deep"
    return str(error) if str(error).startswith(("has ", "is ")) else "has a number that is too long"


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, and where in the file."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    place = ".".join(plain(str(one))[:60] for one in found[0]["loc"])
    more = f" ({len(found)} such faults)" if len(found) > 1 else ""
    return f"{place}: {found[0]['msg']}{more}".removeprefix(": ")


def _wrong(where: str, problem: str) -> Problem:
    return Problem(
        problem,
        where=where,
        remedy="Add facts.json as the council's node wrote it: `folkmoot-node dossier public`. A "
        "later version of the node may write more than this program knows: upgrade it first",
        exit_code=ExitCode.DATA,
    )
