"""Tables `[retention]` and `[rights]` of the casework policy."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import Field

from folkmoot_operator.moments import months_later
from folkmoot_operator.settings import Settings

Days = Annotated[int, Field(ge=1, le=10_000)]


class RetentionPolicy(Settings):
    """Table `[retention]`: for how long casework keeps what it holds.

    Attributes:
        closed_cases_days: Cases with all that belongs to them, after they were closed.
        openings_days: Which household was opened by whom, besides the log, which stays.
        cohort_runs_days: Which households were in a run of a cohort.
        rights_days: Objections and requests, after they were answered.
    """

    closed_cases_days: Days = 730
    openings_days: Days = 365
    cohort_runs_days: Days = 365
    rights_days: Days = 1_095


class RightsPolicy(Settings):
    """Table `[rights]`: what residents are told, and when they are answered.

    Attributes:
        answer_days: Days within which an objection or a request is answered; one calendar month
            if it is not given, as UK GDPR article 12(3) has it.
        contact: How residents reach whoever answers: one line each.
        decides: Who decides what happens, in words for residents.
    """

    answer_days: Annotated[int, Field(ge=1, le=92)] | None = None
    contact: tuple[str, ...] = ()
    decides: str = "a trained worker of the council"

    def due(self, received: datetime.date) -> datetime.date:
        """The last day on which what was received that day can be answered in time.

        In one calendar month: the same day of the next month, or its last day.
        """
        if self.answer_days is not None:
            return received + datetime.timedelta(days=self.answer_days)
        return months_later(received, 1)
