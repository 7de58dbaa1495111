"""`round plan`, as the shell runs it."""

from __future__ import annotations

import itertools
import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from folkmoot_coordinator import cli
from folkmoot_operator.problems import ExitCode, Problem

ROUND = """\
title = "Winter [support]: who needs help"
purpose = "winter_support"
policy_digest = "{digest}"
councils = ["E08000001", "E08000009"]
minimum_councils = 1
rho = 0.05
delta = 1e-6
deadline_hours = 48
[[attributes]]
name = "band"
codes = ["none", "low", "medium", "high"]
[[attributes]]
name = "household_type"
codes = ["one_person", "couple", "lone_parent", "other"]
[[attributes]]
name = "lsoa"
areas = "areas.csv"
[[marginals]]
attributes = ["band"]
weight = 3
[[marginals]]
attributes = ["band", "household_type", "lsoa"]
[[marginals]]
attributes = ["lsoa", "household_type"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    areas = [f"E08000001,E01{at:06}" for at in range(60)]
    areas += [f"E08000009,E01{at:06}" for at in range(60, 90)]
    (tmp_path / "areas.csv").write_text("\n".join(["council,area", *areas]) + "\n")
    path = tmp_path / "winter.toml"
    path.write_text(ROUND.format(digest="0" * 64))
    return path


def plan(file: Path, *arguments: object) -> str:
    done = CliRunner().invoke(cli.app, ["round", "plan", str(file), *map(str, arguments)])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def words(text: str) -> str:
    return " ".join(text.split())


def refused(file: Path, *arguments: object) -> Problem:
    done = CliRunner().invoke(cli.app, ["round", "plan", str(file), *map(str, arguments)])
    assert isinstance(done.exception, Problem), done.output
    assert done.exception.remedy
    return done.exception


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("arguments", [(), ("--households", "60,000")])
def test_everything_fits_a_terminal(
    file: Path, width: int, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folkmoot_operator.console._WIDE", width)
    text = plan(file, *arguments)
    tables = [line for line in text.splitlines() if line.startswith(("│", "┃", "┏", "└"))]
    assert len(tables) > 20
    assert max(map(len, tables)) <= width
    assert "…" not in text
    assert "[support]" in text
    assert "5.21 to" not in text  # numbers are whole, however narrow the column
    for name in ("band", "household_type"):
        assert re.search(rf"│ .*{name}", text)


def test_what_is_said(file: Path) -> None:
    text = words(plan(file, "--households", 3_000))
    assert "3 marginals asked of 2 councils, rho 0.05 from each" in text
    assert "rho 0.05, which is epsilon 1.47 at delta 1e-06" in text
    assert "Of a person in 2 households: rho 0.2, epsilon 3.13" in text
    assert "right at most 58 times in 100" in text
    assert "Assume that the region has 3,000 households" in text
    assert "Of the cells by band and household_type and lsoa, 0 % will be usable. For 50" in text
    assert 'objective = "maximum" would make' in text
    assert "At the same epsilon, 1.47, discrete Laplace noise" in text
    assert "--households NUMBER" in words(plan(file))


def test_the_same_for_programs(file: Path) -> None:
    found = json.loads(plan(file, "--json", "--households", 3_000))
    assert [one["marginal"] for one in found["marginals"]] == [
        "band",
        "band*household_type*lsoa",
        "lsoa*household_type",
    ]
    assert found["objective"]["name"] == "sum"
    assert [one["weight"] for one in found["marginals"]] == [3, 1, 1]
    assert found["marginals"][1]["councils"]["E08000009"]["cells"] == 31 * 16
    assert found["privacy"]["rho"] == "0.05"
    assert found["all_cells"]["usable_share"] < 0.5
    assert found["remedies"][0]["marginal"] == "band*household_type*lsoa"
    assert found["other_mechanism"]["name"] == "discrete_laplace"
    assert json.loads(plan(file, "--json"))["all_cells"] is None


def test_the_weights_that_were_written_stay_visible(file: Path) -> None:
    file.write_text(file.read_text().replace("rho =", 'objective = "maximum"\nrho ='))
    assert "at most 0." in words(plan(file))
    found = json.loads(plan(file, "--json"))
    assert found["objective"]["above_optimum_at_most"] < 0.005
    assert [one["weight"] for one in found["marginals"]] == [3, 1, 1]
    assert max(one["signed_weight"] for one in found["marginals"]) == 2**32 - 1


def test_households_of_each_council(file: Path) -> None:
    each = ["--households", "E08000001=40_000", "--households", "e08000009=20,000"]
    found = json.loads(plan(file, "--json", *each))
    assert found["marginals"][0]["assumed"]["average_households"] == 7500


def test_cells_like_those_of_an_earlier_round(file: Path) -> None:
    earlier = file.with_name("earlier.csv")
    rows = [f"council,E08000001,band,{code},{households}" for code, households in
            [("none", 9000), ("low", 500), ("medium", 40), ("high", 5)]]  # fmt: skip
    earlier.write_text("\n".join(["level,place,marginal,band,value", *rows]) + "\n")
    found = json.loads(plan(file, "--json", "--like", earlier))
    from_plan = found["marginals"][0]["councils"].values()
    assert {one["usable_from"] for one in from_plan} < set(range(41, 501))  # medium is too small
    assert found["marginals"][0]["assumed"]["usable_share"] == 0.5
    assert "as large as in earlier.csv" in words(plan(file, "--like", earlier))


def test_a_long_plan_is_summed_up(file: Path) -> None:
    names = [f"f{at:02}" for at in range(30)]
    text = ROUND.format(digest="0" * 64).partition("[[attributes]]")[0]
    text += "".join(f'[[attributes]]\nname = "{name}"\ncodes = ["n", "y"]\n' for name in names)
    for pair in [*itertools.combinations(names[:4], 2), *((name,) for name in names)]:
        text += f"[[marginals]]\nattributes = {json.dumps(pair)}\n"
    file.write_text(text)
    short, whole = plan(file), plan(file, "--all")
    assert "The 25 least precise; --all lists every marginal" in short
    assert len(re.findall(r"^│ f\d\d ", whole, re.M)) == 2 * 36
    assert len(re.findall(r"^│ f\d\d ", short, re.M)) == 2 * 25
    assert re.search(r"^│ 2 +│ +6 │", short, re.M)


@pytest.mark.parametrize("suffix", [".svg", ".png", ".html"])
def test_the_plot_is_a_picture(file: Path, suffix: str) -> None:
    picture = file.with_name(f"plot{suffix}")
    assert f"The plot is in {picture}" in plan(file, "--households", 60_000, "--plot", picture)
    content = picture.read_bytes()
    if suffix == ".png":
        width, height = struct.unpack(">II", content[16:24])
        assert content.startswith(b"\x89PNG")
        assert (width > 1000, height > 500) == (True, True)
    elif suffix == ".svg":
        texts = " ".join(ElementTree.fromstring(content).itertext())
        assert "What the loss buys: Winter [support]" in texts
        assert "band * household_type * lsoa" in texts
        assert "asked for" in texts
    else:
        page = content.decode()
        assert "Winter [support]" in page
        assert not re.search(r'<script[^>]+src="?http', page)  # it opens without the internet


def test_without_altair_everything_but_the_plot_works(file: Path) -> None:
    code = (
        "import sys; sys.modules['altair'] = None\n"
        "from folkmoot_coordinator.cli import main\n"
        f"sys.argv = ['folkmoot-coordinator', 'round', 'plan', {str(file)!r}, *sys.argv[1:]]\n"
        "main()"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run().returncode == 0
    done = run("--plot", str(file.with_suffix(".png")))
    assert done.returncode == ExitCode.USAGE
    assert "folkmoot-coordinator[plot]" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--households", "many"), ExitCode.USAGE, "not a number of households"),
        (("--households", "0"), ExitCode.USAGE, "not a number of households"),
        (("--households", "Bolton=5"), ExitCode.USAGE, "is not a GSS code"),
        (("--households", "E08000001=5"), ExitCode.USAGE, "E08000009 is not given"),
        (
            ("--households", "5", "--households", "E08000001=5"),
            ExitCode.USAGE,
            "the region and single councils",
        ),
        (("--households", "5", "--households", "6"), ExitCode.USAGE, "given twice"),
        (("--households", "5", "--like", "x.csv"), ExitCode.USAGE, "cannot both be given"),
        (("--like", "absent.csv"), ExitCode.DATA, "cannot be read"),
        (("--plot", "plot.pdf"), ExitCode.USAGE, "is not a kind of picture"),
        (("--plot", "no/such/folder/plot.svg"), ExitCode.USAGE, "cannot be written"),
    ],
)
def test_trouble_is_named(
    file: Path, arguments: tuple[str, ...], code: ExitCode, says: str
) -> None:
    found = refused(file, *arguments)
    assert found.exit_code is code
    assert says in found.problem


def test_all_councils_need_a_coordinator(file: Path, tmp_path: Path) -> None:
    text = file.read_text().replace('["E08000001", "E08000009"]', '"all"')
    file.write_text(text)
    found = refused(file, "--home", tmp_path)
    assert found.exit_code is ExitCode.SETTINGS
    assert "there is no coordinator here" in found.problem


def test_laplace_rounds_are_planned_for_the_sum(file: Path) -> None:
    text = file.read_text().replace("rho = 0.05", 'epsilon = 1\nmechanism = "discrete_laplace"')
    file.write_text(text)
    said = words(plan(file))
    assert "epsilon 1.00 without a delta" in said
    assert "At the same epsilon, 1.00, discrete Gaussian noise" in said
    assert "objective =" not in said
    file.write_text(text.replace("delta =", 'objective = "maximum"\ndelta ='))
    assert 'give objective = "sum" with discrete_laplace' in refused(file).problem
