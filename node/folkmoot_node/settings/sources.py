"""Tables `[[sources]]` of `node.toml`: where records come from, and what may change in them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from folkmoot_node.settings.slug import Slug
from folkmoot_operator.settings import Settings


class SourceLinkageSettings(Settings):
    """Table `linkage` of one `[[sources]]` table.

    Attributes:
        minimum_share: As `linkage.minimum_share`, for this source.
    """

    minimum_share: Annotated[float, Field(ge=0, le=1)] | None = None


class ChangeLimits(Settings):
    """Table `change` of one `[[sources]]` table: what may change from run to run. Beyond it a
    run stops until a person accepts it.

    Attributes:
        records: Relative change of the number of records.
        sums: Relative change of the sum of an amount.
        linked: Change of the share of records that have found a household, as a fraction: 0.05
            is five points.
    """

    records: Annotated[float, Field(ge=0)] = 0.20
    sums: Annotated[float, Field(ge=0)] = 0.30
    linked: Annotated[float, Field(ge=0, le=1)] = 0.05


class SourceSettings(Settings):
    """One `[[sources]]` table.

    Attributes:
        name: Slug of the source in this node.
        kind: Sort of source, as a plugin registers it.
        area_field: For a source about areas: the household field that holds the area by
            which it is joined, for example `lsoa`.
        options: Options of that sort of source; its plugin checks them.
        linkage: How many of its records must find a household.
        change: What may change from run to run.
    """

    name: Slug
    kind: str
    area_field: Slug | None = None
    options: dict[str, Any] = {}
    linkage: SourceLinkageSettings = SourceLinkageSettings()
    change: ChangeLimits = ChangeLimits()
