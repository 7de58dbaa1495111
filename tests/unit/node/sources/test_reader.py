"""What a source may hand over, and what becomes of the rest."""

from __future__ import annotations

import csv
import datetime

import polars as pl
import pytest

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import (
    Category,
    Combine,
    Field,
    FieldType,
    PluginError,
    RecordLevel,
    Rejection,
    Schema,
)

TODAY = datetime.date(2026, 12, 1)
CANARY = "zq-canary-7731"


def quarantined(node, source):
    [path] = node.config.quarantine_folder.glob(f"{source}-*.csv")
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def lenient(node):
    text = (node.home / "node.toml").read_text()
    node.write_node(
        text.replace("[[sources]]", "[quarantine]\nmaximum_share = 0.9\n[[sources]]", 1)
    )


def test_what_a_source_leaves_out_is_counted_by_reason_and_is_no_error(node):
    def leave_out(context):
        context.leave_out("retired property", 400)
        context.leave_out("garage", 0)

    node.tax.before_batch = leave_out
    tax, people = node.score().sources
    batches = len(node.tax.batches)
    assert tax.left_out == {"retired property": 400 * batches}
    assert people.left_out == {}
    assert tax.rejected == 0
    assert tax.quarantine == ""


def test_what_a_source_decides_about_its_files_stands_in_the_summary(node):
    node.tax.before_batch = lambda context: context.note("tax_2025.csv is not read")
    tax, people = node.score().sources
    assert set(tax.notes) == {"tax_2025.csv is not read"}
    assert people.notes == ()


def test_rejections_are_summed_up_without_values(node):
    lenient(node)
    node.people.before_batch = lambda context: context.reject(
        [Rejection("people.csv", 2, "DateOfBirth", f"{CANARY} is not a date", CANARY)]
    )
    [reason] = node.score().sources[1].rejected_reasons
    assert (reason.field, reason.reason) == ("DateOfBirth", "is not a date")
    assert reason.values >= 1


def test_what_was_left_out_was_sound_and_counts_so_against_the_share_rejected(node):
    def reject(context):
        context.reject([Rejection("tax.csv", 7, "uprn", "is not a UPRN")])

    def reject_of_many(context):
        context.leave_out("retired property", 1000)
        reject(context)

    node.tax.before_batch = reject
    with pytest.raises(Problem, match="of the records were rejected"):
        node.score()
    node.tax.before_batch = reject_of_many
    assert node.score().sources[0].rejected == 1


NO_CODE = "is not a GSS code (a letter and eight digits)"


@pytest.mark.parametrize(
    "column,value,reason",
    [
        ("uprn", 0, "is not a UPRN of 1 to 12 digits"),
        ("uprn", -4, "is not a UPRN of 1 to 12 digits"),
        ("uprn", 1_000_000_000_000, "is not a UPRN of 1 to 12 digits"),
        ("council_tax_arrears", -0.01, "is not a number from 0"),
        ("council_tax_arrears", float("nan"), "is not a number from 0"),
        ("council_tax_arrears", float("inf"), "is not a number from 0"),
        ("tenure", "squat", "is not in the code list"),
        ("lsoa", "E0100001", NO_CODE),
        ("lsoa", "E0100000\N{ARABIC-INDIC DIGIT ONE}", NO_CODE),
        ("lsoa", "E0100000\N{FULLWIDTH DIGIT ONE}", NO_CODE),
        ("lsoa", "X01000001", NO_CODE),
        ("lsoa", "E01000001\n", NO_CODE),
    ],
)
def test_an_invalid_value_goes_to_quarantine_and_the_record_stays(node, column, value, reason):
    lenient(node)
    good = node.tax.batches[0]
    bad = good.with_columns(
        pl.when(pl.int_range(pl.len()) == 1)
        .then(pl.lit(value, dtype=good.schema[column]))
        .otherwise(pl.col(column))
        .alias(column)
    )
    node.tax.batches[0] = bad
    summary = node.score()
    [entry] = quarantined(node, "tax")
    assert (entry["file"], entry["row"], entry["field"]) == ("tax_book-0.csv", "3", column)
    assert entry["reason"] == reason
    tax = summary.sources[0]
    assert (tax.records, tax.rejected, tax.rejected_fields) == (5, 1, {column: 1})


def test_the_largest_and_smallest_uprn_are_valid(node):
    node.tax.batches[0] = node.tax.batches[0].with_columns(
        uprn=pl.Series([1, 999_999_999_999, 3, 4, 5])
    )
    assert node.score().sources[0].rejected == 0


def test_a_record_with_two_faults_is_one_rejected_record(node):
    lenient(node)
    node.people.batches[0] = node.people.batches[0].with_columns(
        uprn=pl.Series([1, -1, 2, 9, None]), oldest_age=pl.Series([70, 121, 80, 3, 4])
    )
    people = node.score().sources[1]
    assert (people.records, people.rejected) == (5, 1)
    assert len(quarantined(node, "people")) == 2


def test_row_numbers_that_are_not_consecutive_are_kept(node, monkeypatch):
    from folkmoot_sdk import Records

    lenient(node)
    batch = node.people.batches[0].with_columns(oldest_age=pl.Series([70, 71, 80, 3, 500]))

    plugins = node.plugins

    def read(self, context):
        yield Records(batch, origin="people.csv", rows=[2, 3, 5, 8, 13])

    monkeypatch.setattr(plugins.sources["people_book"], "read", read)
    monkeypatch.setattr(type(node), "plugins", plugins)
    node.score()
    assert [entry["row"] for entry in quarantined(node, "people")] == ["13"]


def test_too_many_rejections_stop_the_run_and_the_last_scores_stay(node):
    first = node.score()
    node.people.batches[0] = node.people.batches[0].with_columns(
        oldest_age=pl.Series([70, 71, 80, 3, 500])
    )
    with pytest.raises(Problem) as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.DATA
    assert "source people" in str(raised.value)
    assert "500" not in str(raised.value)
    with node.open() as store:
        assert store.run.run_id == first.run_id
    assert [p.name for p in node.config.store_path.parent.iterdir() if "unfinished" in p.name] == []


def test_a_share_at_the_threshold_goes_on(node):
    text = (node.home / "node.toml").read_text()
    node.write_node(
        text.replace("[[sources]]", "[quarantine]\nmaximum_share = 0.2\n[[sources]]", 1)
    )
    bad = node.people.batches[0].with_columns(oldest_age=pl.Series([70, 71, 80, 3, 500]))
    node.people.batches[0] = bad
    assert node.score().sources[1].rejected == 1
    node.write_node(
        text.replace("[[sources]]", "[quarantine]\nmaximum_share = 0.19\n[[sources]]", 1)
    )
    with pytest.raises(Problem):
        node.score()


def test_records_that_the_plugin_rejects_count_too(node):
    node.people.before_batch = lambda context: context.reject(
        [Rejection("people.csv", 2, "DateOfBirth", f"{CANARY} is not a date", CANARY)]
    )
    with pytest.raises(Problem) as raised:
        node.score()
    assert CANARY not in str(raised.value)
    assert quarantined(node, "people")[0]["value"] == CANARY


def test_quarantine_files_are_for_the_owner_alone(node):
    lenient(node)
    node.people.before_batch = lambda context: context.reject(
        [Rejection("people.csv", 2, "a", "b", "c")]
    )
    node.score()
    [path] = node.config.quarantine_folder.glob("people-*.csv")
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_rejection_leaves_no_quarantine_file(node):
    node.score()
    assert not node.config.quarantine_folder.exists()


def test_only_wanted_fields_are_asked_for(node):
    node.people.schema = Schema(
        name="people",
        level=RecordLevel.PERSON,
        fields=(
            *node.people.schema.fields,
            Field("religion", FieldType.CATEGORY, Combine.FIRST, Category.DEMOGRAPHY, codes=("a",)),
        ),
    )
    node.score()
    assert set(node.people.asked) == {"people", "oldest_age"}


def test_an_undeclared_column_is_stored_nowhere(node):
    node.people.batches[0] = node.people.batches[0].with_columns(
        surname=pl.lit(CANARY), note=pl.lit(CANARY.encode())
    )
    node.tax.batches[0] = node.tax.batches[0].with_columns(forename=pl.lit(CANARY))
    node.score()
    with node.open() as store:
        tables = store._connection.sql(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'store'"
        ).fetchall()
        assert {name for (name,) in tables} == {"households", "details", "run"}
        for (name,) in tables:
            content = store._connection.sql(f"SELECT t::VARCHAR FROM store.{name} t").fetchall()
            assert content
            assert not any(CANARY in row[0] for row in content)
            columns = store._connection.sql(f"DESCRIBE store.{name}").fetchall()
            assert not {"surname", "note", "forename", "person"} & {c[0] for c in columns}
        for part in store.details():
            assert CANARY not in part.write_csv()
            assert not {"surname", "note", "forename", "person"} & set(part.columns)
    for path in node.home.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path


def test_person_references_are_not_stored(node):
    node.people.batches[0] = node.people.batches[0].with_columns(
        person=pl.lit(CANARY), people=pl.lit(CANARY)
    )
    node.score()
    assert CANARY not in node.rows().write_csv()


@pytest.mark.parametrize(
    "column,dtype",
    [
        ("uprn", pl.String),
        ("council_tax_arrears", pl.String),
        ("tenure", pl.Int64),
        ("record_date", pl.Datetime),
        ("lsoa", pl.Int32),
    ],
)
def test_a_column_of_another_type_than_declared_is_the_plugins_fault(node, column, dtype):
    node.tax.batches[0] = (
        node.tax.batches[0].clear().with_columns(pl.lit(None, dtype=dtype).alias(column))
    )
    with pytest.raises(Problem) as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.FAULT
    assert "test-plugin 1.2.3" in str(raised.value)
    assert column in str(raised.value)


def test_a_missing_column_is_the_plugins_fault(node):
    node.tax.batches[0] = node.tax.batches[0].drop("tenure")
    with pytest.raises(Problem, match=r"test-plugin 1\.2\.3 .*'tenure'"):
        node.score()


def test_a_plugin_error_keeps_its_remedy(node):
    def fail(context):
        raise PluginError("tax.csv", "is truncated", "Fetch it again")

    node.tax.before_batch = fail
    with pytest.raises(Problem) as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.DATA
    assert (raised.value.where, raised.value.remedy) == ("tax.csv", "Fetch it again")


def test_a_transient_error_says_that_trying_again_may_help(node):
    def fail(context):
        raise PluginError("db", "is restarting", "Try again", transient=True)

    node.tax.before_batch = fail
    with pytest.raises(Problem) as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.UNREACHABLE


def test_a_crash_of_the_plugin_is_named_without_quoting_records(node):
    def fail(context):
        raise RuntimeError(CANARY)

    node.tax.before_batch = fail
    with pytest.raises(Problem) as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.FAULT
    assert "RuntimeError" in str(raised.value)
    assert "test-plugin 1.2.3" in str(raised.value)
    assert CANARY not in str(raised.value)
    assert raised.value.__suppress_context__


def test_any_exporter_of_the_arrow_c_stream_will_do(node):
    import duckdb

    people = node.people.batches[0]  # noqa: F841 (read by DuckDB)
    tax = node.tax.batches[0]
    node.score()
    expected = node.rows()
    node.people.batches = [duckdb.sql("SELECT * FROM people").arrow()]
    node.tax.batches = [tax.to_arrow()]
    node.score()
    assert node.rows().equals(expected)


def test_dictionaries_and_enumerations_are_codes_too(node):
    node.score()
    expected = node.rows()
    tax = node.tax.batches[0]
    for dtype in (pl.Enum(["owned", "rented"]), pl.Enum(["rented", "x", "owned"]), pl.Categorical):
        node.tax.batches = [tax.with_columns(pl.col("tenure").cast(dtype))]
        node.score()
        assert node.rows().equals(expected)


def test_division_into_batches_does_not_matter(node):
    node.score()
    expected = node.rows()
    node.tax.batches = [node.tax.batches[0][at : at + 1] for at in range(5)]
    node.people.batches = [node.people.batches[0][:2], node.people.batches[0][2:]]
    node.score()
    assert node.rows().equals(expected)


def test_a_source_without_records_leaves_its_fields_unknown(node):
    node.people.batches = []
    with pytest.raises(Problem, match="holds no record"):
        node.score(accepting=())
    summary = node.score(accepting=("people",))
    assert summary.sources[1].records == 0
    assert node.rows()["points_alone"].to_list() == [None, None, None]


def test_a_frame_without_households_keeps_the_last_scores(node):
    first = node.score()
    node.tax.batches = [node.tax.batches[0].with_columns(uprn=pl.lit(None, dtype=pl.Int64))]
    with pytest.raises(Problem, match="no record with a UPRN"):
        node.score()
    with node.open() as store:
        assert store.run.run_id == first.run_id
