"""A series of rounds at a real node: counted once, charged as planned, refused when changed."""

from __future__ import annotations

import datetime
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from monthly import (
    FIRST,
    NOON,
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
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot.privacy import Rho
from folkmoot.refusal import RefusalReason
from folkmoot.series import SeriesEvent, SeriesRow
from folkmoot_node.answering.answer import answer_round
from folkmoot_node.answering.ended_series import forget_ended_series
from folkmoot_node.answering.reconcile import compare, recover
from folkmoot_node.answering.visit import poll
from folkmoot_node.federation.identity import load_policy_key
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.policies.release_policy import sign
from folkmoot_operator.problems import Problem


@pytest.fixture
def node(stage: Stage) -> Iterator[NodeHome]:
    permit(stage.home)
    with open_home(stage.home) as home:
        yield home


def test_each_household_is_counted_once_in_the_month_of_its_first_event(
    stage: Stage, node: NodeHome
) -> None:
    releases = {}
    for position, owing in enumerate((FIRST, SECOND, THIRD), start=1):
        score_with(stage.home, owing)
        releases[position] = read(answer(stage, node, in_series(position)))
    assert [one.row for one in releases.values()] == [SeriesRow(at, at) for at in (1, 2, 3)]
    assert by_area(in_series(3), releases) == {
        (1, "cumulative"): expected(FIRST),
        (1, "new"): expected(FIRST),
        (2, "cumulative"): expected(FIRST, SECOND),
        (2, "new"): expected(SECOND - FIRST),
        (3, "cumulative"): expected(FIRST, SECOND, THIRD),
        (3, "new"): expected(THIRD - FIRST - SECOND),
    }
    losses = [debit.rho for debit in node.ledger.debits()]
    assert losses == list(in_series(1).charges) == [one.loss for one in releases.values()]
    assert sum(loss.nano for loss in losses) == TOTAL.nano


def test_a_council_that_misses_a_month_goes_on_with_its_own_steps(
    stage: Stage, node: NodeHome
) -> None:
    score_with(stage.home, FIRST)
    first = read(answer(stage, node, in_series(1)))
    score_with(stage.home, THIRD)
    third = read(answer(stage, node, in_series(3)))
    assert (first.row, third.row) == (SeriesRow(1, 1), SeriesRow(2, 2))
    assert by_area(in_series(3), {1: first, 3: third}) == {
        (1, "cumulative"): expected(FIRST),
        (1, "new"): expected(FIRST),
        (3, "cumulative"): expected(FIRST, THIRD),
    }
    # It pays for its second step, which costs more than the third would.
    assert third.loss == in_series(1).charges[1]


def test_a_release_that_was_lost_leaves_the_later_ones_right(stage: Stage, node: NodeHome) -> None:
    score_with(stage.home, FIRST)
    first = read(answer(stage, node, in_series(1)))
    score_with(stage.home, SECOND)
    lost = answer(stage, node, in_series(2), send=False)
    score_with(stage.home, THIRD)
    with pytest.raises(Problem, match="not delivered yet"):
        answer(stage, node, in_series(3))
    node.outbox.close(lost.round_id, "ROUND_CLOSED")
    third = read(answer(stage, node, in_series(3)))
    assert third.row == SeriesRow(3, 2)
    assert by_area(in_series(3), {1: first, 3: third})[3, "cumulative"] == expected(
        FIRST, SECOND, THIRD
    )
    assert sum(debit.rho.nano for debit in node.ledger.debits()) == TOTAL.nano


def test_charges_begin_anew_with_an_accounting_period(stage: Stage) -> None:
    """Whoever is first counted in the new period loses as much in it as at the beginning."""
    permit(stage.home)
    policy = stage.home / "release-policy.toml"
    text = policy.read_text()
    start = datetime.datetime.fromtimestamp(NOON, datetime.UTC).date() - datetime.timedelta(days=1)
    kept = [line for line in text.splitlines() if not line.startswith("period_")]
    kept += [f"period_start = {start}", "period_months = 1"]
    policy.write_text("\n".join(kept) + "\n")
    sign(policy, load_policy_key(stage.home / "keys" / "policy-signing.key"), "T", 1_790_000_000)
    now = [NOON]
    with open_home(stage.home, clock=lambda: now[0]) as home:
        late = {"opened_at": NOON - 10, "deadline": NOON + 80 * 86_400}
        for position, days in enumerate((0, 1, 45), start=1):
            now[0] = NOON + days * 86_400
            learn(stage, home, in_series(position, **late))
            found = answer_round(home, home.round_book().resolve(f"{100 + position:032x}"))
            assert found is not None
            home.outbox.close(found.round_id, "the certificate of the test would have expired")
        charges = in_series(1).charges
        losses = [debit.rho for debit in home.ledger.debits()]
        assert losses == [charges[0], charges[1], charges[0]]


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"position": 1}, RefusalReason.ROUND_INVALID),
        ({"position": 2}, RefusalReason.ROUND_INVALID),
        ({"event": SeriesEvent("band", ("high", "none"))}, RefusalReason.ROUND_INVALID),
        ({"length": 4}, RefusalReason.ROUND_INVALID),
        ({"ends_at": NOON + 91 * 86_400}, RefusalReason.ROUND_INVALID),
    ],
)
def test_a_series_cannot_be_changed_or_repeated(
    stage: Stage, node: NodeHome, change: dict[str, object], reason: RefusalReason
) -> None:
    score_with(stage.home, FIRST)
    read(answer(stage, node, in_series(2)))
    other = in_series(3)
    assert other.series is not None
    series = replace(other.series, **change)  # type: ignore[arg-type]
    changed = in_series(3, round_id="9" * 32, series=series)
    assert answer(stage, node, changed).reason is reason
    assert len(node.ledger.debits()) == 1
    assert read(answer(stage, node, in_series(3))).row == SeriesRow(2, 2)


@pytest.mark.parametrize("loss", ["499.999999999", "400"])
def test_a_series_cannot_change_its_loss(stage: Stage, node: NodeHome, loss: str) -> None:
    read(answer(stage, node, in_series(1)))
    assert answer(stage, node, in_series(2, loss=Rho.of(loss))).reason is (
        RefusalReason.ROUND_INVALID
    )


def test_a_position_that_was_paid_for_and_not_answered_is_taken(
    stage: Stage, node: NodeHome
) -> None:
    """Else a coordinator could have more debits made than the series has rounds."""
    from folkmoot_node.release.steps import AnswerStage

    def fail(step: AnswerStage) -> None:
        if step is AnswerStage.DEBITED:
            raise RuntimeError("power cut")

    with open_home(stage.home, observe=fail) as failing, pytest.raises(RuntimeError):
        answer(stage, failing, in_series(1))
    again = in_series(1, round_id="9" * 32)
    assert answer(stage, node, again).reason is RefusalReason.ROUND_INVALID
    second = read(answer(stage, node, in_series(2)))
    assert second.row == SeriesRow(1, 1)
    assert [debit.rho for debit in node.ledger.debits()] == list(in_series(1).charges[:2])


@pytest.mark.parametrize(
    "per_series, per_period, event, reason",
    [
        (None, "2000", None, RefusalReason.MECHANISM),
        ("499", "2000", None, RefusalReason.LOSS_PER_ROUND),
        ("500", "2000", SeriesEvent("lsoa", ("E01900901",)), RefusalReason.ATTRIBUTE),
        ("500", "2000", SeriesEvent("tenure", ("rented",)), RefusalReason.ATTRIBUTE),
        ("500", "2000", SeriesEvent("band", ("severe",)), RefusalReason.CODE),
    ],
)
def test_the_policy_decides(
    stage: Stage,
    per_series: str | None,
    per_period: str,
    event: SeriesEvent | None,
    reason: RefusalReason,
) -> None:
    permit(stage.home, per_series, per_period)
    round_ = in_series(1)
    assert round_.series is not None
    if event:
        round_ = replace(round_, series=replace(round_.series, event=event))
    with open_home(stage.home) as home:
        assert answer(stage, home, round_).reason is reason
        assert home.ledger.debits() == ()
        assert not home.config.history_folder.exists()


def test_the_history_of_another_time_is_not_used(stage: Stage, node: NodeHome) -> None:
    score_with(stage.home, FIRST)
    read(answer(stage, node, in_series(1)))
    path = node.config.history_path("5" * 32)
    backup = path.read_bytes()
    score_with(stage.home, SECOND)
    read(answer(stage, node, in_series(2)))
    path.write_bytes(backup)  # it does not know whom the second round counted
    with pytest.raises(Problem, match="not that of the answers of this node"):
        answer(stage, node, in_series(3))
    path.unlink()
    with pytest.raises(Problem, match="not that of the answers of this node"):
        answer_round(node, node.round_book().resolve(in_series(3).round_id))
    assert len(node.ledger.debits()) == 2


def test_the_history_is_encrypted_private_and_forgotten_at_the_end(
    stage: Stage, node: NodeHome
) -> None:
    score_with(stage.home, FIRST)
    read(answer(stage, node, in_series(1)))
    path = node.config.history_path("5" * 32)
    assert path.stat().st_mode & 0o777 == 0o600
    for file in path.parent.iterdir():
        content = file.read_bytes()
        assert b"counted" not in content
        assert (10_000_001).to_bytes(8, "little") not in content
    assert list(forget_ended_series(node)) == []
    assert path.exists()
    read(answer(stage, node, in_series(3)))
    (event,) = forget_ended_series(node)
    assert "forgotten" in event.text
    assert list(path.parent.iterdir()) == []


def test_the_history_is_forgotten_when_the_series_is_over_without_its_last_round(
    stage: Stage, node: NodeHome
) -> None:
    read(answer(stage, node, in_series(1)))
    with open_home(stage.home, clock=lambda: NOON + 91 * 86_400) as later:
        assert len(list(forget_ended_series(later))) == 1
        assert list(later.config.history_folder.iterdir()) == []


def test_what_a_crash_left_uncounted_is_counted_anew(stage: Stage, node: NodeHome) -> None:
    """The second attempt sees newer scores; only one count leaves."""
    from folkmoot_node.release.steps import AnswerStage

    score_with(stage.home, FIRST)
    first = read(answer(stage, node, in_series(1)))
    score_with(stage.home, set(range(200, 260)))
    for at in (AnswerStage.TABULATED, AnswerStage.DEBITED, AnswerStage.SAMPLED):

        def fail(step: AnswerStage, at: AnswerStage = at) -> None:
            if step is at:
                raise RuntimeError("power cut")

        with open_home(stage.home, observe=fail) as failing, pytest.raises(RuntimeError):
            answer(stage, failing, in_series(2))
    score_with(stage.home, SECOND)
    second = read(answer(stage, node, in_series(2)))
    assert by_area(in_series(2), {1: first, 2: second})[2, "new"] == expected(SECOND - FIRST)
    assert [debit.rho for debit in node.ledger.debits()] == list(in_series(1).charges[:2])


def test_rounds_show_says_what_a_series_costs(stage: Stage, node: NodeHome) -> None:
    from folkmoot_node.answering.briefing import describe

    round_ = in_series(2)
    learn(stage, node, round_)
    text = describe(node, node.round_book().resolve(round_.round_id)).as_text()
    assert "round 2 of 3 of a series" in text
    assert "band is high" in text
    assert f"by all 3 rounds of the series together: rho {TOTAL}" in text
    assert f"this answer is charged rho {round_.charges[0]}" in text


def restored(stage: Stage, copy: Path) -> None:
    """Puts a copy of the node's files back, and recovers what has left since it was made."""
    shutil.rmtree(stage.home)
    shutil.copytree(copy, stage.home)
    with open_home(stage.home) as home, home.connect() as client:
        compare(home, client, 1)
        for lost in home.lost_answers.outstanding():
            recover(home, lost)


def test_a_lost_round_of_a_series_is_recovered_at_what_it_was_charged(
    stage: Stage, tmp_path: Path
) -> None:
    permit(stage.home)
    with open_home(stage.home) as home:
        learn(stage, home, in_series(1))
        shutil.copytree(stage.home, tmp_path / "copy")
        read(answer(stage, home, in_series(1)))
    restored(stage, tmp_path / "copy")
    with open_home(stage.home) as home:
        assert home.lost_answers.outstanding() == ()
        assert home.balance().spent == in_series(1).charges[0]


def test_a_series_does_not_go_on_after_a_round_that_may_have_counted_and_is_not_known(
    stage: Stage, tmp_path: Path
) -> None:
    """Whom it counted would be counted again, at more than what both were charged."""
    permit(stage.home)
    with open_home(stage.home) as home:
        score_with(stage.home, FIRST)
        read(answer(stage, home, in_series(1)))
        shutil.copytree(stage.home, tmp_path / "copy")
        score_with(stage.home, SECOND)
        read(answer(stage, home, in_series(2)))
    restored(stage, tmp_path / "copy")
    score_with(stage.home, SECOND)
    with open_home(stage.home) as home:
        with pytest.raises(Problem, match="may have been of its series"):
            answer(stage, home, in_series(3))
        assert home.outbox.find(in_series(3).round_id) is None
        assert read(answer(stage, home, ask(7))).loss == ask(7).loss, "other rounds go on"


def test_a_history_newer_than_the_answers_is_not_overwritten(stage: Stage, tmp_path: Path) -> None:
    """The coordinator says nothing of the second round, but the history does."""
    permit(stage.home)
    with open_home(stage.home) as home:
        path = home.config.history_path("5" * 32)
        read(answer(stage, home, in_series(1)))
        shutil.copytree(stage.home, tmp_path / "copy")
        score_with(stage.home, SECOND)
        read(answer(stage, home, in_series(2)))
    newest = path.read_bytes()
    shutil.rmtree(stage.home)
    shutil.copytree(tmp_path / "copy", stage.home)
    path.write_bytes(newest)
    score_with(stage.home, SECOND)
    with open_home(stage.home) as home:
        with pytest.raises(Problem, match="not that of the answers of this node"):
            answer(stage, home, in_series(3))
        assert path.read_bytes() == newest


def test_the_charge_is_asked_at_the_door_and_under_the_lock(
    stage: Stage, node: NodeHome, asked: Counter[str]
) -> None:
    for position in (1, 2):
        stage.coordinator.rounds.append(round_codec.encode_round(in_series(position)))
        asked.clear()
        with node.connect() as client:
            texts = [event.text for event in poll(node, client)]
        assert any(text.startswith("released") for text in texts)
        assert (asked["judge"], asked["charge"], asked["decode"]) == (1, 2, 1)
    asked.clear()
    with node.connect() as client:
        list(poll(node, client))
    assert dict(asked) == {}
