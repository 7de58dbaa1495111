"""Attribute feeds: terms become fields, one record an attribute of a person."""

import dataclasses
import datetime
import re
import tomllib
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_node.households.combine import combine
from folkmoot_node.households.uprn_join import HOUSEHOLD
from folkmoot_plugin_savvi.source import SavviSource
from folkmoot_plugin_savvi.standard import AttributeField, load, versions
from folkmoot_sdk import PluginError, ReadContext, RecordLevel
from folkmoot_sdk.conformance import check_source
from folkmoot_sdk.parameters import build
from tests.spoiled_files import check_accounted, read, spoiled

VERSION = "alpha-2026-06"
PACKAGE = Path(str(resources.files("folkmoot_plugin_savvi")))
SAMPLE = (PACKAGE / "samples" / "savvi.csv").read_text("utf-8")
README = (Path(__file__).parents[3] / "plugins" / "savvi" / "README.md").read_text("utf-8")
HEADER = "PersonReference,UPRN,AttributeType,Attribute,AttributeDate"
ALL = list(load(VERSION, None).fields)


def make(base, *fields, **options):
    values = {"folder": ".", "standard": VERSION, "fields": list(fields or ALL)}
    values |= options | {"base": str(base)}
    return SavviSource(build(SavviSource.Options, values, "options"))


@pytest.fixture
def feed(tmp_path):
    def written(*rows, header=HEADER, name="savvi.csv"):
        (tmp_path / name).write_text("\n".join([header, *rows]) + "\n", "utf-8")
        return tmp_path

    return written


def test_the_sample_is_read_whole():
    found = read(make(PACKAGE / "samples"))
    assert (found.stopped, found.rejected) == (None, [])
    assert found.rows == list(range(2, len(SAMPLE.splitlines()) + 1))


def test_it_conforms():
    check_source(
        SavviSource,
        {"base": str(PACKAGE / "samples"), "folder": ".", "standard": VERSION, "fields": ALL},
    )


def test_a_row_is_one_attribute_of_one_person(feed):
    found = read(
        make(
            feed(
                "A,7,Circumstance, LIVING alone ,2024-05-01",
                "A,7,Event,Domestic abuse reported,2026-02-27",
                "B,8,Service,Homelessness relief duty,",
            ),
            "lives_alone",
            "domestic_abuse_reports",
            "domestic_abuse_last_report",
            "homelessness_duty",
        )
    )
    assert found.rejected == []
    may, february = datetime.date(2024, 5, 1), datetime.date(2026, 2, 27)
    assert [tuple(record.values()) for record in found.values] == [
        (7, may, True, None, None, "none"),
        (7, february, False, 1, february, "none"),
        (8, None, False, None, None, "relief"),
    ]


def test_a_person_may_belong_to_several_households(feed):
    source = make(feed("A,7,Circumstance,Unpaid carer,", "A,8,Circumstance,Unpaid carer,"))
    assert source.schema.level is RecordLevel.PERSON
    assert [r["uprn"] for r in read(source).values] == [7, 8]


def test_a_household_has_what_the_feed_names_and_nothing_else(feed):
    """An attribute of one kind says nothing against, or for, another."""
    source = make(
        feed(
            "A,1,Circumstance,Living alone,",
            "B,2,Event,Fall,2026-01-01",
            "B,2,Event,Fall,2026-02-01",
            "C,2,Service,Homelessness prevention duty,",
            "D,2,Service,Main homelessness duty,",
        ),
        "lives_alone",
        "falls",
        "homelessness_duty",
    )
    fields = source.schema.fields
    context = read(source)
    assert context.rejected == []
    frame = pl.DataFrame(context.values).with_columns(
        pl.Series(HOUSEHOLD, [record["uprn"] - 1 for record in context.values]),
        pl.Series("homelessness_duty", [
            source.schema["homelessness_duty"].codes.index(record["homelessness_duty"])
            for record in context.values
        ], dtype=pl.Int16),
    )  # fmt: skip
    values, present = combine(frame, 2, fields)
    assert present.tolist() == [True, True]
    assert values["lives_alone"].to_list() == [True, False]
    assert values["falls"].to_list() == [0, 2]
    assert values["homelessness_duty"].to_list() == [0, 4]
    assert np.all(values.null_count().row(0)) == 0


def test_only_wanted_attributes_are_read(feed):
    folder = feed(
        "A,7,Circumstance,Living alone,31/02/2026",
        "B,no UPRN,Event,Fall,2026-01-01",
        "C,8,Circumstance,Unpaid carer,2026-01-01",
    )
    found = read(make(folder), ("unpaid_carer",))
    assert found.rejected == []
    assert found.values == [
        {"uprn": 8, "record_date": datetime.date(2026, 1, 1), "unpaid_carer": True}
    ]


@pytest.mark.parametrize(
    ("row", "field", "reason", "unread"),
    [
        ("A,7,Circumstances,Living alone,", "AttributeType", "is not an attribute type of alpha",
         {"lives_alone"}),
        ("A,7,,Living alone,", "AttributeType", "'' is not an attribute type", {"lives_alone"}),
        ("A,7,Circumstance,,", "Attribute", "'' is no term", {"lives_alone"}),
        ("A,1234567890123,Circumstance,Living alone,", "UPRN", "is not a UPRN (1 to 12 digits)",
         {"uprn"}),
        ("A,7,Circumstance,Living alone,2026-02-31", "AttributeDate", "is not a date",
         {"record_date"}),
        ("A,7,Event,Living alone,", "Attribute", "'Living alone' is no term that alpha-2026-06",
         None),
        ("A,7,Circumstance,Living alone,,", "", "has 6 fields, the header has 5", None),
        ('A,7,Circumstance,Living "alone,', "", "quote", None),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_rejected_by_row(feed, row, field, reason, unread):
    sound = "A,7,Circumstance,Living alone,2026-01-01"
    folder = feed(sound, row.replace('"', '"x"'), sound.replace("A,7", "B,8"))
    found = read(make(folder, "lives_alone"))
    assert found.unread == ({} if unread is None else {3: unread})
    assert found.rows == ([2, 4] if unread is None else [2, 3, 4])
    (rejection,) = found.rejected
    assert (rejection.file, rejection.row, rejection.field) == ("savvi.csv", 3, field)
    assert reason in rejection.reason


def test_terms_that_are_not_wanted_may_be_named(feed):
    folder = feed("A,7,Circumstance,Left handed,", "A,7,Circumstance,Living alone,")
    assert len(read(make(folder)).rejected) == 1
    found = read(make(folder, ignore=["left HANDED"]))
    assert (found.rows, found.rejected) == ([3], [])
    assert found.left_out == {"the option `ignore` names its term or type": 1}


def test_of_an_unknown_term_the_fields_of_its_type_are_unread(feed):
    folder = feed("A,7,Event,Falls,", "B,8,Evnt,Fall,", "C,8,Circumstance,Living alone,")
    fields = ("lives_alone", "domestic_abuse_reports")
    found = read(make(folder, *fields))
    assert found.unread == {2: {"domestic_abuse_reports"}, 3: set(fields)}
    assert [(r["uprn"], *(r[name] for name in fields)) for r in found.values] == [
        (7, False, None), (8, None, None), (8, True, None),
    ]  # fmt: skip
    found = read(make(folder, *fields, ignore=["evnt", "Falls"]))
    assert (found.rows, found.rejected, found.unread) == ([4], [], {})


def test_a_date_that_cannot_be_read_is_unread_where_it_is_the_value(feed):
    folder = feed("A,7,Event,Domestic abuse reported,31/02/2026")
    found = read(make(folder, "domestic_abuse_last_report", "domestic_abuse_reports"))
    assert found.unread == {2: {"record_date", "domestic_abuse_last_report"}}
    assert [record["domestic_abuse_reports"] for record in found.values] == [1]


def test_optional_columns_may_be_missing(feed):
    folder = feed("A,7,Event,Domestic abuse reported", header=HEADER.removesuffix(",AttributeDate"))
    (record,) = read(make(folder, "domestic_abuse_last_report", "domestic_abuse_reports")).values
    assert record == {
        "uprn": 7, "record_date": None, "domestic_abuse_last_report": None,
        "domestic_abuse_reports": 1,
    }  # fmt: skip


def test_an_optional_column_that_is_missing_is_noted_once_a_file(feed):
    folder = feed("A,7,Event,Domestic abuse reported", header=HEADER.removesuffix(",AttributeDate"))
    notes = []
    context = ReadContext((), datetime.date(2026, 4, 1), lambda _: None, note=notes.append)
    assert len(list(make(folder).read(context))) == 1
    assert notes == ["savvi.csv has no column AttributeDate: nothing is dated"]


@pytest.mark.parametrize("column", HEADER.split(",")[1:4])
def test_required_columns_may_not(feed, column):
    found = read(make(feed(header=re.sub(rf"\b{column}\b", "Other", HEADER))))
    assert found.stopped is not None
    assert f"has no column '{column}'" in found.stopped.problem


def test_a_council_s_own_terms(feed):
    folder = feed(
        "A;7;Circumstance;Lives on her own;01/05/2024;local",
        "A;7;Circumstance;Offline;;local",
        "A;7;Circumstance;Offline;;other",
        "A;7;Circumstance;Living alone;;",
        header="Client;UPRN;AttributeType;Attribute;AttributeDate;AttributeScheme",
    )
    (folder / "own.toml").write_text("""
        date_format = "%d/%m/%Y"
        columns.person = "Client"
        [fields.lives_alone]
        terms = ["Lives on her own"]
        [fields.offline]
        attribute_type = "Circumstance"
        scheme = "Local"
        terms = ["Offline"]
        type = "boolean"
        combine = "any"
        category = "education"
        absent = false
    """)
    source = make(folder, "lives_alone", "offline", mapping="own.toml", delimiter=";")
    found = read(source)
    assert [(r["lives_alone"], r["offline"]) for r in found.values] == [
        (True, False),
        (False, True),
        (None, None),
        (None, None),
    ]
    assert [entry.row for entry in found.rejected] == [4, 5]
    assert source.schema["offline"].savvi_term == "Offline"


def test_dates_may_have_years_of_two_digits(feed):
    folder = feed("a,1,Housing,Rent arrears,01/02/26", "a,2,Housing,Rent arrears,01/02/27")
    own = folder / "own.toml"
    own.write_text('date_format = "%d/%m/%y"\n')
    with pytest.raises(PluginError, match="latest_year"):
        make(folder, mapping="own.toml")
    own.write_text('date_format = "%d/%m/%y"\nlatest_year = 2026\n')
    found = read(make(folder, mapping="own.toml"))
    dates = [record["record_date"] for record in found.values]
    assert dates == [datetime.date(2026, 2, 1), datetime.date(1927, 2, 1)]


def test_a_file_of_tabs_needs_no_delimiter(feed):
    row = SAMPLE.splitlines()[1].replace(",", "\t")
    folder = feed(row, header=SAMPLE.splitlines()[0].replace(",", "\t"), name="feed.tsv")
    found = read(make(folder, files=["*.tsv"]))
    assert (found.stopped, found.rejected, len(found.rows)) == (None, [], 1)


FIELD = {
    "attribute_type": "Circumstance", "terms": ["x"], "type": "boolean", "combine": "any",
    "category": "health",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"attribute_type": "Fact"}, "attribute_type 'Fact'"),
        ({"terms": []}, "`terms` is empty"),
        ({"terms": ["x", " X"]}, "names a term twice"),
        ({"terms": {"x": "yes"}}, "the term 'x' has no value"),
        ({"type": "category", "combine": "max", "codes": ["a"], "terms": {"x": "b"}}, "no value"),
        ({"type": "date", "combine": "max", "terms": {"x": "2026-01-01"}}, "is a list"),
        ({"absent": True}, "must change nothing"),
        ({"combine": "all", "absent": False}, "must change nothing"),
        ({"type": "integer", "combine": "max", "absent": 0}, "must change nothing"),
        ({"type": "integer", "combine": "count"}, "set absent = 0"),
        ({"type": "integer", "combine": "count_distinct", "absent": 0}, "combine by count"),
        ({"type": "area", "combine": "first"}, "an attribute is no area"),
    ],
)
def test_a_field_that_contradicts_itself_is_refused(tmp_path, changes, problem):
    entry = FIELD | changes
    (tmp_path / "own.toml").write_text(
        "[fields.odd]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in entry.items())
    )
    with pytest.raises(PluginError) as caught:
        load(VERSION, tmp_path / "own.toml")
    assert problem in caught.value.problem
    assert "own.toml" in caught.value.where


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {toml(item)}' for key, item in value.items()) + " }"
    return repr(value).lower() if isinstance(value, bool) else repr(value)


@pytest.mark.parametrize(
    ("options", "where", "remedy"),
    [
        ({"standard": "alpha-2026-07"}, "options of savvi: standard", "Did you mean"),
        ({"fields": ["live_alone"]}, "options of savvi: fields[0]", "Did you mean 'lives_alone'?"),
        ({"mapping": "none.toml"}, "none.toml", "Check the option `mapping`"),
        ({"delimiter": ",,"}, "options", "Correct the values"),
        ({"covers": []}, "options.covers", "Valid"),
    ],
)
def test_options_that_do_not_fit_are_named(tmp_path, options, where, remedy):
    with pytest.raises(PluginError) as caught:
        make(tmp_path, **options)
    assert caught.value.where.endswith(where)
    assert remedy in caught.value.remedy


def test_the_version_s_file_is_named_like_the_version():
    assert VERSION in versions()
    for name in versions():
        assert load(name, None).standard == name


def test_the_readme_lists_every_term_and_key():
    for name, field in load(VERSION, None).fields.items():
        (line,) = [line for line in README.splitlines() if f"| `{name}` |" in line]
        assert line.startswith(f"| {field.attribute_type} |")
        assert all(term in line for term in field.terms)
        assert line.endswith(f"| {field.combine.value} |")
    for entry in dataclasses.fields(AttributeField):
        assert f"`{entry.name}`" in README


def test_the_examples_of_the_readme_are_valid(tmp_path):
    node, own = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (entry,) = tomllib.loads(node)["sources"]
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "savvi.toml").write_text(own)
    assert make(tmp_path, **entry["options"]).schema.name == "savvi"
    assert make(tmp_path, "digital_exclusion", mapping="mappings/savvi.toml")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_of_a_spoiled_feed_nothing_is_lost(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("savvi")
    file = data.draw(spoiled(SAMPLE))
    options = {"encoding": file.encoding, "delimiter": file.delimiter}
    check_accounted(folder / "savvi.csv", file, lambda: make(folder, **options))
