"""How an attribute of a household decides its cell on one axis of a round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from folkmoot.attributes import OTHER, Attribute
from folkmoot.geography import GssCode
from folkmoot.hierarchy import Axis
from folkmoot.workload import Workload


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """One attribute of households, and the cells of its axis.

    Attributes:
        attribute: Its name.
        codes: The codes that have a cell of their own, in the order of the finest cells.
        other: Finest cell of all other codes; -1 if they have none.
        cells: For each depth, from 1, the cell of each finest cell.
        sizes: For each depth, from 1, the number of cells.
    """

    attribute: str
    codes: tuple[str, ...]
    other: int
    cells: tuple[npt.NDArray[np.int64], ...]
    sizes: tuple[int, ...]


def classify(
    workload: Workload, attribute: Attribute, axis: Axis, council: GssCode
) -> Classification:
    """The classification of one council's households.

    Args:
        workload: What the round asks for.
        attribute: The finest attribute of the axis that the round declares.
        axis: The axis; its levels are this attribute, or attributes it nests in.
        council: Whose households are counted.
    """
    finest = attribute.codes_of(council)
    cells = []
    for level in axis.levels:
        place = {code: at for at, code in enumerate(level.codes)}
        found = [place[workload.ancestor(attribute.name, code, level.attribute)] for code in finest]
        cells.append(np.array(found, dtype=np.int64))
    return Classification(
        attribute=attribute.name,
        codes=tuple(code for code in finest if code != OTHER),
        other=len(finest) - 1 if attribute.others else -1,
        cells=tuple(cells),
        sizes=tuple(len(level.codes) for level in axis.levels),
    )


def add_up(
    used: Sequence[tuple[Classification, int, npt.NDArray[np.int64]]],
    values: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """A table of sums over cells.

    Args:
        used: For each axis of the table its classification, the depth, and the finest cell
            of each value.
        values: What is summed, int64, shape (values,).

    Returns:
        Flat int64 array, the last axis fastest; 0 where a cell is empty.
    """
    place = np.zeros(values.shape, dtype=np.int64)
    for one, depth, finest in used:
        place = place * one.sizes[depth - 1] + one.cells[depth - 1][finest]
    table = np.zeros(math.prod(one.sizes[depth - 1] for one, depth, _ in used), dtype=np.int64)
    np.add.at(table, place, values)
    return table
