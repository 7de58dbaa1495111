"""What a council's synthetic households must add up to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from folkmoot_rehearsal import shares
from folkmoot_rehearsal.codes import DEPRIVATION_LEVELS, MAXIMUM_SIZE, TENURES, Composition
from folkmoot_rehearsal.councils import Council
from folkmoot_rehearsal.raking import rake
from folkmoot_rehearsal.rounding import Floats, Integers, controlled, largest_remainder

FIRST_INVENTED_LSOA = 900_000
"""Invented LSOAs are E01900000 and above: no LSOA of the 2011 or 2021 census is."""
_AREAS_PER_COUNCIL = 1_000


@dataclass(frozen=True, slots=True)
class Margins:
    """Counts that the drawn households of one council match exactly.

    Attributes:
        lsoas: GSS codes of the LSOAs, ascending; n of them.
        wards: GSS code of the ward of each LSOA, n.
        tenure: int64 of shape (n, 4).
        deprivation: int64 of shape (n, 5); the same row sums as `tenure`.
        composition: int64 of shape (1, 14) for the council, or (n, 14) by LSOA, with the
            same total, or row sums.
        size: Households by number of people; shape (8,), not negative; only the
            proportions count.
        age: People by five-year band of `shares.AGE_BANDS`; shape (18,), not negative;
            only the proportions count.
    """

    lsoas: tuple[str, ...]
    wards: tuple[str, ...]
    tenure: Integers
    deprivation: Integers
    composition: Integers
    size: Floats
    age: Floats

    def __post_init__(self) -> None:
        n = len(self.lsoas)
        shapes = (
            self.tenure.shape == (n, len(TENURES)),
            self.deprivation.shape == (n, DEPRIVATION_LEVELS),
            self.composition.shape in {(1, len(Composition)), (n, len(Composition))},
            self.size.shape == (MAXIMUM_SIZE,),
            self.age.shape == (len(shares.AGE_BANDS),),
        )
        if len(self.wards) != n or not all(shapes):
            raise ValueError("the margins have the wrong shape")
        rows = self.tenure.sum(axis=1)
        by_area = self.composition.shape[0] == n and n > 1
        if (
            not np.array_equal(rows, self.deprivation.sum(axis=1))
            or self.composition.sum() != rows.sum()
            or (by_area and not np.array_equal(rows, self.composition.sum(axis=1)))
        ):
            raise ValueError("the margins do not add up to the same households")

    @property
    def households(self) -> int:
        """Households of the council."""
        return int(self.tenure.sum())


def from_weights(
    *,
    lsoas: tuple[str, ...],
    wards: tuple[str, ...],
    tenure: Floats,
    deprivation: Floats,
    composition: Floats,
    size: Floats,
    age: Floats,
    households: int,
) -> Margins:
    """Scales tables of any size to `households`, in whole numbers that add up.

    Args:
        lsoas: GSS codes, n of them.
        wards: The ward of each LSOA.
        tenure: Weights by LSOA and tenure; row sums are the LSOAs' sizes.
        deprivation: Weights by LSOA and number of dimensions.
        composition: Weights of shape (1, 14) or (n, 14).
        size: Weights by number of people.
        age: Weights by age band.
        households: Households of the council.
    """
    areas = largest_remainder(tenure.sum(axis=1), households)
    by_area = composition.shape[0] == len(lsoas) and len(lsoas) > 1
    return Margins(
        lsoas=lsoas,
        wards=wards,
        tenure=controlled(_scaled(tenure, areas)),
        deprivation=controlled(_scaled(deprivation, areas)),
        composition=controlled(_scaled(composition, areas if by_area else np.array([households]))),
        size=size.astype(np.float64),
        age=age.astype(np.float64),
    )


def approximate(council: Council, households: int, rng: np.random.Generator) -> Margins:
    """Margins from the typed shares, over invented LSOAs and wards.

    LSOAs differ: each has a level of disadvantage, drawn from a normal distribution, that
    tilts tenure and deprivation; the council's shares are kept by raking.
    """
    n = max(4, round(households / shares.HOUSEHOLDS_PER_LSOA))
    level = rng.normal(size=(n, 1))
    area_weights = np.clip(rng.normal(1, 0.19, size=n), 0.5, 1.6)
    areas = area_weights / area_weights.sum()

    tenure_shares = np.array(shares.TENURE_BY_COUNCIL.get(council.code, shares.TENURE))
    deprivation_shares = np.array(
        shares.DEPRIVATION_BY_COUNCIL.get(council.code, shares.DEPRIVATION)
    )
    # Assumed slopes: about the spread of these shares between real LSOAs.
    tenure = rake(
        np.exp(level * np.array([-0.5, -0.4, 0.7, 0.3])), [((1,), tenure_shares), ((0,), areas)]
    )
    deprivation = rake(
        np.exp(level * np.array([-0.3, 0.0, 0.3, 0.5, 0.7])),
        [((1,), deprivation_shares), ((0,), areas)],
    )
    first = FIRST_INVENTED_LSOA + council.index * _AREAS_PER_COUNCIL
    return from_weights(
        lsoas=tuple(f"E01{first + area:06d}" for area in range(n)),
        wards=tuple(f"E05{first + area // shares.LSOAS_PER_WARD:06d}" for area in range(n)),
        tenure=tenure,
        deprivation=deprivation,
        composition=np.array([shares.COMPOSITION]),
        size=np.array(shares.SIZE),
        age=np.array(shares.AGE),
        households=households,
    )


def _scaled(weights: Floats, rows: Integers) -> Floats:
    """The weights with each row scaled to the sum given."""
    scaled: Floats = weights * (rows / weights.sum(axis=1))[:, None]
    return scaled
