"""One partition, scored: what goes into the store, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

from folkmoot_node.households.assemble import PartitionRecords
from folkmoot_node.store.run_summary import CorrectionsSummary


class PartitionOutcome(BaseModel):
    """What is told of a scored partition.

    Attributes:
        bands: Households by band, ascending.
        incomplete: Households of which some factor is unknown.
        records: What became of each source's records.
        corrections: What decisions about objections changed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bands: tuple[int, ...]
    incomplete: int
    records: dict[str, PartitionRecords]
    corrections: CorrectionsSummary = CorrectionsSummary()


@dataclass(frozen=True, slots=True)
class ScoredPartition:
    """One partition, scored.

    Attributes:
        counted: Columns of the table `households`, without nulls.
        details: Inputs and contributions.
        bands: Households by band, ascending.
        incomplete: Households of which some factor is unknown.
        records: What became of each source's records.
        corrections: What decisions about objections changed.
    """

    counted: Mapping[str, npt.NDArray[np.generic]]
    details: pl.DataFrame
    bands: tuple[int, ...]
    incomplete: int
    records: Mapping[str, PartitionRecords]
    corrections: CorrectionsSummary

    @property
    def outcome(self) -> PartitionOutcome:
        """What is told of it."""
        return PartitionOutcome(
            bands=self.bands,
            incomplete=self.incomplete,
            records=dict(self.records),
            corrections=self.corrections,
        )
