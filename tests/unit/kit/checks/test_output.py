"""What `folkmoot-plugin check` shows on a terminal: 80 columns, and what is checked now."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot_kit.channel.words import LONGEST_LINE
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.examining import _finding
from tests.unit.kit.checks.test_command import text, wheel

PROGRAM = Path(sys.executable).with_name("folkmoot-plugin")


def on_a_terminal(*arguments):
    """What a person sees: standard output and standard error of a terminal, 80 columns wide."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        stdin=theirs, stdout=theirs, stderr=theirs,
        env=os.environ | {"COLUMNS": "80", "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65_536):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return process.wait(60), shown.decode()


@pytest.mark.slow
def test_lines_fit_a_terminal_and_progress_is_shown(tmp_path):
    code = text(score='inputs["damp_rooms"] / 4')
    ended, shown = on_a_terminal("check", wheel(tmp_path, code, requires=()))
    assert ended == 1
    assert "names and requirements" in shown
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    lines = [line.rpartition("\r")[2] for line in plain.replace("\r\n", "\n").split("\n")]
    assert any("score-range" in line for line in lines)
    assert any("sdk-range" in line for line in lines)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    "entry",
    [
        None,
        ["row-order", "factor x", "seen"],
        ["no-such-rule", "factor x", "seen", "remedy"],
        ["row-order", "factor x", 7, "remedy"],
        ["row-order", "factor x", "x" * (LONGEST_LINE + 1), "remedy"],
    ],
)
def test_a_finding_that_a_process_makes_up_is_not_believed(entry):
    with pytest.raises(Garbage):
        _finding(entry)


def test_a_finding_of_a_process_is_one_line_of_print():
    found = _finding(["row-order", "factor x", "a\x1b[31m\nb", "do"])
    assert found.seen == "a[31m b"
    assert found.check.id == "row-order"
