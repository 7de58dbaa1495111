"""A fault anywhere between exact and noisy counts is told without a count, traces included.

What is injected quotes an exact count, as an error of a library may. `--debug` prints what
`traceback` prints here.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.outbox import AnswerKind
from folkmoot_node.release import mechanism as release_module
from folkmoot_node.release.exact_counts import ExactCounts
from folkmoot_node.release.steps import AnswerStage
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.privacy_half import PrivacyHalf, question

MARK = 31_415_926_535


class Marked(PrivacyHalf):
    """A node all of whose counts are the mark."""

    def counts(self) -> ExactCounts:
        usual = super().counts()
        return ExactCounts(usual.depths, [np.full(size, MARK) for size in usual.sizes])


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Marked]:
    with StateDatabase(tmp_path / "state.sqlite", create=True) as state:
        yield Marked(state)


def quoting(*arguments: Any, **named: Any) -> NoReturn:
    raise ValueError(f"{MARK} cannot be {arguments} {named}")


def sampler(*arguments: Any) -> Callable[..., NoReturn]:
    return quoting


def trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "name, broken, debits",
    [
        ("contrasts", quoting, 1),
        ("sensitivities", quoting, 1),
        ("_gaussian", quoting, 1),
        ("_gaussian", sampler, 1),
        ("_Task", quoting, 1),
        ("NoisyCounts", quoting, 1),
    ],
)
def test_a_fault_among_counts_quotes_none(
    node: Marked, monkeypatch: pytest.MonkeyPatch, name: str, broken: Any, debits: int
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(release_module, name, broken)
        with pytest.raises(Problem) as caught:
            node.answer(question())
    assert str(MARK) not in trace(caught.value)
    assert "ValueError at test_faults_in_release.py" in str(caught.value)
    assert caught.value.exit_code is ExitCode.FAULT
    assert node.outbox.answers() == ()
    assert len(node.ledger.debits()) == debits
    # The fault mended, the same debit pays for the one answer.
    assert node.answer(question()).kind is AnswerKind.RELEASE
    assert len(node.ledger.debits()) == 1


def test_a_fault_of_the_tabulation_quotes_no_count(
    node: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "counts", quoting)
    with pytest.raises(Problem) as caught:
        node.answer(question())
    assert str(MARK) not in trace(caught.value)
    assert node.ledger.debits() == ()


def test_tables_of_other_cells_are_refused_without_a_count(
    node: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = ExactCounts(node.counts().depths, [np.full(1, MARK)])
    monkeypatch.setattr(node, "counts", lambda: wrong)
    with pytest.raises(AssertionError) as caught:
        node.answer(question())
    assert str(MARK) not in trace(caught.value)
    assert node.ledger.debits() == ()


@pytest.mark.parametrize("at", [AnswerStage.DEBITED, AnswerStage.SAMPLED, AnswerStage.STORED])
def test_a_fault_between_the_steps_quotes_no_count(node: Marked, at: AnswerStage) -> None:
    def fail(step: AnswerStage) -> None:
        if step is at:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError) as caught:
        node.answer(question(), fail)
    assert str(MARK) not in trace(caught.value)


def test_a_full_disk_quotes_no_count(node: Marked) -> None:
    """The real thing: SQLite may not grow any more."""
    node.answer(question())
    (pages,) = node.state.reader.execute("PRAGMA page_count").fetchone()
    node.state.reader.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(2, 200):
        try:
            node.answer(question(number))
        except Exception as error:
            text = trace(error)
            break
    else:
        raise AssertionError("the disk never got full")
    assert "full" in text
    assert str(MARK) not in text
