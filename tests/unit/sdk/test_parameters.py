import dataclasses
import datetime
import enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_sdk import PluginError, parameter
from folkmoot_sdk.parameters import build, describe, nearest


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass(frozen=True)
class Inner:
    size: int
    label: str = "none"


@dataclasses.dataclass(frozen=True)
class Outer:
    amount: float = parameter(
        default=1.5, unit="GBP", minimum=0, maximum=10, description="How much."
    )
    colour: Colour = Colour.RED
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    table: dict[str, float] = parameter(default_factory=dict)
    codes: dict[str, str] | tuple[str, ...] = ()
    day: datetime.date = datetime.date(2026, 4, 1)
    folder: Path = Path("here")
    flag: bool = False
    in_: tuple[str, ...] = parameter(default=(), name="in")


def test_fills_every_kind_of_annotation():
    built = build(
        Outer,
        {
            "amount": 3,
            "colour": "blue",
            "inner": {"size": 1},
            "many": [{"size": 1}, {"size": 2, "label": "two"}],
            "table": {"a": 1},
            "codes": {"1": "one"},
            "day": datetime.date(2020, 2, 29),
            "folder": "there",
            "flag": True,
            "in": ["x"],
        },
        "file",
    )
    assert built == Outer(
        amount=3.0,
        colour=Colour.BLUE,
        inner=Inner(1),
        many=(Inner(1), Inner(2, "two")),
        table={"a": 1.0},
        codes={"1": "one"},
        day=datetime.date(2020, 2, 29),
        folder=Path("there"),
        flag=True,
        in_=("x",),
    )
    assert isinstance(built.amount, float)


def test_a_missing_key_takes_its_default():
    assert build(Outer, {}, "file") == Outer()


@pytest.mark.parametrize(
    ("values", "where", "problem", "remedy"),
    [
        ({"amonut": 3}, "file.amonut", "unknown key", "Did you mean 'amount'?"),
        ({"zzz": 3}, "file.zzz", "unknown key", "Valid: amount, codes"),
        ({"in_": ["x"]}, "file.in_", "unknown key", "'in'"),
        ({"inner": {}}, "file.inner.size", "is missing", "Add the key"),
        ({"inner": {"size": 1, "lable": ""}}, "file.inner.lable", "unknown key", "'label'"),
        ({"inner": {"size": "big"}}, "file.inner.size", "is a text", "a whole number"),
        ({"inner": {"size": 1.0}}, "file.inner.size", "is a number", "a whole number"),
        ({"inner": {"size": True}}, "file.inner.size", "is true or false", "a whole number"),
        ({"inner": 3}, "file.inner", "is not a table", "table"),
        ({"many": [{"size": 1}, {"siez": 2}]}, "file.many[1].siez", "unknown key", "'size'"),
        ({"many": {"size": 1}}, "file.many", "is a table", "a list"),
        ({"amount": -1}, "file.amount", "-1.0 is out of range", "0 to 10"),
        ({"amount": 10.5}, "file.amount", "10.5 is out of range", "0 to 10"),
        ({"amount": float("nan")}, "file.amount", "nan is not a number", "finite"),
        ({"amount": float("inf")}, "file.amount", "inf is not a number", "finite"),
        ({"amount": "3"}, "file.amount", "is a text", "a number"),
        ({"amount": True}, "file.amount", "is true or false", "a number"),
        ({"colour": "rde"}, "file.colour", "'rde' is not valid", "Did you mean 'red'?"),
        ({"colour": ["red"]}, "file.colour", "not valid", "blue, red"),
        ({"table": {"a": "x"}}, "file.table.a", "is a text", "a number"),
        ({"codes": ["a", 2]}, "file.codes[1]", "is a whole number", "a text"),
        ({"codes": {"a": 2}}, "file.codes.a", "is a whole number", "a text"),
        ({"codes": 2}, "file.codes", "is a whole number", "a table, each value a text or a list"),
        ({"day": "2026-04-01"}, "file.day", "is a text", "a date"),
        ({"day": datetime.datetime(2026, 4, 1)}, "file.day", "a date with a time", "a date"),
        ({"flag": 1}, "file.flag", "is a whole number", "true or false"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(values, where, problem, remedy):
    with pytest.raises(PluginError) as caught:
        build(Outer, values, "file")
    assert caught.value.where == where
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


def test_a_value_error_of_the_dataclass_says_where():
    @dataclasses.dataclass(frozen=True)
    class Window:
        start: int
        end: int

        def __post_init__(self):
            if self.end < self.start:
                raise ValueError("ends before it starts")

    with pytest.raises(PluginError, match="policy: ends before it starts"):
        build(Window, {"start": 2, "end": 1}, "policy")


tables = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.floats(0, 10),
        "colour": st.sampled_from(["red", "blue"]),
        "inner": st.fixed_dictionaries({"size": st.integers()}, optional={"label": st.text()}),
        "many": st.lists(st.fixed_dictionaries({"size": st.integers()}), max_size=3),
        "table": st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
        "codes": st.dictionaries(st.text(), st.text(), min_size=1) | st.lists(st.text()),
        "day": st.dates(),
        "flag": st.booleans(),
        "in": st.lists(st.text()),
    },
)


def _plain(value):
    """The TOML value that a built value came from."""
    if dataclasses.is_dataclass(value):
        names = {entry.name: entry.metadata.get("name") for entry in dataclasses.fields(value)}
        return {
            names[name] or name: _plain(getattr(value, name)) for name in names if name != "folder"
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


@given(tables)
def test_what_is_built_says_again_what_was_given(values):
    built = _plain(build(Outer, values, "file"))
    for key, value in values.items():
        if key == "inner":
            assert built[key] | value == built[key]
        elif key == "many":
            assert [item["size"] for item in built[key]] == [item["size"] for item in value]
        else:
            assert built[key] == value


@given(tables, st.text(min_size=1).filter(lambda t: t not in _plain(Outer()) | {"folder": 0}))
def test_one_unknown_key_refuses_the_whole(values, key):
    with pytest.raises(PluginError) as caught:
        build(Outer, {**values, key: 1}, "file")
    assert caught.value.where == f"file.{key}"


def test_describes_keys_types_ranges_and_defaults():
    described = {entry.key: entry for entry in describe(Outer)}
    assert list(described) == [
        "amount", "colour", "inner", "many", "table", "codes", "day", "folder", "flag", "in",
    ]  # fmt: skip
    amount = described["amount"]
    assert (amount.type, amount.unit, amount.default) == ("a number", "GBP", 1.5)
    assert (amount.minimum, amount.maximum, amount.required) == (0, 10, False)
    assert described["colour"].type == '"red" or "blue"'
    assert described["table"].default == {}
    assert describe(Inner)[0].required
    assert describe(Inner)[0].default is None


def test_nearest_names_the_near_word_and_all_valid_ones():
    assert nearest("wieght", ["weight", "name"]) == "Did you mean 'weight'? Valid: name, weight"
    assert nearest("zzz", ["weight"]) == "Valid: weight"
    assert nearest("zzz", []) == "Valid: none"


def has_a_vowel(word):
    if not set(word) & set("aeiou"):
        raise ValueError("has no vowel")


@dataclasses.dataclass(frozen=True)
class Chosen:
    mode: str = parameter(default="soft", choices=("soft", "hard"), description="Which.")
    sizes: tuple[int, ...] = parameter(default=(1,), choices=(1, 2, 4))
    word: str = parameter(default="aye", validate=has_a_vowel)


def test_choices_are_the_valid_values_and_the_nearest_is_named():
    assert build(Chosen, {"mode": "hard", "sizes": [2, 4]}, "x").sizes == (2, 4)
    with pytest.raises(PluginError, match=r"x\.mode: 'hrad' is not valid") as caught:
        build(Chosen, {"mode": "hrad"}, "x")
    assert "Did you mean 'hard'?" in caught.value.remedy
    with pytest.raises(PluginError, match=r"x\.sizes\[1\]: 3 is not valid") as caught:
        build(Chosen, {"sizes": [1, 3]}, "x")
    assert caught.value.remedy.endswith("Valid: 1, 2, 4")
    assert [entry.choices for entry in describe(Chosen)] == [("soft", "hard"), (1, 2, 4), ()]


def test_what_validate_refuses_is_named_with_its_key():
    assert build(Chosen, {"word": "owl"}, "x").word == "owl"
    with pytest.raises(PluginError, match=r"x\.word: has no vowel"):
        build(Chosen, {"word": "xyz"}, "x")
    with pytest.raises(PluginError, match=r"x\.word: is a whole number"):
        build(Chosen, {"word": 1}, "x")
