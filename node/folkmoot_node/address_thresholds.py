"""When an address is taken for that of a home, and when a person is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AddressThresholds:
    """When a candidate is taken, and when a person is asked.

    Attributes:
        match_weight: Smallest match weight of a link, in bits: log2 of how many times
            likelier the evidence is if both are one address. Exact addresses need none.
        distinguishability: Smallest difference to the weight of the next candidate, in bits.
        review_weight: Smallest match weight at which a record that is not linked is worth a
            person's look; below it a record is unlinked.
        candidates: How many candidates a person is shown at most.
    """

    match_weight: float = 4.0
    distinguishability: float = 2.0
    review_weight: float = -5.0
    candidates: int = 5
