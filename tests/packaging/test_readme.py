"""The README is run: every command in it works, in the order a reader would use."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CURL = """
import sys
from urllib.request import Request, urlopen

option, header, address = sys.argv[1:]
assert option == "--header"
request = Request(address, headers=dict([header.split(": ", 1)]))
print(urlopen(request, timeout=30).read().decode())
"""
"""Asks as curl does, which is not everywhere."""
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def console(*words: str) -> list[str]:
    """The commands of console blocks that begin with one of these words."""
    lines = [
        line.removeprefix("$ ").partition("  #")[0].strip()
        for block in blocks("console")
        for line in block.splitlines()
        if line.startswith("$ ")
    ]
    return [line for line in lines if line.startswith(words)]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with (tmp_path / "output.log").open("w") as log:
        process = subprocess.Popen(
            ["bash", "-e"],
            cwd=tmp_path,
            env={**os.environ, "PATH": PATH},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        yield process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.slow
def test_a_reader_comes_through_all_three_doors(
    shell: subprocess.Popen[str], tmp_path: Path
) -> None:
    (round_file,) = blocks("toml")
    (tmp_path / "winter.toml").write_text(round_file)
    with socket.socket() as one, socket.socket() as other, socket.socket() as third:
        for each in (one, other, third):
            each.bind(("127.0.0.1", 0))
        ports = [each.getsockname()[1] for each in (one, other, third)]
    script = "\n".join(blocks("bash")).replace(
        "--host 127.0.0.1",
        f"--host 127.0.0.1 --collection-port {ports[0]} --enrolment-port {ports[1]}",
    )
    assert "127.0.0.1:8080" in script
    script = script.replace("127.0.0.1:8080", f"127.0.0.1:{ports[2]}")
    region = console("folkmoot-coordinator")
    assert region[0].startswith("folkmoot-coordinator round plan")
    assert [line.split()[1] for line in region] == ["round", "round", "round", "export", "keys"]
    council = console("folkmoot-node")
    assert len(council) == 13
    [request] = console("curl")
    (tmp_path / "curl.py").write_text(CURL)
    request = request.replace("curl", f"{sys.executable} curl.py", 1)
    request = request.replace("127.0.0.1:8080", f"127.0.0.1:{ports[2]}")
    key = "KEY=$(sed -n 's/^  \\(folkmoot_\\S*\\)$/\\1/p' output.log)"
    lines = [
        *(script, *region[:2], *council, *region[2:]),
        *(key, f"{request} > rounds.json", "kill %1", "echo THE END"),
    ]
    shell.communicate("\n".join(lines) + "\n", timeout=420)
    output = (tmp_path / "output.log").read_text()
    assert shell.returncode == 0, output
    assert "\nTHE END\n" in output, output
    assert "released, receipt held" in output
    assert "What less and more loss would buy" in output
    assert (tmp_path / "winter.svg").exists()
    assert list((tmp_path / "results").rglob("*.csv")), output
    assert "Owes £2,400 of council tax" in output
    assert f"http://127.0.0.1:{ports[2]}/set-up/" in output
    assert f"viewer: site ready address=http://127.0.0.1:{ports[2]}" in output
    rounds = json.loads((tmp_path / "rounds.json").read_text())["rounds"]
    assert [one["title"] for one in rounds] == ["Winter support: who needs help"]


def test_the_commands_listed_are_those_there_are() -> None:
    for program, listed in re.findall(
        r"^\| `(folkmoot-[a-z]+)` \|[^`]*`([a-z ]+)` \|$", README, re.M
    ):
        shown = subprocess.run(
            [str(Path(sys.executable).with_name(program)), "--help"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        there_are = re.findall(r"^│ ([a-z]+) ", shown, re.M)
        assert sorted(listed.split()) == sorted(there_are), program


def test_exit_codes_are_those_of_the_program() -> None:
    from folkmoot_operator.problems import ExitCode

    listed = [int(code) for code in re.findall(r"^\| (\d) \| ", README, re.M)]
    assert listed == [int(code) for code in ExitCode]


def test_links_lead_somewhere() -> None:
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
