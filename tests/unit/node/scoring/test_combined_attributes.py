"""Public attributes that combine conditions: `no`, `yes`, `unknown` by Kleene's strong logic."""

import datetime
from dataclasses import replace
from itertools import product

import polars as pl
import pytest

from folkmoot_node.pipeline.store_columns import _indexes, stored_attributes
from folkmoot_node.policies.attribute_entries import Condition
from folkmoot_node.scoring.attributes import combined_attribute
from folkmoot_node.scoring.binding import bind
from folkmoot_node.sources.connect import connect
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import Category, Combine, Field, FieldType
from tests.tables import count

ALONE = """
[attributes.older_alone_in_arrears]
all = [
    { field = "council_tax_arrears", at_least = 100 },
    { field = "oldest_age", at_least = 65, under = 200 },
    { field = "people", under = 2 },
    { field = "tenure", is = ["rented"] },
]
"""


def bound(node):
    return bind(node.policy, node.plugins, connect(node.config, node.plugins))


def add(node, text):
    node.write_policy(node.config.risk_policy.read_text() + text)


def test_households_are_counted_by_several_conditions_at_once(node):
    add(node, ALONE)
    node.score()
    codes = {"older_alone_in_arrears": ("no", "yes", "unknown")}
    with node.open() as store:
        assert store.attributes["older_alone_in_arrears"] == ("no", "yes", "unknown")
        (counts,) = count(store, codes, [("older_alone_in_arrears",)])
    # The first has several people; the second meets all; nothing is known of the third.
    assert counts.tolist() == [1, 1, 1]


def test_what_fails_one_condition_is_no_whatever_else_is_unknown():
    """All nine combinations of two conditions, beside Kleene's table."""
    fields = [
        Field(name, FieldType.BOOLEAN, Combine.ANY, Category.HEALTH) for name in ("one", "other")
    ]
    conditions = tuple((Condition(field=one.name, **{"is": True}), one) for one in fields)
    attribute = combined_attribute("both", conditions, "here")
    table = {
        (False, False): 0, (False, True): 0, (False, None): 0,
        (True, False): 0, (True, True): 1, (True, None): 2,
        (None, False): 0, (None, True): 2, (None, None): 2,
    }  # fmt: skip

    class Bound:
        stored = (attribute,)

    (stored,) = stored_attributes(Bound, {}).values()
    assert stored.stored_codes == ("no", "yes", "unknown")
    values = list(product([False, True, None], repeat=2))
    rows = pl.DataFrame(values, schema={"one": pl.Boolean, "other": pl.Boolean}, orient="row")
    found = rows.select(_indexes(attribute, stored)).to_series().to_list()
    assert dict(zip(values, found, strict=True)) == table


@pytest.mark.parametrize(
    "lines",
    [
        'all = [{ field = "people" }]',  # says nothing
        'all = [{ field = "people", at_least = 3, under = 3 }]',  # nobody
        'all = [{ field = "people", at_least = 3, is = true }]',
        'all = [{ field = "tenure", is = [] }]',
        'all = [{ field = "peoples", at_least = 3 }]',
        'all = [{ field = "people", is = true }]',
        'all = [{ field = "tenure", at_least = 1 }]',
        'all = [{ field = "tenure", is = ["renting"] }]',  # a code that it does not have
        'all = [{ field = "lsoa", is = ["E01000001"] }]',
        'all = [{ field = "people", at_least = 3 }]\nbreaks = [1]',
        'all = [{ field = "people", at_least = 3 }]\nfield = "people"',
        "all = []",
        'any = [{ field = "people", at_least = 3 }]',
    ],
)
def test_conditions_that_do_not_fit_are_refused(node, lines):
    add(node, f"[attributes.extra]\n{lines}\n")
    with pytest.raises(Problem) as caught:
        bound(node)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert "attributes.extra" in caught.value.where + caught.value.problem
    assert caught.value.remedy


def test_fields_of_conditions_need_a_licence_and_are_read(node):
    bought = Field(
        "stress", FieldType.INTEGER, Combine.MAXIMUM, Category.SEGMENTATION, consumer_data=True
    )
    node.people.schema = replace(node.people.schema, fields=(*node.people.schema.fields, bought))
    lines = (
        '[attributes.x]\nall = [{ field = "stress", at_least = 50 }, '
        '{ field = "people", under = 2 }]\n'
    )
    add(node, lines)
    with pytest.raises(Problem) as caught:
        bound(node)
    assert "bought consumer data" in caught.value.problem
    use = '[[consumer_data]]\nfield = "stress"\npurpose = "Need"\nlicence_ends = 2027-01-01\n'
    text = node.config.risk_policy.read_text()
    node.write_policy(text.replace("[[protected]]", use + "[[protected]]", 1))
    binding = bound(node)
    assert "stress" in binding.fields
    assert binding.licences == {"stress": datetime.date(2027, 1, 1)}
    ended = bind(node.policy, node.plugins, binding.sources, {"stress": datetime.date(2026, 1, 1)})
    assert "x" not in {attribute.name for attribute in ended.attributes}
    assert set(ended.unlicensed) == {"stress"}
