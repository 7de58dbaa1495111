"""What docs/analysis.md tells analysts to do gives what the coordinator computes."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from folkmoot.attributes import Attribute
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.publication import estimable
from folkmoot_coordinator.publication.named_sums import estimates
from folkmoot_coordinator.publication.round_files import publish
from folkmoot_coordinator.publication.round_result import RoundResult, round_result
from folkmoot_coordinator.publication.series_files import publish_series
from folkmoot_coordinator.publication.sum_file import CellEntry, Expression, read_expressions
from tests.tables import measured
from tests.unit.coordinator.aggregation.test_cumulative import result as result_of_series
from tests.unit.coordinator.aggregation.test_cumulative import whole
from tests.unit.coordinator.conftest import BOLTON, BURY, small_round

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

DOCUMENT = Path(__file__).parents[4] / "docs" / "analysis.md"
RULE = re.compile(r"rows of one `level` and one `marginal`", re.I)
WARDS = {BOLTON: ("W1", "W2"), BURY: ("W3",)}
PARENTS = {"L1": "W1", "L2": "W1", "L3": "W2", "L4": "W1", "M1": "W3", "M2": "W3"}
LSOAS = {BOLTON: ("L1", "L2", "L3", "L4"), BURY: ("M1", "M2")}
SCHOOLS = {BOLTON: ("S1", "S2"), BURY: ("T1",)}


def areas(*, others: bool = True) -> tuple[Attribute, Attribute]:
    return (
        Attribute("ward", by_council=WARDS, others=others),
        Attribute("lsoa", by_council=LSOAS, others=others, within="ward", parents=PARENTS),
    )


BAND = Attribute("band", ("none", "low", "high"))
TENURE = Attribute("tenure", ("own", "rent"), others=True)
WORKLOADS = {
    "nested": Workload(
        (*areas(), BAND, TENURE),
        (
            Marginal(("band", "lsoa"), 2),
            Marginal(("ward", "tenure")),
            Marginal(("band", "tenure")),
            Marginal(()),
        ),
    ),
    "without others": Workload(
        (*areas(others=False), BAND), (Marginal(("lsoa",)), Marginal(("band", "ward")))
    ),
    "two kinds of areas": Workload(
        (
            Attribute("lsoa", by_council=LSOAS, others=True),
            Attribute("school", by_council=SCHOOLS),
            BAND,
        ),
        (Marginal(("lsoa", "school")), Marginal(("band",)), Marginal(("school",))),
    ),
    "no areas": Workload((BAND, TENURE), (Marginal(("band", "tenure")), Marginal(("tenure",)))),
}


def released(office: Office, workload: Workload) -> RoundResult:
    """Both councils released numbers of some size."""
    round_ = replace(
        small_round(workload=workload), opened_at=office.clock(), deadline=office.clock() + 3600
    )
    stored = office.open(round_)
    rng = np.random.default_rng(5)
    for council in (BOLTON, BURY):
        rows = stored.round_.plan(council).rows
        office.release(stored, council, rng.integers(-300, 900, rows).tolist())
    return round_result(office.database, "Greater Manchester", "latest")


@pytest.mark.parametrize("name", WORKLOADS)
def test_rows_of_one_level_and_one_marginal_sum_to_the_total(
    office: Office, tmp_path: Path, name: str
) -> None:
    for document in (DOCUMENT, DOCUMENT.parents[1] / "README.md"):
        assert RULE.search(" ".join(document.read_text("utf-8").split()))
    publication = publish(released(office, WORKLOADS[name]), tmp_path)
    assert publication.parquet is not None
    table = pl.read_parquet(publication.parquet)
    sums = table.group_by("level", "marginal").agg(
        pl.col("value").sum(), pl.col("presentable").sum()
    )
    levels = set(sums["level"])
    assert {"council", "region"} <= levels
    assert ("all_areas" in levels) == (name != "no areas")
    assert sums["value"].to_numpy() == pytest.approx(sums["value"][0], rel=1e-9)
    shown = set(sums.filter(pl.col("presentable") > 0)["presentable"])
    assert len(shown) == 1


def test_rows_of_a_series_sum_to_the_total_of_their_month_and_measure(
    office: Office, tmp_path: Path
) -> None:
    whole(office, skip={BURY: {2}})
    publication = publish_series(result_of_series(office), tmp_path)
    assert publication.parquet is not None
    table = pl.read_parquet(publication.parquet)
    sums = table.group_by("month", "measure", "level", "marginal").agg(pl.col("value").sum())
    for _, of_month in sums.group_by("month", "measure"):
        assert len(set(of_month["level"])) == 3
        assert of_month["value"].to_numpy() == pytest.approx(of_month["value"][0], abs=1e-6)


def scripts() -> Iterator[str]:
    yield from re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S)


def run_script(folder: Path, *more: str) -> list[str]:
    """Lines that the document's script prints, with more lines after it."""
    script = "\n".join([next(scripts()), *more])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_script_gives_the_errors_that_export_gives(
    office: Office, tmp_path: Path, name: str
) -> None:
    found = released(office, WORKLOADS[name])
    publish(found, tmp_path / "results")
    known = estimable.of_round(office.database, found)
    rng = np.random.default_rng(6)
    lines, expected = [], []
    for marginal in WORKLOADS[name].marginals:
        attributes = [WORKLOADS[name].attribute(one) for one in marginal.attributes]
        shape = [len(one.codes_of(BOLTON)) for one in attributes]
        cells, rows = [], []
        for at in np.ndindex(*shape):
            weight = float(rng.integers(1, 9))
            codes = {
                one.name: one.codes_of(BOLTON)[number]
                for one, number in zip(attributes, at, strict=True)
            }
            cells.append(
                CellEntry("", {key: (code,) for key, code in codes.items()}, weight, BOLTON)
            )
            rows.append({**codes, "weight": weight})
        [one] = estimates(known, [Expression("all", tuple(cells))])
        expected.append(one.interval.standard_error)
        lines.append(f"print(variance(pd.DataFrame({rows!r}), {str(BOLTON)!r}) ** 0.5)")
    printed = [float(line) for line in run_script(tmp_path, *lines)]
    assert printed == pytest.approx(expected, rel=1e-9)


def test_the_example_of_the_document_runs(office: Office, tmp_path: Path) -> None:
    found = released(office, WORKLOADS["nested"])
    publish(found, tmp_path / "results")
    _, example = scripts()
    together, apart = (float(line.split()[1]) for line in run_script(tmp_path, example))
    known = estimable.of_round(office.database, found)
    one, other = (CellEntry("", {"lsoa": (code,)}) for code in ("L1", "L2"))
    added, taken = estimates(
        known, [Expression("sum", (one, other)), Expression("difference", (one,), (other,))]
    )
    assert together == pytest.approx(added.interval.standard_error)
    assert apart == pytest.approx(taken.interval.standard_error)
    assert abs(together - apart) > 0.1, "the areas share noise"


def test_the_file_of_the_document_is_read_and_estimated(office: Office, tmp_path: Path) -> None:
    [text] = re.findall(r"```toml\n(\[\[estimates.*?)```", DOCUMENT.read_text("utf-8"), re.S)
    file = tmp_path / "support.toml"
    file.write_text(text.replace('"medium", "high"', '"high"'), "utf-8")
    stored = office.open()
    for council, truth in ((BOLTON, [[30, 40], [50, 10]]), (BURY, [[20], [70]])):
        office.release(stored, council, measured(stored.round_.plan(council), truth).tolist())
    found = round_result(office.database, "Greater Manchester", "latest")
    asked = read_expressions(file)
    summed = estimates(estimable.of_round(office.database, found), asked)
    assert [one.kind for one in summed] == ["sum", "difference", "share"]
    table = {(one.level.value, one.place, one.marginal.name): one for one in found.statistics}
    region = table["region", "Greater Manchester", "band"].value[1]
    total = table["region", "Greater Manchester", "total"].value[0]
    assert summed[2].interval.value == pytest.approx(region / total)
    assert summed[2].interval.value == pytest.approx(130 / 220)
    bolton, bury = (table["council", one, "band"] for one in (BOLTON, BURY))
    assert summed[1].interval.value == pytest.approx(bolton.value[1] - bury.value[1])
    error = math.hypot(bolton.standard_error[1], bury.standard_error[1])
    assert summed[1].interval.standard_error == pytest.approx(error)


def test_the_metadata_describe_the_tables_beside(office: Office, tmp_path: Path) -> None:
    publication = publish(released(office, WORKLOADS["nested"]), tmp_path)
    described = json.loads(publication.metadata.read_text())["errors"]["tables"]
    assert {path.stem for path in publication.beside} == set(described)
    for path in publication.beside:
        assert pl.read_csv(path).columns == list(described[path.stem])
