"""Rehearses nodes alone: councils with scores, without a region, a coordinator or rounds."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folkmoot_rehearsal import node_home, policies
from folkmoot_rehearsal.councils import Council
from folkmoot_rehearsal.launcher import Advance
from folkmoot_rehearsal.layout import Layout
from folkmoot_rehearsal.processes import Children
from folkmoot_rehearsal.synthesis import Recipe


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes that stand alone, scored.

    Attributes:
        homes: The home of each, by GSS code.
        scores: What each one's `score --json` says, by GSS code.
        people: Residents of all households.
        in_cohort: Households that belong to the worked example's cohort in truth, by GSS code.
        seconds: Wall-clock time.
    """

    homes: dict[str, Path]
    scores: dict[str, dict[str, Any]]
    people: int
    in_cohort: dict[str, int]
    seconds: float


def make_nodes(
    councils: tuple[Council, ...],
    recipe: Recipe,
    layout: Layout,
    children: Children,
    advance: Advance,
    *,
    link: bool = False,
) -> Nodes:
    """Makes and scores a node for each council.

    Args:
        councils: The councils.
        recipe: What decides the residents.
        layout: The folder to work in, prepared.
        children: Starts the processes.
        advance: Called as work progresses.
        link: Whether the nodes link records without a UPRN.

    Raises:
        Problem: If a command fails; names the log to read.
    """
    started = time.monotonic()
    scores: dict[str, dict[str, Any]] = {}
    people, in_cohort = 0, {}

    def node_of(council: Council) -> dict[str, Any]:
        written = drawn[council].result()
        node_home.make(
            council,
            written,
            recipe,
            layout,
            children,
            policies.GENEROUS,
            enrol=False,
            link=link,
        )
        return node_home.score(council, recipe, layout, children)

    # This process draws one council's residents while the nodes of others score.
    with ThreadPoolExecutor(1) as residents, ThreadPoolExecutor(os.cpu_count() or 1) as nodes:
        advance("Nodes", 0, len(councils))
        drawn = {c: residents.submit(node_home.draw, c, recipe, layout) for c in councils}
        tasks: dict[Future[dict[str, Any]], Council] = {
            nodes.submit(node_of, council): council for council in councils
        }
        try:
            for done, task in enumerate(as_completed(tasks), start=1):
                council = tasks[task]
                scores[str(council.code)] = task.result()
                written = drawn[council].result()
                people += written.people
                in_cohort[str(council.code)] = written.in_cohort
                advance("Nodes", done, len(councils))
        except BaseException:
            # What runs must end, or the pools would wait for all of it.
            children.stop()
            for pool in (residents, nodes):
                pool.shutdown(wait=False, cancel_futures=True)
            raise
    codes = [str(council.code) for council in councils]
    return Nodes(
        homes={str(council.code): layout.home(council) for council in councils},
        scores={code: scores[code] for code in codes},
        people=people,
        in_cohort={code: in_cohort[code] for code in codes},
        seconds=time.monotonic() - started,
    )
