"""What a council is told about a question before it decides."""

from __future__ import annotations

import itertools
import secrets

import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot.rounds import Mechanism, Round
from folkmoot.workload import Marginal, Workload
from folkmoot_node.answering.expected_precision import (
    MAX_LINES,
    AttributeStatement,
    attributes_of,
    lines_of,
    marginals_of,
)

TRAFFORD = GssCode("E08000009")
PUBLISHED = {"band": ("none", "low", "high"), "tenure": ("owned", "rented"), "lsoa": None}


def ask(attributes: tuple[Attribute, ...], *marginals: tuple[str, ...]) -> Round:
    return Round(
        round_id=secrets.token_hex(16),
        title="",
        purpose="winter_support",
        councils=(TRAFFORD,),
        minimum_councils=1,
        policy_digest=bytes(32),
        workload=Workload(attributes, tuple(map(Marginal, marginals))),
        loss=Rho.of("0.1"),
        mechanism=Mechanism.DISCRETE_GAUSSIAN,
        delta=Delta.of("1e-6"),
        opened_at=1,
        deadline=2,
    )


def told(attribute: Attribute, *more: Attribute) -> AttributeStatement:
    round_ = ask((attribute, *more), (attribute.name,))
    return attributes_of(round_, TRAFFORD, PUBLISHED)[0]


@pytest.mark.parametrize(
    ("attribute", "leaves_out", "text"),
    [
        (Attribute("band", ("none", "low", "high")), False, "band: none, low, high"),
        (
            Attribute("band", ("high",)),
            True,
            "band: high. Households with none, low are LEFT OUT of the whole round",
        ),
        (
            Attribute("band", ("high",), others=True),
            False,
            "band: high. Households with none, low are counted together, as (other)",
        ),
        (
            Attribute("lsoa", by_council={TRAFFORD: ("A1", "A2")}),
            True,
            "lsoa: 2 areas. Households in none of them are LEFT OUT of the whole round",
        ),
        (
            Attribute("lsoa", by_council={TRAFFORD: ("A1", "A2")}, others=True),
            False,
            "lsoa: 2 areas. Households in none of them are counted together, as (other)",
        ),
        (
            Attribute("age", ("old",)),  # nothing is known of what the council publishes
            True,
            "age: old. Households with other codes are LEFT OUT of the whole round",
        ),
    ],
)
def test_who_is_left_out_is_said(attribute: Attribute, leaves_out: bool, text: str) -> None:
    found = told(attribute)
    assert (found.leaves_out, found.text) == (leaves_out, text)
    assert found.as_json()["leaves_households_out"] is leaves_out


def test_larger_areas_follow_from_smaller_ones() -> None:
    msoa = Attribute("msoa", by_council={TRAFFORD: ("M1",)})
    lsoa = Attribute(
        "lsoa",
        by_council={TRAFFORD: ("A1", "A2")},
        within="msoa",
        parents={"A1": "M1", "A2": "M1"},
    )
    found = told(msoa, lsoa)
    assert found.text == "msoa: 1 area, by the round's list of which lsoa lies in which"
    assert not found.leaves_out


def test_attributes_that_no_marginal_uses_leave_nobody_out() -> None:
    round_ = ask((Attribute("band", ("high",)), Attribute("tenure", ("owned",))), ("band",))
    assert [one.name for one in attributes_of(round_, TRAFFORD, PUBLISHED)] == ["band"]


def test_a_total_is_one_count() -> None:
    (line,) = lines_of(marginals_of(ask((), ()), TRAFFORD))
    assert line.startswith("in all: one count, within 4.9 of the truth 19 times in 20")
    assert "100 would be reported as 95 to 105" in line


def test_many_marginals_are_told_together_and_each_is_named() -> None:
    names = [f"f{at}" for at in range(7)]
    attributes = tuple(Attribute(name, ("no", "yes")) for name in names)
    pairs = list(itertools.combinations(names, 2))
    asked = [(), *pairs]
    assert len(asked) > MAX_LINES
    lines = lines_of(marginals_of(ask(attributes, *asked), TRAFFORD))
    assert len(lines) == 2
    assert lines[0].startswith("in all: one count")
    assert lines[1].startswith("21 marginals by 2 attributes, 84 counts")
    assert all("*".join(pair) in lines[1] for pair in pairs)
