"""The page about back-tests: its file is the one that `--init` writes, and its commands run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from folkmoot_node.evaluation.first_file import first_file
from tests.commands import run_inside
from tests.document_blocks import ROOT, blocks, lines
from tests.evaluated_council import make_council
from tests.evaluation_reports import ABOUT, found_of

PAGE = "docs/evaluation.md"


def test_the_file_of_the_page_is_the_one_that_init_writes() -> None:
    [shown] = [one for one in blocks() if one.page == PAGE and one.language == "toml"]
    assert shown.text == first_file()


@pytest.mark.slow
def test_the_commands_of_the_page_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLKMOOT_NODE_HOME", str(make_council(tmp_path)))
    monkeypatch.chdir(tmp_path)
    commands = [line for one in blocks() if one.page == PAGE for line in lines(one)]
    assert len(commands) == 2
    for line in commands:
        program, *words = line.words
        run_inside(program, *words).said()
    assert (tmp_path / "evaluation.html").is_file()


def test_the_parts_that_the_page_names_are_parts_of_a_report() -> None:
    from folkmoot_node.evaluation.reporting.content import as_document

    text = (ROOT / PAGE).read_text("utf-8")
    titles = {part.title for part in as_document(found_of(2, 1500), ABOUT).sections}
    named = set(re.findall(r"\| \*([A-Z][^*]+)\*", text)) - {"By"}
    assert len(named) > 5
    assert named <= titles
