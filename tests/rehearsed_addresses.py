"""Homes with addresses, and records with addresses typed by hand, of which the truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from folkmoot_rehearsal import addresses
from folkmoot_rehearsal.typed_addresses import Truth, typed

FIRST_UPRN = 700_000_000_000
Z_95 = 1.959964


@dataclass(frozen=True)
class RehearsedAddresses:
    """Homes and records.

    Attributes:
        homes: `uprn`, `address`, `postcode`.
        records: `record`, `address`, `postcode`.
        truth: `record`, `true` (UPRN), `says` (see `typed_addresses.Truth`).
    """

    homes: pl.DataFrame
    records: pl.DataFrame
    truth: pl.DataFrame


@dataclass(frozen=True)
class Accuracy:
    """How right links are.

    Attributes:
        linked: Links made.
        right: Those to the right home.
        homes: Records that say which home they are of.
    """

    linked: int
    right: int
    homes: int

    @property
    def precision(self) -> float:
        return self.right / self.linked

    @property
    def recall(self) -> float:
        return self.right / self.homes

    @property
    def precision_interval(self) -> tuple[float, float]:
        return wilson(self.right, self.linked)

    @property
    def recall_interval(self) -> tuple[float, float]:
        return wilson(self.right, self.homes)


def rehearse(homes: int, records: int, seed: int) -> RehearsedAddresses:
    """Draws homes, and records of homes drawn with replacement."""
    rng = np.random.default_rng(seed)
    drawn = addresses.draw(homes, rng)
    uprns = np.arange(homes) + FIRST_UPRN
    picked = rng.integers(0, homes, records)
    written = [typed(drawn[at], rng) for at in picked.tolist()]
    numbers = pl.int_range(records, eager=True)
    return RehearsedAddresses(
        addresses.table(uprns, drawn),
        pl.DataFrame(
            {
                "record": numbers,
                "address": [one.address for one in written],
                "postcode": [one.postcode or None for one in written],
            },
            schema_overrides={"postcode": pl.String},
        ),
        pl.DataFrame(
            {
                "record": numbers,
                "true": uprns[picked],
                "says": [one.truth.value for one in written],
            }
        ),
    )


def accuracy(links: pl.DataFrame, truth: pl.DataFrame) -> Accuracy:
    """Judges links; one of a record that does not say which home it is of is wrong.

    Args:
        links: `record`, `uprn` (null if not linked).
        truth: As `RehearsedAddresses.truth`.
    """
    says_home = pl.col("says") == Truth.HOME.value
    joined = truth.join(links.drop_nulls("uprn"), on="record", how="inner")
    right = joined.filter(says_home & (pl.col("uprn") == pl.col("true"))).height
    return Accuracy(joined.height, right, truth.filter(says_home).height)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """95 % confidence interval of a share (Wilson 1927)."""
    share, z = successes / trials, Z_95
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials)
    half *= math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return centre - half, centre + half
