"""A small region end to end, through the commands that people use."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).with_name("folkmoot-rehearse")


def arguments(out: Path, *more: str) -> list[str]:
    sizes = ("--councils", "2", "--households", "300", "--seed", "11")
    return [str(COMMAND), *sizes, "--out", str(out), *more]


def processes_of(out: Path) -> list[str]:
    """Command lines of running processes that name the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(out) in line and str(os.getpid()) != entry.parent.name:
            found.append(line)
    return found


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    """The folder and the JSON of a finished rehearsal."""
    out = tmp_path_factory.mktemp("rehearsal") / "region"
    done = subprocess.run(
        arguments(out, "--json"), capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_the_first_round_is_complete_and_the_second_refused_by_one(rehearsal):
    _, result = rehearsal
    first, second = result["rounds"]
    assert first["state"] == "complete"
    assert first["coverage"]["released"] == ["E08000001", "E08000002"]
    assert second["state"] == "partial"
    assert second["coverage"]["released"] == ["E08000001"]
    (refused,) = second["coverage"]["refused"]
    assert refused["council"] == "E08000002"
    assert refused["reason"] == "budget_exhausted"
    assert refused["next_step"]


def test_the_true_values_are_inside_most_intervals(rehearsal):
    _, result = rehearsal
    cells = within = 0
    for round_ in result["rounds"]:
        for found in round_["agreement"]:
            if found["level"] == "council":
                cells += found["cells"]
                within += found["within_95"]
    # 95 % of some 160 cells; fewer than 85 % has a chance below one in a million if cells
    # were independent.
    assert cells >= 100
    assert within >= 0.85 * cells


def test_the_noise_is_real(rehearsal):
    _, result = rehearsal
    region = result["rounds"][0]["region"]
    assert any(row["value"] != row["true"] for row in region)
    assert all(row["standard_error"] > 0 for row in region)


def test_true_values_are_the_scored_households(rehearsal):
    out, result = rehearsal
    scored = pl.concat(
        [pl.read_parquet(path) for path in sorted((out / "truth").glob("*/scored.parquet"))]
    )
    assert scored.height == result["households"]
    region = [r for r in result["rounds"][0]["region"] if r["marginal"] == "band*household_type"]
    assert sum(row["true"] for row in region) == scored.height
    one = next(
        r for r in region if r["band"] == "none" and r["household_type"] == "couple_children"
    )
    counted = scored.filter(
        (pl.col("band") == "none") & (pl.col("household_type") == "couple_children")
    ).height
    assert one["true"] == counted


def test_the_ledger_of_each_node_holds_what_it_released(rehearsal):
    out, _ = rehearsal
    for code, spent in (("E08000001", "0.4"), ("E08000002", "0.2")):
        node = Path(sys.executable).with_name("folkmoot-node")
        done = subprocess.run(
            [str(node), "ledger", "show", "--json", "--home", str(out / "councils" / code)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert json.loads(done.stdout)["spent"] == spent


def test_the_folder_explains_itself_and_nothing_runs_on(rehearsal):
    out, _ = rehearsal
    readme = (out / "README.txt").read_text("utf-8")
    assert "@" not in readme
    for line in readme.splitlines():
        name = line.split()[0] if line.startswith("  ") and line.split() else ""
        if name.endswith("/"):
            assert (out / name.split("<")[0]).is_dir(), name
    assert json.loads((out / "rehearsal.json").read_text("utf-8"))["state"] == "finished"
    assert processes_of(out) == []


def test_a_second_rehearsal_does_not_overwrite_the_first(rehearsal):
    out, _ = rehearsal
    before = (out / "rehearsal.json").read_bytes()
    done = subprocess.run(arguments(out), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--replace" in done.stderr
    assert (out / "rehearsal.json").read_bytes() == before


def test_a_folder_of_something_else_is_never_removed(tmp_path):
    (tmp_path / "precious").write_text("kept")
    done = subprocess.run(
        arguments(tmp_path, "--replace"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert (tmp_path / "precious").read_text() == "kept"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_every_process(tmp_path, number):
    out = tmp_path / "region"
    with subprocess.Popen(
        arguments(out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as running:
        limit = time.monotonic() + 60
        while not (out / "councils").is_dir():
            assert time.monotonic() < limit
            time.sleep(0.05)
        time.sleep(1.0)
        running.send_signal(number)
        running.communicate(timeout=60)
    assert running.returncode == 130
    assert processes_of(out) == []


def test_a_failing_command_names_its_log(tmp_path):
    from folkmoot_operator.problems import ExitCode, Problem
    from folkmoot_rehearsal.processes import children

    with children(tmp_path / "logs") as started, pytest.raises(Problem) as caught:
        started.node("E08000001", tmp_path / "nothing", "doctor", "--offline", "--no-such-option")
    assert caught.value.exit_code is ExitCode.FAULT
    assert str(tmp_path / "logs" / "E08000001.log") in caught.value.remedy
    assert processes_of(tmp_path) == []


def test_a_round_that_cannot_be_opened_stops_the_rehearsal(tmp_path):
    """Nodes would wait for it for ever."""
    from folkmoot_operator.problems import ExitCode, Problem
    from folkmoot_rehearsal.processes import children

    with children(tmp_path / "logs") as started, pytest.raises(Problem) as caught:
        started.open_round(tmp_path / "nothing", tmp_path / "winter.toml")
    assert caught.value.exit_code is ExitCode.FAULT
    assert "ended with exit code 3. Error:" in caught.value.problem
    assert str(tmp_path / "logs" / "winter.log") in caught.value.remedy
