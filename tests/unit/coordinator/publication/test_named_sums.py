"""Named sums, differences and shares: what a file may say, and what comes out."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from folkmoot.attributes import Attribute
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator import cli
from folkmoot_coordinator.publication import estimable
from folkmoot_coordinator.publication.estimable import Estimable
from folkmoot_coordinator.publication.named_sums import NamedEstimate, as_table, estimates
from folkmoot_coordinator.publication.round_files import publish
from folkmoot_coordinator.publication.round_result import round_result
from folkmoot_coordinator.publication.sum_file import read_expressions
from folkmoot_coordinator.rounds.code_names import CodeNames
from folkmoot_coordinator.rounds.round_store import open_round
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.coordinator.aggregation.test_cumulative import NEW, whole
from tests.unit.coordinator.aggregation.test_cumulative import result as result_of_series
from tests.unit.coordinator.conftest import BOLTON, BURY, TRAFFORD, small_round

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

PARENTS = {"L1": "W1", "L2": "W1", "M1": "W2"}
WORKLOAD = Workload(
    (
        Attribute("band", ("low", "medium", "high")),
        Attribute("tenure", ("own", "rent")),
        Attribute(
            "ward", by_council={BOLTON: ("W1",), BURY: ("W2",), TRAFFORD: ("W3",)}, others=True
        ),
        Attribute(
            "lsoa",
            by_council={BOLTON: ("L1", "L2"), BURY: ("M1",), TRAFFORD: ("N1",)},
            others=True,
            within="ward",
            parents={**PARENTS, "N1": "W3"},
        ),
        Attribute("weight", ("light", "heavy")),
    ),
    (Marginal(("band", "lsoa")), Marginal(("tenure", "ward")), Marginal(("weight",))),
)
NAMES = CodeNames({"band": {"high": "Visit"}, "ward": {"W1": "Astley"}}, {"lsoa": "2021"})


@pytest.fixture
def known(office: Office) -> Estimable:
    """Bolton and Bury released, Trafford did not answer."""
    councils = (BOLTON, BURY, TRAFFORD)
    round_ = replace(
        small_round(councils, workload=WORKLOAD),
        opened_at=office.clock(),
        deadline=office.clock() + 3600,
    )
    stored = open_round(office.database, office.signing, round_, None, NAMES)
    rng = np.random.default_rng(9)
    for council in councils[:2]:
        rows = round_.plan(council).rows
        office.release(stored, council, rng.integers(100, 900, rows).tolist())
    office.refuse(stored, TRAFFORD)
    return estimable.of_round(office.database, round_result(office.database, "Region", "latest"))


def summed(known: Estimable, folder: Path, text: str, ending: str = "toml") -> list[NamedEstimate]:
    file = folder / f"sums.{ending}"
    file.write_text(text, "utf-8")
    return estimates(known, read_expressions(file, {"lsoa_name", "lsoa_within", "band_name"}))


def one(known: Estimable, folder: Path, cells: str, **more: str) -> NamedEstimate:
    lines = "\n".join(f"{key} = [{value}]" for key, value in more.items())
    [found] = summed(known, folder, f'[[estimates]]\nname = "x"\ncells = [{cells}]\n{lines}')
    return found


def test_a_sum_over_codes_is_the_cell_of_a_coarser_marginal(
    known: Estimable, tmp_path: Path
) -> None:
    """Whatever way the same households are named, the estimate and its error are the same."""
    ways = [
        '{ lsoa = ["L1", "L2"] }',
        '{ ward = "W1" }',
        '{ place = "E08000001", lsoa = ["L1", "L2"], band = ["low", "medium", "high"] }',
        '{ ward = "W1", tenure = "own" }, { ward = "W1", tenure = "rent" }',
        '{ lsoa = "L1", weight = 1 }, { lsoa = "L2" }',
    ]
    found = [one(known, tmp_path, way).interval for way in ways]
    for other in found[1:]:
        assert other.value == pytest.approx(found[0].value)
        assert other.standard_error == pytest.approx(found[0].standard_error)
    parts = [one(known, tmp_path, f'{{ lsoa = "{code}" }}').interval for code in ("L1", "L2")]
    naive = sum(part.standard_error**2 for part in parts) ** 0.5
    assert abs(naive - found[0].standard_error) > 0.05 * naive


def test_the_region_is_the_councils_that_released(known: Estimable, tmp_path: Path) -> None:
    councils = '{ place = "E08000001", band = "high" }, { place = "E08000002", band = "high" }'
    region = one(known, tmp_path, '{ band = "high" }').interval
    assert region == one(known, tmp_path, '{ place = "Region", band = "high" }').interval
    assert one(known, tmp_path, councils).interval.standard_error == pytest.approx(
        region.standard_error
    )
    other = one(known, tmp_path, '{ lsoa = "(other)" }').interval
    assert other.value == pytest.approx(
        sum(
            one(known, tmp_path, f'{{ place = "{code}", lsoa = "(other)" }}').interval.value
            for code in (BOLTON, BURY)
        )
    )


def test_differences_and_shares(known: Estimable, tmp_path: Path) -> None:
    high, all_ = '{ band = "high", lsoa = "L1" }', '{ lsoa = "L1" }'
    low = '{ band = "low", lsoa = "L1" }'
    difference = one(known, tmp_path, high, minus=low)
    weighted = one(known, tmp_path, f'{high}, {{ band = "low", lsoa = "L1", weight = -1 }}')
    assert (difference.kind, weighted.kind) == ("difference", "sum")
    assert difference.interval == weighted.interval
    share = one(known, tmp_path, high, of=all_)
    quotient = one(known, tmp_path, high).interval.value / one(known, tmp_path, all_).interval.value
    assert (share.kind, share.interval.value) == ("share", pytest.approx(quotient))
    assert one(known, tmp_path, all_, of=all_).interval.standard_error == pytest.approx(0, abs=1e-6)


def test_rows_of_the_published_table_may_be_copied(
    known: Estimable, office: Office, tmp_path: Path
) -> None:
    """Each row, with a name beside it, gives back its own value and error."""
    publication = publish(round_result(office.database, "Region", "latest"), tmp_path / "out")
    assert publication.csv is not None
    with publication.csv.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"lsoa_within", "band_name"} <= set(rows[0])
    copied = tmp_path / "sums.csv"
    with copied.open("w", newline="") as file:
        # An attribute of the name of a column of these files ends in an underscore in them.
        names = ["weight_" if name == "weight" else name for name in rows[0]]
        writer = csv.writer(file)
        writer.writerow(["name", *names])
        writer.writerows([f"row {at}", *row.values()] for at, row in enumerate(rows))
    notes = {"lsoa_within", "band_name", "ward_name"}
    found = as_table(estimates(known, read_expressions(copied, notes)))
    for column in ("value", "standard_error"):
        published = [float(row[column]) for row in rows]
        assert found[column].to_list() == pytest.approx(published, abs=1e-5)
    wider = [float(row["upper"]) - float(row["value"]) for row in rows]
    assert ((found["upper"] - found["value"]).to_numpy() <= np.array(wider) + 1e-5).all()


@pytest.mark.parametrize(
    ("cells", "says", "remedy"),
    [
        ('{ bandd = "high" }', "'bandd' is no attribute", "Did you mean 'band'?"),
        ('{ band = "hihg" }', "'hihg' is no code of band", "Did you mean 'high'?"),
        ('{ lsoa = "N1" }', "lies in E08000009, which is not in these figures", ""),
        ('{ place = "E08000001", lsoa = "M1" }', "lies in E08000002", ""),
        ('{ place = "E08000009" }', "is not in these figures", "E08000001"),
        ('{ place = "E08000077" }', "was not asked", "E08000001"),
        ('{ band = "low", tenure = "own" }', "no marginal of the round has", "tenure*ward"),
        ('{ lsoa = "L1", ward = "W1" }', "ward follows from lsoa", "Leave ward out"),
        ('{ band = "low" }, { band = ["high", "low"] }', "is the same cell as", "Name it once"),
        ('{ band = "low", weight = 0 }', "weight is 0", "other than zero"),
        ('{ band = "low", weight = nan }', "weight is nan", "finite"),
        ('{ band = "low", weight = "2" }', "weight is not a number", ""),
        ("{ band = 3 }", "band is not a code", "in quotes"),
        ("{ band = [] }", "band is not a code", "in quotes"),
        ('{ band = "low", month = 2 }', "is in no series", ""),
        ('{ band = "low", level = "region" }', "'level' says nothing", ""),
        ('{ band = "low", marginal = "tenure*ward" }', "and the marginal", "marginal"),
        ("", "estimates[0].cells", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    known: Estimable, tmp_path: Path, cells: str, says: str, remedy: str
) -> None:
    with pytest.raises(Problem) as caught:
        one(known, tmp_path, cells)
    assert says in caught.value.problem
    assert remedy in caught.value.remedy
    assert "sums.toml" in caught.value.where
    assert caught.value.exit_code is ExitCode.SETTINGS


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cell,weight\nx,1\n", "no column `name`"),
        ("name,band,band\nx,low,low\n", "one twice"),
        ("name,band\nx\n", "has 1 fields, not 2"),
        ("name,band\n,low\n", "has no name"),
        ("name,band,part\nx,low,over\n", "'over' is no part"),
        ("name,band,weight\nx,low,many\n", "weight is not a number"),
        ("name,band\n", "names no estimate"),
        ("name,band,part\nx,low,of\n", "has nothing to add up"),
        ("name,bands\nx,low\n", "is no attribute"),
    ],
)
def test_a_wrong_csv_file_is_named_with_its_line(
    known: Estimable, tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(Problem, match=says):
        summed(known, tmp_path, text, "csv")


def test_a_file_of_another_kind_or_a_name_twice(known: Estimable, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="neither TOML nor CSV"):
        summed(known, tmp_path, "", "txt")
    twice = '[[estimates]]\nname = "x"\ncells = [{}]\n' * 2
    with pytest.raises(Problem, match="names two estimates"):
        summed(known, tmp_path, twice)


def test_sums_over_months_count_the_noise_that_months_share(office: Office, tmp_path: Path) -> None:
    """New counts are differences of cumulative ones, which share most of their noise."""
    whole(office, skip={BURY: {2}})
    known = estimable.of_series(office.database, result_of_series(office))
    cell = 'place = "E08000001", band = "high"'
    new = one(known, tmp_path, f'{{ {cell}, month = 3, measure = "new" }}').interval
    apart = one(known, tmp_path, f"{{ {cell}, month = 3 }}", minus=f"{{ {cell}, month = 2 }}")
    assert apart.interval.value == pytest.approx(new.value, abs=1e-6)
    assert apart.interval.value == pytest.approx(sum(NEW[BOLTON][2][1]), abs=1e-6)
    assert apart.interval.standard_error == pytest.approx(new.standard_error)
    both = [one(known, tmp_path, f"{{ {cell}, month = {month} }}").interval for month in (2, 3)]
    assert new.standard_error < 0.8 * sum(month.standard_error**2 for month in both) ** 0.5
    assert (
        one(known, tmp_path, f"{{ {cell} }}").interval
        == one(known, tmp_path, f'{{ {cell}, month = 4, measure = "cumulative" }}').interval
    )
    table = {
        (month.position, month.measure.value, one_.place, one_.marginal.name): one_
        for month in result_of_series(office).months
        for one_ in month.statistics
    }
    published = table[3, "new", str(BOLTON), "band"]
    assert new.standard_error == pytest.approx(published.standard_error[1])
    for wrong, says in (
        (f"{{ {cell}, month = 9 }}", "no cumulative counts of month 9"),
        (f'{{ {cell}, measure = "old" }}', "no old counts"),
        ('{ place = "E08000002", month = 2 }', "is not in these figures"),
    ):
        with pytest.raises(Problem, match=says):
            one(known, tmp_path, wrong)


def test_the_command_writes_and_shows_them(
    known: Estimable, office: Office, tmp_path: Path
) -> None:
    file = tmp_path / "sums.toml"
    file.write_text(
        '[[estimates]]\nname = "high [in Bolton]"\ncells = [{ ward = "W1", tenure = "own" }]\n'
        '[[estimates]]\nname = "share"\ncells = [{ band = "high" }]\nof = [{}]\n'
    )
    words = ["export", "latest", "--home", str(office.home.path), "--out", str(tmp_path / "out")]
    shown = CliRunner().invoke(cli.app, [*words, "--sum", str(file)])
    assert shown.exit_code == 0, (shown.output, shown.exception)
    assert "high [in Bolton]" in shown.output
    assert "95 % interval" in shown.output
    said = json.loads(CliRunner().invoke(cli.app, [*words, "--sum", str(file), "--json"]).output)
    assert [one["kind"] for one in said["estimates"]] == ["sum", "share"]
    with Path(said["sums"]).open(newline="") as written:
        rows = list(csv.DictReader(written))
    assert [row["name"] for row in rows] == ["high [in Bolton]", "share"]
    for row, one_ in zip(rows, said["estimates"], strict=True):
        assert float(row["standard_error"]) == pytest.approx(one_["standard_error"])
    codes, noise = (Path(path) for path in said["reference"])
    assert (codes.name, noise.name) == ("codes.csv", "noise.csv")
    with codes.open(newline="") as listed:
        by_code = {(row["attribute"], row["code"]): row for row in csv.DictReader(listed)}
    assert by_code["band", "high"]["name"] == "Visit"
    area = by_code["lsoa", "L1"]
    assert (area["group"], area["group_size"], area["vintage"]) == ("W1", "2", "2021")
    assert (area["parent"], area["parent_name"]) == ("W1", "Astley")
    before = sorted((tmp_path / "out").iterdir())
    file.write_text(file.read_text().replace('"high"', '"hihg"'))
    wrong = CliRunner().invoke(cli.app, [*words, "--sum", str(file)])
    assert isinstance(wrong.exception, Problem)
    assert sorted((tmp_path / "out").iterdir()) == before
