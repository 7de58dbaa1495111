"""What a person has accepted about a source, so that scoring goes on."""

from __future__ import annotations

import datetime

from pydantic import BaseModel, ConfigDict


class Acceptance(BaseModel):
    """What a person has accepted about a source, so that runs go on.

    Attributes:
        source: Its name.
        reason: In the person's words.
        until: Last day on which it holds.
        by: Account of the person.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    reason: str
    until: datetime.date
    by: str
