"""A date is judged while the next is scored: the report, errors and memory are as without that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future

import pytest

from folkmoot_node.evaluation import back_test as module
from folkmoot_node.evaluation.back_test import BackTest, back_test
from folkmoot_node.evaluation.measures.judge import judge
from folkmoot_node.evaluation.snapshot import Snapshot
from folkmoot_node.pipeline.order import silent
from folkmoot_operator.problems import ExitCode, Problem
from tests.evaluation_snapshots import evaluation_of, snapshots_of
from tests.unit.node.conftest import TODAY

DATES = snapshots_of(3, 800)


class InTurn(Executor):
    """Does all work where it is given to it."""

    def __init__(self, *_: object) -> None:
        pass

    def submit(self, work, *args):
        done = Future()
        done.set_result(work(*args))
        return done


@pytest.fixture
def run(monkeypatch):
    """Runs a back-test of dates that are there already, with what stands in for scoring them."""

    def start(dated: Iterator[Snapshot]) -> BackTest:
        monkeypatch.setattr(module, "snapshots", lambda *_, **__: dated)
        file = evaluation_of(DATES)
        return back_test(None, None, None, file, today=TODAY, progress=silent)

    return start


def test_the_report_is_as_if_dates_were_judged_in_turn(run, monkeypatch) -> None:
    at_once = run(iter(DATES)).as_json()
    monkeypatch.setattr(module, "ThreadPoolExecutor", InTurn)
    assert run(iter(DATES)).as_json() == at_once
    assert [one["date"] for one in at_once["dates"]] == [one.date.isoformat() for one in DATES]


def test_a_date_is_judged_while_the_next_is_scored_and_no_more_are_there(run, monkeypatch) -> None:
    asked, done = [threading.Event() for _ in range(4)], []

    def slow(snapshot, evaluation):
        at = [one.date for one in DATES].index(snapshot.date)
        assert asked[at + 1].wait(30)  # the next is being scored
        done.append(at)
        return judge(snapshot, evaluation)

    def scoring() -> Iterator[Snapshot]:
        for at, snapshot in enumerate(DATES):
            asked[at].set()
            assert len(done) >= at - 1
            yield snapshot
        asked[-1].set()

    monkeypatch.setattr(module, "judge", slow)
    before = set(threading.enumerate())
    run(scoring())
    assert done == [0, 1, 2]
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("wrong_date", [0, 1, 2, None])
def test_the_error_of_the_earlier_date_is_told_and_no_thread_is_left(
    run, monkeypatch, wrong_date
) -> None:
    def failing(snapshot, evaluation):
        if wrong_date is not None and snapshot.date == DATES[wrong_date].date:
            raise ArithmeticError(f"date {wrong_date}")
        return judge(snapshot, evaluation)

    def scoring() -> Iterator[Snapshot]:
        yield from DATES
        raise Problem("the horizon is not over", exit_code=ExitCode.DATA)

    monkeypatch.setattr(module, "judge", failing)
    before = set(threading.enumerate())
    said = "the horizon is not over" if wrong_date is None else f"date {wrong_date}"
    with pytest.raises((Problem, ArithmeticError), match=said):
        run(scoring())
    assert set(threading.enumerate()) <= before


def test_who_breaks_it_off_waits_for_the_date_that_is_judged(run) -> None:
    def scoring() -> Iterator[Snapshot]:
        yield DATES[0]
        raise KeyboardInterrupt

    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        run(scoring())
    assert set(threading.enumerate()) <= before
