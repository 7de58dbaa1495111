"""What TOML can hold crosses as JSON, and comes back as the type it was."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_kit.channel.values import ValueFault, decode, encode

TOML = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text() | st.none()
    | st.dates() | st.datetimes() | st.times(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text() | st.sampled_from(["date", "table"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def alike(one, other):
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


@given(TOML)
def test_a_value_comes_back_as_it_was(value):
    assert alike(value, decode(json.loads(json.dumps(encode(value), allow_nan=False))))


def test_a_tuple_comes_back_as_a_list():
    assert decode(encode((1, (2,)))) == [1, [2]]


@pytest.mark.parametrize("value", [Decimal(1), b"x", {1}, object()])
def test_what_toml_does_not_have_does_not_cross(value):
    with pytest.raises(ValueFault, match="TOML does not have"):
        encode(value)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        {}, {"date": "2026-13-01"}, {"date": 1}, {"number": "one"}, {"class": "os.system"},
        {"date": "2026-01-01", "time": "10:00"}, {"table": []}, {"moment": "soon"}, nested(40),
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused(value):
    with pytest.raises(ValueFault):
        decode(value)


def test_what_is_nested_too_deeply_is_not_sent():
    with pytest.raises(ValueFault, match="deeply"):
        encode(nested(40))
