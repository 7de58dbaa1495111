"""Results that turned out to be wrong are marked wherever they are read, and kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from folkmoot.geography import GssCode
from folkmoot.rounds import RoundState
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.publication.named_sums import as_table
from folkmoot_coordinator.publication.round_files import publish
from folkmoot_coordinator.publication.round_result import round_result
from folkmoot_coordinator.publication.series_files import publish_series
from folkmoot_coordinator.publication.series_result import withdrawn_by
from folkmoot_coordinator.publication.table_files import Format
from folkmoot_coordinator.rounds.closing import close_round
from folkmoot_coordinator.rounds.progress import summaries
from folkmoot_coordinator.rounds.round_store import StoredRound, find_round
from folkmoot_coordinator.rounds.withdrawal import Withdrawal, reinstate, withdraw
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import run_inside
from tests.unit.coordinator.aggregation.test_cumulative import result as result_of_series
from tests.unit.coordinator.aggregation.test_cumulative import whole

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY = GssCode("E08000001"), GssCode("E08000002")
NOON = 1_800_014_400  # 2027-01-15


@pytest.fixture
def complete(office: Office) -> StoredRound:
    stored = office.open()
    office.release(stored, BOLTON)
    office.release(stored, BURY)
    return office.again(stored)


def test_a_withdrawn_round_says_so_and_why(office: Office, complete: StoredRound) -> None:
    round_id = complete.round_.round_id
    assert complete.withdrawal is None
    assert complete.facts()["withdrawn"] is None
    made = withdraw(office.database, round_id, "  Bury scored\n an old extract ", NOON)
    again = office.again(complete)
    assert again.withdrawal == made == Withdrawal(NOON, "Bury scored an old extract")
    assert again.state is RoundState.COMPLETE
    assert again.facts()["title"] == "WITHDRAWN: Winter support"
    assert again.facts()["withdrawn"]["statement"] == (
        "This result was withdrawn on 15 January 2027: Bury scored an old extract. Its figures "
        "are wrong: do not use them."
    )
    [summary] = summaries(office.database)
    assert summary.withdrawal == made
    with pytest.raises(Problem, match="withdrawn on 15 January 2027") as caught:
        withdraw(office.database, round_id, "again", NOON)
    assert caught.value.exit_code is ExitCode.REFUSED
    reinstate(office.database, round_id, "It was the new extract", NOON + 1, "tests")
    assert office.again(complete) == complete
    with pytest.raises(Problem, match="is not withdrawn"):
        reinstate(office.database, round_id, "again", NOON)
    found = [
        {key: entry.body[key] for key in ("action", "round", "reason")}
        for entry in audit_log.entries(office.database, ("result withdrawn", "result reinstated"))
    ]
    assert found == [
        {
            "action": "result withdrawn",
            "round": round_id,
            "reason": "Bury scored an old extract",
        },
        {"action": "result reinstated", "round": round_id, "reason": "It was the new extract"},
    ]
    audit_log.verify(office.database)


def test_what_has_no_result_is_not_withdrawn(office: Office) -> None:
    stored = office.open()
    for state in ("open", "void"):
        with pytest.raises(Problem, match=f"no result to withdraw: it is {state}") as caught:
            withdraw(office.database, stored.round_.round_id, "wrong", NOON)
        assert caught.value.exit_code is ExitCode.REFUSED
        close_round(office.database, stored.round_.round_id, NOON)
    assert not list(audit_log.entries(office.database, ("result withdrawn",)))


@pytest.mark.parametrize("reason", ["", " \n", "x" * 1001, "bad \x07"])
def test_a_reason_is_a_line_of_text(office: Office, complete: StoredRound, reason: str) -> None:
    with pytest.raises(Problem, match="not a line of text") as caught:
        withdraw(office.database, complete.round_.round_id, reason, NOON)
    assert caught.value.exit_code is ExitCode.USAGE
    assert office.again(complete).withdrawal is None


def test_the_files_of_a_withdrawn_round_say_so(
    office: Office, complete: StoredRound, tmp_path: Path
) -> None:
    def export() -> tuple[pl.DataFrame, pl.DataFrame, dict[str, object]]:
        found = publish(round_result(office.database, "R", "latest"), tmp_path, Format.BOTH)
        assert found.csv is not None
        assert found.parquet is not None
        described = json.loads(found.metadata.read_text())
        assert json.loads(pl.read_parquet_metadata(found.parquet)["folkmoot"]).items() <= (
            described.items()
        )
        return pl.read_csv(found.csv), pl.read_parquet(found.parquet), described

    plain, _, before = export()
    assert "withdrawn" not in plain.columns
    assert before["withdrawn"] is None
    withdraw(office.database, complete.round_.round_id, "=cmd() Bury was wrong", NOON)
    csv, parquet, described = export()
    assert csv.columns[0] == parquet.columns[0] == "withdrawn"
    assert set(parquet["withdrawn"]) == {"withdrawn on 15 January 2027: =cmd() Bury was wrong"}
    assert csv.drop("withdrawn").equals(plain), "figures are kept"
    assert described["round"]["title"].startswith("WITHDRAWN: ")  # type: ignore[index]
    assert described["withdrawn"]["reason"] == "=cmd() Bury was wrong"  # type: ignore[index]
    assert set(described["columns"]) == set(csv.columns)  # type: ignore[call-overload]
    assert as_table([], "why").columns[0] == "withdrawn"


def test_a_series_with_a_withdrawn_round_says_so_from_there_on(
    office: Office, tmp_path: Path
) -> None:
    rounds = whole(office)
    months = len(rounds)
    withdraw(office.database, rounds[1].round_.round_id, "an old extract", NOON)
    found = result_of_series(office)
    why = "withdrawn with round 2 of its series on 15 January 2027: an old extract"
    assert [found.withdrawn(at) for at in range(1, months + 1)] == [None] + [why] * (months - 1)
    assert withdrawn_by(found.rounds, 1) is None
    made = publish_series(found, tmp_path)
    assert made.parquet is not None
    table = pl.read_parquet(made.parquet)
    assert dict(table.group_by("month").agg(pl.col("withdrawn").first()).iter_rows()) == {
        at: None if at == 1 else why for at in range(1, months + 1)
    }
    described = json.loads(made.metadata.read_text())
    assert why in described["withdrawn"]["statement"]
    assert described["round"]["title"].startswith("WITHDRAWN: ")
    assert [one["withdrawn"] is not None for one in described["series"]["rounds"]] == [
        at == 1 for at in range(months)
    ]
    assert set(described["columns"]) == set(table.columns)


def test_the_commands(office: Office, complete: StoredRound, tmp_path: Path) -> None:
    home = office.home.path
    office.database.close()

    def run(*arguments: object) -> str:
        return run_inside("folkmoot-coordinator", *arguments, "--home", home).said()

    reason = "Bury scored an old extract"
    text = run("round", "withdraw", "latest", "--reason", reason)
    assert f": {reason}" in text
    assert "export" in text
    assert "complete, withdrawn" in run("round", "list")
    assert "do not use them" in " ".join(run("round", "show", "latest").split())
    [listed] = json.loads(run("round", "list", "--json"))
    assert listed["withdrawn"]["reason"] == reason
    out = tmp_path / "out"
    assert "WITHDRAWN" in run("export", "latest", "--out", out)
    exported = json.loads(run("export", "latest", "--out", out, "--json"))
    assert reason in exported["withdrawn"]
    shown = json.loads(
        run("round", "withdraw", "latest", "--undo", "--reason", "It was new", "--json")
    )
    assert shown["withdrawn"] is None
    entries = json.loads(run("audit", "show", "--json"))
    assert [one["action"] for one in entries] == [
        "round opened",
        "result withdrawn",
        "result reinstated",
    ]
    assert "result withdrawn" in run("audit", "show", "--action", "result withdrawn")
    head = json.loads(run("audit", "verify", "--json"))["head"]
    assert "3 entries" in run("audit", "verify", "--expect", head)
    done = run_inside("folkmoot-coordinator", "audit", "verify", "--home", home,
                      "--expect", "4:" + "0" * 64)  # fmt: skip
    assert done.code == 7
    assert find_round(office.database, "latest").withdrawal is None
