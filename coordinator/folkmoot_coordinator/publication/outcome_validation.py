"""Regional validation: how well bands found the households to whom an outcome happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.attributes import Attribute
from folkmoot_coordinator.inference.comparisons import Verdict
from folkmoot_coordinator.inference.validation import (
    Agreement,
    BandRates,
    Counts,
    Figure,
    Groups,
    agreements,
    band_rates,
    of_councils,
)
from folkmoot_coordinator.publication.noisy_tables import NoisyTables
from folkmoot_coordinator.publication.outcome_round import (
    BAND,
    NO,
    YES,
    OutcomeRound,
    bands_of,
)
from folkmoot_coordinator.publication.outcome_words import rate_facts
from folkmoot_operator.problems import ExitCode, Problem

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Households whose outcome is not known; they are in no rate.

    Attributes:
        value: Estimate, households.
        standard_error: Of the noise.
    """

    value: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class RegionalValidation:
    """How a policy's bands did in a region.

    Attributes:
        asked: The round.
        bands: Codes, ascending.
        region: Rates of all councils together.
        councils: Rates by council.
        agreement: Each council against all others.
        by: Attribute of the groups, or None.
        groups: Rates of the region by group.
        between_groups: Each group against all others.
        unknown: Households without a known outcome; None if the round leaves them out.
    """

    asked: OutcomeRound
    bands: tuple[str, ...]
    region: tuple[BandRates, ...]
    councils: dict[str, tuple[BandRates, ...]]
    agreement: tuple[Agreement, ...]
    by: str | None
    groups: dict[str, tuple[BandRates, ...]]
    between_groups: tuple[Agreement, ...]
    unknown: Unknown | None

    def facts(self) -> dict[str, Any]:
        """For `--json`; figures of too few households are null."""
        stored = self.asked.stored
        return {
            "round_id": stored.round_.round_id,
            "withdrawn": str(stored.withdrawal) if stored.withdrawal else None,
            "coverage": str(self.asked.coverage),
            "policy_digest": stored.round_.policy_digest.hex(),
            "outcome": self.asked.outcome.name,
            "bands": list(self.bands),
            "unknown_outcome": self.unknown
            and {"value": self.unknown.value, "standard_error": self.unknown.standard_error},
            "region": _rates(self.region),
            "councils": {name: _rates(found) for name, found in self.councils.items()},
            "agreement": [_agreement(one) for one in self.agreement],
            "by": self.by,
            "groups": {name: _rates(found) for name, found in self.groups.items()},
            "between_groups": [_agreement(one) for one in self.between_groups],
        }


def validate(asked: OutcomeRound, by: str | None = None) -> RegionalValidation:
    """Judges the bands of a round by its outcome.

    Args:
        asked: The round. It asked for band by outcome, and with `by` for both by that attribute.
        by: Attribute of groups to judge apart.

    Raises:
        Problem: SETTINGS if the round lacks a table, or does not list all bands.
    """
    bands = bands_of(asked)
    tables = asked.tables()
    asked.require_tables(tables, [(BAND, asked.outcome.name)])
    councils = {
        str(council): _counts(asked, bands, asked.tables([council])) for council in asked.councils
    }
    groups: dict[str, tuple[BandRates, ...]] = {}
    between: tuple[Agreement, ...] = ()
    if by is not None:
        found = _groups(asked, bands, asked.attribute(by), tables)
        groups = {name: band_rates(bands.codes, found.of(name)) for name in found.names}
        between = agreements(bands.codes, found)
    return RegionalValidation(
        asked,
        bands.codes,
        band_rates(bands.codes, _counts(asked, bands, tables)),
        {name: band_rates(bands.codes, counts) for name, counts in councils.items()},
        agreements(bands.codes, of_councils(councils)),
        by,
        groups,
        between,
        _unknown(asked, tables),
    )


def _outcomes(asked: OutcomeRound) -> list[int]:
    return [asked.outcome.codes.index(NO), asked.outcome.codes.index(YES)]


def _counts(asked: OutcomeRound, bands: Attribute, tables: NoisyTables) -> Counts:
    value, covariance = _cells(asked, tables, (bands,))
    return Counts(value, covariance, tables.quantile)


def _groups(asked: OutcomeRound, bands: Attribute, group: Attribute, tables: NoisyTables) -> Groups:
    if group.name in (BAND, asked.outcome.name):
        raise Problem(
            f"{group.name} is not a group of households beside bands and outcome",
            where="--by",
            remedy="Name another attribute of the round",
            exit_code=ExitCode.USAGE,
        )
    asked.require_few(group, bands)
    asked.require_tables(tables, [(group.name, BAND, asked.outcome.name)])
    value, covariance = _cells(asked, tables, (group, bands))
    return Groups(group.codes_of(None), value, covariance, tables.quantile)


def _cells(
    asked: OutcomeRound, tables: NoisyTables, attributes: Sequence[Attribute]
) -> tuple[Float64, Float64]:
    """Households by some attributes and outcome, and the covariance of all cells."""
    names = (*(one.name for one in attributes), asked.outcome.name)
    outcomes = _outcomes(asked)
    whole = tables.values(names)
    value = np.asarray(whole[..., outcomes])
    chosen = np.zeros((value.size, *whole.shape))
    places = np.arange(whole.size).reshape(whole.shape)[..., outcomes].ravel()
    chosen.reshape(value.size, -1)[np.arange(value.size), places] = 1.0
    return value, tables.covariance({names: chosen})


def _unknown(asked: OutcomeRound, tables: NoisyTables) -> Unknown | None:
    codes = asked.outcome.codes_of(None)
    known = np.isin(np.array(codes), [NO, YES])
    if known.all():
        return None
    name = (asked.outcome.name,)
    weights = (~known).astype(np.float64)
    variance = float(tables.covariance({name: weights[None, :]})[0, 0])
    return Unknown(float(weights @ tables.values(name)), max(0.0, variance) ** 0.5)


def _rates(found: Sequence[BandRates]) -> list[dict[str, Any]]:
    return [
        {"band": one.band, **{about.value: rate_facts(one.figure(about)) for about in Figure}}
        for one in found
    ]


def _agreement(one: Agreement) -> dict[str, Any]:
    return {
        "place": one.place,
        "band": one.band,
        "figure": one.about.value,
        "agrees": one.verdict is Verdict.UNDECIDED,
        "difference": one.difference,
        "lower": one.lower,
        "upper": one.upper,
    }
