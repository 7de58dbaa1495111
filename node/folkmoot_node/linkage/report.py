"""How well the last run linked each source's records. It stays on the node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.source_summary import SourceSummary


@dataclass(frozen=True, slots=True)
class SourceLinkage:
    """What became of one source's records; all but `records`, `rejected` and `share` add up to it.

    Records of communal establishments are counted as communal however they were linked,
    those of homes outside the frame as not in the frame.

    Attributes:
        source: Its name.
        records: All records.
        by_uprn: Linked to a household by their own UPRN.
        by_address: Linked by address.
        by_person: Linked by whom they are about.
        by_review: Linked as a person confirmed.
        ambiguous: Wait for clerical review.
        unlinked: Without a UPRN, and no home was found.
        communal: Of communal establishments.
        not_in_frame: Of UPRNs that are not in the frame.
        lost: Nothing of the record could be read.
        rejected: Of which something could not be read: the lost, and others.
        share: Share of the records, from 0 to 1, that have found a household.
    """

    source: str
    records: int
    by_uprn: int
    by_address: int
    by_person: int
    by_review: int
    ambiguous: int
    unlinked: int
    communal: int
    not_in_frame: int
    lost: int
    rejected: int
    share: float


@dataclass(frozen=True, slots=True)
class LinkageReport:
    """The report.

    Attributes:
        run_id: The run.
        sources: One entry each, in the order of `node.toml`.
        linked_areas: By source: linked records by area.
        unlinked_sectors: By source: ambiguous and unlinked records by postcode sector.
    """

    run_id: str
    sources: tuple[SourceLinkage, ...]
    linked_areas: dict[str, dict[str, int]]
    unlinked_sectors: dict[str, dict[str, int]]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "run_id": self.run_id,
            "sources": [asdict(source) for source in self.sources],
            "linked_areas": self.linked_areas,
            "unlinked_sectors": self.unlinked_sectors,
        }


def linkage_report(run: RunSummary, only: Sequence[str] = ()) -> LinkageReport:
    """Makes the report of a run.

    Args:
        run: The run.
        only: Names of sources; all if empty.
    """
    chosen = [source for source in run.sources if not only or source.name in only]
    return LinkageReport(
        run.run_id,
        tuple(_linkage(source) for source in chosen),
        {source.name: dict(source.linked_areas) for source in chosen},
        {source.name: dict(source.unlinked_sectors) for source in chosen},
    )


def _linkage(source: SourceSummary) -> SourceLinkage:
    return SourceLinkage(
        source=source.name,
        records=source.records + source.lost,
        by_uprn=source.by_uprn,
        by_address=source.by_address,
        by_person=source.by_person,
        by_review=source.by_review,
        ambiguous=source.ambiguous,
        unlinked=source.unlinked,
        communal=source.communal,
        not_in_frame=source.not_in_frame,
        lost=source.lost,
        rejected=source.rejected,
        share=source.share_linked,
    )
