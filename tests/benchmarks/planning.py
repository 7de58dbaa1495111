"""Planning a round over 1,000 areas, 5 bands, 6 age groups and 12 binary factors.

All marginals of up to two, and of up to three attributes, for one council and for ten, for
both objectives. Planning is what the coordinator does before it signs and what each node does
again; a forecast is that and all that `round plan` says. Times are of the processor, so that
other work on the machine does not count.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import Any

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot.rounds import Mechanism, Round
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.planning.cell_sizes import EqualCells
from folkmoot_coordinator.planning.forecast import Forecast
from folkmoot_coordinator.planning.forecast_json import as_json
from folkmoot_coordinator.rounds.objective import Objective, planned

LIMIT_SECONDS = 5
HOUSEHOLDS_PER_COUNCIL = 400_000


def question(ways: int, councils: int) -> Round:
    """A round that asks for all marginals of up to `ways` attributes."""
    invited = tuple(GssCode(f"E080000{number:02}") for number in range(1, councils + 1))
    areas = {
        council: tuple(f"E01{at:02}{area:04}" for area in range(1000))
        for at, council in enumerate(invited)
    }
    attributes = (
        Attribute("area", by_council=areas, others=True),
        Attribute("band", ("none", "low", "medium", "high", "highest")),
        Attribute("age", ("under_16", "16_24", "25_44", "45_64", "65_74", "75_over")),
        *(Attribute(f"factor{at}", ("no", "yes")) for at in range(12)),
    )
    names = [attribute.name for attribute in attributes]
    marginals = tuple(
        Marginal(chosen)
        for size in range(ways + 1)
        for chosen in itertools.combinations(names, size)
    )
    return Round(
        round_id="0" * 32,
        title="",
        purpose="bench",
        councils=invited,
        minimum_councils=1,
        policy_digest=bytes(32),
        workload=Workload(attributes, marginals),
        loss=Rho.of("0.5"),
        mechanism=Mechanism.DISCRETE_GAUSSIAN,
        delta=Delta.of("1e-6"),
        opened_at=1,
        deadline=2,
    )


def measure(ways: int, councils: int, objective: Objective) -> dict[str, Any]:
    """Seconds of the processor for one case."""
    asked = question(ways, councils)
    begin = time.process_time()
    workload, planning = planned(asked.workload, asked.councils, objective)
    signed = replace(asked, workload=workload)
    for council in signed.councils:
        signed.plan(council)
    plan_seconds = time.process_time() - begin
    begin = time.process_time()
    sizes = EqualCells.of_region(signed, HOUSEHOLDS_PER_COUNCIL * councils)
    as_json(Forecast(signed, planning, sizes))
    return {
        "ways": ways,
        "councils": councils,
        "objective": objective.value,
        "marginals": len(workload.marginals),
        "plan_seconds": plan_seconds,
        "forecast_seconds": time.process_time() - begin,
        "above_optimum_at_most": planning.excess,
        "limit_seconds": LIMIT_SECONDS,
    }


def main() -> list[dict[str, Any]]:
    """Measures every case."""
    return [
        measure(ways, councils, objective)
        for ways in (2, 3)
        for councils in (1, 10)
        for objective in Objective
    ]


if __name__ == "__main__":
    import json

    print(json.dumps(main(), indent=2))
