"""What a node answers after its scores were purged."""

from __future__ import annotations

import time

import pytest
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot.refusal import RefusalReason
from folkmoot.series import Series, SeriesEvent
from folkmoot_node.answering.answer import answer_round
from folkmoot_node.answering.visit import learn
from folkmoot_node.evidence.outbox import AnswerKind
from folkmoot_node.evidence.round_book import KnownRound
from folkmoot_node.federation.identity import load_policy_key
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.operations.retention import Kind, expired, purge
from folkmoot_node.policies.release_policy import sign
from folkmoot_operator.problems import Problem

DAY = 86_400
NOW = int(time.time())


def learned(stage: Stage, deadline: int) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask(deadline=deadline))]
    with open_home(stage.home) as home, home.connect() as client:
        assert list(learn(home, client, client.negotiate())) == []


def only_round(home: NodeHome) -> KnownRound:
    [known] = home.round_book().rounds()
    return known


def test_past_the_sunset_a_purged_node_refuses(stage: Stage) -> None:
    learned(stage, NOW + 30 * DAY)
    policy = stage.home / "risk-policy.toml"
    policy.write_text(policy.read_text().replace("2099-12-31", "2026-11-30"))
    with open_home(stage.home, clock=lambda: NOW + 10 * DAY) as home:
        policy.write_text(policy.read_text() + "[retention]\nscores_days = 0\n")
        purge(home, expired(home), "somebody")
        assert not home.config.store_path.exists()
        answer = answer_round(home, only_round(home))
        assert answer is not None
        assert (answer.kind, answer.reason) == (AnswerKind.REFUSAL, RefusalReason.SUNSET)
        assert answer_round(home, only_round(home)) == answer
        assert home.ledger.debits() == ()


def test_before_it_the_round_waits_and_it_is_said_why(stage: Stage) -> None:
    learned(stage, NOW + 200 * DAY)
    with open_home(stage.home, clock=lambda: NOW + 100 * DAY) as home:
        purge(home, expired(home), "somebody")
        with pytest.raises(Problem, match="the scores were deleted on"):
            answer_round(home, only_round(home))
        assert home.outbox.find(only_round(home).round_id) is None


def test_the_history_of_a_series_goes_when_it_has_ended_and_needs_the_key_till_then(
    stage: Stage,
) -> None:
    release_policy = stage.home / "release-policy.toml"
    text = release_policy.read_text().replace("[loss]", '[loss]\nper_series = "0.4"')
    release_policy.write_text(text)
    key = load_policy_key(stage.home / "keys" / "policy-signing.key")
    sign(release_policy, key, "Tester", 1_790_000_001)
    series = Series("5" * 32, 1, 3, SeriesEvent("band", ("high",)), NOW + 120 * DAY)
    stage.coordinator.rounds = [round_codec.encode_round(ask(101, series=series))]
    with open_home(stage.home) as home:
        with home.connect() as client:
            assert list(learn(home, client, client.negotiate())) == []
        answer = answer_round(home, only_round(home))
        assert answer is not None
        assert answer.kind is AnswerKind.RELEASE
    history = home.config.history_path("5" * 32)
    assert history.exists()
    before = home.config.key_file.read_text()
    with open_home(stage.home, clock=lambda: NOW + 100 * DAY) as home:
        done = purge(home, expired(home), "somebody")
        assert {item.kind for item in done.deleted} == {Kind.SCORES, Kind.EXTRACTS}
        assert not done.key_replaced
        assert home.config.key_file.read_text() == before
        assert history.exists()
    with open_home(stage.home, clock=lambda: NOW + 121 * DAY) as home:
        done = purge(home, expired(home), "somebody")
        assert {item.kind for item in done.deleted} == {Kind.SERIES}
        assert done.key_replaced
    assert not history.exists()
