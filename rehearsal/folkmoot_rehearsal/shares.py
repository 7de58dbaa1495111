"""Approximate shares of the population, rounded, with their sources.

Census 2021 figures are from the Office for National Statistics (Open Government Licence
v3.0), summed over the ten districts of Greater Manchester and rounded by hand. They make
a plausible region, not a copy of a real one; `census` draws to the published counts.
"""

from __future__ import annotations

TENURE = (0.292, 0.294, 0.207, 0.207)
"""Census 2021 TS054, Greater Manchester. Shared ownership counts as mortgage, living rent
free as private rented. Order of `codes.TENURES`."""

TENURE_BY_COUNCIL = {
    "E08000001": (0.33, 0.29, 0.20, 0.18),
    "E08000002": (0.34, 0.33, 0.15, 0.18),
    "E08000003": (0.17, 0.21, 0.29, 0.33),
    "E08000004": (0.32, 0.29, 0.21, 0.18),
    "E08000005": (0.30, 0.30, 0.21, 0.19),
    "E08000006": (0.22, 0.26, 0.25, 0.27),
    "E08000007": (0.37, 0.36, 0.13, 0.14),
    "E08000008": (0.31, 0.30, 0.21, 0.18),
    "E08000009": (0.34, 0.35, 0.15, 0.16),
    "E08000010": (0.34, 0.33, 0.17, 0.16),
}
"""As TENURE, by district, to whole percent."""

DEPRIVATION = (0.458, 0.331, 0.159, 0.049, 0.003)
"""Census 2021 TS011, Greater Manchester: deprived in 0, 1, 2, 3, 4 dimensions."""

DEPRIVATION_BY_COUNCIL = {
    "E08000001": (0.432, 0.341, 0.171, 0.053, 0.003),
    "E08000002": (0.475, 0.336, 0.147, 0.040, 0.002),
    "E08000003": (0.436, 0.328, 0.172, 0.060, 0.004),
    "E08000004": (0.409, 0.346, 0.182, 0.060, 0.003),
    "E08000005": (0.427, 0.341, 0.173, 0.056, 0.003),
    "E08000006": (0.464, 0.323, 0.158, 0.052, 0.003),
    "E08000007": (0.513, 0.321, 0.130, 0.034, 0.002),
    "E08000008": (0.432, 0.342, 0.171, 0.052, 0.003),
    "E08000009": (0.539, 0.309, 0.121, 0.030, 0.001),
    "E08000010": (0.465, 0.328, 0.160, 0.045, 0.002),
}
"""As DEPRIVATION, by district, to a tenth of a percent."""

COMPOSITION = (
    0.121, 0.194, 0.073, 0.087, 0.142, 0.054, 0.064, 0.050, 0.008, 0.083, 0.046, 0.009, 0.029,
    0.040,
)  # fmt: skip
"""Census 2021 TS003, Greater Manchester, in the order of `codes.Composition`."""

SIZE = (0.315, 0.318, 0.162, 0.124, 0.048, 0.019, 0.008, 0.006)
"""Census 2021 TS017, Greater Manchester: households of 1 to 7, and of 8 or more, people."""

AGE_BANDS = tuple(range(0, 90, 5))
"""First year of each age band: 0-4, 5-9, ..., 80-84, 85 and over."""

AGE = (
    0.060, 0.065, 0.066, 0.061, 0.066, 0.071, 0.074, 0.071, 0.064, 0.062, 0.066, 0.063, 0.053,
    0.044, 0.044, 0.031, 0.021, 0.018,
)  # fmt: skip
"""Census 2021 TS007A, Greater Manchester: people by AGE_BANDS."""

AGE_GROUPS_BY_COUNCIL = {"E09000002": (0.261, 0.652, 0.087)}
"""People of 0 to 15, of 16 to 64, and of 65 or over. Census 2021, as London Borough of Barking and
Dagenham publishes it: 57,150, 142,700 and 19,050 of 218,900."""

HOUSEHOLDS_PER_LSOA = 690
"""Mean over the 1,702 LSOAs of Greater Manchester, Census 2021."""

LSOAS_PER_WARD = 8
"""Greater Manchester 2024: 1,702 LSOAs in 215 wards."""
