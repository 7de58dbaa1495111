"""What became of one source's records in a scoring run. For the operator's eyes on the node."""

from __future__ import annotations

import datetime

from pydantic import BaseModel, ConfigDict

from folkmoot_node.policies.acceptance import Acceptance


class SummaryPart(BaseModel):
    """A part of a summary, as it is kept: of known keys alone, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OriginFile(SummaryPart):
    """A file or table that was read.

    Attributes:
        name: As the source names it.
        sha256: Digest of the file, hexadecimal; empty for a table.
    """

    name: str
    sha256: str


class RejectedReason(SummaryPart):
    """Values of one field that could not be read for one reason.

    Attributes:
        field: Column of the file; empty for whole rows.
        reason: What is wrong with them, without the values.
        values: How many.
    """

    field: str
    reason: str
    values: int


class SourceSummary(SummaryPart):
    """What became of one source's records.

    Attributes:
        name: Name in `node.toml`.
        data_set: Name of its schema.
        supplier: Who supplies the data.
        plugin: Distribution, version and entry point.
        files: What was read, in order.
        fields: Fields that were read; no other was.
        records: Records that were read, wholly or in part.
        lost: Records of which nothing could be read; they have found no household.
        rejected: Records in quarantine: those that are lost, and those that were read in part.
        rejected_fields: Rejections by field.
        rejected_reasons: Rejections by field and kind of reason, the most frequent first.
        quarantine: The quarantine file; empty if nothing was rejected.
        left_out: Sound records that the source left out on purpose, by reason.
        linked: Records of households in the frame, however they were linked.
        no_uprn: Records that came without a UPRN.
        not_in_frame: Records of a UPRN that is not in the frame.
        latest_record: Latest record date, None if the source has none.
        about_areas: True if its records are about areas, not households or people.
        communal: Records of communal establishments, which are no households.
        by_address: Linked records without a UPRN whose address is that of one home.
        by_person: Linked records without a UPRN, of a person whose household another source
            knows.
        by_review: Linked records without a UPRN whose home a person confirmed.
        ambiguous: Records without a UPRN that wait for clerical review.
        unlinked: Records without a UPRN whose home was not found, and of which nobody is
            asked.
        linked_areas: Linked records by area.
        unlinked_sectors: Ambiguous and unlinked records by the sector of their postcode.
        sums: Sums of known amounts, by field.
        most_at_one_home: Records of the household that has the most.
        rounded: Records whose UPRN ends in 00000.
        homes_without_area: By area field: homes whose area is not known; for a source about
            areas, homes of whose area it has no record.
        foreign_areas: For the frame, by area field: some of the codes that belong to another
            country than the council.
        unstated_areas: The type of its areas, if it is joined by a field that does not say
            which areas it holds; else empty.
        trusts_absence: Whether a household without a record has a value by that.
        doubts: What was found about the source, with figures; all of it accepted, or no reason
            to stop.
        accepted: What a person has accepted about it; None if nothing was to accept.
        notes: What the source decided about its files, such as which extract is the newest.
    """

    name: str
    data_set: str
    supplier: str
    plugin: str
    files: tuple[OriginFile, ...]
    fields: tuple[str, ...]
    records: int
    rejected: int
    rejected_fields: dict[str, int]
    quarantine: str
    linked: int
    no_uprn: int
    not_in_frame: int
    latest_record: datetime.date | None
    left_out: dict[str, int] = {}
    about_areas: bool = False
    communal: int = 0
    by_address: int = 0
    by_person: int = 0
    by_review: int = 0
    ambiguous: int = 0
    unlinked: int = 0
    linked_areas: dict[str, int] = {}
    unlinked_sectors: dict[str, int] = {}
    lost: int = 0
    sums: dict[str, float] = {}
    most_at_one_home: int = 0
    rounded: int = 0
    homes_without_area: dict[str, int] = {}
    foreign_areas: dict[str, tuple[str, ...]] = {}
    unstated_areas: str = ""
    trusts_absence: bool = False
    doubts: tuple[str, ...] = ()
    accepted: Acceptance | None = None
    rejected_reasons: tuple[RejectedReason, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def share_linked(self) -> float:
        """Share of its records, from 0 to 1, that have found a household or a communal
        establishment; 1 if it has none.
        """
        all_ = self.records + self.lost
        return (self.linked + self.communal) / all_ if all_ else 1.0

    @property
    def share_counted(self) -> float:
        """The same without the records that were linked by person, which rounds do not count."""
        all_ = self.records + self.lost
        return (self.linked + self.communal - self.by_person) / all_ if all_ else 1.0

    @property
    def by_uprn(self) -> int:
        """Records that were linked by their own UPRN."""
        return self.linked - self.by_address - self.by_person - self.by_review


def share_in_words(share: float) -> str:
    """A share in whole per cent, never rounded to all or nothing: `97 %`, `over 99 %`.

    Args:
        share: From 0 to 1.
    """
    whole = round(100 * share)
    if whole == 0 and share > 0:
        return "under 1 %"
    if whole == 100 and share < 1:
        return "over 99 %"
    return f"{whole} %"
