"""The page about fitted policies: its file is read, and its commands run."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_node.policies.risk_policy import load_policy
from tests.commands import run_inside
from tests.document_blocks import blocks, lines
from tests.fitted_council import EVALUATION, make_council

PAGE = "docs/fitting.md"


@pytest.mark.slow
def test_the_commands_of_the_page_run_in_order_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLKMOOT_NODE_HOME", str(make_council(tmp_path)))
    monkeypatch.chdir(tmp_path)
    [shown] = [one for one in blocks() if one.page == PAGE and one.language == "toml"]
    (tmp_path / "fit.toml").write_text(shown.text)
    (tmp_path / "evaluation.toml").write_text(EVALUATION)
    commands = [line for one in blocks() if one.page == PAGE for line in lines(one)]
    assert len(commands) == 3
    for line in commands:
        program, *words = line.words
        run_inside(program, *words).said()
    assert load_policy(tmp_path / "proposed-policy.toml").factors
    assert (tmp_path / "proposed-policy.html").is_file()
