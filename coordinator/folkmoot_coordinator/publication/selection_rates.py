"""Equality across councils: which share of each group is in each band or a higher one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot.attributes import Attribute
from folkmoot_coordinator.inference.comparisons import Verdict
from folkmoot_coordinator.inference.selection import differences, from_each_band, selected
from folkmoot_coordinator.inference.validation import Agreement, Groups, Rate
from folkmoot_coordinator.publication.noisy_tables import NoisyTables
from folkmoot_coordinator.publication.outcome_round import BAND, JudgedRound, bands_of
from folkmoot_coordinator.publication.outcome_words import rate_facts
from folkmoot_operator.problems import ExitCode, Problem


@dataclass(frozen=True, slots=True)
class Selected:
    """One place: the region, or a council.

    Attributes:
        rates: By group its shares from each band but the lowest upwards.
        differences: Each group against all others together.
    """

    rates: dict[str, tuple[Rate, ...]]
    differences: tuple[Agreement, ...]


@dataclass(frozen=True, slots=True)
class SelectionRates:
    """Who is selected in a region, by group.

    Attributes:
        asked: The round.
        by: Attribute of the groups.
        bands: Codes of all bands but the lowest, ascending.
        region: All councils together.
        councils: By GSS code.
        offered: For how many comparisons the differences are corrected.
    """

    asked: JudgedRound
    by: str
    bands: tuple[str, ...]
    region: Selected
    councils: dict[str, Selected]
    offered: int

    def facts(self) -> dict[str, Any]:
        """For `--json`; figures of too few households are null."""
        stored = self.asked.stored
        return {
            "round_id": stored.round_.round_id,
            "withdrawn": str(stored.withdrawal) if stored.withdrawal else None,
            "coverage": str(self.asked.coverage),
            "policy_digest": stored.round_.policy_digest.hex(),
            "by": self.by,
            "bands": list(self.bands),
            "comparisons": self.offered,
            "region": self._place(self.region),
            "councils": {name: self._place(one) for name, one in self.councils.items()},
        }

    def _place(self, place: Selected) -> dict[str, Any]:
        return {
            "groups": {
                name: {band: rate_facts(one) for band, one in zip(self.bands, rates, strict=True)}
                for name, rates in place.rates.items()
            },
            "differences": [
                {
                    "group": one.place,
                    "band": one.band,
                    "agrees": one.verdict is Verdict.UNDECIDED,
                    "difference": one.difference,
                    "lower": one.lower,
                    "upper": one.upper,
                }
                for one in place.differences
            ],
        }


def selection_rates(asked: JudgedRound, by: str) -> SelectionRates:
    """Shares of groups from each band but the lowest upwards.

    Args:
        asked: The round. It asked for band by group.
        by: Attribute of the groups.

    Raises:
        Problem: SETTINGS if the round lacks the table, or does not list all bands; USAGE if `by` is
            the band.
    """
    if by == BAND:
        raise Problem(
            f"{by} is not a group of households",
            where="--by",
            remedy="Name another attribute of the round",
            exit_code=ExitCode.USAGE,
        )
    bands, group = bands_of(asked), asked.attribute(by)
    asked.require_few(group, bands)
    tables = asked.tables()
    asked.require_tables(tables, [(by, BAND)])
    if len(bands.codes) < 2:
        raise Problem(
            "lists one band, so that nobody is selected from others",
            where=f"{asked.where}: attribute {BAND}",
            remedy="Ask for all bands, ascending",
            exit_code=ExitCode.SETTINGS,
        )
    upper = bands.codes[1:]
    offered = (len(asked.councils) + 1) * len(group.codes_of(None)) * len(upper)
    return SelectionRates(
        asked,
        by,
        upper,
        _place(group, upper, tables, offered),
        {
            str(council): _place(group, upper, asked.tables([council]), offered)
            for council in asked.councils
        },
        offered,
    )


def _place(group: Attribute, bands: tuple[str, ...], tables: NoisyTables, offered: int) -> Selected:
    found = _counts(group, tables)
    return Selected(
        {name: selected(found, name) for name in found.names}, differences(bands, found, offered)
    )


def _counts(group: Attribute, tables: NoisyTables) -> Groups:
    names = (group.name, BAND)
    value = tables.values(names)
    cells = np.eye(value.size).reshape(value.size, *value.shape)
    return from_each_band(
        group.codes_of(None), value, tables.covariance({names: cells}), tables.quantile
    )
