import tomllib

import pytest

from folkmoot_plugin_extracts.mapping import FileMapping, load
from folkmoot_sdk import Combine, FieldType, PluginError, ProtectedCharacteristic

BASE = {
    "schema": 1,
    "name": "accounts",
    "level": "household",
    "files": ["a.csv"],
    "uprn": "UPRN",
    "fields": {"owed": {"column": "O", "type": "number", "combine": "sum", "category": "finance"}},
}


def toml(value):
    """A TOML value, for the few types that mappings have."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{k}" = {toml(v)}' for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else str(value)


@pytest.fixture
def write(tmp_path):
    def written(changes=(), **field):
        values = BASE | dict(changes)
        values["fields"] = {"owed": BASE["fields"]["owed"] | field}
        values = {key: value for key, value in values.items() if value is not None}
        path = tmp_path / "mapping.toml"
        path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in values.items()))
        assert tomllib.loads(path.read_text()) == values
        return path

    return written


def test_declares_the_fields_as_a_schema(write):
    path = write(
        {"supplier": "Revenues", "version": "7", "record_date": {"column": "D"}},
        type="category",
        combine="max",
        codes={"1": "low", "2": "low", "9": "high"},
        order=["high", "low"],
        protected="disability",
        savvi_term="Term",
        description="Words",
        consumer_data=True,
        absent="high",
    )
    schema = load(path, FileMapping).declaration()
    assert (schema.name, schema.supplier, schema.version) == ("accounts", "Revenues", "7")
    assert schema.has_date
    owed = schema["owed"]
    assert owed.type is FieldType.CATEGORY
    assert owed.combine is Combine.MAXIMUM
    assert owed.codes == ("high", "low")
    assert owed.protected is ProtectedCharacteristic.DISABILITY
    assert owed.absent == "high"
    assert owed.consumer_data
    assert (owed.savvi_term, owed.description) == ("Term", "Words")


def test_codes_are_in_order_of_appearance_unless_an_order_is_given(write):
    path = write(type="category", combine="first", codes={"2": "b", "1": "a", "3": "b"})
    assert load(path, FileMapping).declaration()["owed"].codes == ("b", "a")
    path = write(type="category", combine="first", codes=["x", "y"])
    assert load(path, FileMapping).declaration()["owed"].codes == ("x", "y")


def test_an_order_may_name_codes_that_the_files_do_not_hold(write):
    path = write(type="category", combine="max", codes={"1": "low"}, order=["none", "low", "high"])
    assert load(path, FileMapping).declaration()["owed"].codes == ("none", "low", "high")


@pytest.mark.parametrize(
    ("transform", "unit", "minimum"), [("age", "years", 0), ("days_since", "days", None)]
)
def test_a_transform_brings_its_unit(write, transform, unit, minimum):
    field = load(
        write(type="integer", combine="max", transform=transform), FileMapping
    ).declaration()["owed"]
    assert (field.unit, field.minimum) == (unit, minimum)


@pytest.mark.parametrize(
    ("changes", "field", "where", "problem", "remedy"),
    [
        ({"delimeter": ";"}, {}, "delimeter", "unknown key", "Did you mean 'delimiter'?"),
        ({}, {"colum": "x"}, "fields.owed.colum", "unknown key", "Did you mean 'column'?"),
        ({"uprn": None}, {}, "", "level is household, but `uprn`", ""),
        ({"level": "area"}, {}, "", "level is area, but `area`", ""),
        ({"level": "flat"}, {}, "level", "'flat' is not valid", "area, household, person"),
        ({"schema": 2}, {}, "", "schema 2 is not known", ""),
        ({"name": None}, {}, "name", "is missing", ""),
        ({"files": []}, {}, "", "`files` is empty", ""),
        ({"files": "a.csv"}, {}, "files", "is a text", "Give a list"),
        ({"encoding": "utf8"}, {}, "", "'utf8': Did you mean 'utf-8'?", ""),
        ({"delimiter": ";;"}, {}, "", "delimiter is not one ASCII character", ""),
        ({"delimiter": "£"}, {}, "", "delimiter is not one ASCII character", ""),
        ({"quote": ","}, {}, "", "quote is not one ASCII character other", ""),
        ({"record_date": {"column": "D", "format": "%d/%m"}}, {}, "record_date", "name a day", ""),
        ({"record_date": {"columm": "D"}}, {}, "record_date.columm", "unknown key", "'column'"),
        ({"where": [{"column": "R", "in": []}]}, {}, "where[0]", "give `in`", ""),
        ({"where": [{"column": "R"}]}, {}, "where[0]", "or `not_in`", ""),
        ({}, {"type": "money"}, "fields.owed.type", "'money' is not valid", "boolean"),
        ({}, {"combine": "any"}, "field 'owed'", "cannot combine number by any", "sum"),
        ({}, {"combine": "latest"}, "schema accounts", "no record date", "Declare"),
        ({}, {"type": "category", "combine": "first"}, "field 'owed'", "needs a code list", ""),
        ({}, {"codes": ["a"]}, "fields.owed", "`codes` is for a category", ""),
        ({}, {"codes": ["a", 1]}, "fields.owed.codes[1]", "is a whole number", "a text"),
        (
            {}, {"type": "category", "combine": "first", "codes": ["a", "b"], "order": ["a", "c"]},
            "fields.owed", "`order` lacks b of `codes`", "",
        ),
        ({}, {"transform": "aeg"}, "fields.owed", "Did you mean 'age'?", ""),
        (
            {}, {"type": "boolean", "combine": "any", "transform": "age"},
            "fields.owed", "gives an integer, not boolean", "",
        ),
        ({}, {"values": {"1": 1.5}, "type": "integer"}, "fields.owed", "not all whole", ""),
        ({}, {"values": {"1": "x"}}, "fields.owed.values.1", "is a text", "a number"),
        (
            {}, {"type": "boolean", "combine": "any", "values": {"1": 1}},
            "fields.owed", "`values` is for a number", "",
        ),
        ({}, {"true": ["Y"]}, "fields.owed", "both `true` and `false`, or neither", ""),
        ({}, {"true": ["Y"], "false": ["N"]}, "fields.owed", "are for a boolean", ""),
        (
            {}, {"type": "boolean", "combine": "any", "true": ["Y"], "false": ["Y"]},
            "fields.owed", "both true and false", "",
        ),
        (
            {}, {"type": "date", "combine": "max", "format": "%d/%m/%y %Q"},
            "fields.owed", "does not name a day", "",
        ),
        ({}, {"absent": "none"}, "field 'owed'", "absent value 'none'", ""),
        ({}, {"minimum": 2, "maximum": 1}, "field 'owed'", "minimum above its maximum", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_and_key(write, changes, field, where, problem, remedy):
    path = write(changes, **field)
    with pytest.raises(PluginError) as caught:
        load(path, FileMapping)
    assert caught.value.where == (f"{path}: {where}" if where else str(path))
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"schema = ", "is not valid TOML"),
        (b"\xff\xfe", "is not UTF-8 text (byte 0)"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, problem):
    path = tmp_path / "mapping.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PluginError) as caught:
        load(path, FileMapping)
    assert caught.value.where == str(path)
    assert problem in caught.value.problem


def test_a_byte_order_mark_does_no_harm(write):
    path = write()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(path, FileMapping).name == "accounts"


def test_a_date_may_be_an_outcome(write):
    path = write(type="date", combine="min", outcome=True)
    assert load(path, FileMapping).declaration()["owed"].outcome
    path = write(type="date", combine="min")
    assert not load(path, FileMapping).declaration()["owed"].outcome


def test_an_outcome_that_is_no_day_is_refused_with_file_and_key(write):
    path = write(type="number", combine="sum", outcome=True)
    with pytest.raises(PluginError, match="an outcome but no day") as caught:
        load(path, FileMapping)
    assert caught.value.where == f"{path}: field 'owed'"
