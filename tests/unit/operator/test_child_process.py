"""Processes end with the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from folkmoot_operator import child_process
from tests.processes import command_line

PARENT = """
import os, sys, time
from pathlib import Path
from folkmoot_operator import child_process
child = child_process.start(["-c", "import time; time.sleep(600)"], os.environ, Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(600)
"""
"""Both would live for longer than the test waits."""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for it")
def test_a_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    until = time.monotonic() + 60
    while child_process.__name__ in command_line(child):
        assert time.monotonic() < until
        time.sleep(0.01)  # until it has become the command
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    gone, _ = psutil.wait_procs([child], timeout=60)
    assert gone


def test_files_of_a_child_are_private_and_its_folder_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    code = "import json, pathlib; pathlib.Path('made').touch()"
    child = child_process.start(["-c", code], os.environ, tmp_path)
    assert child.wait(60) == 0
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    )
    child = child_process.start(["-c", code], os.environ, tmp_path, output=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    child_process.stop(child, 0.2)
    child.stdout.close()
    assert child.returncode == -signal.SIGKILL
