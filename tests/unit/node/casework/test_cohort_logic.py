"""Who meets conditions, against a plain reading of each household, and how counts say it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.casework.cohorts.definition import Condition, Conditions, Kind, Mark
from folkmoot_node.casework.cohorts.evaluate import find, ranked
from folkmoot_node.casework.cohorts.scores import Scores
from folkmoot_node.casework.cohorts.subjects import Subject, Type, subject_of
from folkmoot_node.casework.cohorts.words import condition_text

BANDS = ("none", "low", "high")
SUBJECTS = {
    (one.kind, one.name): one
    for one in (
        Subject(Kind.FIELD, "debt", "debt", "pounds", Type.NUMBER, (), (), "f_debt"),
        Subject(Kind.FIELD, "moved", "moved", "", Type.DATE, (), (), "f_moved"),
        Subject(Kind.FIELD, "carer", "carer", "", Type.BOOLEAN, (), (), "f_carer"),
        Subject(Kind.RESULT, "band", "band", "", Type.CODE, BANDS, (), "band"),
    )
}
_DAYS = st.integers(0, 5).map(lambda days: datetime.date(2026, 1, 1) + datetime.timedelta(days))
_NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, -0.5])
ROWS = st.lists(
    st.tuples(
        st.none() | _NUMBERS.map(float),
        st.none() | _DAYS,
        st.none() | st.booleans(),
        st.sampled_from(BANDS),
        st.booleans(),  # withheld
        st.integers(0, 3),  # score
        st.booleans(),  # in a case
    ),
    max_size=12,
)


def _range(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    low = st.sampled_from(["above", "at_least"])
    high = st.sampled_from(["under", "at_most"])
    return st.one_of(
        st.tuples(low | high | st.just("is"), values).map(
            lambda one: {"field": name, one[0]: one[1]}
        ),
        st.tuples(low, high, values, values)
        .filter(lambda one: one[2] < one[3])
        .map(lambda one: {"field": name, one[0]: one[2], one[1]: one[3]}),
    )


CONDITIONS = st.one_of(
    _range("debt", _NUMBERS),
    _range("moved", _DAYS),
    st.booleans().map(lambda value: {"field": "carer", "is": value}),
    st.lists(st.sampled_from(BANDS), min_size=1).map(lambda one: {"result": "band", "in": one}),
    st.tuples(st.sampled_from(["debt", "moved", "carer"]), st.booleans()).map(
        lambda one: {"field": one[0], "is_known": one[1]}
    ),
).map(Condition.model_validate)


def plainly(condition: Condition, value: Any) -> bool | None:
    """Whether one household meets one condition, said without any library."""
    if condition.is_known is not None:
        return (value is not None) == condition.is_known
    if value is None:
        return None
    if condition.in_ is not None:
        return value in condition.in_
    if condition.is_ is not None:
        return bool(value == condition.is_)
    compare: dict[str, Callable[[Any, Any], bool]] = {
        "above": lambda a, b: a > b,
        "at_least": lambda a, b: a >= b,
        "under": lambda a, b: a < b,
        "at_most": lambda a, b: a <= b,
    }
    return all(compare[key](value, bound) for key, bound in condition.bounds)


def all_of(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers else True


@given(ROWS, st.lists(CONDITIONS, min_size=1, max_size=4), st.booleans())
def test_a_cohort_is_what_a_reading_row_by_row_finds(
    rows: list[tuple[Any, ...]], conditions: list[Condition], leaves_out_cases: bool
) -> None:
    schema = {
        "f_debt": pl.Float64, "f_moved": pl.Date, "f_carer": pl.Boolean, "band": pl.Enum(BANDS),
        "withheld": pl.Boolean, "score": pl.Float64,
    }  # fmt: skip
    table = pl.DataFrame([row[:6] for row in rows], schema=schema, orient="row").with_columns(
        uprn=pl.int_range(len(rows), dtype=pl.Int64)
    )
    run = SimpleNamespace(band_names=BANDS, finished_at=1)
    scores = Scores(cast(Any, run), cast(Any, None), SUBJECTS)
    asked = Conditions(
        conditions=tuple(conditions), leave_out=(Mark.IN_CASE,) if leaves_out_cases else ()
    )
    in_case = {at for at, row in enumerate(rows) if row[6]}
    found = find(table, scores, asked, {Mark.IN_CASE: in_case})

    names = ("debt", "moved", "carer", "band")
    expected, undecided, left_out = [], [], []
    unknown = dict.fromkeys((condition_text(c, subject_of(c, SUBJECTS)) for c in conditions), 0)
    for at, row in enumerate(rows):
        answers = [plainly(one, row[names.index(one.name)]) for one in conditions]
        out = row[4] or (leaves_out_cases and at in in_case)
        meets = all_of(answers)
        if meets is True:
            (left_out if out else expected).append(at)
        elif meets is None and not out:
            undecided.append(at)
            texts = {
                condition_text(one, subject_of(one, SUBJECTS))
                for one, answer in zip(conditions, answers, strict=True)
                if answer is None
            }
            for text in texts:
                unknown[text] += 1
    counted = found.counted
    assert sorted(found.members["uprn"].to_list()) == expected
    assert (counted.households, counted.members) == (len(rows), len(expected))
    assert counted.undecided == len(undecided)
    assert counted.left_out_in_all == len(left_out)
    assert dict(counted.not_known) == {text: number for text, number in unknown.items() if number}
    assert sum(counted.bands.values()) == len(expected)
    if not leaves_out_cases:
        assert counted.marked.get("in_case", 0) == len(in_case.intersection(expected))
    by_score = ranked(found.members)["uprn"].to_list()
    assert by_score == sorted(expected, key=lambda at: (-rows[at][5], at))
