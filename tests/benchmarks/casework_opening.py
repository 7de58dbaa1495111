"""Opening a household among a million: the page with its score, over HTTP, after its log entry.

Run as a script: it scores households once through the node, serves casework from a thread, and
times what a worker does: stating the reason, and the page of the score. Beside it stands the floor:
the same explanation with no site, no log and no policy. Nothing else should run on the machine
meanwhile.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import scoring

from folkmoot_node.casework.desk import Desk, desk_of_app
from folkmoot_node.casework.initialise import initialise
from folkmoot_node.casework.uk_time import uk_midnight
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.federation.identity import KeyFiles, create_policy_key
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.scoring.explain import explain_household
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.store.use import open_for_use
from tests.casework_council import CaseworkCouncil, serving_council
from tests.casework_opening import change_policy
from tests.ports import free_port
from tests.web_site import Browser, Clock, RunningSite

HOUSEHOLDS = 1_000_000
OPENINGS = 40
TARGET = 0.3
"""Seconds."""


Taken = tuple[float, float]
"""Seconds by the clock, and of processors: another load makes only the first longer."""


class Loaded:
    """In place of a desk's plugins, which are installed: the benchmark's factors are in none."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins

    def __call__(self) -> Plugins:
        return self._plugins

    def close(self) -> None:
        """Nothing to close: they run in this process."""


def timed(work: Callable[[], object]) -> Taken:
    """How long something takes."""
    start, worked = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - worked


def measure(site: RunningSite, desk: Desk, uprns: list[int]) -> dict[str, list[Taken]]:
    """Seconds of each opening, of each page, and of the explanation alone."""
    found: dict[str, list[Taken]] = {"open": [], "page": [], "explanation alone": []}
    manager = CaseworkCouncil(desk.config.home).visitor(desk, "manager")
    policy = load_policy(desk.config.risk_policy)

    def alone(uprn: int) -> None:
        with open_for_use(desk.config, desk.today()) as store:
            explain_household(store, desk.config, desk.plugins, policy, uprn, today=desk.today())

    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        token = worker.token("/sign-out")
        data = {"form_token": token, "reason": "A benchmark"}
        for uprn in uprns:
            with desk.state.database.writing() as session:
                case_id = desk.cases.open(
                    session, uprn, purpose="bench", why="A benchmark", by=manager
                )
            found["open"].append(
                timed(lambda at=case_id: worker.post(f"/cases/{at}/open", data=data))
            )
            found["page"].append(timed(lambda at=case_id: worker.get(f"/cases/{at}/score")))
            assert str(uprn) in worker.get(f"/cases/{case_id}/score").text
            found["explanation alone"].append(timed(lambda uprn=uprn: alone(uprn)))
    return found


def main(households: int = HOUSEHOLDS, threads: int = 2) -> dict[str, Any]:
    """Makes the scores, serves casework, and measures."""
    with TemporaryDirectory() as name:
        config = scoring.scored(Path(name), households, threads)
        home = config.home
        create_policy_key(KeyFiles.of(home))
        StateDatabase(config.state_path, create=True).close()
        initialise(home, listen=f"127.0.0.1:{free_port()}")
        council = CaseworkCouncil(home, clock=Clock(uk_midnight(scoring.REFERENCE) + 43_200))
        change_policy(council, ("per_day = 60 ", "per_day = 9000 "))
        with serving_council(council) as site:
            desk = desk_of_app(site.app)
            desk.__dict__["_plugins"] = Loaded(scoring.plugins())
            with desk.store() as store:
                bands = store.bands()
            step = max(1, bands.height // OPENINGS)
            found = measure(site, desk, bands["uprn"].to_list()[::step][:OPENINGS])
    return {
        "households": bands.height,
        "openings": len(found["page"]),
        "target_seconds": TARGET,
        "taken": {what: _summary(taken) for what, taken in found.items()},
    }


def _summary(taken: list[Taken]) -> dict[str, float]:
    clock, processor = zip(*taken, strict=True)
    return {
        "median": statistics.median(clock),
        "slowest": max(clock),
        "processor": statistics.median(processor),
    }


def told(found: dict[str, Any]) -> str:
    """The figures, line by line."""
    lines = [f"Opening {found['openings']} of {found['households']:,} households at the site:"]
    for what, taken in found["taken"].items():
        target = f" (target {found['target_seconds']} s)" if what == "page" else ""
        lines.append(
            f"  {what:18} median {taken['median']:.3f} s{target}, slowest {taken['slowest']:.3f} "
            f"s, of processors {taken['processor']:.3f} s"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print(told(main(options.households, options.threads)))
