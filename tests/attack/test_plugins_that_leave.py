"""Plugins that end their process with an exit code that looks like success; and what a command does
whose own process ends so, where plugins run in it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from folkmoot_node.answering.event import Event
from folkmoot_node.evidence.scoring_runs import STORED
from folkmoot_node.home import open_home
from folkmoot_node.running.scheduler import background
from tests.night import by_night
from tests.plugin_council import NAME
from tests.plugin_of_others import FACTOR, Others, install_plugin

LEAVES = FACTOR.replace("import numpy as np", "import os, sys\nimport numpy as np")
ENDS = {"os._exit": "os._exit(0)", "sys.exit": "sys.exit(0)"}
SAID = {"sys.exit": "raised SystemExit", "os._exit": "ended by itself (exit code 0)"}
SCORES = 'return np.clip(inputs["council_tax_arrears"] / 1000, 0, 1)'
PROGRAMS = Path(sys.executable).parent


@pytest.fixture(params=by_night(ENDS))
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def home(scored_home: Path, tmp_path: Path) -> Path:
    """A node that is to be scored by the plugin's factor, and has no scores yet."""
    home = tmp_path / "home"
    shutil.copytree(scored_home, home)
    policy = home / "risk-policy.toml"
    policy.write_text(policy.read_text().replace("financial_hardship", "energy_debt"))
    for file in (home / "store").iterdir():
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    return home


@pytest.fixture
def leaver(home: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> Others:
    """A plugin that leaves when it is asked for scores, and is allowed."""
    code = LEAVES.replace(SCORES, ENDS[way])
    others = install_plugin(home, (home / "node.toml").read_text(), monkeypatch, code=code)
    others.pinned()
    monkeypatch.setenv("PYTHONPATH", str(others.council.site))
    return others


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAMS / program, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def stored(home: Path) -> int:
    with open_home(home) as node:
        return sum(1 for _ in node.audit.entries((STORED,)))


@pytest.mark.usefixtures("leaver")
def test_leaving_is_no_success_of_a_check_or_a_run(home: Path, way: str) -> None:
    checked = run("folkmoot-plugin", "check", NAME)
    assert checked.returncode == 1, checked.stdout
    assert "- ends-process: " in checked.stdout
    for command in (["sources", "check"], ["score"]):
        done = run("folkmoot-node", *command, "--home", home)
        assert done.returncode == 1, (done.stdout, done.stderr)
        assert SAID[way] in done.stderr
        assert f"plugin {NAME} 1.2.0" in done.stderr
    assert stored(home) == 0
    with open_home(home) as node:
        assert node.stopped_run() is not None


@pytest.mark.usefixtures("leaver")
def test_serve_believes_what_a_run_recorded(home: Path) -> None:
    with (home / "node.toml").open("a") as settings:
        settings.write('\n[prefect]\nenabled = false\n[schedule]\nscore = "0 5 * * *"\n')
    told: list[Event] = []
    with open_home(home) as node, background(node, told.append) as beside:
        limit = time.monotonic() + 100
        while time.monotonic() < limit:
            beside.attend()
            ended = [one for one in told if one.is_problem or one.text == "scored"]
            if ended:
                break
            time.sleep(0.05)
    assert [one.is_problem for one in ended] == [True]
    assert stored(home) == 0


def test_a_command_that_comes_to_its_end_says_so_and_signals_reach_it(home: Path) -> None:
    """The process that watches changes neither exit codes nor output, nor how a command stops."""
    done = run("folkmoot-node", "score", "--home", home / "nowhere")
    assert done.returncode == 3
    assert "there is no node here" in done.stderr
    watching, child = watched()
    assert child != watching.pid
    watching.terminate()
    assert watching.wait(60) == -signal.SIGTERM
    assert not _runs(child)


def test_the_child_ends_with_the_process_that_watches_it() -> None:
    watching, child = watched()
    watching.kill()
    watching.wait(60)
    limit = time.monotonic() + 60
    while _runs(child) and time.monotonic() < limit:
        time.sleep(0.01)
    assert not _runs(child)


def watched() -> tuple[subprocess.Popen[str], int]:
    """A command that does nothing for minutes: who watches it, and its own id."""
    program = (
        "import os, time; from folkmoot_operator.supervised import supervise; supervise(); "
        "print(os.getpid(), flush=True); time.sleep(300)"
    )
    command = [sys.executable, "-c", program]
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    with watching.stdout as told:
        return watching, int(told.readline())


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"
