"""New households by week: notifications that are counted as a series at a real node."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path

import numpy as np
from monthly import NOON, TOTAL, answer, in_series, permit, read
from region import AREAS, RISK_POLICY, TRAFFORD
from stage import COUNCIL, Stage

from folkmoot.attributes import Attribute
from folkmoot.release import Release
from folkmoot.rounds import Round
from folkmoot.series import Series, SeriesEvent
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.cumulative import StoredRelease, monthly_statistics
from folkmoot_node.home import open_home
from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.sources.connect import load_plugins

POLICY = f"""{RISK_POLICY}
[attributes.notified]
field = "notified"
"""
SOURCE = """
[[sources]]
name = "notifications"
kind = "notifications"
[sources.options]
days = 14
"""
MONDAY = datetime.date(2026, 11, 2)
WEEK = datetime.timedelta(days=7)


def weekly(position: int) -> Round:
    series = Series("6" * 32, position, 3, SeriesEvent("notified", ("yes",)), NOON + 90 * 86_400)
    workload = Workload(
        (
            Attribute("notified", ("no", "yes", "unknown")),
            Attribute("lsoa", (), {COUNCIL: AREAS[TRAFFORD]}),
        ),
        (Marginal(("notified", "lsoa")),),
    )
    digest = hashlib.sha256(POLICY.encode()).digest()
    return in_series(position, series=series, workload=workload, policy_digest=digest)


def run(home: Path, today: datetime.date, notified: list[tuple[int, datetime.date]]) -> None:
    """A run with the notifications that have arrived: number of the household, and date."""
    rows = [f"{10_000_000 + number},{date},case" for number, date in notified]
    text = "\n".join(["UPRN,NotificationDate,Event", *rows]) + "\n"
    (home / "extracts" / "notifications.csv").write_text(text)
    with open_home(home) as node:
        policy = load_policy(node.config.risk_policy)
        score(node.config, load_plugins(node.config), policy, today=today, judged=Judged())


def new_households(releases: dict[int, Release]) -> dict[int, int]:
    """By week, to the nearest household."""
    months = monthly_statistics(
        weekly(3),
        "R",
        {
            position: {COUNCIL: StoredRelease(np.array(one.counts.values), one.row)}
            for position, one in releases.items()
        },
    )
    found = {}
    for month in months:
        if str(month.measure) == "new":
            (of_council,) = (one for one in month.statistics if one.place == COUNCIL)
            yes = of_council.codes[0] == "yes"
            found[month.position] = round(float(of_council.value[yes].sum()))
    return found


def test_a_household_is_new_in_one_week_and_late_notifications_are_not_lost(stage: Stage) -> None:
    (stage.home / "risk-policy.toml").write_text(POLICY)
    with (stage.home / "node.toml").open("a") as file:
        file.write(SOURCE)
    policy = stage.home / "release-policy.toml"
    policy.write_text(policy.read_text().replace('["band", ', '["notified", "band", '))
    permit(stage.home)
    first = [(number, MONDAY - datetime.timedelta(days=number % 5)) for number in range(20)]
    # Twice notified, in two weeks and in one; and one who is notified, and enters late.
    second = [(number, MONDAY + WEEK) for number in range(15, 30)] + [(29, MONDAY + WEEK)]
    late = [(40, MONDAY + datetime.timedelta(days=1))]
    third = [(number, MONDAY + 2 * WEEK) for number in (3, 29, 50, 51)]
    arrived: list[tuple[int, datetime.date]] = []
    releases = {}
    with open_home(stage.home) as node:
        for position, more in enumerate((first, second, third + late), start=1):
            arrived += more
            run(stage.home, MONDAY + (position - 1) * WEEK, arrived)
            releases[position] = read(answer(stage, node, weekly(position)))
        assert sum(debit.rho.nano for debit in node.ledger.debits()) == TOTAL.nano
    assert new_households(releases) == {1: 20, 2: 10, 3: 3}
