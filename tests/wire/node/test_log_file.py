"""The log of `serve` in a file that is rotated while it runs, as deploy/folkmoot.logrotate does."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from stage import Stage

ROOT = Path(__file__).resolve().parents[3]
DEADLINE_SECONDS = 60


def wait_for(path: Path, words: bytes) -> bytes:
    until = time.monotonic() + DEADLINE_SECONDS
    while words not in (found := path.read_bytes()):
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return found


def test_a_log_that_was_emptied_goes_on_at_its_start(stage: Stage, tmp_path: Path) -> None:
    assert "copytruncate" in (ROOT / "deploy" / "folkmoot.logrotate").read_text("utf-8")
    stage.server.stop(None).wait()
    log = tmp_path / "node.log"
    command = [sys.executable, "-c", "from folkmoot_node.cli import main; main()", "serve"]
    options = ["--home", str(stage.home), "--until-idle", "--poll-seconds", "0.1"]
    with log.open("ab") as file:
        process = subprocess.Popen([*command, *options], stderr=file)
    try:
        wait_for(log, b"the connection is refused")
        log.write_bytes(b"")  # what copytruncate does once the copy is made
        found = wait_for(log, b"the connection is refused")
    finally:
        process.terminate()
        process.wait(30)
    assert found[:1].isdigit(), "a line that begins with its time, and no hole before it"
    assert b"\0" not in found
