"""The sealed file of decisions about objections: checked, private, whole or unchanged."""

from __future__ import annotations

import datetime
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from folkmoot_node.corrections.decisions import Decision, Decisions
from folkmoot_node.corrections.sealed_file import Corrections
from folkmoot_node.corrections.values import checked_value, value_of_text
from folkmoot_node.store.encrypted_file import create_key
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import Category, Combine, Field, FieldType

DAY = datetime.date(2026, 12, 1)


def declared(name, kind, combine, **more):
    return Field(name, kind, combine, Category.FINANCE, **more)


FIELDS = {
    field.name: field
    for field in (
        declared("arrears", FieldType.NUMBER, Combine.SUM, unit="GBP", minimum=0, maximum=9),
        declared("age", FieldType.INTEGER, Combine.MAXIMUM, minimum=0, maximum=120),
        declared("people", FieldType.INTEGER, Combine.COUNT_DISTINCT),
        declared("tenure", FieldType.CATEGORY, Combine.FIRST, codes=("owned", "rented")),
        declared("alone", FieldType.BOOLEAN, Combine.ANY),
        declared("moved", FieldType.DATE, Combine.MAXIMUM),
        declared("lsoa", FieldType.AREA, Combine.FIRST),
    )
}


def decided(objection="a1", **more):
    more.setdefault("suppress", ("age",))
    return Decision(objection=objection, decided_on=DAY, **more)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "corrections" / "corrections.sealed", create_key(tmp_path / "key")


@pytest.fixture
def file(place):
    return Corrections(*place)


def test_without_a_file_there_is_no_decision(file):
    assert file.read() == Decisions()
    assert file.read().in_force(DAY).effects == 0


def test_what_was_decided_is_read_again_with_its_types(file):
    one = Decision(
        objection="a1",
        decided_on=DAY,
        until=DAY + datetime.timedelta(days=30),
        suppress=("age",),
        correct={
            "arrears": 1250, "people": 2, "tenure": "owned", "alone": True,
            "moved": datetime.date(2026, 1, 5),
        },
        withhold=True,
    )  # fmt: skip
    file.add(100, one, FIELDS)
    (kept,) = file.read().households[100]
    assert (kept.objection, kept.until, kept.suppress, kept.withhold) == (
        "a1", one.until, ("age",), True
    )  # fmt: skip
    found = {name: checked_value(FIELDS[name], value) for name, value in kept.correct.items()}
    assert found == {
        "arrears": 1250.0, "people": 2, "tenure": "owned", "alone": True,
        "moved": datetime.date(2026, 1, 5),
    }  # fmt: skip
    assert type(found["arrears"]) is float
    assert type(found["people"]) is int
    assert found["alone"] is True
    assert list(file.read().households) == [100]


def test_the_file_is_sealed_and_for_the_owner_alone(file, place):
    path, _ = place
    file.add(100_071_234_567, decided("objection-a1", suppress=("tenure",)), FIELDS)
    content = path.read_bytes()
    # Words of two or three letters are among the 170 bytes of a sealed file once in 400.
    for word in (b"100071234567", b"objection-a1", b"tenure", b"2026-12-01"):
        assert word not in content
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_two_accounts_share_it_where_the_administrator_says_so(file, place):
    path, _ = place
    path.parent.mkdir()
    path.parent.chmod(0o2770)
    file.add(100, decided(), FIELDS)
    assert path.stat().st_mode & 0o777 == 0o660
    path.parent.chmod(0o770)  # a group that nobody has named
    file.add(101, decided("a2"), FIELDS)
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_key_does_not_open_it(file, place, tmp_path):
    file.add(100, decided(), FIELDS)
    with pytest.raises(Problem) as raised:
        Corrections(place[0], create_key(tmp_path / "other")).read()
    assert raised.value.exit_code is ExitCode.DATA
    assert "backup" in raised.value.remedy


def test_a_changed_byte_is_found(file, place):
    file.add(100, decided(), FIELDS)
    content = bytearray(place[0].read_bytes())
    content[-1] ^= 1
    place[0].write_bytes(content)
    with pytest.raises(Problem, match="cannot be read"):
        file.read()


def test_a_field_that_the_policy_does_not_use_is_named_with_the_nearest(file):
    with pytest.raises(Problem, match="arears") as raised:
        file.add(100, decided(suppress=("arears",)), FIELDS)
    assert "arrears" in raised.value.remedy
    assert file.read() == Decisions()


def test_an_area_is_corrected_in_its_source(file):
    for change in ({"suppress": ("lsoa",)}, {"suppress": (), "correct": {"lsoa": "E01000001"}}):
        with pytest.raises(Problem, match="area") as raised:
            file.add(100, decided(**change), FIELDS)
        assert "withhold" in raised.value.remedy


@pytest.mark.parametrize(
    "field, value",
    [
        ("arrears", -0.01), ("arrears", float("nan")), ("arrears", "12"), ("arrears", True),
        ("age", 121), ("age", 1.5), ("age", False), ("people", -1), ("people", 2**63),
        ("tenure", "rent"), ("tenure", 1), ("alone", 1), ("alone", "yes"),
        ("moved", "soon"), ("moved", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
    ],
)  # fmt: skip
def test_a_value_that_the_field_cannot_have_is_refused_and_not_quoted(field, value):
    with pytest.raises(Problem) as raised:
        checked_value(FIELDS[field], value)
    assert field in raised.value.where
    assert str(value) not in str(raised.value)


def test_a_sum_may_be_larger_than_one_record(file):
    assert checked_value(FIELDS["arrears"], 5000) == 5000.0


@pytest.mark.parametrize(
    "field, text, value",
    [
        ("arrears", " 1,250.50 ", 1250.5), ("age", "70", 70), ("tenure", "owned", "owned"),
        ("alone", "Yes", True), ("alone", "no", False), ("moved", "2026-01-05",
        datetime.date(2026, 1, 5)),
    ],
)  # fmt: skip
def test_what_a_person_types_becomes_a_value(field, text, value):
    assert value_of_text(FIELDS[field], text) == value


@pytest.mark.parametrize("field, text", [("arrears", "much"), ("age", "7.5"), ("alone", "perhaps")])
def test_what_cannot_be_a_value_says_what_can(field, text):
    with pytest.raises(Problem, match=f"field {field!r}"):
        value_of_text(FIELDS[field], text)


@pytest.mark.parametrize(
    "change, word",
    [
        ({"suppress": ()}, "withhold"),
        ({"correct": {"age": 3}}, "twice"),
        ({"suppress": ("age", "age")}, "twice"),
        ({"until": DAY - datetime.timedelta(days=1)}, "before"),
        ({"objection": "J Smith, 3 High St"}, "pattern"),
        ({"suppress": ("Age",)}, "pattern"),
        ({"reason": "owes nothing"}, "Extra inputs"),
    ],
)
def test_a_decision_that_says_nothing_or_too_much_is_refused(change, word):
    with pytest.raises(ValidationError, match=word):
        decided(**change)


def test_an_objection_has_one_decision(file):
    file.add(100, decided(), FIELDS)
    with pytest.raises(Problem, match="has a decision already"):
        file.add(101, decided(), FIELDS)


def test_two_decisions_about_one_field_may_follow_but_not_meet(file):
    file.add(100, decided(until=DAY), FIELDS)
    with pytest.raises(Problem, match="'a1'"):
        file.add(100, decided("a2", suppress=(), correct={"age": 70}), FIELDS)
    later = Decision(
        objection="a3", decided_on=DAY + datetime.timedelta(days=1), correct={"age": 70}
    )
    file.add(100, later, FIELDS)
    file.add(101, decided("a4"), FIELDS)  # of another household
    found = file.read().in_force(DAY)
    assert found.suppressed == {"age": {100: DAY, 101: DAY}}
    assert found.corrected == {}
    assert file.read().in_force(DAY + datetime.timedelta(days=1)).corrected["age"][100].value == 70


def test_a_decision_counts_from_its_day_to_its_last(file):
    file.add(100, decided(until=DAY + datetime.timedelta(days=2)), FIELDS)
    counts = [
        file.read().in_force(DAY + datetime.timedelta(days=days)).effects for days in range(-1, 4)
    ]
    assert counts == [0, 1, 1, 1, 0]


def test_a_withdrawn_decision_counts_no_more(file, place):
    file.add(100, decided(), FIELDS)
    file.add(100, decided("a2", suppress=("tenure",)), FIELDS)
    assert file.withdraw("a1").fields == ("age",)
    assert [one.objection for one in file.read().households[100]] == ["a2"]
    with pytest.raises(Problem, match="'a1'"):
        file.withdraw("a1")
    file.withdraw("a2")
    assert not place[0].exists()


def test_what_has_ended_is_dropped(file):
    file.add(100, decided(until=DAY), FIELDS)
    file.add(101, decided("a2"), FIELDS)
    assert file.drop_ended(DAY) == 0
    assert file.drop_ended(DAY + datetime.timedelta(days=1)) == 1
    assert list(file.read().households) == [101]


def test_a_uprn_has_at_most_twelve_digits(file):
    for uprn in (0, -1, 10**12):
        with pytest.raises(Problem, match="UPRN"):
            file.add(uprn, decided(), FIELDS)


def test_a_decision_that_cannot_be_written_leaves_the_others(file, place, monkeypatch):
    file.add(100, decided(), FIELDS)
    before = place[0].read_bytes()

    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("folkmoot_operator.private_files._sync", full)
    with pytest.raises(OSError, match="No space"):
        file.add(101, decided("a2"), FIELDS)
    assert place[0].read_bytes() == before
    assert [path.name for path in place[0].parent.iterdir()] == ["corrections.sealed"]


def _add(place, start):
    for at in range(start, start + 5):
        Corrections(*place).add(at, decided(f"o{at}"), FIELDS)


def test_no_decision_is_lost_when_two_write_at_once(place):
    with ThreadPoolExecutor(2) as pool:  # each with a descriptor of its own, as processes have
        list(pool.map(lambda start: _add(place, start), (1, 100)))
    assert sorted(Corrections(*place).read().households) == [*range(1, 6), *range(100, 105)]


def test_nothing_of_a_household_is_in_a_representation(file):
    file.add(100, decided(withhold=True), FIELDS)
    assert "100" not in repr(file.read().in_force(DAY))


@settings(max_examples=50, deadline=None)
@given(
    values=st.dictionaries(
        st.sampled_from(sorted(set(FIELDS) - {"lsoa"})),
        st.one_of(
            st.booleans(), st.integers(-5, 200), st.floats(allow_nan=True), st.text(max_size=6),
            st.sampled_from(["owned", "rented"]), st.dates(),
        ),
        min_size=1,
    )
)  # fmt: skip
def test_any_value_is_kept_as_it_was_checked_or_refused(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("corrections")
    file = Corrections(folder / "c" / "c.sealed", create_key(folder / "key"))
    try:
        expected = {name: checked_value(FIELDS[name], value) for name, value in values.items()}
    except Problem:
        with pytest.raises(Problem):
            file.add(1, decided(suppress=(), correct=values), FIELDS)
        return
    file.add(1, decided(suppress=(), correct=values), FIELDS)
    (kept,) = file.read().households[1]
    again = {name: checked_value(FIELDS[name], value) for name, value in kept.correct.items()}
    assert again == expected
    assert list(map(type, again.values())) == list(map(type, expected.values()))
