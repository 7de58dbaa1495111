"""The page about backups is run as it stands: blocks, settings and the table of commands."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.commands import run_inside
from tests.document_blocks import ROOT, Line, blocks, lines
from tests.wire.node.stage import scored_home

__all__ = ["scored_home"]

PAGE = "docs/backup.md"
OTHER_PYTHON = "/opt/folkmoot/releases/0.2.0/bin/python3.11"
BLOCKS = [line for block in blocks() if block.page == PAGE for line in lines(block)]
(SETTINGS,) = (
    block.text for block in blocks() if block.page == PAGE and block.text.startswith("[backup]")
)


def table() -> list[str]:
    """The commands of the table, each for a node."""
    rows = re.findall(r"^\| `((?:backup|restore)[^`]*)` \|", (ROOT / PAGE).read_text("utf-8"), re.M)
    return [f"folkmoot-node {row}" for row in rows]


def run(text: str, **instead: object) -> str:
    for word, value in instead.items():
        text = text.replace(word, str(value))
    program, *words = shlex.split(text)
    return run_inside(program, *words).said()


@pytest.mark.slow
def test_the_commands_of_the_page_in_order(
    scored_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = shutil.copytree(scored_home, tmp_path / "home")
    monkeypatch.setenv("FOLKMOOT_NODE_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    keygen, *others = BLOCKS
    key = run(keygen.text).strip()
    assert re.fullmatch("age1[0-9a-z]{58}", key)
    assert (tmp_path / "backup.key").stat().st_mode & 0o777 == 0o600
    settings = re.sub('"age1[^"]*"', f'"{key}"', SETTINGS)
    assert settings != SETTINGS
    with (home / "node.toml").open("a") as file:
        file.write("\n" + settings.replace("/mnt/backups", str(tmp_path / "backups")))

    commands = table()
    assert len(commands) == 5
    said = {text: run(text, FILE=_only(tmp_path / "backups"), NEW=tmp_path / "new")
            for text in commands}  # fmt: skip
    assert "Backed up" in said.pop("folkmoot-node backup")
    assert _only(tmp_path / "backups").name[:9] in said.pop("folkmoot-node backup list")
    assert [words for text, words in said.items() if "verify" in text and "as it was" in words]
    assert (tmp_path / "new" / "node.toml").exists()
    assert [words for text, words in said.items() if "--drill" in text and "deleted again" in words]

    for line in others:
        _run_block(line)
    assert list((tmp_path / "backups").glob("*-with-store-key.*"))
    assert (tmp_path / "differ.csv").exists()


def _run_block(line: Line) -> None:
    text = line.text.replace(OTHER_PYTHON, sys.executable)
    assert line.program == "folkmoot-node", f"{line.block}: say how it is run"
    assert run(text), f"{line.block}: {text}"


def _only(folder: Path) -> Path:
    """The one backup; before it is made, a name that no command here takes."""
    return next(iter(folder.glob("*.folkmoot-backup")), folder / "none")
