"""Which rules of a risk stratification policy decide what the rounds of a series count.

A policy file also says things that change no count: retention, audits, the owner, attributes
that other rounds ask for. If a series compared the file, each of these would end it. So it
compares a digest of what decides: factors with weights and parameters, bands, and the
attributes that the series itself asks for.

Region and council each compute it from their own copy of the file, so that what is digested is
written here once: a TOML value in one canonical form, in which `10` is `10.0` and a key that is
left out is one that is empty.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import tomllib
from collections.abc import Iterable

from folkmoot.errors import ContractError

_DOMAIN = b"folkmoot.v1.CountingRules\0"
_EXACT = 2**53
"""Whole numbers up to this are the same as floating point."""


def counting_digest(policy: str, attributes: Iterable[str]) -> bytes:
    """SHA-256 of the rules by which a series counts: 32 bytes.

    Args:
        policy: Text of a risk stratification policy, TOML.
        attributes: Attributes that the series counts by, and that of its event. Those that the
            policy does not define, such as areas and `band`, add nothing.

    Raises:
        ContractError: If the text is not TOML, or has no factors and bands.
    """
    try:
        document = tomllib.loads(policy.removeprefix("\ufeff"))
        defined = document.get("attributes", {})
        factors = [
            [one["factor"], one["weight"], one.get("parameters", {})] for one in document["factors"]
        ]
        rules = {
            "factors": sorted(factors, key=lambda one: str(one[0])),
            "bands": [[one["name"], one["from"]] for one in document["bands"]],
            "attributes": {name: defined[name] for name in sorted({*attributes} & {*defined})},
        }
        text = json.dumps(_canonical(rules), sort_keys=True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ContractError(
            "policy",
            "is not a risk stratification policy",
            "Name the TOML file that has [[factors]] and [[bands]]",
        ) from None
    return hashlib.sha256(_DOMAIN + text.encode("ascii")).digest()


def _canonical(value: object) -> object:
    """A TOML value as JSON writes it in one way only; what is empty counts as left out."""
    if isinstance(value, dict):
        written = {key: _canonical(one) for key, one in value.items()}
        return {key: one for key, one in written.items() if one not in ([], {})}
    if isinstance(value, list):
        return [_canonical(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _EXACT:
        return float(value)
    if isinstance(value, datetime.date | datetime.time):
        return {type(value).__name__: value.isoformat()}
    return value
