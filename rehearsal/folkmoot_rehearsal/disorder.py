"""What is wrong with real extracts, put into synthetic ones on purpose.

All rates are assumed. Malformed rows are few: a node stops a run when more than two in a
hundred of a source's rows are rejected, and here about four in a thousand are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

MALFORMED = 0.004
"""Share of rows with one value that cannot be read; none in files below 250 rows."""
BLANK = 0.012
"""Share of values left empty in a column that may be empty."""
REPEATED_ROW = 0.003
"""Share of rows that stand in a file twice."""
REPEATED_PERSON = 0.005
"""Share of residents entered twice under different references."""
MOVED = 0.015
"""Share of residents still recorded at an earlier address as well, of those who had one."""
NOT_RECORDED = 0.03
"""Share of households that the residents index has not caught up with."""
NOT_LISTED = 0.004
"""Share of properties missing from the gazetteer."""
NOT_SURVEYED = 0.01
"""Share of households missing from the housing file."""
NO_UPRN = 0.03
"""Share of records that nobody has matched to a property, in systems that have addresses."""
NO_ADDRESS = 0.5
"""Share of these of which a source about people has no address, but who they are."""
NO_UPRN_NO_ADDRESS = 0.008
"""The same in a system that has none."""
SECOND_ACCOUNT = 0.004
"""Share of properties with a second council tax account, mostly a former occupier's debt."""
IN_CARE_HOMES = 0.006
"""Residents of care homes for each resident of a household; their homes are not in the
council tax file."""

BAD_UPRNS = ("UPRN PENDING", "7000123456789012", "-1", "10O05423")
BAD_DATES = ("31/02/1988", "00/00/0000", "1988-13-41", "unknown")
BAD_AMOUNTS = ("-145.20", "12,3x", "#REF!")


def spoiled(
    frame: pl.DataFrame, bad: Mapping[str, Sequence[str]], rng: np.random.Generator
) -> pl.DataFrame:
    """A frame of texts in which some rows have one value that cannot be read; nulls stay.

    Args:
        frame: Columns of texts.
        bad: For each column that may be spoilt the values that may stand there.
        rng: Source of randomness.
    """
    count = int(frame.height * MALFORMED)
    rows = rng.choice(frame.height, size=count, replace=False)
    which = rng.integers(0, len(bad), size=count)
    columns = []
    for at, (name, values) in enumerate(bad.items()):
        mine = rows[which == at]
        columns.append(frame[name].scatter(mine, rng.choice(np.array(values), size=len(mine))))
    return frame.with_columns(columns)


def blanked(
    frame: pl.DataFrame, rates: Mapping[str, float], rng: np.random.Generator
) -> pl.DataFrame:
    """The same rows, in which some values of the columns named are missing."""
    return frame.with_columns(
        pl.when(pl.Series(rng.random(frame.height) >= rate)).then(pl.col(name)).alias(name)
        for name, rate in rates.items()
    )


def repeated(frame: pl.DataFrame, rate: float, rng: np.random.Generator) -> pl.DataFrame:
    """The same columns and nulls with some rows twice, the copies at the end."""
    return pl.concat([frame, frame.filter(pl.Series(rng.random(frame.height) < rate))])


def shuffled(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The same columns and nulls in another order of rows: extracts are not sorted by household."""
    return frame[rng.permutation(frame.height)]
