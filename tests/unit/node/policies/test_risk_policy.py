"""The policy file: strict keys, ascending bands, sunset."""

from __future__ import annotations

import datetime
import hashlib

import pytest

from folkmoot_node.scoring.attributes import group_codes
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.conftest import SUNSET, TODAY


@pytest.mark.parametrize(
    "old,new,message",
    [
        ("legal_basis", "legal_bases", "did you mean 'legal_basis'?"),
        ("weight = 60", "wieght = 60", "did you mean 'weight'?"),
        ("schema = 1", "schema = 2", "schema"),
        ("weight = 60", "weight = 0", "factors[0].weight"),
        ("weight = 60", "weight = -1", "factors[0].weight"),
        ("weight = 60", "weight = nan", "factors[0].weight"),
        ("weight = 60", "weight = inf", "factors[0].weight"),
        ("from = 0", "from = 1", "the first band must start from 0"),
        ("from = 60", "from = 10", "'high' must start above 'low'"),
        ("from = 60", "from = 5", "'high' must start above 'low'"),
        ("from = 60", "from = 101", "the weights add up to 100"),
        ('name = "high"', 'name = "low"', "two bands have the same name"),
        ('factor = "alone"', 'factor = "arrears"', "'arrears' is named twice"),
        ('characteristic = "age"', 'characteristic = "ages"', "protected[0].characteristic"),
        ('reason = "Isolation of older people is what the policy is about"', "", "reason"),
        ("[attributes.tenure]", "[attributes.band]", "'band' is always an attribute"),
        ("breaks = [16, 25, 65, 75]", "breaks = [16, 16]", "must ascend"),
        (f"sunset = {SUNSET}", "", "sunset is missing"),
    ],
)
def test_a_wrong_policy_is_refused_by_name(node, old, new, message):
    text = node.config.risk_policy.read_text()
    assert old in text
    node.write_policy(text.replace(old, new, 1))
    with pytest.raises(Problem) as raised:
        _ = node.policy
    assert raised.value.exit_code is ExitCode.SETTINGS
    assert message in raised.value.problem


def test_the_digest_is_of_the_bytes_of_the_file(node):
    content = node.config.risk_policy.read_bytes()
    assert node.policy.digest == hashlib.sha256(content).digest()
    node.config.risk_policy.write_bytes(content + b"# reviewed\n")
    assert node.policy.digest == hashlib.sha256(content + b"# reviewed\n").digest()


def test_the_sunset_date_is_the_last_day(node):
    node.score(today=SUNSET)
    with pytest.raises(Problem) as raised:
        node.score(today=SUNSET + datetime.timedelta(days=1))
    assert raised.value.exit_code is ExitCode.REFUSED
    assert str(SUNSET) in raised.value.problem


def test_a_reference_date_in_the_past_does_not_lift_the_sunset(node):
    with pytest.raises(Problem, match="sunset"):
        node.score(today=SUNSET + datetime.timedelta(days=1), reference_date=TODAY)


@pytest.mark.parametrize(
    "breaks,whole,codes",
    [
        ((16, 25, 75), True, ("under_16", "16_24", "25_74", "75_over")),
        ((1, 2, 3), True, ("under_1", "1", "2", "3_over")),
        ((500, 2000), False, ("under_500", "500_to_2000", "2000_over")),
        ((0.5, 2), True, ("under_0.5", "0.5_to_2", "2_over")),
        ((18,), True, ("under_18", "18_over")),
    ],
)
def test_groups_are_named_by_their_ends(breaks, whole, codes):
    assert group_codes(breaks, whole=whole) == codes
