"""Table `[scrutiny]` of `node.toml`: whether what the node does has to be what was approved."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from folkmoot_operator.settings import Settings


class Stop(StrEnum):
    """A way in which the configuration can leave the approved dossier."""

    NEW_SOURCE = "new_source"
    NEW_FACTOR = "new_factor"
    WEIGHT_CHANGED = "weight_changed"
    SUNSET_MOVED = "sunset_moved"
    PLUGIN_IN_PROCESS = "plugin_in_process"
    ROLE_ADDED = "role_added"
    ANY_CHANGE = "any_change"


NAMED = tuple(stop for stop in Stop if stop is not Stop.ANY_CHANGE)
"""What stops where the council has not chosen."""


class ScrutinySettings(Settings):
    """Table `[scrutiny]`.

    Attributes:
        require_approved: Whether scoring and releasing stop when the configuration has left the
            dossier that was approved last, in a way that `stops` lists; and where none was.
        stops: In which ways.
        weight_change: For `weight_changed`: share of a factor's approved weight by which it may
            change without a new approval, from 0 to 1.
    """

    require_approved: bool = False
    stops: tuple[Stop, ...] = NAMED
    weight_change: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.1

    @model_validator(mode="after")
    def _something_stops(self) -> ScrutinySettings:
        if self.require_approved and not self.stops:
            raise ValueError(
                "stops is empty, so that an approval would never end; name at least one, or set "
                "require_approved = false"
            )
        return self
