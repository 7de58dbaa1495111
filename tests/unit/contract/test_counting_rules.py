"""What of a policy decides the counts of a series."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.counting_rules import counting_digest
from folkmoot.errors import ContractError

POLICY = """\
sunset = 2099-12-31
[[factors]]
factor = "a"
weight = 10
parameters = { since = 2020-01-01, per_year = 3 }
[[factors]]
factor = "b"
weight = 20
[[bands]]
name = "low"
from = 0
action = "Nothing"
[[bands]]
name = "high"
from = 40
action = "Telephone"
[attributes.age]
field = "age"
breaks = [18, 65]
[attributes.alone]
all = [{ field = "people", under = 2 }, { field = "frail", is = true }]
"""
OWN = ("age", "band", "lsoa")


@pytest.mark.parametrize(
    "before, after",
    [
        ("weight = 10", "weight = 10.0"),
        ("2099-12-31", "2098-12-31"),
        ("Telephone", "Visit"),
        ("under = 2", "under = 3"),
        ('factor = "b"', 'factor = "b"\nparameters = {}'),
        ("[attributes.alone]", "[attributes.together]"),
        ("[[bands]]", "# a comment\n[[bands]]"),
        ("\n", "\r\n"),
        ("sunset", "\ufeffsunset"),
        ("sunset", "[retention]\nscores_days = 5\n\n[x]\nsunset"),
    ],
)
def test_what_changes_no_count_leaves_the_digest(before: str, after: str) -> None:
    assert before in POLICY
    assert counting_digest(POLICY.replace(before, after), OWN) == counting_digest(POLICY, OWN)


def test_the_order_of_factors_and_attributes_does_not_matter() -> None:
    first, second = POLICY.index("[[factors]]"), POLICY.rindex("[[factors]]")
    bands = POLICY.index("[[bands]]")
    turned = POLICY[:first] + POLICY[second:bands] + POLICY[first:second] + POLICY[bands:]
    assert counting_digest(turned, reversed(OWN)) == counting_digest(POLICY, OWN)


@pytest.mark.parametrize(
    "before, after",
    [
        ("weight = 10", "weight = 10.5"),
        ("weight = 10", "weight = true"),
        ('factor = "b"', 'factor = "c"'),
        ("per_year = 3", "per_year = 4"),
        ("since = 2020-01-01", "since = 2020-01-02"),
        ("since = 2020-01-01", 'since = "2020-01-01"'),
        ("from = 40", "from = 41"),
        ('name = "low"', 'name = "lower"'),
        ("[18, 65]", "[18, 66]"),
        ("[18, 65]", "[18]"),
        ("[attributes.age]", "[attributes.years]"),
    ],
)
def test_what_changes_counts_changes_the_digest(before: str, after: str) -> None:
    assert before in POLICY
    assert counting_digest(POLICY.replace(before, after), OWN) != counting_digest(POLICY, OWN)


def test_only_its_own_attributes_count() -> None:
    assert counting_digest(POLICY, ("alone",)) != counting_digest(POLICY, ())
    assert counting_digest(POLICY, ("band", "lsoa")) == counting_digest(POLICY, ())


def test_the_digest_is_the_same_everywhere() -> None:
    """Region and council compute it in different releases: it may not change."""
    assert counting_digest(POLICY, OWN).hex() == GOLDEN


GOLDEN = "ac065fe1d9d9a86497a55c98003e573975d54f79273210782560f17d9e938c9f"


@given(st.text() | st.sampled_from(["bands = 1\nfactors = 2", "[[factors]]\n[[bands]]", "a = 1"]))
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="is not a risk stratification policy"):
        counting_digest(text, OWN)


@pytest.mark.parametrize("number", ["1" + 400 * "0", "9007199254740993", "nan", "inf", "-0.0"])
def test_numbers_of_every_size_have_a_digest(number: str) -> None:
    text = POLICY.replace("weight = 10", f"weight = {number}")
    assert counting_digest(text, OWN) != counting_digest(POLICY, OWN)
