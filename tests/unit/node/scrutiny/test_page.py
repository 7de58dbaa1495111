"""The page about scrutiny: its commands run in order, at a council that has answered nothing."""

from __future__ import annotations

import pytest

from tests.casework_council import CaseworkCouncil
from tests.commands import run_inside
from tests.document_blocks import blocks, lines

PAGE = "docs/scrutiny.md"


@pytest.mark.slow
def test_the_commands_of_the_page_run_in_order(
    own: CaseworkCouncil, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("scrutiny.toml", "scrutiny.toml.sig"):
        (own.home / name).unlink()
    monkeypatch.setenv("FOLKMOOT_NODE_HOME", str(own.home))
    monkeypatch.chdir(own.home)
    commands = [line for one in blocks() if one.page == PAGE for line in lines(one)]
    assert len(commands) > 3
    for line in commands:
        program, *words = line.words
        if words[:2] == ["scrutiny", "sign"]:  # another text was signed as version 1 already
            path = own.home / "scrutiny.toml"
            path.write_text(path.read_text().replace("version = 1", "version = 2"))
        assert run_inside(program, *words).said(), line
