"""A small region end to end, through the commands that people use."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import polars as pl
import pytest

from tests.waiting import wait_until

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


def until_nothing_runs(out: Path) -> None:
    """What was started by a process that was killed ends a moment after it."""
    wait_until(lambda: not processes_of(out), "processes to end")


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
    until_nothing_runs(out)


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
    until_nothing_runs(out)


def test_a_failing_command_names_its_log(tmp_path):
    from folkmoot_operator.problems import ExitCode, Problem
    from folkmoot_rehearsal.processes import children

    with children(tmp_path / "logs") as started, pytest.raises(Problem) as caught:
        started.node("E08000001", tmp_path / "nothing", "doctor", "--offline", "--no-such-option")
    assert caught.value.exit_code is ExitCode.FAULT
    assert str(tmp_path / "logs" / "E08000001.log") in caught.value.remedy
    until_nothing_runs(tmp_path)


def test_a_round_that_cannot_be_opened_stops_the_rehearsal(tmp_path):
    """Nodes would wait for it for ever."""
    from folkmoot_operator.problems import ExitCode, Problem
    from folkmoot_rehearsal.processes import children

    with children(tmp_path / "logs") as started, pytest.raises(Problem) as caught:
        started.open_round(tmp_path / "nothing", tmp_path / "winter.toml")
    assert caught.value.exit_code is ExitCode.FAULT
    assert "ended with exit code 3. Error:" in caught.value.problem
    assert str(tmp_path / "logs" / "winter.log") in caught.value.remedy


def view(out, browse):
    """What `--view --json` says, and what `browse` makes of it; ended by Ctrl-C."""
    command = [str(COMMAND), "--view", "--out", str(out), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        try:
            lines = []
            while not lines or lines[-1] not in ("}\n", ""):
                lines.append(running.stdout.readline())
            told = json.loads("".join(lines))
            with httpx2.Client(base_url=told["address"], timeout=60, trust_env=False) as client:
                browse(client, told)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)
    assert running.returncode == 0
    until_nothing_runs(out)
    return told


def fill_in(client, path, **fields):
    (token,) = re.findall(r'name="form_token" value="([^"]+)"', client.get(path).text)
    return client.post(path, data={"form_token": token, **fields})


def test_one_command_opens_the_regions_site_with_an_account(rehearsal):
    out, _ = rehearsal
    password = "three odd lamps hum"

    def begin(client, told):
        analyst, approver = told["accounts"]
        assert (analyst["roles"], approver["roles"]) == (["analyst"], ["approver"])
        path = analyst["link"].removeprefix(told["address"])
        fill_in(client, path, password=password, again=password)
        read(client, told)

    def read(client, told):
        name = told["accounts"][0]["name"]
        assert fill_in(client, "/sign-in", name=name, password=password).status_code == 303
        catalogue = client.get("/").text
        assert "Winter support: who needs help, and where" in catalogue
        assert "Winter support: by tenure" in catalogue
        (first,) = re.findall(r'href="(/rounds/[0-9a-f]+)"[^>]*>[^<]*who needs help', catalogue)
        page = client.get(f"{first}/statistics/band.lsoa")
        assert page.status_code == 200
        assert '<svg class="folkmoot-map"' in page.text
        assert "E01" in page.text

    told = view(out, begin)
    assert told["accounts"][0]["link"] not in "".join(
        path.read_text("utf-8") for path in (out / "logs").glob("*.log")
    )
    again = view(out, read)
    assert again["accounts"][0]["link"] is None, "it has a password"
    assert again["accounts"][1]["link"] is not None


def test_there_is_no_site_without_a_rehearsal(tmp_path):
    done = subprocess.run(
        [str(COMMAND), "--view", "--out", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "make demo" in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing was made"
