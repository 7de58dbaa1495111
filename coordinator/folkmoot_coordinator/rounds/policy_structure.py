"""What a risk stratification policy says, for people who read a result made with it.

Councils' nodes judge a policy, and refuse one that is wrong. Here it is only shown: what is not
as expected is left out of the parts and stays in the text.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import is_too_deep

MAX_POLICY_BYTES = 1_000_000
"""A policy that people read has some thousands."""
_SECTIONS = (
    "factors",
    "bands",
    "protected",
    "consumer_data",
    "attributes",
    "retention",
    "equality",
)
_FACTS = ("schema", "name", "purpose", "legal_basis", "owner", "sunset")


@dataclass(frozen=True, slots=True)
class FactorShown:
    """A risk factor and what it adds.

    Attributes:
        name: Of the factor.
        weight: Points that it adds to the score at most; None if the policy does not say.
        parameters: Name and value of each parameter, as text.
    """

    name: str
    weight: float | None
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BandShown:
    """A band of scores.

    Attributes:
        name: Its public code.
        minimum: Smallest score of the band; None if the policy does not say.
        action: What is done for a household in it.
    """

    name: str
    minimum: float | None
    action: str


@dataclass(frozen=True, slots=True)
class Described:
    """Something that a policy names, and what it says of it.

    Attributes:
        name: What it is called.
        details: Key and value of each further entry, as text.
    """

    name: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PolicyShown:
    """A policy, in parts.

    Attributes:
        digest: SHA-256 of the file's bytes, 32 bytes: what rounds name.
        text: The file.
        name: For people.
        purpose: Purpose of the use of data, a slug.
        legal_basis: By what law.
        owner: Who answers for it.
        sunset: Last day of its use; None if it does not say.
        factors: In the order of the file; a score is the sum of weight times factor.
        bands: In the order of the file, ascending.
        attributes: What households may be counted by, and the fields behind it.
        protected: Protected characteristics that are scored, and why.
        consumer_data: Bought fields that are scored, and why.
        equality: Characteristics by which the policy is audited.
        retention: Days for which data are kept, by kind.
        others: What else is at the top of the file.
    """

    digest: bytes
    text: str
    name: str
    purpose: str
    legal_basis: str
    owner: str
    sunset: date | None
    factors: tuple[FactorShown, ...]
    bands: tuple[BandShown, ...]
    attributes: tuple[Described, ...]
    protected: tuple[Described, ...]
    consumer_data: tuple[Described, ...]
    equality: tuple[Described, ...]
    retention: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]

    @property
    def total_weight(self) -> float:
        """The highest score that is possible."""
        return sum(factor.weight or 0.0 for factor in self.factors)

    def facts(self) -> dict[str, Any]:
        """For `--json`: all parts, without the text."""
        return {
            "digest": self.digest.hex(),
            "name": self.name,
            "purpose": self.purpose,
            "legal_basis": self.legal_basis,
            "owner": self.owner,
            "sunset": self.sunset.isoformat() if self.sunset else None,
            "highest_score": self.total_weight,
            "factors": [
                {"name": one.name, "weight": one.weight, "parameters": dict(one.parameters)}
                for one in self.factors
            ],
            "bands": [
                {"name": one.name, "from": one.minimum, "action": one.action} for one in self.bands
            ],
            **{
                key: [{"name": one.name, **dict(one.details)} for one in found]
                for key, found in (
                    ("attributes", self.attributes),
                    ("protected", self.protected),
                    ("consumer_data", self.consumer_data),
                    ("equality", self.equality),
                )
            },
            "retention": dict(self.retention),
            "others": dict(self.others),
        }


def read_policy(content: bytes, where: str) -> PolicyShown:
    """Reads a policy.

    Args:
        content: The bytes of the file.
        where: What it is called, for messages.

    Raises:
        Problem: SETTINGS, if it is no TOML file or too large.
    """
    try:
        if len(content) > MAX_POLICY_BYTES:
            raise _problem(f"has more than {MAX_POLICY_BYTES:,} bytes", where)
        text = content.decode("utf-8-sig")
        if is_too_deep(text):
            raise _problem("is nested too deeply", where)
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise _problem(f"is not UTF-8 text (byte {error.start})", where) from None
    except tomllib.TOMLDecodeError as error:
        raise _problem(f"is not valid TOML: {error}", where) from None
    except RecursionError:
        raise _problem("is nested too deeply", where) from None
    sunset = values.get("sunset")
    rest = {key: value for key, value in values.items() if key not in (*_SECTIONS, *_FACTS)}
    return PolicyShown(
        digest=hashlib.sha256(content).digest(),
        text=text,
        name=_text(values.get("name")),
        purpose=_text(values.get("purpose")),
        legal_basis=_text(values.get("legal_basis")),
        owner=_text(values.get("owner")),
        sunset=sunset if type(sunset) is date else None,
        factors=tuple(
            FactorShown(
                _text(one.get("factor")),
                _number(one.get("weight")),
                _details(_table(one.get("parameters"))),
            )
            for one in _tables(values.get("factors"))
        ),
        bands=tuple(
            BandShown(_text(one.get("name")), _number(one.get("from")), _text(one.get("action")))
            for one in _tables(values.get("bands"))
        ),
        attributes=tuple(
            Described(name, _details(_table(entry)))
            for name, entry in _table(values.get("attributes")).items()
        ),
        protected=_described(values.get("protected"), "characteristic"),
        consumer_data=_described(values.get("consumer_data"), "field"),
        equality=_described(values.get("equality"), "field"),
        retention=_details(_table(values.get("retention"))),
        others=_details(rest),
    )


def _described(value: object, key: str) -> tuple[Described, ...]:
    return tuple(
        Described(
            _text(one.get(key)),
            _details({name: part for name, part in one.items() if name != key}),
        )
        for one in _tables(value)
    )


def _tables(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _details(table: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((key, _text(value)) for key, value in table.items())


def _text(value: object) -> str:
    """A value as people write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "; ".join(map(_text, value)) if _tables(value) else ", ".join(map(_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(part)}" for key, part in value.items())
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _problem(problem: str, where: str) -> Problem:
    return Problem(
        problem,
        where=where,
        remedy="Give the risk stratification policy that the councils use, as they have it",
        exit_code=ExitCode.SETTINGS,
    )
