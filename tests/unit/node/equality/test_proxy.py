"""The proxy check finds an input that stands for a protected characteristic."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from folkmoot_node.cli import app
from folkmoot_node.equality import proxy as proxy_check
from folkmoot_node.equality.proxy import TOO_SMALL, check
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.equality.test_report import audit, council


def silent(stage, done, total):
    del stage, done, total


@pytest.fixture
def proxied(node):
    """3,000 households; tenure is the group itself, arrears have nothing to do with it."""
    random = np.random.default_rng(5)
    heron = random.random(3000) < 0.3
    arrears = random.integers(0, 3000, 3000).astype(float)
    council(
        node,
        ["heron" if one else "kite" for one in heron],
        arrears.tolist(),
        ["rented" if one else "owned" for one in heron],
    )
    node.score()
    return node


def test_a_pure_proxy_is_found_and_named(proxied):
    [proxy] = audit(proxied).proxy
    assert all(group.auc == pytest.approx(1) for group in proxy.groups)
    assert {group.words for group in proxy.groups} == {"look at the inputs named"}
    assert [carrier.field for carrier in proxy.carriers] == ["tenure"]
    assert proxy.carriers[0].loss == pytest.approx(0.5, abs=0.05)
    assert proxy.skill > 0.95


def test_the_same_scores_give_the_same_report(proxied):
    assert audit(proxied, most=1000).proxy == audit(proxied, most=1000).proxy
    assert audit(proxied, most=1000).proxy[0].sampled == 1000


def test_fail_above_is_for_pipelines(proxied):
    arguments = ["equality", "--home", str(proxied.home), "--fail-above"]
    assert CliRunner().invoke(app, [*arguments, "1"]).exit_code == 0
    done = CliRunner().invoke(app, [*arguments, "0.7"])
    assert isinstance(done.exception, Problem)
    assert done.exception.exit_code is ExitCode.REFUSED
    assert "ethnic_group" in done.exception.problem
    assert "Skill over the base rates" in done.stdout
    assert not any(digit in str(done.exception).partition("ethnic")[0] for digit in "123456789")


def test_missing_values_can_tell_a_group(node):
    random = np.random.default_rng(6)
    heron = random.random(2000) < 0.5
    council(
        node,
        ["heron" if one else "kite" for one in heron],
        [None if one else 0.0 for one in heron],  # type: ignore[list-item]
        ["owned"] * 2000,
    )
    node.score()
    [proxy] = audit(node).proxy
    assert [carrier.field for carrier in proxy.carriers] == ["council_tax_arrears"]


def test_an_input_that_states_the_characteristic_is_left_out_and_named(proxied):
    text = proxied.config.risk_policy.read_text()
    text += '[[equality]]\nfield = "oldest_age"\nbreaks = [65]\n'
    proxied.write_policy(text)
    proxied.score()
    proxy = {one.field: one for one in audit(proxied).proxy}
    assert proxy["oldest_age"].left_out == ("oldest_age",)
    assert proxy["oldest_age"].impossible
    assert proxy["ethnic_group"].left_out == ()


def test_small_groups_are_taken_together_and_tiny_ones_left_out():
    random = np.random.default_rng(7)
    group = np.repeat([0, 1, 2, 3, 4], [1000, 40, 30, 500, 100])
    inputs = {"noise": random.random(len(group))}
    found = check("field", ("a", "b", "c", "d"), inputs, group, (), silent)
    assert [one.group for one in found.groups] == ["a", "d", TOO_SMALL]
    assert found.sampled == 1570
    group = np.repeat([0, 1, 2, 4], [1000, 500, 40, 100])
    inputs = {"noise": random.random(len(group))}
    found = check("field", ("a", "b", "c", "d"), inputs, group, (), silent)
    assert [one.group for one in found.groups] == ["a", "b"]
    assert found.sampled == 1500


def test_without_the_libraries_it_says_what_to_install(proxied, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setattr(proxy_check, "find_spec", lambda name: None)
    with pytest.raises(Problem, match="needs scikit-learn") as raised:
        audit(proxied)
    assert "folkmoot-node[audit]" in raised.value.remedy
