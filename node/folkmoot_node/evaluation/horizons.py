"""How far what is known reaches: whether an outcome can be judged within its horizon."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from folkmoot_node.scoring.bound import Binding
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_operator.moments import months_later
from folkmoot_operator.problems import ExitCode, Problem


def require_reached(
    events: Sequence[str],
    months: int,
    date: datetime.date,
    binding: Binding,
    run: RunSummary,
    where: str,
) -> None:
    """Checks that the sources of an outcome reach to the end of the horizon of a date.

    Args:
        events: The outcome fields that it is made from.
        months: Its horizon.
        date: The date.
        binding: Which source has each.
        run: A run that has read them.
        where: What names the outcome, for messages.

    Raises:
        Problem: Exit code DATA, naming the last date that can be judged.
    """
    latest = {source.name: source.latest_record for source in run.sources}
    until = months_later(date, months)
    for event in events:
        source = binding.outcomes[event].source
        reached = latest[source]
        if reached is None:
            raise Problem(
                f"source {source} has no record of {event!r} with a date",
                where=where,
                remedy="Check its extract and its mapping",
                exit_code=ExitCode.DATA,
            )
        if reached < until:
            last = last_judged_date(reached, months)
            raise Problem(
                f"the horizon of {date.isoformat()} ends on "
                f"{until.isoformat()}, but source {source} reaches to {reached.isoformat()}",
                where=where,
                remedy=f"The last date that can be judged over {months} months is "
                f"{last.isoformat()}: take later dates out, or bring a newer extract",
                exit_code=ExitCode.DATA,
            )


def last_judged_date(reached: datetime.date, months: int) -> datetime.date:
    """The last date whose horizon has ended by a day."""
    date = months_later(reached, -months)
    while months_later(date + datetime.timedelta(1), months) <= reached:
        date += datetime.timedelta(1)
    return date
