"""The shielded list: who is on it on the date of the run, and what is not let through."""

import datetime
import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_plugin_nhs_shielding.source import ListColumns, ShieldingSource
from folkmoot_sdk import PluginError, ProtectedCharacteristic, RecordLevel
from folkmoot_sdk.conformance import check_source
from folkmoot_sdk.parameters import build
from tests.spoiled_files import CELLS, check_accounted, read, spoiled

SAMPLES = Path(str(resources.files("folkmoot_plugin_nhs_shielding"))) / "samples"
SAMPLE = (SAMPLES / "shielded_list.csv").read_text("utf-8")
README = Path(__file__).parents[3] / "plugins" / "nhs_shielding" / "README.md"
HEADER = "NHSNumber,UPRN,Flag,DateAdded,DateRemoved,DiseaseGroup"
SOUND, OTHER = "9434765919", "9990000026"


def make(base, **options):
    values = {"folder": "."} | options | {"base": str(base)}
    return ShieldingSource(build(ShieldingSource.Options, values, "options"))


@pytest.fixture
def shielded(tmp_path):
    def written(*rows, header=HEADER):
        (tmp_path / "shielded.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
        return tmp_path

    return written


def test_the_sample_is_read_whole():
    found = read(make(SAMPLES))
    assert (found.stopped, found.rejected) == (None, [])
    assert [record["shielded"] for record in found.values] == [
        True, True, False, False, True, False, True,
    ]  # fmt: skip


def test_a_file_of_tabs_needs_no_delimiter(tmp_path):
    (tmp_path / "list.TSV").write_text(SAMPLE.replace(",", "\t"))
    found = read(make(tmp_path, files=["*.TSV"]))
    assert (found.stopped, found.rejected) == (None, [])
    assert len(found.values) == len(SAMPLE.splitlines()) - 1


def test_it_conforms():
    check_source(ShieldingSource, {"base": str(SAMPLES), "folder": "."})


@pytest.mark.parametrize(
    ("flag", "added", "removed", "listed"),
    [
        ("Y", "2020-04-02", "", True),
        ("1", "", "", True),
        ("N", "2020-04-02", "", False),
        ("N", "2020-04-02", "2021-09-30", False),
        ("", "2020-04-02", "", None),
        ("", "2020-04-02", "2021-09-30", False),
        ("Y", "2026-04-01", "", True),
        ("Y", "2026-04-02", "", False),
        ("Y", "2020-04-02", "2026-04-01", False),
        ("Y", "2020-04-02", "2026-04-02", True),
        ("Y", "2020-04-02", "2020-04-02", False),
    ],
)
def test_only_who_is_on_the_list_on_the_date_of_the_run(shielded, flag, added, removed, listed):
    found = read(make(shielded(f"{SOUND},7,{flag},{added},{removed},cancer")))
    assert found.rejected == []
    (record,) = found.values
    since = datetime.date.fromisoformat(added) if listed and added else None
    assert record["shielded"] is listed
    assert record["shielded_people"] == (None if listed is None else int(listed))
    assert record["shielded_since"] == since
    assert record["shielding_group"] == ("cancer" if listed else None)


EVERY_FIELD = {"shielded", "shielded_people", "shielded_since", "shielding_group"}


@pytest.mark.parametrize(
    ("row", "field", "reason", "unread"),
    [
        ("9434765918,7,Y,,,", "NHSNumber", "the check digit is wrong", set()),
        ("943476591,7,Y,,,", "NHSNumber", "of ten digits", set()),
        (f"{SOUND},1234567890123,Y,,,", "UPRN", "1 to 12 digits", {"uprn"}),
        (f"{SOUND},7,maybe,,,", "Flag", "is neither", EVERY_FIELD),
        (f"{SOUND},7,maybe,2026-04-02,,", "Flag", "is neither", set()),
        (f"{SOUND},7,Y,2026-02-31,,", "DateAdded", "is not a date", EVERY_FIELD),
        (f"{SOUND},7,N,2026-02-31,,", "DateAdded", "is not a date", set()),
        (f"{SOUND},7,Y,31/02/2026,,", "DateAdded", "is not a date", EVERY_FIELD),
        (f"{SOUND},7,Y,2021-01-02,2021-01-01,", "DateRemoved", "is before DateAdded", EVERY_FIELD),
        (f"{SOUND},7,N,2021-01-02,2021-01-01,", "DateRemoved", "is before DateAdded", set()),
        (f"{SOUND},7,Y,,,gout", "DiseaseGroup", "is not in the code list", {"shielding_group"}),
        (f"{SOUND},7,N,,,gout", "DiseaseGroup", "is not in the code list", set()),
        (f"{SOUND},7,Y,,", "", "has 5 fields, the header has 6", None),
    ],
)
def test_what_cannot_be_read_is_rejected_by_row(shielded, row, field, reason, unread):
    sound = f"{OTHER},8,Y,,,"
    found = read(make(shielded(sound, row, sound.replace(",8,", ",9,"))))
    assert found.rows == ([2, 4] if unread is None else [2, 3, 4])
    assert found.unread == ({3: unread} if unread else {})
    if unread is not None:
        record = found.values[1]
        assert all(record[name] is None for name in unread)
        assert record["shielded"] is (None if "shielded" in unread else ",Y,,," in row)
    (rejection,) = found.rejected
    assert (rejection.file, rejection.row, rejection.field) == ("shielded.csv", 3, field)
    assert reason in rejection.reason


def test_no_nhs_number_comes_out(shielded):
    """Neither of those on the list, nor of those in quarantine, nor in an error."""
    folder = shielded(
        f"{SOUND},7,Y,,,", f"{OTHER},8,N,,,", "9434765918,7,Y,,,", "943 476 59,7,Y,,,",
        f"{SOUND},x,Y,,,", f"{SOUND},7,?,2021-01-02,2021-01-01,",
        f",7,{SOUND},,,", ",7,Y,943 476 5919,,", f",Y{SOUND},Y,,,gout of {OTHER}",
    )  # fmt: skip
    found = read(make(folder))
    told = repr((found.values, found.rejected, found.rows))
    assert len(found.rejected) == 9
    for number in (SOUND, OTHER, "9434765918", "943 476 59", "943 476 5919"):
        assert number not in told
    (folder / "shielded.csv").write_text(f"{SOUND},7,Y\n{OTHER},8,Y\n")
    stopped = read(make(folder)).stopped
    assert stopped is not None
    assert SOUND not in str(stopped)
    assert not any("nhs" in entry.name for entry in make(folder).schema.fields)


def test_the_list_s_own_reference_may_be_named_and_is_not_read(shielded):
    folder = shielded(f"{SOUND},7,Y,,,,L1", header=f"{HEADER},ListReference")
    source = make(folder, columns={"person": "ListReference"})
    assert source.schema.level is RecordLevel.PERSON
    assert "L1" not in repr(read(source).values)


def test_only_wanted_fields_are_read(shielded):
    folder = shielded(
        f"{SOUND},7,Y,31/02/2021,", header="NHSNumber,UPRN,Flag,DateAdded,DateRemoved"
    )
    assert read(make(folder), ()).values == [{"uprn": 7}]
    assert [entry.field for entry in read(make(folder), ("shielded",)).rejected] == ["DateAdded"]
    stopped = read(make(folder), ("shielding_group",)).stopped
    assert stopped is not None
    assert "has no column 'DiseaseGroup'" in stopped.problem


def test_another_list(tmp_path):
    (tmp_path / "spl.csv").write_bytes(
        "NHS_NUMBER|UPRN|DATE_ADDED|GROUP\r\n"
        f"{SOUND}|7|02/04/2020|Respiratory (Severe Asthma)\r\n"
        f"{OTHER}|8|-|other\r\n".encode("utf-16")
    )
    source = make(
        tmp_path,
        files=["spl.csv"],
        encoding="utf-16",
        delimiter="|",
        date_format="%d/%m/%Y",
        null_values=["-"],
        columns={
            "nhs_number": "NHS_NUMBER", "flag": "", "added": "DATE_ADDED", "removed": "",
            "group": "GROUP",
        },
        groups={"Respiratory (Severe Asthma)": "respiratory"},
        supplier="Integrated care board",
    )  # fmt: skip
    found = read(source)
    assert found.rejected == []
    assert [tuple(record.values()) for record in found.values] == [
        (7, True, 1, datetime.date(2020, 4, 2), "respiratory"),
        (8, True, 1, None, "other"),
    ]
    assert source.schema.supplier == "Integrated care board"


def test_columns_that_are_not_there_give_no_fields(tmp_path):
    names = [f.name for f in make(tmp_path, columns={"added": "", "group": ""}).schema.fields]
    assert names == ["shielded", "shielded_people"]


def test_every_field_is_protected(tmp_path):
    for entry in make(tmp_path).schema.fields:
        assert entry.protected is ProtectedCharacteristic.DISABILITY


@pytest.mark.parametrize(
    ("options", "where", "problem"),
    [
        ({"columns": {"uprn": ""}}, "options.columns", "without NHS number or UPRN"),
        ({"columns": {"flag": "", "added": ""}}, "options.columns", "name `flag` or `added`"),
        ({"columns": {"flags": "F"}}, "options.columns.flags", "is an unknown key"),
        ({"groups": {"Gout": "gout"}}, "options", "groups.Gout 'gout'"),
        ({"date_format": "%m"}, "options", "does not name a day"),
        ({"true": ["Y"], "false": ["Y"]}, "options", "both true and false"),
        ({"encoding": "ebcdic"}, "options", "encoding 'ebcdic'"),
    ],
)
def test_options_that_do_not_fit_are_named(tmp_path, options, where, problem):
    with pytest.raises(PluginError) as caught:
        make(tmp_path, **options)
    assert caught.value.where == where
    assert problem in caught.value.problem


def test_the_readme_is_right(tmp_path):
    text = README.read_text("utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (entry,) = tomllib.loads(block)["sources"]
    assert make(tmp_path, **entry["options"]).schema.name == entry["name"]
    for key, default in vars_of(ListColumns()).items():
        name = "`, `".join(default) if isinstance(default, tuple) else default
        assert f"| `{name}` | `{key}` |" in text or f"| none | `{key}` |" in text
    for field in make(tmp_path).schema.fields:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{field.name}` |")]
        assert line.endswith(f"| {field.combine.value} |")


def vars_of(columns):
    return {name: getattr(columns, name) for name in type(columns).__dataclass_fields__}


def is_sound(number):
    digits = [int(character) for character in number]
    total = sum(d * w for d, w in zip(digits[:9], range(10, 1, -1), strict=True))
    return (11 - total % 11) % 11 == digits[9]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_of_a_spoiled_list_nothing_is_lost(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("shielded")
    file = data.draw(spoiled(SAMPLE))
    options = {"encoding": file.encoding, "delimiter": file.delimiter}
    found = check_accounted(folder / "shielded.csv", file, lambda: make(folder, **options))
    lines = file.content.decode(file.encoding, "replace").removeprefix("\ufeff").split("\n")
    unsound = {entry.row for entry in found.rejected if entry.field}
    for row in set(found.rows) - unsound:
        first = lines[row - 1].split(file.delimiter)[0].strip().strip('"').replace(" ", "")
        if re.fullmatch("[0-9]+", first):
            assert len(first) == 10
            assert is_sound(first)


def test_the_spoiled_lists_hold_numbers_that_fail_the_check():
    assert any(re.fullmatch("[0-9]{10}", cell) and not is_sound(cell) for cell in CELLS)
