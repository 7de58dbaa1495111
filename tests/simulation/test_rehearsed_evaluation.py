"""A rehearsed council's node looks back: what it finds is what was true, and a leak is refused.

The node is a real one, of the extracts and mappings that `folkmoot-rehearse --outcomes` writes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from folkmoot_node.evaluation.dated_snapshots import snapshots
from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.policies.risk_policy import RiskPolicy, load_policy
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.store.encrypted_file import create_key
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import load
from folkmoot_rehearsal import policies
from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.outcomes import mechanism as rules
from folkmoot_rehearsal.outcomes.mechanism import SHOWN, Mechanism, Plant
from folkmoot_rehearsal.synthesis import Recipe, write
from folkmoot_sdk.loading import load as load_installed
from tests.evaluation_snapshots import in_points
from tests.rehearsed_outcomes import TODAY, WEIGHTS, rehearse, snapshot_at

pytestmark = pytest.mark.slow

HOUSEHOLDS = 3000
COUNCIL = region(2)[1]
"""Its revenues system is the second supplier's."""
USUAL = Mechanism(
    (replace(rules.HOMELESSNESS, yearly=0.06), replace(rules.SAFEGUARDING, yearly=0.06))
)


def node(home: Path, mechanism: Mechanism) -> tuple[NodeConfig, RiskPolicy, EvaluationFile]:
    """A council's node beside its extracts, unsigned: nothing leaves it."""
    recipe = Recipe(households=HOUSEHOLDS, seed=7, today=TODAY, outcomes=mechanism)
    written = write(COUNCIL, recipe, home, home / "truth")
    (home / "risk-policy.toml").write_text(policies.risk_policy(TODAY, mechanism), "utf-8")
    (home / "node.toml").write_text(
        f'schema = 1\ncouncil = "{COUNCIL.code}"\nname = "{COUNCIL.name}"\n'
        f'[scoring]\nframe = "council_tax"\n{policies.node_sources(written.sources)}',
        "utf-8",
    )
    config = load_config(home)
    create_key(config.key_file)
    evaluation = load(EvaluationFile, home / "evaluation.toml")
    few = (evaluation.dates[0], evaluation.dates[-1])
    return config, load_policy(config.risk_policy), evaluation.model_copy(update={"dates": few})


def looked_back(made, **changes):
    config, policy, evaluation = made
    asked = evaluation.model_copy(update=changes)
    return list(snapshots(config, load_installed(), policy, asked, today=TODAY))


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The first and the last date as the node knew them, and as they were."""
    made = node(tmp_path_factory.mktemp("usual"), USUAL)
    rehearsed = rehearse(COUNCIL, HOUSEHOLDS, USUAL)
    found = looked_back(made)
    return [(one, snapshot_at(rehearsed, one.date)) for one in found]


def test_the_households_of_a_past_date_are_those_that_were_there(usual):
    sizes = []
    for found, true in usual:
        sizes.append(found.households)
        for happened in found.happened.values():
            assert happened.gone.mean() > 0.02
            judged = np.isin(found.uprn[~happened.gone], true.uprn)
            assert judged.mean() > 0.98  # some have a record after they left
            assert not np.isin(found.uprn[happened.gone], true.uprn).any()
        assert found.undated == ("llpg", "housing", "equality_monitoring")
        assert all(found.left_out[name] > 0 for name in ("council_tax", "residents", "rents"))
        # Events of homes whose households came later, and of whoever lived there before.
        assert found.not_in_frame["housing_options"] > 0
        assert found.leaks == ()
    assert sizes[0] < 0.95 * sizes[1]


def test_a_node_scores_a_past_date_as_it_was(usual):
    """But for what is wrong with the extracts, every factor is what was true on the day."""
    for found, true in usual:
        _, ours, theirs = np.intersect1d(found.uprn, true.uprn, return_indices=True)
        assert len(ours) > 0.97 * true.households
        for at, name in enumerate(found.factors):
            place = SHOWN.index(name)
            scores = in_points(found)[ours, at] / found.weights[at]
            truth = in_points(true)[theirs, place] / true.weights[place]
            known = ~np.isnan(scores)
            assert known.mean() > 0.94, name
            # A score of isolation moves with whole years of age.
            same = np.abs(scores - truth)[known] < 0.021
            assert same.mean() > 0.96, name
        assert {name: WEIGHTS[name] for name in SHOWN} == dict(
            zip(found.factors, found.weights, strict=True)
        )


def test_what_then_happened_is_what_was_recorded(usual):
    names = {"homelessness": "homelessness_application", "safeguarding": "safeguarding_enquiry"}
    for found, true in usual:
        _, ours, theirs = np.intersect1d(found.uprn, true.uprn, return_indices=True)
        for name, outcome in names.items():
            one, other = found.happened[name], true.happened[outcome]
            assert one.until == other.until
            had, should = ~np.isnat(one.first[ours]), ~np.isnat(other.first[theirs])
            assert should.sum() > 20
            assert (had & should).sum() >= 0.93 * should.sum()  # some have no day, or no UPRN
            assert (had & ~should).sum() <= 0.03 * should.sum()
            both = had & should
            agree = one.first[ours][both] == other.first[theirs][both]
            assert agree.mean() > 0.97
            ended = np.isnat(one.ended[ours]) == np.isnat(other.ended[theirs])
            assert ended.mean() > 0.995


def test_a_planted_leak_is_refused_and_named_where_it_is_accepted(tmp_path):
    leaky = replace(USUAL, leak=Mechanism.planted(Plant.LEAK).leak)
    made = node(tmp_path, leaky)
    with pytest.raises(Problem) as caught:
        looked_back(made)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert "temporary_accommodation" in caught.value.problem
    assert "record date" in caught.value.remedy
    accepted = (*made[2].undated, "temporary_accommodation")
    [found] = looked_back(made, undated=accepted, dates=made[2].dates[1:])
    named = {(leak.outcome, leak.kind, leak.name) for leak in found.leaks}
    assert ("homelessness", "factor", "housing_insecurity") in named
    assert ("homelessness", "input", "homelessness_duty") in named
    assert not any(outcome == "safeguarding" for outcome, _, _ in named)


def test_a_leak_that_says_when_it_was_recorded_is_left_out(tmp_path):
    """The same extract with a date: what came later is not read, and nothing is to be warned of."""
    leaky = replace(USUAL, leak=True)
    made = node(tmp_path, leaky)
    path = tmp_path / "extracts" / "temporary_accommodation.csv"
    events = pl.read_parquet(tmp_path / "truth" / "outcomes.parquet").drop_nulls("noted")
    noted = events.filter(pl.col("outcome") == "homelessness_application")
    first = noted.group_by(pl.col("uprn").cast(pl.String).alias("UPRN")).agg(
        pl.col("noted").min().cast(pl.String).alias("Since")
    )
    frame = pl.read_csv(path, infer_schema=False)
    frame.join(first, on="UPRN", how="left").write_csv(path)
    mapping = tmp_path / "mappings" / "temporary_accommodation.toml"
    text = mapping.read_text("utf-8")
    mapping.write_text(
        text.replace("\nuprn = ", '\nrecord_date = { column = "Since" }\nuprn = ', 1), "utf-8"
    )
    [found] = looked_back(made, dates=made[2].dates[1:])
    assert found.left_out["temporary_accommodation"] > 10
    assert found.leaks == ()


def test_a_horizon_that_the_records_do_not_reach_is_refused(tmp_path):
    made = node(tmp_path, USUAL)
    late = TODAY.replace(day=1, month=TODAY.month - 1)
    with pytest.raises(Problem) as caught:
        looked_back(made, dates=(late,))
    assert caught.value.exit_code is ExitCode.DATA
    assert "The last date that can be judged" in caught.value.remedy
