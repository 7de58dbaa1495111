"""Dated notifications: which count on the date of the run, and what cannot be read."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_plugin_notifications.declared import BY_PERIOD
from folkmoot_plugin_notifications.options import NotificationColumns
from folkmoot_plugin_notifications.source import NotificationSource
from folkmoot_sdk import Identifier, PluginError, RecordLevel
from folkmoot_sdk.conformance import check_source
from folkmoot_sdk.parameters import build
from tests.spoiled_files import check_accounted, read, spoiled

SAMPLES = Path(str(resources.files("folkmoot_plugin_notifications"))) / "samples"
SAMPLE = (SAMPLES / "notifications.csv").read_text("utf-8")
README = Path(__file__).parents[3] / "plugins" / "notifications" / "README.md"
HEADER = "UPRN,NotificationDate,Event"
DAY = datetime.date(2026, 4, 1)
Written = Callable[..., Path]


def make(base: Path, **options: object) -> NotificationSource:
    values = {"folder": "."} | options | {"base": str(base)}
    return NotificationSource(build(NotificationSource.Options, values, "options"))


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(*rows: str, header: str = HEADER) -> Path:
        (tmp_path / "notifications.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
        return tmp_path

    return write


def test_the_sample_is_read_whole() -> None:
    found = read(make(SAMPLES, columns={"area": "LSOA21"}, area_type="lsoa21"))
    assert (found.stopped, found.rejected) == (None, [])
    assert [record["notified"] for record in found.values] == [
        True, True, True, False, True, True, False,
    ]  # fmt: skip
    assert found.values[4]["uprn"] is None
    assert found.values[5]["notification_area"] is None


@pytest.mark.parametrize("about", ["person", "property"])
def test_it_conforms(about: str) -> None:
    options = {"base": str(SAMPLES), "folder": ".", "about": about, "counted": ["case"]}
    check_source(NotificationSource, options)


@pytest.mark.parametrize(
    ("date", "counts"),
    [
        ("2026-04-02", False),
        ("2026-04-01", True),
        ("2026-03-26", True),
        ("2026-03-25", False),
        ("", None),
    ],
)
def test_only_what_is_in_the_period_counts(
    written: Written, date: str, counts: bool | None
) -> None:
    found = read(make(written(f"7,{date},case"), days=7))
    assert found.rejected == []
    (record,) = found.values
    assert record["notified"] is counts
    assert record["notifications"] == (None if counts is None else int(counts))
    first = datetime.date.fromisoformat(date) if counts else None
    assert record["first_notified"] == first
    assert record["notified_event"] == ("case" if counts else None)
    assert record["record_date"] == (datetime.date.fromisoformat(date) if date else None)


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        ("7,2026-04-01,case", True),
        ("7,2026-04-01,contact", False),
        ("7,2026-04-01,", None),
        ("7,2025-04-01,", False),
        ("7,,contact", False),
        ("7,,case", None),
    ],
)
def test_only_events_that_are_wanted_count(written: Written, row: str, counts: bool | None) -> None:
    source = make(written(row), counted=["case"])
    for fields in (None, ("notified",)):
        (record,) = read(source, fields).values
        assert record["notified"] is counts


@pytest.mark.parametrize(
    ("row", "field", "reason", "unread"),
    [
        ("1234567890123,2026-04-01,case,", "UPRN", "1 to 12 digits", {"uprn"}),
        ("7,31/02/2026,case,", "NotificationDate", "is not a date",
         {*BY_PERIOD, "record_date"}),
        ("7,31/02/2026,contact,", "NotificationDate", "is not a date", {"record_date"}),
        ("7,2026-04-01,gout,", "Event", "is not in the code list", set(BY_PERIOD)),
        ("7,2025-04-01,gout,", "Event", "is not in the code list", set()),
        ("7,2026-04-01,case,E02000001", "Area", "", {"notification_area"}),
        ("7,2026-04-01", "", "has 2 fields, the header has 4", None),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_rejected_by_row(
    written: Written, row: str, field: str, reason: str, unread: set[str] | None
) -> None:
    folder = written("8,2026-04-01,case,", row, "9,2026-04-01,case,", header=f"{HEADER},Area")
    found = read(make(folder, columns={"area": "Area"}, area_type="lsoa21", counted=["case"]))
    assert found.rows == ([2, 4] if unread is None else [2, 3, 4])
    assert found.unread == ({3: unread} if unread else {})
    if unread:
        assert all(found.values[1][name] is None for name in unread)
    (rejection,) = found.rejected
    assert (rejection.file, rejection.row, rejection.field) == ("notifications.csv", 3, field)
    assert reason in rejection.reason


def test_an_unknown_event_costs_only_itself_where_all_events_count(written: Written) -> None:
    found = read(make(written("7,2026-04-01,gout", "8,2026-04-01,")))
    assert found.unread == {2: {"notified_event"}}
    assert [record["notified"] for record in found.values] == [True, True]
    assert [record["notified_event"] for record in found.values] == [None, None]


def test_only_wanted_columns_are_read(written: Written) -> None:
    folder = written("7,2026-04-01", header="UPRN,NotificationDate")
    source = make(folder)
    assert read(source, ()).values == [{"uprn": 7, "record_date": DAY}]
    assert read(source, ("notified",)).values[0]["notified"] is True
    stopped = read(source, ("notified_event",)).stopped
    assert stopped is not None
    assert "has no column 'Event'" in stopped.problem
    names = [field.name for field in make(folder, columns={"event": ""}).schema.fields]
    assert names == ["notified", "notifications", "first_notified"]


def test_people_are_identified_and_properties_by_address_alone() -> None:
    person, place = make(SAMPLES), make(SAMPLES, about="property")
    assert person.schema.level is RecordLevel.PERSON
    assert place.schema.level is RecordLevel.PROPERTY
    assert place.schema.identifiers == (Identifier.ADDRESS, Identifier.POSTCODE)
    found = read(person, (), identifiers=(Identifier.SURNAME, Identifier.ADDRESS))
    assert found.values[1]["identifier_surname"] == "Clegg"
    assert found.values[1]["identifier_address"] == "1 Example Street, Exampleton"
    assert Identifier.NHS_NUMBER not in person.schema.identifiers


def test_no_nhs_number_comes_out(written: Written) -> None:
    number = "9434765919"
    folder = written(
        f"7,{number},case,{number}", f"{number},2026-04-01,{number},9434765918",
        header=f"{HEADER},NHS",
    )  # fmt: skip
    source = make(folder, columns={"nhs_number": "NHS"})
    found = read(source, identifiers=(Identifier.NHS_NUMBER,))
    assert found.values[0]["identifier_nhs_number"] == number
    told = repr(found.rejected)
    assert len(found.rejected) == 3
    assert number not in told
    assert "9434765918" not in told


def test_another_list(tmp_path: Path) -> None:
    (tmp_path / "lab.csv").write_bytes(
        "Home|SpecimenDate|Result\r\n7|01/04/2026|PCR positive\r\n8|-|PCR negative\r\n".encode(
            "utf-16"
        )
    )
    source = make(
        tmp_path,
        files=["lab.csv"],
        encoding="utf-16",
        delimiter="|",
        date_format="%d/%m/%Y",
        null_values=["-"],
        columns={"uprn": "Home", "date": "SpecimenDate", "event": "Result"},
        event_codes=["case", "none"],
        events={"PCR positive": "case", "PCR negative": "none"},
        supplier="Laboratory",
    )
    found = read(source)
    assert found.rejected == []
    assert [record["notified_event"] for record in found.values] == ["case", None]
    assert source.schema.supplier == "Laboratory"


@pytest.mark.parametrize(
    ("options", "where", "problem"),
    [
        ({"columns": {"uprn": ""}}, "options.columns", "without UPRN or date"),
        ({"columns": {"dates": "D"}}, "options.columns.dates", "is an unknown key"),
        ({"about": "people"}, "options", "about 'people'"),
        ({"days": 0}, "options.days", "out of range"),
        ({"events": {"PCR": "positive"}}, "options", "events 'positive'"),
        ({"counted": ["cases"]}, "options", "counted 'cases'"),
        ({"counted": ["case"], "columns": {"event": ""}}, "options", "needs a column"),
        ({"area_type": "lsoa21"}, "options", "needs a column of the area"),
        ({"event_codes": []}, "options", "name the codes"),
        ({"date_format": "%m"}, "options", "does not name a day"),
    ],
)
def test_options_that_do_not_fit_are_named(
    tmp_path: Path, options: dict[str, object], where: str, problem: str
) -> None:
    with pytest.raises(PluginError) as caught:
        make(tmp_path, **options)
    assert caught.value.where == where
    assert problem in caught.value.problem


def test_the_readme_is_right(tmp_path: Path) -> None:
    text = README.read_text("utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (entry,) = tomllib.loads(block)["sources"]
    source = make(tmp_path, **entry["options"])
    assert source.schema.name == entry["name"]
    defaults = NotificationColumns()
    for key in NotificationColumns.__dataclass_fields__:
        default = getattr(defaults, key)
        name = "`, `".join(default) if isinstance(default, tuple) else default
        assert f"| `{name}` | `{key}` |" in text or f"| none | `{key}` |" in text
    for field in source.schema.fields:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{field.name}` |")]
        assert line.endswith(f"| {field.combine.value} |")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_of_a_spoiled_list_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("notifications")
    file = data.draw(spoiled(SAMPLE))
    options: dict[str, object] = {
        "encoding": file.encoding,
        "delimiter": file.delimiter,
        "counted": data.draw(st.sampled_from([[], ["case"]])),
        "columns": {"area": "LSOA21"},
    }
    found = check_accounted(folder / "notifications.csv", file, lambda: make(folder, **options))
    for row, record in zip(found.rows, found.values, strict=True):
        date, counts = record["record_date"], record["notified"]
        if counts:
            assert isinstance(date, datetime.date)
            assert DAY - datetime.timedelta(days=27) <= date <= DAY
            assert record["first_notified"] == date
        else:
            assert record["first_notified"] is None
            assert record["notified_event"] is None
        if "notified" in found.unread.get(row, ()):
            assert counts is None
