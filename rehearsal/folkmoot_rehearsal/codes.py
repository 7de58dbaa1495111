"""Code lists of a synthetic household, in the order in which arrays index them."""

from __future__ import annotations

from enum import IntEnum

TENURES = ("owned_outright", "owned_mortgage", "social_rented", "private_rented")
"""Tenure of a household; Census 2021 TS054 grouped, see `shares`."""

HOUSEHOLD_TYPES = (
    "one_person_66_over",
    "one_person_other",
    "couple_no_children",
    "couple_children",
    "lone_parent",
    "other",
)
"""Household type as councils record it: the census's compositions, grouped."""

DEPRIVATION_LEVELS = 5
"""A household is deprived in 0 to 4 dimensions: employment, education, health, housing."""

CARE_PACKAGES = ("none", "low", "medium", "high")
"""Weekly care package from adult social care, ascending."""


class Composition(IntEnum):
    """The fourteen household compositions of Census 2021 table TS003."""

    ONE_66_OVER = 0
    ONE_OTHER = 1
    FAMILY_66_OVER = 2
    MARRIED_NO_CHILDREN = 3
    MARRIED_DEPENDENT = 4
    MARRIED_GROWN = 5
    COHABITING_NO_CHILDREN = 6
    COHABITING_DEPENDENT = 7
    COHABITING_GROWN = 8
    LONE_DEPENDENT = 9
    LONE_GROWN = 10
    FAMILY_OTHER = 11
    OTHER_DEPENDENT = 12
    OTHER = 13


HOUSEHOLD_TYPE_OF = (0, 1, 2, 2, 3, 3, 2, 3, 3, 4, 4, 5, 5, 5)
"""Index into HOUSEHOLD_TYPES for each composition."""

MAXIMUM_SIZE = 8
"""Largest household drawn; stands for `8 or more people`."""


class Role(IntEnum):
    """Part that a person plays in a household; decides which ages are possible."""

    OLDER = 0
    """66 or over."""
    WORKING = 1
    """Alone and under 66."""
    PARTNER = 2
    """In a couple without children that is not all 66 or over: one of the two."""
    PARENT = 3
    """Of dependent children."""
    OLDER_PARENT = 4
    """Of grown children only."""
    CHILD = 5
    """Dependent: to 15, or to 18 and in education."""
    GROWN_CHILD = 6
    """Not dependent, living with a parent."""
    SHARER = 7
    """Adult in any other household."""
    YOUNGER_PARTNER = 8
    """The other of the two, under 66."""
