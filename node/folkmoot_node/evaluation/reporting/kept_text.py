"""What was kept for rounds, in plain English."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.evaluation.for_rounds import KeptForRounds


def lines_of(kept: KeptForRounds) -> Iterator[str]:
    """For the operator, line by line."""
    run = kept.run
    yield (
        f"{run.households:,} households are kept as they were known on "
        f"{run.reference_date.isoformat()}. Rounds that ask for an outcome are counted from them, "
        f"until {kept.last_day.isoformat()}."
    )
    horizons = (f"{name} (until {day.isoformat()})" for name, day in kept.outcomes.items())
    yield f"Outcomes: {', '.join(horizons)}."
    others = ", ".join(name for name in run.stored if name not in kept.outcomes)
    yield f"Other attributes, as known then: {others}."
    if kept.undated:
        yield f"Without record dates, read as they are today: {', '.join(kept.undated)}."
    for doubt in kept.doubts:
        yield f"Look at {doubt}."
    yield (
        "The release policy decides which of them may be asked for, and the ledger pays for each "
        "round."
    )
