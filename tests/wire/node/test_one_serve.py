"""One `serve` to a home, whatever the settings of Prefect are."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stage import Stage

from folkmoot_node.home import SERVE_LOCK as LOCK
from folkmoot_operator import file_lock
from tests.forked_commands import run_forked

SETTINGS = {
    "none": "[prefect]\nenabled = false\n",
    "the council's": '[prefect]\nurl = "https://127.0.0.1:9/api"\n',
}


@contextmanager
def serving(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`serve` in a process of its own, once it holds the home."""
    command = [Path(sys.executable).with_name("folkmoot-node"), "serve", "--home", home]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 60
            while file_lock.holder(home / LOCK) != process.pid:
                assert time.monotonic() < until
                assert process.poll() is None
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("prefect", SETTINGS)
def test_a_second_serve_is_refused_until_the_first_has_ended(stage: Stage, prefect: str) -> None:
    with (stage.home / "node.toml").open("a") as file:
        file.write(SETTINGS[prefect])
    link = stage.home.with_name("link")
    link.symlink_to(stage.home)
    with serving(stage.home) as first:
        for home in (stage.home, link):
            for more in ((), ("--until-idle",)):
                second = run_forked("folkmoot-node", "serve", "--home", home, *more)
                assert second.code == 5
                assert f"another `folkmoot-node serve` runs here (process {first.pid})" in (
                    second.stderr
                )
    with serving(stage.home):  # the first was killed
        pass


def test_a_lock_that_cannot_be_opened_is_explained(stage: Stage) -> None:
    lock = stage.home / LOCK
    lock.mkdir()  # even root cannot open it for writing
    refused = run_forked("folkmoot-node", "serve", "--home", stage.home)
    assert refused.code == 3
    assert "serve.lock" in refused.stderr
