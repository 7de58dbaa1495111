"""Households that are withheld after an objection, at a real node: single rounds, and a series."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import numpy as np
import pytest
from monthly import (
    FIRST,
    SECOND,
    THIRD,
    TOTAL,
    answer,
    by_area,
    expected,
    in_series,
    learn,
    permit,
    read,
    score_with,
)
from region import AREAS, TRAFFORD
from stage import COUNCIL, Stage, ask

from folkmoot.rounds import Round
from folkmoot_node.answering.answer import answer_round
from folkmoot_node.corrections.decisions import Decision
from folkmoot_node.corrections.sealed_file import Corrections, open_corrections
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.release.steps import AnswerStage
from folkmoot_node.release.tabulate import tabulate
from tests.tables import measured

DAY = datetime.date(2026, 11, 1)


@pytest.fixture
def node(stage: Stage) -> Iterator[NodeHome]:
    permit(stage.home)
    with open_home(stage.home) as home:
        yield home


def withhold(node: NodeHome, *numbers: int, until: datetime.date | None = None) -> Corrections:
    corrections = open_corrections(node.config)
    for number in numbers:
        decision = Decision(objection=f"o{number}", decided_on=DAY, until=until, withhold=True)
        corrections.add(10_000_000 + number, decision, {})
    return corrections


def exact(node: NodeHome, round_: Round) -> list[int]:
    """Households of band high by area, before noise: what the mechanism is given."""
    with node.open_store() as store:
        (table,) = tabulate(store, round_, COUNCIL)._tables
    return table.reshape(2, len(AREAS[TRAFFORD]))[1].tolist()


def test_a_withheld_household_is_in_no_exact_count_whether_scored_since_or_not(
    stage: Stage, node: NodeHome
) -> None:
    score_with(stage.home, FIRST)
    round_ = ask(1)
    assert exact(node, round_) == expected(FIRST)
    withhold(node, 3, 4, 299)
    assert exact(node, round_) == expected(FIRST - {3, 4})
    score_with(stage.home, FIRST)
    assert exact(node, round_) == expected(FIRST - {3, 4})


def test_the_answer_is_of_those_who_are_not_withheld(stage: Stage, node: NodeHome) -> None:
    """At this loss the noise is far smaller than what twelve households make."""
    score_with(stage.home, FIRST)
    withhold(node, *range(12))
    round_ = ask(1, loss=TOTAL)
    values = np.array(read(answer(stage, node, round_)).counts.values)

    def off(owing: set[int], everyone: set[int]) -> float:
        table = np.array([expected(everyone - owing), expected(owing)])
        return float(np.abs(values - measured(round_.plan(COUNCIL), table)).max())

    gone, all_ = set(range(12)), set(range(300))
    assert off(FIRST - gone, all_ - gone) < 3
    assert off(FIRST, all_) > 10


def test_an_answer_that_was_stored_before_the_objection_stays(stage: Stage, node: NodeHome) -> None:
    """The same round always gives the same bytes: nobody can subtract one from the other."""
    score_with(stage.home, FIRST)
    first = answer(stage, node, ask(1))
    withhold(node, *FIRST)
    again = answer_round(node, node.round_book().resolve(first.round_id))
    assert again is not None
    assert again.frames == first.frames


def test_a_series_keeps_whom_it_has_counted_and_counts_nobody_withheld_anew(
    stage: Stage, node: NodeHome
) -> None:
    """Number 0 is counted in the first month and objects; 45 objects before it is counted."""
    score_with(stage.home, FIRST)
    releases = {1: read(answer(stage, node, in_series(1)))}
    withhold(node, 0, 45)
    score_with(stage.home, SECOND | {0})
    releases[2] = read(answer(stage, node, in_series(2)))
    score_with(stage.home, THIRD | {0, 45})
    releases[3] = read(answer(stage, node, in_series(3)))
    found = by_area(in_series(3), releases)
    counted = FIRST, SECOND - {45}, THIRD - {45}
    assert found == {
        (1, "cumulative"): expected(FIRST),
        (1, "new"): expected(FIRST),
        (2, "cumulative"): expected(*counted[:2]),
        (2, "new"): expected(counted[1] - FIRST),
        (3, "cumulative"): expected(*counted),
        (3, "new"): expected(counted[2] - FIRST - counted[1]),
    }
    assert 0 in FIRST
    assert 45 in SECOND - FIRST
    assert sum(debit.rho.nano for debit in node.ledger.debits()) == TOTAL.nano


def test_a_household_that_is_withheld_no_more_is_counted_once(stage: Stage, node: NodeHome) -> None:
    """0 was counted before: never twice. 45 was not: it is new now."""
    score_with(stage.home, FIRST)
    releases = {1: read(answer(stage, node, in_series(1)))}
    corrections = withhold(node, 0, 45)
    score_with(stage.home, SECOND)
    releases[2] = read(answer(stage, node, in_series(2)))
    corrections.withdraw("o0")
    corrections.withdraw("o45")
    score_with(stage.home, {0, 45})
    releases[3] = read(answer(stage, node, in_series(3)))
    found = by_area(in_series(3), releases)
    assert found[3, "new"] == expected({45})
    assert found[3, "cumulative"] == expected(FIRST, SECOND)


def test_one_who_objects_between_a_crash_and_the_answer_is_not_counted(
    stage: Stage, node: NodeHome
) -> None:
    """What was counted for a release that nobody has seen is counted anew, without it."""

    class Killed(Exception):
        pass

    def fail(step: AnswerStage) -> None:
        if step is AnswerStage.SAMPLED:
            raise Killed

    score_with(stage.home, FIRST)
    learn(stage, node, in_series(1))
    with open_home(stage.home, observe=fail) as dying, pytest.raises(Killed):
        answer_round(dying, dying.round_book().resolve(in_series(1).round_id))
    withhold(node, 0)
    release = read(answer(stage, node, in_series(1)))
    assert by_area(in_series(1), {1: release})[1, "cumulative"] == expected(FIRST - {0})


def test_no_round_is_answered_if_the_decisions_cannot_be_read(stage: Stage, node: NodeHome) -> None:
    from folkmoot_operator.problems import Problem

    score_with(stage.home, FIRST)
    withhold(node, 0)
    node.config.corrections_file.write_bytes(b"x" * 40)
    learn(stage, node, ask(1))
    with pytest.raises(Problem, match="decisions about objections"):
        answer_round(node, node.round_book().resolve(ask(1).round_id))
    assert node.ledger.debits() == ()
