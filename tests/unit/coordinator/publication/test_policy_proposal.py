"""A policy with other points: what changes in the file, what does not, and what is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from folkmoot_coordinator.inference.federated_weights import Coefficient, Weights
from folkmoot_coordinator.publication.outcome_weights import RegionalWeights
from folkmoot_coordinator.publication.policy_proposal import Proposal, propose
from folkmoot_coordinator.rounds.policy_structure import read_policy
from folkmoot_operator.problems import ExitCode, Problem
from tests.outcome_region import BOLTON, a_round, asked, numbers, region

TEXT = """# About all of it
name = "P"

# About the first
[[factors]]
factor = "first"
weight = 30  # of 60

# About the second
[[factors]]
weight = 20
factor = "second"
parameters = { weight = 5 }

[[factors]]
factor = "third"
weight = 10.5

# About bands
[[bands]]
name = "none"
from = 0
"""


def fitted(effects: Mapping[str, float | None]) -> RegionalWeights:
    """Weights of factors with the levels `no` and `yes`."""
    coefficients = []
    for name, effect in effects.items():
        coefficients.append(Coefficient(name, "no", 0.0, 0.0, 0.0, 0.0))
        coefficients.append(Coefficient(name, "yes", effect, 0.1, 0.2, 0.0))
        coefficients.append(Coefficient(name, "unknown", 3.0, 0.1, 0.2, 0.0))
    model = Weights(tuple(coefficients), -2.0, 500.0, 9000.0, np.zeros((1, 1)), 1.96, ())
    round_ = a_round()
    released = numbers(round_, {BOLTON: region(50)[BOLTON]}, noise=False)
    return RegionalWeights(asked(round_, released), tuple(effects), model, {})


def proposed(effects: Mapping[str, float | None], text: str = TEXT) -> Proposal:
    policy = read_policy(text.encode(), "policy.toml")
    return propose(fitted(effects), policy, {name: name for name in effects})


def test_points_are_shared_out_in_proportion_and_nothing_else_changes() -> None:
    found = proposed({"first": 0.5, "second": 1.5})
    assert {one.factor: one.points for one in found.points} == {"first": 13, "second": 37}
    assert found.kept == ("third",)
    after, before = tomllib.loads(found.text), tomllib.loads(TEXT)
    assert [one.pop("weight") for one in after["factors"]] == [13, 37, 10.5]
    assert [one.pop("weight") for one in before["factors"]] == [30, 20, 10.5]
    assert after == before
    for kept in ("weight = 13  # of 60", "# About the second", "# About bands", "# About all"):
        assert kept in found.text
    assert "first (by first): 0.50 (0.11 to 0.89), 30 -> 13 points" in found.text


def test_a_factor_that_adds_nothing_is_left_out_and_its_points_go_to_the_others() -> None:
    found = proposed({"first": 0.5, "second": -0.1})
    assert [one["factor"] for one in tomllib.loads(found.text)["factors"]] == ["first", "third"]
    assert tomllib.loads(found.text)["factors"][0]["weight"] == 50
    assert "About the second" not in found.text
    assert "second (by second): -0.10 (-0.49 to 0.29), left out" in found.text
    assert "# About bands" in found.text


def test_a_factor_that_is_left_out_goes_with_its_parameters_and_others_keep_theirs() -> None:
    parameters = "[factors.parameters]\nweight = 5\n"
    text = TEXT.replace("parameters = { weight = 5 }\n", parameters)
    text = text.replace("weight = 30  # of 60\n", f"weight = 30  # of 60\n{parameters}")
    found = tomllib.loads(proposed({"first": 0.5, "second": -0.1}, text).text)["factors"]
    assert found == [
        {"factor": "first", "weight": 50, "parameters": {"weight": 5}},
        {"factor": "third", "weight": 10.5},
    ]


def test_levels_of_a_factor_that_is_left_out_go_with_it() -> None:
    levels = '\nbreaks = [0.5]\nlevels = ["no", "yes"]\n'
    text = f"""{TEXT}
# Levels of the first
[attributes.first]
factor = "first"{levels}
# Levels of the second
[attributes.second]
factor = "second"{levels}
# Not of a factor
[attributes.second_home]
field = "second_home"
"""
    found = proposed({"first": 0.5, "second": -0.1}, text)
    assert [*tomllib.loads(found.text)["attributes"]] == ["first", "second_home"]
    assert "# Levels of the second" not in found.text
    assert "# Not of a factor" in found.text
    only = (
        text[: text.index("# Levels of the first")] + text[text.index("# Levels of the second") :]
    )
    only = only[: only.index("# Not of")]
    assert "attributes" not in tomllib.loads(proposed({"first": 0.5, "second": -0.1}, only).text)


def test_of_two_levels_the_reference_may_be_listed_last() -> None:
    fits = fitted({"first": 0.5, "second": 1.5})
    turned = replace(fits.region, coefficients=tuple(reversed(fits.region.coefficients)))
    policy = read_policy(TEXT.encode(), "policy.toml")
    found = propose(replace(fits, region=turned), policy, {"first": "first", "second": "second"})
    assert {one.factor: one.points for one in found.points} == {"first": 13, "second": 37}


def test_a_factor_that_the_policy_does_not_have_is_named_and_not_passed_over() -> None:
    policy = read_policy(TEXT.encode(), "policy.toml")
    stand_for = {"first": "tenure", "secnod": "age"}
    with pytest.raises(Problem, match="no factor 'secnod'") as refused:
        propose(fitted({"tenure": 0.5, "age": 1.0}), policy, stand_for)
    assert "Did you mean 'second'?" in str(refused.value.remedy)
    # Under its own name an attribute may be in the model that is no factor of the policy.
    found = propose(fitted({"first": 0.5, "age": 1.0}), policy, {"first": "first", "age": "age"})
    assert [one.factor for one in found.points] == ["first"]


def test_a_factor_too_small_to_judge_keeps_its_points() -> None:
    found = proposed({"first": 0.5, "second": None})
    assert found.kept == ("second", "third")


def test_each_factor_that_stays_has_a_whole_point_at_least() -> None:
    found = proposed({"first": 5.0, "second": 0.001})
    assert {one.factor: one.points for one in found.points} == {"first": 49, "second": 1}


def test_without_a_positive_effect_or_a_factor_nothing_is_proposed() -> None:
    with pytest.raises(Problem, match="no factor of the policy has a positive effect"):
        proposed({"first": -0.5})
    with pytest.raises(Problem, match="no fitted attribute stands for") as refused:
        proposed({"tenure": 0.5})
    assert refused.value.exit_code is ExitCode.REFUSED
    with pytest.raises(Problem, match="of second nothing is known") as refused:
        proposed({"second": None})
    assert "ascending" in str(refused.value.remedy)


def test_a_file_that_cannot_be_edited_is_refused_and_not_garbled() -> None:
    inline = 'factors = [{ factor = "first", weight = 30.5 }]\n'
    with pytest.raises(Problem, match="cannot be edited") as refused:
        proposed({"first": 0.5}, inline)
    assert refused.value.exit_code is ExitCode.SETTINGS
    hidden = TEXT.replace(
        'name = "P"', 'name = """\n[[factors]]\nfactor = "first"\nweight = 1\n"""'
    )
    with pytest.raises(Problem, match="cannot be edited"):
        proposed({"first": 0.5, "second": 1.5}, hidden)
