"""The files of decisions are those that node and coordinator read."""

import datetime

import pytest

from folkmoot.geography import GssCode
from folkmoot_coordinator.rounds.question import read_question
from folkmoot_coordinator.rounds.round_making import make_round
from folkmoot_node.policies.release_policy import load_unsigned
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import load_config
from folkmoot_rehearsal import policies
from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.extracts import FRAME
from folkmoot_rehearsal.outcomes.mechanism import Mechanism

DAYS = [datetime.date(2026, 11, 23), datetime.date(2027, 2, 28), datetime.date(2027, 4, 1)]
TRAFFORD = region(9)[8]


@pytest.mark.parametrize("today", DAYS)
def test_the_risk_policy_loads_and_lasts(tmp_path, today):
    path = tmp_path / policies.POLICY_FILE
    path.write_text(policies.risk_policy(today), "utf-8")
    policy = load_policy(path)
    policy.check_sunset(today + datetime.timedelta(days=90))
    assert policy.band_names == policies.BANDS
    assert len(policy.factors) == 7
    assert set(policy.document.attributes) == {
        "household_type",
        "tenure",
        "lsoa",
        "ward",
        "death_reported",
    }


@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("limits", [policies.GENEROUS, policies.CAUTIOUS])
def test_the_release_policy_loads_and_has_begun(tmp_path, today, limits):
    path = tmp_path / "release-policy.toml"
    path.write_text(policies.release_policy(TRAFFORD, limits, today), "utf-8")
    policy, _ = load_unsigned(path)
    assert policy.council == TRAFFORD.code
    assert policy.loss.period_start <= today <= policy.sunset
    assert policy.loss.per_round == limits.per_round
    assert policy.loss.per_period == limits.per_period
    assert policy.loss.lifetime == limits.lifetime


def test_the_cautious_budget_is_enough_for_one_round_and_not_for_two():
    asked = policies.ROUND_LOSS
    assert asked <= policies.CAUTIOUS.per_round
    assert asked <= policies.CAUTIOUS.per_period < asked + asked
    assert asked + asked <= policies.GENEROUS.per_period


def test_node_settings_name_every_source(tmp_path):
    names = (FRAME, "residents")
    settings = 'schema = 1\ncouncil = "E08000009"\nname = "Trafford"\n[scoring]\nframe = "{}"\n'
    (tmp_path / "node.toml").write_text(
        settings.format(FRAME) + policies.node_sources(names), "utf-8"
    )
    config = load_config(tmp_path)
    assert tuple(source.name for source in config.settings.sources) == names
    assert {source.kind for source in config.settings.sources} == {"extracts"}


def test_sources_without_the_frame_are_refused():
    with pytest.raises(ValueError, match="frame"):
        policies.node_sources(("residents",))


@pytest.mark.parametrize(
    "question", [policies.FIRST_ROUND, policies.SECOND_ROUND, policies.OUTCOME_ROUND]
)
def test_round_files_open_rounds_within_the_release_policy(tmp_path, question):
    outcomes = question is policies.OUTCOME_ROUND
    text = policies.risk_policy(DAYS[0], Mechanism() if outcomes else None)
    (tmp_path / policies.POLICY_FILE).write_text(text, "utf-8")
    areas = {"E08000001": ["E01900000", "E01900001"], "E08000002": ["E01901000"]}
    (tmp_path / policies.AREAS_FILE).write_text(policies.areas_file(areas), "utf-8")
    file = tmp_path / "round-1.toml"
    file.write_text(policies.round_file(question, 2), "utf-8")
    round_ = make_round(
        read_question(file), [GssCode(code) for code in areas], now=1_800_000_000
    ).round_

    (tmp_path / "release-policy.toml").write_text(
        policies.release_policy(TRAFFORD, policies.GENEROUS, DAYS[0], outcomes=outcomes), "utf-8"
    )
    allowed, _ = load_unsigned(tmp_path / "release-policy.toml")
    assert round_.purpose in allowed.purposes
    assert round_.loss <= allowed.loss.per_round
    assert round_.minimum_councils == 2
    assert {a.name for a in round_.workload.attributes} <= set(allowed.attributes)
    assert tuple(m.attributes for m in round_.workload.marginals) == tuple(
        attributes for attributes, _ in question.marginals
    )
    for attribute in round_.workload.attributes:
        if attribute.is_area:
            assert attribute.by_council["E08000001"] == tuple(areas["E08000001"])
            assert attribute.others
