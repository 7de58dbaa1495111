"""The shipped profiles: samples, minimisation, bad input."""

import datetime
import re
import tomllib
from importlib import resources
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_plugin_council_records.profile import columns_of, identifying_columns, profile
from folkmoot_plugin_council_records.sources import SOURCES
from folkmoot_sdk import Identifier, PluginError, ReadContext, RecordLevel
from folkmoot_sdk.conformance import check_source
from folkmoot_sdk.parameters import build
from tests.spoiled_files import check_accounted, read, spoiled

SAMPLES = Path(str(resources.files("folkmoot_plugin_council_records"))) / "samples"
KINDS = {source.kind: source for source in SOURCES}
NEVER_READ = {"LiableParty", "NINO"}


def make(kind, base, **options):
    values = {"folder": "."} | options | {"base": str(base)}
    return KINDS[kind](build(KINDS[kind].Options, values, "options"))


def sample(kind):
    return (SAMPLES / f"{kind}.csv").read_text("utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_each_sample_is_read_whole(kind):
    found = read(make(kind, SAMPLES))
    assert (found.stopped, found.rejected) == (None, [])
    assert len(found.rows) == len(sample(kind).splitlines()) - 1
    for name in (entry.name for entry in make(kind, SAMPLES).schema.fields):
        assert any(record[name] is not None for record in found.values), name


@pytest.mark.parametrize("kind", KINDS)
def test_each_conforms(kind):
    check_source(KINDS[kind], {"base": str(SAMPLES), "folder": "."})


def test_records_mean_what_the_files_say():
    council_tax = read(make("council_tax", SAMPLES)).values
    assert council_tax[3] == {
        "uprn": 100012000004,
        "record_date": datetime.date(2026, 4, 1),
        "council_tax_arrears": 1630.55,
        "council_tax_recovery": "enforcement",
        "council_tax_liability": 0.0,
        "council_tax_band": "A",
        "council_tax_support": True,
        "single_person_discount": True,
        "single_person_discount_from": datetime.date(2026, 2, 14),
    }
    assert council_tax[0]["council_tax_recovery"] == "none"
    assert council_tax[5]["council_tax_arrears"] is None
    children = read(make("childrens_services", SAMPLES)).values
    assert [(c["children_services"], c["child_status"]) for c in children] == [
        (True, "child_in_need"), (False, "early_help"), (False, "none"),
    ]  # fmt: skip
    deaths = read(make("deaths", SAMPLES)).values
    assert [(d["death_reported"], d["last_death_reported"]) for d in deaths] == [
        (True, datetime.date(2026, 3, 14)), (False, datetime.date(2026, 3, 20)),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_numbers_of_people_are_not_mapped(kind):
    columns = sample(kind).splitlines()[0].split(",")
    mapped = columns_of(profile(kind))
    assert set(mapped) <= set(columns)
    assert not NEVER_READ & set(mapped)
    fields = {field["column"] for field in profile(kind)["fields"].values()}
    assert not fields & set(identifying_columns(profile(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_identifiers_are_read_only_if_the_node_asks_for_them(kind):
    source = make(kind, SAMPLES)
    offered = source.schema.identifiers
    assert {Identifier.ADDRESS, Identifier.POSTCODE} <= set(offered)
    named = {identifier.column for identifier in offered}
    assert not named & set(read(source).values[0])
    records = read(source, identifiers=offered).values
    for column in named:
        assert all(record[column] for record in records), column


def test_an_address_is_its_lines(tmp_path):
    found = read(make("council_tax", SAMPLES), (), identifiers=(Identifier.ADDRESS,)).values
    assert found[1]["identifier_address"] == "Flat 2, 14 Mill Lane, Exampleton"
    assert "identifier_postcode" not in found[1]
    text = sample("adult_social_care").replace("NHSNumber", "NHSNo")
    (tmp_path / "adult_social_care.csv").write_text(text.replace("9990020027", "9990020028"))
    source = make("adult_social_care", tmp_path, columns={"NHSNumber": "NHSNo"})
    assert read(source).rejected == []
    (rejected,) = read(source, (), identifiers=source.schema.identifiers).rejected
    assert (rejected.field, rejected.value) == ("NHSNo", "")
    without = make("adult_social_care", tmp_path, without=["nhs_number"])
    assert Identifier.NHS_NUMBER not in without.schema.identifiers
    assert read(without, (), identifiers=without.schema.identifiers).rejected == []


def test_only_wanted_fields_are_read(tmp_path):
    text = sample("council_tax").replace("Band", "Spoiled").replace("Recovery", "Spoiled")
    (tmp_path / "council_tax.csv").write_text(text.replace("845.10", "no number"))
    found = read(make("council_tax", tmp_path), ("council_tax_support",))
    assert found.rejected == []
    assert {tuple(record) for record in found.values} == {
        ("uprn", "record_date", "council_tax_support")
    }
    assert read(make("council_tax", tmp_path), ("council_tax_band",)).stopped is not None


def test_references_of_people_are_not_read():
    source = make("adult_social_care", SAMPLES)
    assert source.schema.level is RecordLevel.PERSON
    assert "person" not in read(source).values[0]


def test_another_supplier_s_extract(tmp_path):
    (tmp_path / "ctax_2026.csv").write_bytes(
        "PROP_UPRN|SPD_IND|SPD_START|STAGE|OS_DEBT|EXTRACT_DT\r\n"
        "7|1|2026-02-14|9|£|2026-04-01\r\n"
        "8|0|-|1|12.50|2026-04-01\r\n".encode("cp1252")
    )
    source = make(
        "council_tax",
        tmp_path,
        files=["ctax*.csv"],
        encoding="cp1252",
        delimiter="|",
        null_values=["£", "-"],
        date_format="%Y-%m-%d",
        supplier="Second supplier",
        columns={
            "UPRN": "PROP_UPRN", "Discount": "SPD_IND", "DiscountFrom": "SPD_START",
            "RecoveryStage": "STAGE", "Arrears": "OS_DEBT", "ExtractedOn": "EXTRACT_DT",
        },
        fields={
            "single_person_discount": {"true": [1], "false": [0]},
            "council_tax_recovery": {"codes": {"1": "none", "9": "enforcement"}},
        },
        without=["council_tax_band", "council_tax_liability", "council_tax_support"],
    )  # fmt: skip
    assert source.schema.supplier == "Second supplier"
    assert "council_tax_band" not in source.schema
    codes = ("none", "reminder", "summons", "liability_order", "enforcement")
    assert source.schema["council_tax_recovery"].codes == codes
    found = read(source)
    assert found.rejected == []
    day = datetime.date(2026, 4, 1)
    assert [tuple(record.values()) for record in found.values] == [
        (7, day, None, "enforcement", True, datetime.date(2026, 2, 14)),
        (8, day, 12.5, "none", False, None),
    ]


def test_parquet_is_read_too(tmp_path):
    pl.read_csv(SAMPLES / "rents.csv", try_parse_dates=False).write_parquet(
        tmp_path / "rents.parquet"
    )
    found = read(make("rents", tmp_path, files=["rents.parquet"]))
    assert found.rejected == []
    assert [record["rent_arrears"] for record in found.values] == [312.0, 0.0, 1480.75]


@pytest.mark.parametrize(
    ("options", "where", "problem", "remedy"),
    [
        ({"columns": {"Areas": "X"}}, "options of rents: columns.Areas",
         "is not a column of the profile", "Did you mean 'Arrears'?"),
        ({"without": ["rent"]}, "options of rents: without[0]", "'rent' is not a field", "rent"),
        ({"fields": {"bedroom": {"format": "%Y"}}}, "options of rents: fields.bedroom",
         "is not a field", "Did you mean 'bedrooms'?"),
        ({"fields": {"rent_recovery": {"codes": {"1": "curt"}}}},
         "options of rents: fields.rent_recovery.codes.1", "'curt' is no code",
         "Did you mean 'court'?"),
        ({"fields": {"bedrooms": {"typ": "number"}}}, "options.fields.bedrooms.typ",
         "is an unknown key", "Valid"),
        ({"date_format": "%m"}, "options of rents: fields.eviction_notice_date",
         "does not name a day", ""),
        ({"encoding": "ebcdic"}, "options", "encoding 'ebcdic'", ""),
        ({"fields": {"rent_arrears": {"true": ["Y"], "false": ["N"]}}},
         "options of rents: fields.rent_arrears", "for a boolean", ""),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_are_named(tmp_path, options, where, problem, remedy):
    with pytest.raises(PluginError) as caught:
        make("rents", tmp_path, **options)
    assert caught.value.where == where
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


def test_a_report_is_read_whole_by_options_alone(tmp_path):
    lines = (SAMPLES / "rents.csv").read_text("utf-8").splitlines()
    blanks = "," * lines[0].count(",")
    report = [f"Rent accounts{blanks}", *lines, f"Suspense{blanks}", f"Total{blanks}"]
    (tmp_path / "RENTS_2026-10.TXT").write_text("\n".join([*report, "Report run 01/10/2026"]))
    (tmp_path / "rents_2026-09.txt").write_text("\n".join(lines))
    rule = {"column": lines[0].split(",")[0], "starts_with": ["Susp"]}
    options = {"files": ["rents*.txt"], "skip_rows": 1, "leave_out": [rule], "comment": "#"}
    options |= {"extracts": "newest", "allow_empty": False, "sheet": ""}
    kept = make("rents", tmp_path, folder=".", **options)
    names = [field.name for field in kept.schema.fields]
    rejected, notes = [], []
    context = ReadContext(names, datetime.date(2026, 11, 28), rejected.extend, note=notes.append)
    read = sum(batch.data.height for batch in kept.read(context))
    assert read == len(lines) - 1
    assert rejected == []
    assert len(notes) == 1


def test_a_protected_characteristic_cannot_be_taken_off(tmp_path):
    with pytest.raises(PluginError, match="unknown key"):
        make("adult_social_care", tmp_path, fields={"care_package": {"protected": ""}})


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_of_a_spoiled_file_nothing_is_lost(tmp_path_factory, kind, data):
    folder = tmp_path_factory.mktemp(kind)
    file = data.draw(spoiled(sample(kind)))
    options = {"encoding": file.encoding, "delimiter": file.delimiter}
    check_accounted(folder / f"{kind}.csv", file, lambda: make(kind, folder, **options))


README = (Path(__file__).parents[3] / "plugins" / "council_records" / "README.md").read_text(
    "utf-8"
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_readme_maps_every_column(kind):
    section = README.partition(f"### `{kind}`")[2].partition("###")[0]
    values = profile(kind)
    (listed,) = [line for line in section.splitlines() if line.startswith("Identifiers: ")]
    assert tuple(re.findall(r"`(\w+)`", listed)) == identifying_columns(values)
    for name, field in values["fields"].items():
        (line,) = [line for line in section.splitlines() if f"| `{name}` |" in line]
        assert line.startswith(f"| `{field['column']}` |")
        assert line.endswith(f"| {field['combine']} |")
        codes = field.get("codes", {})
        for code in codes.values() if isinstance(codes, dict) else codes:
            assert code in line


def test_the_examples_of_the_readme_are_valid(tmp_path):
    for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL):
        (entry,) = tomllib.loads(block)["sources"]
        assert make(entry["kind"], tmp_path, **entry["options"]).schema.name == entry["name"]
