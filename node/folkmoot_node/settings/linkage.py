"""Table `[linkage]` of `node.toml`: how households are found for records without a UPRN."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from folkmoot_node.settings.people import PersonSettings
from folkmoot_operator.settings import Settings

Bits = Annotated[float, Field(ge=-20, le=200)]


class AddressSettings(Settings):
    """Table `[linkage.addresses]`; if it is there, records are linked by their address.

    Attributes:
        match_weight: Smallest match weight of a link, in bits: log2 of how many times likelier
            the evidence is if both are one address. Exact addresses need none.
        distinguishability: Smallest difference to the weight of the next candidate, in bits.
        review_weight: Smallest match weight at which a record that is not linked goes to
            clerical review; below it the record is unlinked.
        candidates: Maximum number of candidates for a record in the review file.
    """

    match_weight: Bits = 4.0
    distinguishability: Annotated[float, Field(ge=0, le=200)] = 2.0
    review_weight: Bits = -5.0
    candidates: Annotated[int, Field(ge=1, le=5)] = 5

    @model_validator(mode="after")
    def _review_comes_before_a_link(self) -> AddressSettings:
        if self.review_weight > self.match_weight:
            raise ValueError("review_weight is above match_weight; nothing could be reviewed")
        return self


class LinkageSettings(Settings):
    """Table `[linkage]`.

    Attributes:
        addresses: How records are linked by address; not at all if the table is missing.
        people: How records are linked by whom they are about; not at all if the table is
            missing.
        review_folder: Where the files for clerical review are.
        communal_field: Boolean field of the frame that is true for communal establishments,
            such as care homes; ignored where the frame does not have it.
        communal_households: Whether communal establishments are scored as households.
        minimum_share: Share of a source's records, from 0 to 1, that must find a household if
            households without one have a value by that; of homes that must have an area. A run
            stops below it until a person accepts the source.
        report_area: Household field with the area by which the report counts linked
            records; the first attribute of the policy that is an area if it is missing.
    """

    addresses: AddressSettings | None = None
    people: PersonSettings | None = None
    review_folder: Path = Path("review")
    communal_field: str = "is_communal"
    communal_households: bool = False
    minimum_share: Annotated[float, Field(ge=0, le=1)] = 0.95
    report_area: str | None = None
