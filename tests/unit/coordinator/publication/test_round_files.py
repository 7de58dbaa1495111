"""Published files."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from folkmoot.geography import GssCode
from folkmoot.interval import half_width
from folkmoot.privacy import epsilon_at
from folkmoot_coordinator.planning.cell_sizes import EarlierRound
from folkmoot_coordinator.publication import long_table as published_table
from folkmoot_coordinator.publication import round_result as round_result_module
from folkmoot_coordinator.publication import table_files
from folkmoot_coordinator.publication.round_files import long_table, publish
from folkmoot_coordinator.publication.round_result import round_result
from folkmoot_coordinator.publication.table_files import Format
from folkmoot_coordinator.rounds.closing import close_round
from folkmoot_coordinator.rounds.round_store import StoredRound
from folkmoot_operator.problems import ExitCode, Problem
from tests.tables import measured

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY = GssCode("E08000001"), GssCode("E08000002")

GOLDEN_KEYS = """\
columns.band
columns.coefficient_of_variation
columns.coverage
columns.level
columns.lower
columns.lsoa
columns.marginal
columns.place
columns.place_name
columns.presentable
columns.reliability
columns.standard_error
columns.upper
columns.value
coverage.invited
coverage.missing
coverage.refused[].council
coverage.refused[].meaning
coverage.refused[].next_step
coverage.refused[].reason
coverage.released
coverage.summary
errors.method
files.round-reference/codes.csv.bytes
files.round-reference/codes.csv.sha256
files.round-reference/noise.csv.bytes
files.round-reference/noise.csv.sha256
files.round.csv.bytes
files.round.csv.sha256
files.round.parquet.bytes
files.round.parquet.sha256
format
policy_digest
presentable.bias.cells[].bias
presentable.bias.cells[].bias_error
presentable.bias.cells[].cells
presentable.bias.cells[].least
presentable.bias.cells[].marginal
presentable.bias.cells[].most
presentable.bias.cells[].rmse
presentable.bias.cells[].scope
presentable.bias.cells[].unbiased_rmse
presentable.bias.councils
presentable.bias.draws
presentable.bias.method
presentable.left_out
presentable.method
privacy.definition
privacy.delta
privacy.epsilon_at_delta
privacy.mechanism
privacy.neighbouring
privacy.rho_per_release
privacy.statement
privacy.unit
question.attributes[].areas.E08000001
question.attributes[].areas.E08000002
question.attributes[].codes
question.attributes[].name
question.attributes[].others
question.marginals[].attributes
question.marginals[].name
question.marginals[].signed_weight
question.marginals[].weight
question.objective.above_optimum_at_most
question.objective.meaning
question.objective.name
region
round.closed_at
round.deadline
round.digest
round.minimum_councils
round.opened_at
round.purpose
round.round_id
round.state
round.title
round.withdrawn
software.name
software.version
withdrawn"""


@pytest.fixture
def partial(office: Office) -> StoredRound:
    """Bolton released, Bury refused."""
    stored = office.open()
    exact = measured(stored.round_.plan(BOLTON), [[10, -41], [30, 40]])
    office.release(stored, BOLTON, exact.tolist())
    office.refuse(stored, BURY)
    return office.again(stored)


def export(office: Office, folder: Path) -> tuple[dict[str, Any], Path, Path]:
    publication = publish(
        round_result(office.database, "Greater Manchester", "latest", {"E08000001": "Bolton"}),
        folder,
    )
    assert publication.csv is not None
    assert publication.parquet is not None
    return json.loads(publication.metadata.read_text()), publication.csv, publication.parquet


def keys(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        inner = (
            keys(item, f"{path}.{key}" if path else key) if value else set()
            for key, item in value.items()
        )
        return set().union(*inner)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return set().union(*(keys(item, f"{path}[]") for item in value))
    return {path}


def test_the_metadata_has_exactly_these_keys(
    office: Office, partial: StoredRound, tmp_path: Path
) -> None:
    metadata, *_ = export(office, tmp_path)
    stem = f"round-{partial.round_.round_id[:12]}"
    found = "\n".join(sorted(keys(metadata))).replace(stem, "round")
    described = (key for key in found.splitlines() if not key.startswith("errors.tables."))
    assert "\n".join(described) == GOLDEN_KEYS


def test_the_metadata_says_what_was_asked_who_answered_and_what_it_cost(
    office: Office, partial: StoredRound, tmp_path: Path
) -> None:
    metadata, table, parquet = export(office, tmp_path)
    round_ = partial.round_
    assert metadata["round"]["state"] == "partial"
    assert metadata["coverage"]["summary"] == "1 of 2 councils"
    assert metadata["coverage"]["released"] == [BOLTON]
    [refused] = metadata["coverage"]["refused"]
    assert (refused["council"], refused["reason"]) == (BURY, "budget_exhausted")
    assert metadata["privacy"]["rho_per_release"] == "0.5"
    assert metadata["privacy"]["epsilon_at_delta"] == epsilon_at(round_.loss, round_.delta)
    assert [one["weight"] for one in metadata["question"]["marginals"]] == [2, 1, 1]
    assert metadata["policy_digest"] == bytes(range(32)).hex()
    inside = json.loads(pl.read_parquet_metadata(parquet)["folkmoot"])
    assert inside == {key: value for key, value in metadata.items() if key != "files"}
    for path in (table, parquet):
        assert metadata["files"][path.name]["sha256"] == (
            hashlib.sha256(path.read_bytes()).hexdigest()
        )


def test_the_tables_hold_each_estimate_with_its_error(
    office: Office, partial: StoredRound, tmp_path: Path
) -> None:
    metadata, table, parquet = export(office, tmp_path)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "level",
        "place",
        "place_name",
        "coverage",
        "marginal",
        "band",
        "lsoa",
        "value",
        "standard_error",
        "lower",
        "upper",
        "coefficient_of_variation",
        "reliability",
        "presentable",
    ]
    assert set(metadata["columns"]) == set(rows[0])
    negative = next(row for row in rows if row["marginal"] == "band" and float(row["value"]) < 0)
    plan = partial.round_.plan(BOLTON)
    error = math.sqrt(plan.mean_variance(("band",)))
    width = half_width(error, plan.largest_step(("band",)))
    assert negative == {
        "level": "council",
        "place": "E08000001",
        "place_name": "Bolton",
        "coverage": "",
        "marginal": "band",
        "band": "low",
        "lsoa": "",
        "value": "-31.000000",
        "standard_error": f"{error:.6f}",
        "lower": f"{-31 - width:.6f}",
        "upper": f"{-31 + width:.6f}",
        "coefficient_of_variation": "",
        "reliability": "unreliable",
        "presentable": "0",
    }
    assert {row["coverage"] for row in rows if row["level"] == "region"} == {"1 of 2 councils"}
    [over_areas] = [row for row in rows if (row["band"], row["lsoa"]) == ("high", "(all)")]
    assert (over_areas["level"], over_areas["value"]) == ("all_areas", "70.000000")
    assert over_areas["coverage"] == "1 of 2 councils"

    stored = pl.read_parquet(parquet)
    assert stored.height == len(rows) == 4 + 4 + 2 + 2 + 2 + 1 + 1
    assert stored["value"].dtype == pl.Float64
    assert stored["coefficient_of_variation"].null_count() == sum(
        row["coefficient_of_variation"] == "" for row in rows
    )
    assert stored["value"].to_list() == pytest.approx([float(row["value"]) for row in rows])


def test_presentable_values_are_whole_and_agree_and_their_bias_is_stated(
    office: Office, partial: StoredRound, tmp_path: Path
) -> None:
    """Bolton's estimates are 10, -41, 30, 40 by band and area; 39 households in all."""
    metadata, _, parquet = export(office, tmp_path)
    table = pl.read_parquet(parquet)
    assert table["presentable"].dtype == pl.Int64
    assert table["presentable"].null_count() == 0
    assert table["presentable"].min() == 0
    sums = table.group_by("level", "marginal", pl.col("lsoa") == "(all)").agg(
        pl.col("presentable").sum()
    )
    assert set(sums["presentable"]) == {39}
    low = table.filter(pl.col("marginal") == "band", pl.col("band") == "low")
    assert low["value"].to_list() == pytest.approx([-31, -31])
    assert low["presentable"].to_list() == [0, 0]

    said = metadata["presentable"]
    assert "cost no privacy" in said["method"]
    assert said["left_out"] == []
    rows = {(row["marginal"], row["scope"], row["least"]): row for row in said["bias"]["cells"]}
    empty = rows["band*lsoa", "council", 0]
    assert (empty["most"], empty["cells"]) == (0, 2)
    assert 0 < empty["bias"] < empty["rmse"] < empty["unbiased_rmse"]
    for row in rows.values():
        assert row["bias"] <= row["rmse"]


def test_marginals_that_are_not_presented_say_why(office: Office, tmp_path: Path) -> None:
    """All triples of four attributes, b*c*d the most important: with the two next, all pairs
    are decided, and the last would have to agree with three of them at once."""
    from itertools import combinations

    from folkmoot.attributes import Attribute
    from folkmoot.workload import Marginal, Workload

    names = ("a", "b", "c", "d")
    triples = tuple(combinations(names, 3))
    workload = Workload(
        tuple(Attribute(name, ("no", "yes")) for name in names),
        tuple(Marginal(triple, 2 if "a" not in triple else 1) for triple in triples),
    )
    stored = office.open(replace(office.open().round_, round_id="0" * 32, workload=workload))
    plan = stored.round_.plan(BOLTON)
    office.release(stored, BOLTON, measured(plan, list(range(16))).tolist())
    close_round(office.database, stored.round_.round_id, office.clock() + 2)
    metadata, _, parquet = export(office, tmp_path)
    [left] = metadata["presentable"]["left_out"]
    assert (left["marginal"], left["reason"]) == ("a*c*d", "circles")
    assert "circles" in left["meaning"]
    table = pl.read_parquet(parquet)
    missing = table["marginal"] == "a*c*d"
    assert table.filter(missing)["presentable"].null_count() == missing.sum() == 16
    assert table.filter(~missing)["presentable"].null_count() == 0
    assert table.filter(~missing)["presentable"].to_list() == pytest.approx(
        table.filter(~missing)["value"].to_list()
    )


@pytest.mark.parametrize("read", ["parquet", "csv"])
def test_a_later_round_can_be_planned_with_the_published_file(
    office: Office, partial: StoredRound, tmp_path: Path, read: str
) -> None:
    """One council released: what it published is what is assumed of its cells."""
    _, table, parquet = export(office, tmp_path)
    workload = partial.round_.workload
    sizes = EarlierRound(workload, parquet if read == "parquet" else table)
    rows = pl.read_csv(table).filter(level="council")
    for marginal in workload.marginals:
        published = rows.filter(marginal=marginal.name)["value"].clip(0).to_list()
        found = sizes.households(marginal.attributes, BOLTON).tolist()
        assert sorted(found) == pytest.approx(sorted(published), abs=1e-5)


def test_the_same_round_gives_the_same_files(
    office: Office, partial: StoredRound, tmp_path: Path
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    export(office, first)
    export(office, second)
    names = sorted(path.relative_to(first) for path in first.rglob("*.*"))
    assert len(names) == 5
    assert names == sorted(path.relative_to(second) for path in second.rglob("*.*"))
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_pieces_make_the_same_table_whatever_their_size(
    office: Office, partial: StoredRound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole_csv, whole = export(office, tmp_path / "whole")
    monkeypatch.setattr(published_table, "ROWS_AT_ONCE", 3)
    metadata, csv_in_pieces, in_pieces = export(office, tmp_path / "pieces")
    assert csv_in_pieces.read_bytes() == whole_csv.read_bytes()
    assert pl.read_parquet(in_pieces).equals(pl.read_parquet(whole))
    result = round_result(office.database, "Greater Manchester", "latest")
    heights = [piece.height for piece in long_table(result).pieces()]
    assert len(heights) > 3
    assert max(heights) < 6
    assert metadata["files"][csv_in_pieces.name]["bytes"] == whole_csv.stat().st_size


def test_text_is_kept_as_enumerations(office: Office, partial: StoredRound, tmp_path: Path) -> None:
    _, _, parquet = export(office, tmp_path)
    table = pl.read_parquet(parquet)
    assert table.schema["lsoa"] == pl.Enum(["E01000001", "E01000002", "(all)"])
    assert table.schema["place"] == pl.Enum([BOLTON, "Greater Manchester"])
    assert table.schema["level"] == pl.Enum(["council", "region", "all_areas"])
    assert {name for name, kind in table.schema.items() if kind == pl.String} == set()


@pytest.mark.parametrize(
    ("form", "rows", "written"),
    [
        (None, 16, {".parquet", ".csv", ".json"}),
        (None, 15, {".parquet", ".json"}),
        (Format.PARQUET, 16, {".parquet", ".json"}),
        (Format.CSV, 15, {".csv", ".json"}),
        (Format.BOTH, 15, {".parquet", ".csv", ".json"}),
    ],
)
def test_csv_stands_beside_parquet_unless_the_table_is_large(
    office: Office,
    partial: StoredRound,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: Format | None,
    rows: int,
    written: set[str],
) -> None:
    """The round has 16 rows."""
    monkeypatch.setattr(table_files, "MAX_CSV_ROWS", rows)
    result = round_result(office.database, "Greater Manchester", "latest")
    publication = publish(result, tmp_path / "out", form)
    assert publication.rows == 16
    beside = set(publication.beside)
    assert {path.suffix for path in (tmp_path / "out").iterdir() if path.is_file()} == written
    assert {path.suffix for path in set(publication.files) - beside} == written
    described = json.loads(publication.metadata.read_text())
    assert {tmp_path / "out" / name for name in described["files"]} == (
        set(publication.files) - {publication.metadata}
    )


@pytest.mark.parametrize("form", [Format.CSV, Format.BOTH])
def test_a_table_that_cannot_be_made_leaves_no_file(
    office: Office,
    partial: StoredRound,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: Format,
) -> None:
    monkeypatch.setattr(published_table, "ROWS_AT_ONCE", 3)
    frame, made = published_table.LongTable._frame, []

    def broken(self: published_table.LongTable, runs: Any) -> pl.DataFrame:
        made.append(len(runs))
        if len(made) == 4:
            raise MemoryError("of this test")
        return frame(self, runs)

    monkeypatch.setattr(published_table.LongTable, "_frame", broken)
    result = round_result(office.database, "Greater Manchester", "latest")
    with pytest.raises(Exception, match="of this test"):
        publish(result, tmp_path, form)
    assert list(tmp_path.glob("*round*")) == list(tmp_path.glob(".*round*")) == []


def test_an_attribute_may_have_a_columns_name(office: Office, tmp_path: Path) -> None:

    from folkmoot.attributes import Attribute
    from folkmoot.workload import Marginal, Workload

    round_ = replace(
        office.open().round_,
        round_id="0" * 32,
        opened_at=office.clock() + 1,
        workload=Workload((Attribute("value", ("x", "y")),), (Marginal(("value",)),)),
    )
    stored = office.open(round_)
    office.release(stored, BOLTON)
    close_round(office.database, round_.round_id, office.clock() + 2)
    metadata, _, parquet = export(office, tmp_path)
    assert pl.read_parquet(parquet)["value_"].to_list() == ["x", "y", "x", "y"]
    assert "value_" in metadata["columns"]


def test_a_round_that_is_open_or_void_is_not_published(office: Office, tmp_path: Path) -> None:
    stored = office.open()
    for says in ("is open until", "is void: 0 of 2 councils released; at least 1 must"):
        with pytest.raises(Problem, match=says) as caught:
            export(office, tmp_path / "out")
        assert caught.value.exit_code is ExitCode.REFUSED
        assert not (tmp_path / "out").exists()
        close_round(office.database, stored.round_.round_id, office.clock())


def test_damaged_counts_are_not_published(office: Office, partial: StoredRound) -> None:
    from sqlalchemy import update

    from folkmoot_coordinator.database.models import CellsRow

    with office.database.writing() as session:
        session.execute(update(CellsRow).values(counts=bytes(8)))
    with pytest.raises(Problem, match="damaged") as caught:
        round_result(office.database, "R", "latest")
    assert caught.value.exit_code is ExitCode.VERIFICATION


@pytest.mark.parametrize(
    ("days", "of_region", "says"),
    [
        ({}, None, None),
        ({BOLTON: "2026-11-28"}, None, "those of 28 November 2026."),
        ({BOLTON: "2026-11-28", BURY: "2026-11-28"}, "2026-11-28", "those of 28 November 2026."),
        (
            {BOLTON: "2026-11-28", BURY: "2026-11-07"},
            "2026-11-07/2026-11-28",
            "those of 7 November 2026 to 28 November 2026, by council.",
        ),
    ],
)
def test_the_dates_of_the_scores_are_published_where_they_are_stated(
    office: Office,
    tmp_path: Path,
    days: dict[GssCode, str],
    of_region: str | None,
    says: str | None,
) -> None:
    stored = office.open()
    for council in (BOLTON, BURY):
        day = days.get(council)
        office.release(stored, council, as_of=date.fromisoformat(day) if day else None)
    metadata, table, parquet = export(office, tmp_path)
    assert metadata["coverage"]["as_of"] == {str(one): day for one, day in sorted(days.items())}
    rows = pl.read_parquet(parquet)
    assert ("as_of" in rows.columns) == bool(days)
    statement = metadata["privacy"]["statement"]
    assert ("The scores counted are " in statement) == bool(days)
    if says:
        assert f"The scores counted are {says}" in statement
        councils = rows.filter(pl.col("level") == "council")
        found = dict(councils.select("place", "as_of").unique().iter_rows())
        assert found == {str(one): days.get(one) for one in (BOLTON, BURY)}
        region = rows.filter(pl.col("level") != "council")["as_of"].unique().to_list()
        assert region == [of_region]
    with table.open(newline="") as file:
        assert set(next(csv.reader(file))) == set(metadata["columns"])


def test_the_date_that_a_release_states_is_stored_with_it(office: Office) -> None:
    stored = office.open()
    office.release(stored, BOLTON, as_of=date(2026, 11, 28))
    office.release(stored, BURY)
    found = round_result_module.stored_releases(office.database, stored)
    assert {council: one.as_of for council, one in found.items()} == {
        BOLTON: date(2026, 11, 28),
        BURY: None,
    }
