"""The page about the first day is run: each command works, and prints what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.first_day import write_extracts

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "first-day.md").read_text("utf-8")
ELSEWHERE = ("sudo sh install.sh", "export PATH=")
"""What tests of the bundle run."""
STOPS = {
    "folkmoot-node sources check --home node": (4, 0),
    "folkmoot-node doctor --home node": (3,),
}
"""Exit codes, one after the other, of commands that find something, as the page says."""


def steps() -> list[tuple[str, str]]:
    """Each command, and what the page shows below it."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append((command, shown))
    return [(command, shown) for command, shown in found if not command.startswith(ELSEWHERE)]


def alike(text: str) -> str:
    """A text without what differs from day to day: figures, and how long bars are."""
    text = re.sub(r"accepted by \S+", "accepted by somebody", text)
    text = re.sub(r"█+", "█", text)
    return " ".join(re.sub(r"\d[\d.,]*", "#", text).split())


@pytest.mark.slow
def test_every_command_does_and_prints_what_the_page_shows(tmp_path: Path) -> None:
    write_extracts(tmp_path / "exports")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    stops = {command: list(codes) for command, codes in STOPS.items()}
    assert len(steps()) == 13
    for command, shown in steps():
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "COLUMNS": "80"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        codes = stops.get(command)
        assert done.returncode == (codes.pop(0) if codes else 0), f"{command}\n{done.stdout}"
        if shown.strip():
            assert alike(done.stdout) == alike(shown), command
