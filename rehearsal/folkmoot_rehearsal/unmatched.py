"""Records that nobody has matched to a property: an address as it was typed, and no UPRN.

A record that has a UPRN has the address of the gazetteer, since the system took both from
it. The truth about the others is kept apart, by file and row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from folkmoot_rehearsal import disorder
from folkmoot_rehearsal.addresses import Address
from folkmoot_rehearsal.population import Population
from folkmoot_rehearsal.typed_addresses import typed

NOTHING = "nothing"
"""What a record without an address says of its home."""
_UPRN, _SAYS = "__uprn", "__says"


@dataclass(frozen=True, slots=True)
class AddressColumns:
    """What an extract calls the columns.

    Attributes:
        uprn: UPRN; a column of integers or texts.
        address: The address, in one line.
        postcode: The postcode.
    """

    uprn: str = "UPRN"
    address: str = "Address"
    postcode: str = "Postcode"


def addressed(
    frame: pl.DataFrame,
    population: Population,
    rng: np.random.Generator,
    columns: AddressColumns,
    rate: float | None = None,
    no_address: float = 0.0,
) -> pl.DataFrame:
    """Adds addresses, and takes the UPRN away from some records.

    Args:
        frame: An extract whose rows have the right UPRN.
        population: Whose homes these are.
        rng: Source of randomness.
        columns: What the columns are called; those of the address are added at the end,
            unless the postcode is there already.
        rate: Share of records that nobody has matched; None for `disorder.NO_UPRN`.
        no_address: Share of these that have no address; they keep the postcode that is there.

    Returns:
        The rows with columns of the address; the UPRN is null where nobody has matched a record.
    """
    uprns = frame[columns.uprn].cast(pl.Int64).to_list()
    homes = _homes(population, uprns)
    missing = rng.random(frame.height) < (disorder.NO_UPRN if rate is None else rate)
    nowhere = missing & (rng.random(frame.height) < no_address)
    there = [""] * frame.height
    if columns.postcode in frame.columns:
        there = frame[columns.postcode].fill_null("").to_list()
    # Names of streets are ASCII, so that every encoding of an extract has them.
    address: list[str] = []
    postcode: list[str] = []
    says: list[str | None] = []
    rows = zip(uprns, missing.tolist(), nowhere.tolist(), there, strict=True)
    for uprn, is_missing, is_nowhere, code in rows:
        home = homes[uprn]
        if is_nowhere or not is_missing:
            address.append("" if is_nowhere else home.in_gazetteer)
            postcode.append(code or ("" if is_nowhere else home.postcode))
            says.append(NOTHING if is_nowhere else None)
            continue
        one = typed(home, rng)
        address.append(one.address)
        postcode.append(one.postcode)
        says.append(one.truth.value)
    gone = pl.Series(missing)
    return frame.with_columns(
        pl.when(~gone).then(pl.col(columns.uprn)).alias(columns.uprn),
        pl.Series(columns.address, address, pl.String),
        pl.Series(columns.postcode, postcode, pl.String),
        pl.Series(_UPRN, uprns, pl.Int64).set(~gone, None),
        pl.Series(_SAYS, says, pl.String),
    )


def set_apart(
    frame: pl.DataFrame, source: str, first_row: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The extract as it is written, and the truth about its unmatched records.

    Args:
        frame: An extract in the order of its file.
        source: Its name.
        first_row: Row number of its first record.

    Returns:
        The extract; and one row for each unmatched record: columns `source`, `row`, `uprn`,
        `says` (see `typed_addresses.Truth`, and `NOTHING`), none null.
    """
    if _UPRN not in frame.columns:
        return frame, no_truth()
    rows = pl.int_range(first_row, first_row + frame.height, dtype=pl.Int64, eager=True)
    truth = frame.select(
        pl.lit(source).alias("source"),
        rows.alias("row"),
        pl.col(_UPRN).alias("uprn"),
        pl.col(_SAYS).alias("says"),
    )
    return frame.drop(_UPRN, _SAYS), truth.drop_nulls("uprn")


def no_truth() -> pl.DataFrame:
    """The truth about no record: no rows, and columns that are never null."""
    return pl.DataFrame(
        schema={"source": pl.String, "row": pl.Int64, "uprn": pl.Int64, "says": pl.String}
    )


def _homes(population: Population, uprns: list[int]) -> dict[int, Address]:
    """The address of each UPRN; those that are no household's are care homes."""
    known = dict(zip(population.uprn.tolist(), population.addresses, strict=True))
    first = int(population.uprn.max()) + 1
    near = population.addresses
    for uprn in set(uprns) - known.keys():
        beside = near[(uprn - first) * 97 % len(near)]
        name = f"{('Alder', 'Birch', 'Cedar', 'Elder', 'Hazel')[uprn % 5]} Lodge Care Home"
        known[uprn] = Address(
            "", name, str(200 + uprn % 97), beside.street, beside.town, beside.postcode
        )
    return known
