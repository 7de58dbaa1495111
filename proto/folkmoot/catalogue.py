"""What a council offers to a region: made from its policies and declared code lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from folkmoot.attributes import check_codes, check_identifier
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.rounds import Mechanism

CATALOGUE_SIGNATURE_DOMAIN = b"folkmoot.v1.Catalogue\0"
"""Prefix of the bytes that a node signs for a catalogue."""
MAXIMUM_CATALOGUE = 1_000_000
"""Most bytes of a serialised catalogue."""
_KEY_BYTES = 32
_PLUGIN = re.compile(r"[A-Za-z0-9._+!-]{1,100}")


def check_policy_key(key: bytes, where: str) -> None:
    """Raises ContractError unless a key that signs release policies has 32 bytes, or is missing."""
    if len(key) not in {0, _KEY_BYTES}:
        raise ContractError(where, f"has {len(key)} bytes", f"Give {_KEY_BYTES}, or none")


@dataclass(frozen=True, slots=True, order=True)
class PluginVersion:
    """An installed distribution whose source or factor is in use.

    Attributes:
        name: Name of the distribution.
        version: Its version.
    """

    name: str
    version: str

    def __post_init__(self) -> None:
        for key, value in (("name", self.name), ("version", self.version)):
            if not _PLUGIN.fullmatch(value):
                raise ContractError(
                    f"catalogue.plugins.{key}",
                    f"{value[:40]!r} is neither name nor version of a distribution",
                    "Use at most 100 letters, digits or . _ + ! -",
                )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one council offers, as it signed it; never what is left of a budget.

    Attributes:
        council: Whose it is.
        attributes: Attributes that may be counted by, each with its published codes in order;
            no codes for an area, whose codes the round gives.
        purposes: Purposes of rounds that may be answered.
        mechanisms: Mechanisms that rounds may ask for.
        per_round: Most loss for one round.
        per_period: Most loss for all rounds of an accounting period.
        lifetime: Most loss for all rounds that are ever answered.
        sunset: Last day on which anything is released.
        per_series: Most loss for a series; None if no series is answered.
        area_types: What kind of area an attribute is, where that is stated.
        plugins: Plugins in use.
        policy_key: Ed25519 public key that signed the release policy, 32 bytes; empty if that is
            not stated.
    """

    council: GssCode
    attributes: Mapping[str, tuple[str, ...]]
    purposes: frozenset[str]
    mechanisms: frozenset[Mechanism]
    per_round: Rho
    per_period: Rho
    lifetime: Rho
    sunset: date
    per_series: Rho | None = None
    area_types: Mapping[str, str] = field(default_factory=dict)
    plugins: frozenset[PluginVersion] = frozenset()
    policy_key: bytes = b""

    def __post_init__(self) -> None:
        for name, codes in self.attributes.items():
            check_identifier(name, "catalogue.attributes")
            check_codes(codes, f"catalogue.attributes.{name}")
        for name, kind in self.area_types.items():
            check_identifier(kind, "catalogue.area_type")
            if self.attributes.get(name) != ():
                raise ContractError(
                    "catalogue.area_type", f"{name[:40]} is no area", "Leave its area type out"
                )
        for purpose in self.purposes:
            check_identifier(purpose, "catalogue.purposes")
        check_policy_key(self.policy_key, "catalogue.policy_key")
        if not self.purposes or not self.mechanisms:
            raise ContractError(
                "catalogue", "has no purposes or no mechanisms", "State those of the policy"
            )
        caps = {
            "per_round": self.per_round,
            "per_period": self.per_period,
            "lifetime": self.lifetime,
            "per_series": self.per_series,
        }
        for key, cap in caps.items():
            if cap is not None and cap.nano == 0:
                raise ContractError(f"catalogue.{key}", "is missing", "State that of the policy")
