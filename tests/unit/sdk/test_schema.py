import dataclasses

import pytest

from folkmoot_sdk import Category, Combine, Field, FieldType, PluginError, RecordLevel, Schema

NUMBER = Field("owed", FieldType.NUMBER, Combine.SUM, Category.FINANCE)
CODED = Field("tenure", FieldType.CATEGORY, Combine.FIRST, Category.HOUSING, codes=("own", "rent"))
FLAG = Field("on", FieldType.BOOLEAN, Combine.ANY, Category.FINANCE)

EVENT = Field("applied", FieldType.DATE, Combine.MINIMUM, Category.HOUSING, outcome=True)


@pytest.mark.parametrize(
    ("field", "change", "problem"),
    [
        (NUMBER, {"name": "Owed"}, "not an identifier"),
        (NUMBER, {"name": "uprn"}, "reserved"),
        (NUMBER, {"combine": Combine.ANY}, "cannot combine number by any"),
        (NUMBER, {"codes": ("a",)}, "needs a code list if and only if"),
        (NUMBER, {"minimum": 2, "maximum": 1}, "minimum above its maximum"),
        (NUMBER, {"absent": "none"}, "absent value 'none'"),
        (NUMBER, {"absent": False}, "absent value False"),
        (CODED, {"codes": ()}, "needs a code list"),
        (CODED, {"codes": ("own", "own")}, "repeats a code"),
        (CODED, {"absent": "squat"}, "absent value 'squat'"),
        (CODED, {"combine": Combine.SUM}, "cannot combine category by sum"),
        (FLAG, {"absent": 0}, "absent value 0"),
        (FLAG, {"combine": Combine.COUNT, "absent": False}, "absent value False"),
        (FLAG, {"combine": Combine.COUNT, "absent": 0.5}, "absent value 0.5"),
        (FLAG, {"outcome": True}, "an outcome but no day"),
        (EVENT, {"combine": Combine.COUNT}, "an outcome but no day"),
        (EVENT, {"absent": 0}, "absent value 0"),
    ],
)
def test_a_field_that_contradicts_itself_is_refused(field, change, problem):
    with pytest.raises(PluginError, match=problem):
        dataclasses.replace(field, **change)


@pytest.mark.parametrize(
    ("field", "absent"), [(NUMBER, 0), (NUMBER, 1.5), (CODED, "rent"), (FLAG, False)]
)
def test_absent_is_a_value_that_a_household_could_have(field, absent):
    assert dataclasses.replace(field, absent=absent).absent == absent


def test_a_count_is_an_integer_whatever_it_counts():
    people = dataclasses.replace(CODED, combine=Combine.COUNT_DISTINCT, absent=0)
    assert people.household_type is FieldType.INTEGER
    assert CODED.household_type is FieldType.CATEGORY


def test_a_schema_names_each_field_once_and_needs_a_date_for_the_latest():
    with pytest.raises(PluginError, match="repeats a field"):
        Schema("x", RecordLevel.HOUSEHOLD, (NUMBER, NUMBER))
    latest = dataclasses.replace(NUMBER, combine=Combine.LATEST)
    with pytest.raises(PluginError, match="no record date"):
        Schema("x", RecordLevel.HOUSEHOLD, (latest,))
    schema = Schema("x", RecordLevel.HOUSEHOLD, (latest,), has_date=True)
    assert schema["owed"] is latest
    assert "owed" in schema
    assert "tenure" not in schema


def test_areas_have_no_outcomes():
    with pytest.raises(PluginError, match="about areas but has outcomes"):
        Schema("x", RecordLevel.AREA, (EVENT,))
