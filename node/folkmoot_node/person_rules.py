"""How certain a link of people must be, and what holds for several households.

Apart from the linkage itself, so that settings can be read without its libraries.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import Enum

CHUNK = 20_000
"""Records that are compared at a time; bounds memory."""


class SeveralHouseholds(Enum):
    """Where a record counts whose person lives in several households at once."""

    ALL = "all"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class PersonRules:
    """How certain is certain enough, and what holds for several households.

    Attributes:
        accept: Least probability, from 0 to 1, at which a record is linked.
        review: Least probability of a candidate for review, at most `accept`.
        several_households: Where a record counts whose person lives in several at once.
        nhs_numbers: Whether NHS numbers are compared.
        reference_date: Records of known people that are younger do not count.
        threads: Threads of the database.
        chunk: Records that are compared at a time.
    """

    accept: float = 0.99
    review: float = 0.5
    several_households: SeveralHouseholds = SeveralHouseholds.ALL
    nhs_numbers: bool = False
    reference_date: datetime.date = datetime.date.max
    threads: int = 2
    chunk: int = CHUNK
