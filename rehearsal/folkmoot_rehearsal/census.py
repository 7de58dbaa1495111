"""Margins from the published tables of Census 2021, by LSOA where they exist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_rehearsal import nearby_shares, shares
from folkmoot_rehearsal.codes import MAXIMUM_SIZE, Composition
from folkmoot_rehearsal.councils import Council
from folkmoot_rehearsal.margins import Margins, from_weights
from folkmoot_rehearsal.rounding import Floats

TENURE_FILE = "household_tenure21_lsoa21.csv.gz"
DEPRIVATION_FILE = "household_deprivation21_lsoa21.csv.gz"
COMPOSITION_FILE = "2021_household_composition_la.csv.gz"
SIZE_FILE = "2021_household_size_la.csv.gz"
PEOPLE_FILE = "disability21_lsoa21.csv.gz"
AGE_FILE = "2021_population_by_5_year_age_bands_la.csv.gz"
LOOKUP_FILE = "lookup_lsoa21_ward24_ltla24.csv.gz"
OA_LOOKUP_FILE = "oa_lsoa_msoa_lad_lookup.csv.gz"
COMPOSITION_BY_OA_FILES = "2021_household_composition_oa_*.csv.gz"

_TENURE_INDEX = {
    "Owned: Owns outright": 0,
    "Owned: Owns with a mortgage or loan": 1,
    "Shared ownership: Shared ownership": 1,
    "Social rented: Rents from council or Local Authority": 2,
    "Social rented: Other social rented": 2,
    "Private rented: Private landlord or letting agency": 3,
    "Private rented: Other private rented": 3,
    "Lives rent free": 3,
}
_DEPRIVATION_INDEX = {
    "Household is not deprived in any dimension": 0,
    "Household is deprived in one dimension": 1,
    "Household is deprived in two dimensions": 2,
    "Household is deprived in three dimensions": 3,
    "Household is deprived in four dimensions": 4,
}
_COUPLE = "Single family household: Married or civil partnership couple: "
_COHABITING = "Single family household: Cohabiting couple family: "
_LONE = "Single family household: Lone parent family: "
_COMPOSITION_INDEX: dict[str, int] = {
    "One-person household: Aged 66 years and over": Composition.ONE_66_OVER,
    "One-person household: Other": Composition.ONE_OTHER,
    "Single family household: All aged 66 years and over": Composition.FAMILY_66_OVER,
    _COUPLE + "No children": Composition.MARRIED_NO_CHILDREN,
    _COUPLE + "Dependent children": Composition.MARRIED_DEPENDENT,
    _COUPLE + "All children non-dependent": Composition.MARRIED_GROWN,
    _COHABITING + "No children": Composition.COHABITING_NO_CHILDREN,
    _COHABITING + "With dependent children": Composition.COHABITING_DEPENDENT,
    _COHABITING + "All children non-dependent": Composition.COHABITING_GROWN,
    _LONE + "With dependent children": Composition.LONE_DEPENDENT,
    _LONE + "All children non-dependent": Composition.LONE_GROWN,
    "Single family household: Other single family household: Other family composition": (
        Composition.FAMILY_OTHER
    ),
    "Other household types: With dependent children": Composition.OTHER_DEPENDENT,
    "Other household types: Other, including all full-time students and all aged 66 years "
    "and over": Composition.OTHER,
}
_AGE_INDEX = {
    "Aged 4 years and under": 0,
    **{f"Aged {first} to {first + 4} years": first // 5 for first in range(5, 85, 5)},
    "Aged 85 years and over": 17,
}
_SIZE_INDEX = {
    "1 person in household": 0,
    **{f"{size} people in household": size - 1 for size in range(2, MAXIMUM_SIZE)},
    "8 or more people in household": MAXIMUM_SIZE - 1,
}


class Census:
    """The published tables, read once; gives the margins of one council after another."""

    def __init__(self, folder: Path) -> None:
        """Reads the tables.

        Args:
            folder: Folder of the files named in this module, as published by ONS and
                packaged by the `demographr` project and the Trafford Data Lab.

        Raises:
            Problem: If a file is missing or has other columns.
        """
        self._folder = folder
        self._lookup = self._read(LOOKUP_FILE, "lsoa21_code", "ward24_code", "ltla24_code").unique(
            "lsoa21_code", keep="first", maintain_order=True
        )
        self._tenure = self._read(TENURE_FILE, "lsoa21_code", "tenure", "n")
        self._deprivation = self._read(
            DEPRIVATION_FILE, "lsoa21_code", "deprivation_dimensions", "n"
        )
        council = ("area_code", "indicator", "value")
        self._composition = self._read(COMPOSITION_FILE, *council)
        self._size = self._read(SIZE_FILE, *council)
        self._age = self._read(AGE_FILE, *council)

    def has_council_tables(self, council: Council) -> bool:
        """Whether composition, size and age of the council are in the folder, not shares moved."""
        return not self._composition.filter(pl.col("area_code") == council.code).is_empty()

    def margins(self, council: Council, households: int | None) -> Margins:
        """The margins of one council.

        Where the folder has its tables by LSOA and not those by council, composition, size and
        age are approximate (`nearby_shares`).

        Args:
            council: The council.
            households: How many to scale to; None for as many as the census counted.

        Raises:
            Problem: If the tables by LSOA lack the council.
        """
        areas = self._lookup.filter(pl.col("ltla24_code") == council.code).sort("lsoa21_code")
        lsoas = tuple(areas["lsoa21_code"])
        if not lsoas or not set(lsoas) <= set(self._tenure["lsoa21_code"]):
            raise Problem(
                f"has no Census 2021 tables for {council.code} ({council.name})",
                where=str(self._folder),
                remedy="Ask for other councils, or leave --marginals out",
                exit_code=ExitCode.DATA,
            )
        tenure = _table(self._tenure, "lsoa21_code", lsoas, "tenure", _TENURE_INDEX, value="n")
        counted = round(float(tenure.sum()))
        composition, size, age = self._of_council(council, lsoas, counted)
        return from_weights(
            lsoas=lsoas,
            wards=tuple(areas["ward24_code"]),
            tenure=tenure,
            deprivation=_table(
                self._deprivation,
                "lsoa21_code",
                lsoas,
                "deprivation_dimensions",
                _DEPRIVATION_INDEX,
                value="n",
            ),
            composition=composition,
            size=size,
            age=age,
            households=counted if households is None else households,
        )

    def _of_council(
        self, council: Council, lsoas: tuple[str, ...], households: int
    ) -> tuple[Floats, Floats, Floats]:
        """Composition, size and age: as published, or approximate."""
        one = (str(council.code),)
        if not self.has_council_tables(council):
            size = nearby_shares.sizes(self._people(lsoas) / households)
            age = nearby_shares.ages(shares.AGE_GROUPS_BY_COUNCIL.get(str(council.code)))
            return nearby_shares.composition(size, age), size, age
        by_area = self._composition_by_area(lsoas)
        composition = _table(self._composition, "area_code", one, "indicator", _COMPOSITION_INDEX)
        return (
            composition if by_area is None else by_area,
            _table(self._size, "area_code", one, "indicator", _SIZE_INDEX)[0],
            _table(self._age, "area_code", one, "indicator", _AGE_INDEX)[0],
        )

    def _people(self, lsoas: tuple[str, ...]) -> float:
        """Residents of some LSOAs."""
        counted = self._read(PEOPLE_FILE, "lsoa21_code", "total_residents").unique("lsoa21_code")
        return float(counted.filter(pl.col("lsoa21_code").is_in(lsoas))["total_residents"].sum())

    def _composition_by_area(self, lsoas: tuple[str, ...]) -> Floats | None:
        """Composition by LSOA, summed from output areas, if published for all of them."""
        for path in sorted(self._folder.glob(COMPOSITION_BY_OA_FILES)):
            lookup = self._read(OA_LOOKUP_FILE, "oa21cd", "lsoa21cd")
            joined = self._read(path.name, "area_code", "indicator", "value").join(
                lookup, left_on="area_code", right_on="oa21cd"
            )
            if set(lsoas) <= set(joined["lsoa21cd"]):
                return _table(joined, "lsoa21cd", lsoas, "indicator", _COMPOSITION_INDEX)
        return None

    def _read(self, name: str, *columns: str) -> pl.DataFrame:
        path = self._folder / name
        try:
            return pl.read_csv(path, columns=list(columns))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise Problem(
                f"cannot be read as a table with the columns {', '.join(columns)} "
                f"({type(error).__name__})",
                where=str(path),
                remedy="Give the folder of published Census 2021 tables to --marginals",
                exit_code=ExitCode.DATA,
            ) from None


def _table(
    frame: pl.DataFrame,
    area: str,
    areas: tuple[str, ...],
    label: str,
    index: dict[str, int],
    value: str = "value",
) -> Floats:
    """A table of shape (areas, codes) from rows of area, label and value."""
    counted = frame.filter(pl.col(area).is_in(list(areas)), pl.col(label).is_in(list(index)))
    table = np.zeros((len(areas), max(index.values()) + 1))
    place = {code: row for row, code in enumerate(areas)}
    rows = np.array([place[code] for code in counted[area]], dtype=np.int64)
    columns = np.array([int(index[text]) for text in counted[label]], dtype=np.int64)
    np.add.at(table, (rows, columns), counted[value].to_numpy().astype(np.float64))
    return table
