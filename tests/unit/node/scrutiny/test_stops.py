"""At which changes scoring and releases stop: those that the council listed, and no others."""

from __future__ import annotations

import pytest

from folkmoot_node.scrutiny.differences import differences
from folkmoot_node.scrutiny.facts import FactBase, Value
from folkmoot_node.scrutiny.gate import stopping
from folkmoot_node.settings.scrutiny import ScrutinySettings, Stop
from folkmoot_operator.problems import Problem
from folkmoot_operator.settings import parse
from tests.made_up_facts import MADE_UP, approved, changed, fact, with_facts, without

WEIGHT = "policy.risk.factors.damp.weight"
INSIDE = "in the node's process"


def plugin(name: str, trust: str) -> FactBase:
    return with_facts(
        fact(f"plugins.{name}.version", f"Version of {name}", "1"),
        fact(f"plugins.{name}.trust", f"How {name} runs", trust),
    )


CASES: list[tuple[FactBase, Stop | None]] = [
    (MADE_UP, None),
    (with_facts(fact("sources.rent.kind", "Sort", "sql")), Stop.NEW_SOURCE),
    (without("sources.housing"), None),
    (with_facts(fact("sources.housing.supplier", "Who supplies housing", "Us")), None),
    (with_facts(fact("policy.risk.factors.noise.weight", "Points", 1)), Stop.NEW_FACTOR),
    (without("policy.risk.factors.damp"), Stop.WEIGHT_CHANGED),
    (changed("policy.risk.factors.damp.inputs", ("age",)), None),
    (changed("policy.risk.sunset", "2027-04-30"), Stop.SUNSET_MOVED),
    (changed("policy.risk.sunset", "2027-01-31"), Stop.SUNSET_MOVED),
    (plugin("theirs", INSIDE), Stop.PLUGIN_IN_PROCESS),
    (plugin("theirs", "in a confined process"), None),
    (changed("plugins.shipped-one.trust", INSIDE), Stop.PLUGIN_IN_PROCESS),
    (changed("plugins.shipped-one.version", "2.0"), None),
    (
        with_facts(fact("people.roles.analyst", "What the role analyst may do", ("A",))),
        Stop.ROLE_ADDED,
    ),
    (changed("people.roles.manager", ("Another",)), None),
    (changed("scrutiny.owner.role", "Another"), None),
]


@pytest.mark.parametrize(("now", "expected"), CASES)
def test_each_change_stops_by_its_own_name_and_by_no_other(
    now: FactBase, expected: Stop | None
) -> None:
    changes = differences(approved(), approved(now))
    for listed in Stop:
        settings = ScrutinySettings(require_approved=True, stops=(listed,))
        stops = {stop for stop, _ in stopping(settings, changes)}
        is_met = listed is expected or (listed is Stop.ANY_CHANGE and bool(changes))
        assert stops == ({listed} if is_met else set()), listed
    by_default = {stop for stop, _ in stopping(ScrutinySettings(), changes)}
    assert by_default == ({expected} if expected else set())


@pytest.mark.parametrize(
    ("weight", "allowed", "stops"),
    [
        (22, 0.1, False),
        (18, 0.1, False),
        (22.1, 0.1, True),
        (17.9, 0.1, True),
        (20.1, 0, True),
        (20.0, 0, False),
        (40, 1, False),
        (None, 0.1, True),
    ],
)
def test_a_weight_may_move_as_far_as_the_council_says(
    weight: Value, allowed: float, stops: bool
) -> None:
    settings = ScrutinySettings(stops=(Stop.WEIGHT_CHANGED,), weight_change=allowed)
    found = stopping(settings, differences(approved(), approved(changed(WEIGHT, weight))))
    assert bool(found) is stops


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('stops = ["new_sources"]', "stops"),
        ("require_approved = true\nstops = []", "stops is empty"),
        ("weight_change = 1.5", "weight_change"),
        ("requires_approved = true", "require_approved"),
    ],
)
def test_a_wrong_setting_is_named(text: str, said: str) -> None:
    with pytest.raises(Problem, match=said) as caught:
        parse(ScrutinySettings, text.encode(), "node.toml")
    assert said in f"{caught.value} {caught.value.remedy}"
