"""A series in a real region: processes, TLS, and `kill -9` between any two steps."""

from __future__ import annotations

import datetime
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from region import AREAS, BURY, TRAFFORD, Node, Region
from test_kill import visit

from folkmoot.privacy import Rho
from folkmoot.series import charges
from folkmoot_node.home import open_home
from folkmoot_node.release.steps import AnswerStage
from tests.night import by_night

COUNTED_AGAIN_UNTIL = (AnswerStage.SAMPLED, AnswerStage.STORED)
TOTAL = "400"
"""So much that noise is small beside one household; a test can then count."""


def permit(node: Node) -> None:
    policy = node.home / "release-policy.toml"
    lines = [
        line
        for line in policy.read_text().splitlines()
        if not line.startswith(("per_round", "per_period", "lifetime"))
    ]
    at = lines.index("[loss]") + 1
    limits = ["per_series = 400", "per_round = 400", "per_period = 4000", "lifetime = 4000"]
    policy.write_text("\n".join([*lines[:at], *limits, *lines[at:]]) + "\n")
    node.run("policy", "sign", "--signer", "A tester")


@pytest.fixture(scope="module")
def nodes(region: Region) -> Iterator[dict[str, Node]]:
    made = {}
    for council in (TRAFFORD, BURY):
        node = region.new_node(council)
        permit(node)
        made[council] = node
    yield made
    for node in made.values():
        node.json("ledger", "verify")


def score(node: Node, council: str, owing: set[int]) -> None:
    areas = AREAS[council]
    node.write_extract(
        [
            f"{10_000_000 + number},{5000 if number in owing else 0}.00,"
            f"{'Y' if number in owing else 'N'},{areas[number % len(areas)]}"
            for number in range(120)
        ]
    )
    # Months differ by more than a council would believe.
    accepted = ("--reason", "a test", "--until", "2099-12-31")
    node.run("sources", "accept", "council_tax", *accepted)
    node.run("score")


def series_file(region: Region, councils: list[str], rounds: int = 3) -> Path:
    areas = region.folder / "series-areas.csv"
    areas.write_text(
        "council,area\n"
        + "".join(f"{council},{area}\n" for council in councils for area in AREAS[council])
    )
    file = region.folder / "series.toml"
    file.write_text(
        f"""
title = "In need for the first time this year"
purpose = "winter_support"
policy = "{region.folder / councils[0] / "risk-policy.toml"}"
councils = {json.dumps(councils)}
minimum_councils = 1
rho = {TOTAL}
delta = 1e-6
deadline_hours = 1
[[attributes]]
name = "lsoa"
areas = "{areas}"
[[marginals]]
attributes = ["lsoa"]
[[marginals]]
attributes = []
[series]
rounds = {rounds}
until = {datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=365)}
[series.event]
attribute = "band"
codes = ["high"]
"""
    )
    return file


def by_area(areas: tuple[str, ...], *owing: set[int]) -> dict[str, int]:
    together = set().union(*owing)
    return {
        area: sum(number % len(areas) == at for number in together) for at, area in enumerate(areas)
    }


def exported(
    region: Region, council: str, round_id: str = "latest"
) -> dict[tuple[int, str], dict[str, int]]:
    out = region.folder / "results"
    published = region.json("export", round_id, "--out", out)
    table = pl.read_parquet(published["parquet"]).filter(
        (pl.col("place") == council) & (pl.col("marginal") == "lsoa")
    )
    found: dict[tuple[int, str], dict[str, int]] = {}
    for row in table.iter_rows(named=True):
        if row["lsoa"] != "(other)":
            key = row["month"], row["measure"]
            found.setdefault(key, {})[row["lsoa"]] = round(row["value"])
    return found


MONTHS = [set(range(30)), set(range(20, 50)), set(range(0, 120, 7))]


@pytest.mark.slow
def test_three_months_of_two_councils(region: Region, nodes: dict[str, Node]) -> None:
    file = series_file(region, [BURY, TRAFFORD])
    planned = region.json("series", "plan", file)
    assert [Rho.of(one["charge"]) for one in planned["rounds"]] == list(charges(Rho.of(TOTAL), 3))
    assert "one by" in region.run("series", "plan", file)
    for month, owing in enumerate(MONTHS, start=1):
        if month == 1:
            round_id = region.json("series", "open", file)["round_id"]
        else:
            round_id = region.json("series", "next", "latest")["round_id"]
        for council, node in nodes.items():
            if (council, month) == (BURY, 2):
                continue
            score(node, council, owing)
            node.run("release", round_id)
        if month == 2:
            region.run("round", "close", round_id)
    shown = region.json("series", "show", "latest")
    assert [one["released"] for one in shown["opened"]] == [
        [BURY, TRAFFORD], [TRAFFORD], [BURY, TRAFFORD],
    ]  # fmt: skip
    areas = AREAS[TRAFFORD]
    first, second, third = MONTHS
    assert exported(region, TRAFFORD) == {
        (1, "cumulative"): by_area(areas, first),
        (1, "new"): by_area(areas, first),
        (2, "cumulative"): by_area(areas, first, second),
        (2, "new"): by_area(areas, second - first),
        (3, "cumulative"): by_area(areas, *MONTHS),
        (3, "new"): by_area(areas, third - first - second),
    }
    assert exported(region, BURY)[3, "cumulative"] == by_area(AREAS[BURY], first, third)
    assert "rho" in region.run("export", "latest", "--out", region.folder / "results")
    node = nodes[TRAFFORD]
    with open_home(node.home) as home:
        series_id = shown["series_id"]
        assert not home.config.history_path(series_id).exists()  # the series has ended
        spent = sum(debit.rho.nano for debit in home.ledger.debits())
        assert spent == Rho.of(TOTAL).nano


@pytest.mark.slow
@pytest.mark.parametrize(
    "step",
    by_night(
        # By day the last step after which the month is counted again, and the next.
        sorted(AnswerStage, key=lambda step: step not in COUNTED_AGAIN_UNTIL),
        by_day=2,
    ),
    ids=lambda step: step.name,
)
def test_killed_in_the_second_month(
    region: Region, nodes: dict[str, Node], step: AnswerStage
) -> None:
    """After the kill scores change; what was counted before the kill has not left."""
    node = nodes[TRAFFORD]
    first = region.json("series", "open", series_file(region, [TRAFFORD]))
    score(node, TRAFFORD, MONTHS[0])
    assert visit(node, "count", 0).code == 0
    second = region.json("series", "next", "latest")["round_id"]
    score(node, TRAFFORD, set(range(60, 100)))
    assert visit(node, "step", step.name).code == -signal.SIGKILL
    score(node, TRAFFORD, MONTHS[1])
    after = visit(node, "count", 0)
    assert after.code == 0, after.stderr
    counted = set(range(60, 100))  # if the answer was stored before the kill
    if step in {AnswerStage.TABULATED, AnswerStage.DEBITED, AnswerStage.SAMPLED}:
        counted = MONTHS[1]
    assert region.json("round", "show", second)["state"] == "complete"
    found = exported(region, TRAFFORD, second)
    assert {position for position, _ in found} == {1, 2}
    assert found[2, "new"] == by_area(AREAS[TRAFFORD], counted - MONTHS[0])
    with open_home(node.home) as home:
        ids = {first["round_id"], second}
        paid = [debit.rho for debit in home.ledger.debits() if debit.round_id in ids]
        assert paid == list(charges(Rho.of(TOTAL), 3)[:2])
        sent = {
            entry.sha256
            for entry in home.egress.departures()
            if entry.method.endswith("Submit") and entry.round_id == second
        }
        assert len(sent) == 1
        home.verify_evidence()
