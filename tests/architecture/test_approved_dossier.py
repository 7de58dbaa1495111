"""Whoever begins a run that stores scores, or answers rounds, asks whether that is approved."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

NODE = Path(__file__).parents[2] / "node" / "folkmoot_node"
ASKED_FOR_RUNS, ASKED_FOR_RELEASES = "permit_run", "permit_release"


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for one in ast.walk(ast.parse(path.read_text())):
        if isinstance(one, ast.FunctionDef):
            yield one


def names_in(function: ast.FunctionDef) -> list[str]:
    return [one.id for one in ast.walk(function) if isinstance(one, ast.Name)]


def calls(name: str) -> dict[str, list[str]]:
    """Functions that call something, by file and name, with the names that they use."""
    found = {}
    for path in sorted(NODE.rglob("*.py")):
        for function in functions(path):
            called = (
                one.func.id
                for one in ast.walk(function)
                if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
            )
            if name in called:
                found[f"{path.relative_to(NODE)}: {function.name}"] = names_in(function)
    return found


def test_each_run_that_is_recorded_was_permitted() -> None:
    found = calls("recorded_run")
    assert set(found) == {"cli/scoring.py: score", "running/worker.py: score"}
    for where, names in found.items():
        assert ASKED_FOR_RUNS in names, where


def test_what_is_kept_for_rounds_was_permitted() -> None:
    """Rounds are counted from it: it is a scoring run whose scores go elsewhere."""
    found = calls("keep_for_rounds")
    assert set(found) == {"cli/evaluation.py: _keep_for_rounds"}
    for where, names in found.items():
        assert ASKED_FOR_RUNS in names, where


def test_each_command_that_answers_rounds_opens_the_home_with_who_is_asked() -> None:
    """What opens it otherwise answers nothing: see `home.not_asked`."""
    found = calls("answer_round") | calls("stop_on_signals")
    commands = {where: names for where, names in found.items() if where.startswith("cli/")}
    assert set(commands) == {"cli/rounds.py: release", "cli/running.py: serve"}
    for where, names in commands.items():
        assert ASKED_FOR_RELEASES in names, where


def test_an_answer_asks_before_it_counts() -> None:
    source = (NODE / "answering" / "answer.py").read_text()
    (answer,) = (
        one for one in functions(NODE / "answering" / "answer.py") if one.name == "answer_round"
    )
    text = ast.get_source_segment(source, answer) or ""
    assert 0 < text.index("home.permit(") < text.index("return release(")
