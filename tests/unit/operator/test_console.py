"""How commands end and print, as a shell and a person see it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from folkmoot_operator.console import hanging, minute, print_indented, print_text, progress

WAITS = """
import time, typer
from folkmoot_operator.console import application, run
app = application("waits", "Waits.")
@app.command()
def wait() -> None:
    print("waiting", flush=True)
    time.sleep(60)
run(app)
"""


PRINTS = """
import typer
from folkmoot_operator.console import application, print_text, run
app = application("prints", "Prints.")
@app.command()
def lines() -> None:
    for _ in range(20_000):
        print_text("a line that nobody reads")
@app.command()
def other() -> None:
    pass
run(app)
"""


def test_a_reader_that_reads_no_further_ends_a_command_quietly() -> None:
    """As `| head` does. Rich ends the process then, of which a plugin was suspected."""
    with subprocess.Popen(
        [sys.executable, "-c", PRINTS, "lines"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "a line that nobody reads\n"
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(timeout=60)
    assert errors == ""
    assert process.returncode == 0


def test_ctrl_c_ends_a_command_with_a_word_and_no_trace() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "Interrupted.\n"


def test_progress_prints_nothing_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with progress() as bars:
        bars.add_task("work", total=1)
    assert capfd.readouterr() == ("", "")


def test_text_for_programs_keeps_its_lines(capfd: pytest.CaptureFixture[str]) -> None:
    paragraph = "a word [and] another " * 20
    print_text(paragraph)
    assert capfd.readouterr().out == paragraph + "\n"


def test_a_minute_fits_a_column() -> None:
    assert minute("2026-12-01T12:34:56Z") == "2026-12-01 12:34"
    assert minute(None, "never") == "never"


@pytest.mark.parametrize("columns", ["60", "80", None])
def test_what_a_terminal_breaks_off_stands_further_in(
    columns: str | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    text = f"Why:\n  {'long words ' * 12}\n\n    {'deep words ' * 12}\nend"
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    print_indented(text)
    lines = capfd.readouterr().out.splitlines()
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    if columns is None:
        assert [line.rstrip() for line in text.splitlines()] == lines
        return
    assert max(map(len, lines)) <= int(columns)
    for word, least in (("long", 2), ("deep", 4)):
        indents = [len(line) - len(line.lstrip()) for line in lines if word in line]
        assert indents == [least, *[least + 2] * (len(indents) - 1)]


def test_lines_that_hang_fit_the_terminal_and_stay_whole_for_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = "a" * 90
    text = f"one two {'three ' * 30}\n{long} end"
    monkeypatch.delenv("COLUMNS", raising=False)
    assert hanging(text) == text.splitlines()
    monkeypatch.setenv("COLUMNS", "80")
    lines = hanging(text, 9)
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    assert all(len(line) <= 71 or line == long for line in lines)
    assert hanging("") == []
