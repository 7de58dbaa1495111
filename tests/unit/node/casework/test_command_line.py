"""Commands read households under the casework policy, and in its log."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text

from folkmoot_node.casework import command_reading
from folkmoot_node.casework.authority.command_line import NODE_RIGHTS, REFUSED, command_user
from folkmoot_node.casework.authority.policy import CaseworkPolicy
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.command_reading import (
    HOUSEHOLD_READ,
    HOUSEHOLDS_WRITTEN,
    SUBJECT_ACCESS,
)
from folkmoot_node.casework.opening.restrictions import RestrictionKind
from folkmoot_node.casework.settings import policy_path
from folkmoot_node.home import open_home
from folkmoot_node.policies.signed_document import signature_path
from folkmoot_operator.accounts import Operator, current_operator
from folkmoot_operator.problems import ExitCode, Problem
from tests.casework_council import SUNSET, CaseworkCouncil
from tests.commands import Done, run_inside

REASON = "Monthly list for welfare rights"


def node(council: CaseworkCouncil, *words: object) -> Done:
    return run_inside("folkmoot-node", *words, "--home", council.home)


def entries(council: CaseworkCouncil, *actions: str) -> list[dict[str, object]]:
    return [dict(one.body) for one in council.desk().state.audit.entries(actions)]


def append(council: CaseworkCouncil, lines: str) -> None:
    """Puts lines at the end of the policy, in `[command_line]`, and signs it."""
    path = policy_path(council.config)
    path.write_text(path.read_text() + lines)
    council.sign()


def test_a_reason_is_asked_for(council: CaseworkCouncil, tmp_path: Path) -> None:
    out = tmp_path / "calls.csv"
    for command in (
        ("explain", council.uprn(0)),
        ("explain", council.uprn(0), "--json"),
        ("explain", council.uprn(0), "--reason", "why"),
        ("households", "--out", out),
        ("score", "--households", out),
        ("upgrade", "try", "--python", sys.executable, "--out", out),
    ):
        done = node(council, *command)
        assert done.code == ExitCode.USAGE
        assert done.stdout == ""
        assert '--reason "Monthly list for welfare rights"' in done.stderr
    assert not out.exists()
    assert entries(council, HOUSEHOLD_READ, HOUSEHOLDS_WRITTEN, REFUSED) == []


def test_the_log_says_who_read_which_household_and_why(council: CaseworkCouncil) -> None:
    said = node(council, "explain", council.uprn(0), "--reason", REASON).said()
    assert str(council.uprn(0)) in said
    (entry,) = entries(council, HOUSEHOLD_READ)
    assert entry["reason"] == REASON
    assert entry["by"] == f"command of {current_operator()}"
    assert entry["as"] == "the node's account"
    assert str(council.uprn(0)) not in str(entry)
    desk = council.desk()
    by = council.visitor(desk, "manager")
    with desk.state.database.writing() as session:
        case_id = desk.cases.open(session, council.uprn(0), purpose="p", why="A decision", by=by)
    assert desk.cases.get(case_id).household == entry["household"], "as pages call it"
    with open_home(council.home) as home:
        own = [one.body["action"] for one in home.audit.entries()]
    assert own == ["household explained"], "the node's own log goes on"


def test_the_log_says_which_households_were_written(
    council: CaseworkCouncil, tmp_path: Path
) -> None:
    out = tmp_path / "calls.csv"
    node(council, "households", "--band", "high", "--out", out, "--reason", REASON).said()
    assert pl.read_csv(out).height > 0
    (entry,) = entries(council, HOUSEHOLDS_WRITTEN)
    assert (entry["bands"], entry["reason"]) == (["high"], REASON)


def test_the_log_says_that_households_of_a_trial_were_written(
    council: CaseworkCouncil, tmp_path: Path
) -> None:
    out = tmp_path / "differ.csv"
    done = node(
        council, "upgrade", "try", "--python", sys.executable, "--out", out, "--reason", REASON
    )
    assert done.code in (ExitCode.OK, ExitCode.DATA), done.stderr
    assert out.exists()
    (entry,) = entries(council, HOUSEHOLDS_WRITTEN)
    assert (entry["of"], entry["reason"]) == ("another version tried", REASON)


def unsigned(council: CaseworkCouncil) -> None:
    signature_path(policy_path(council.config)).unlink()


def full_log(council: CaseworkCouncil) -> None:
    """The database refuses the entry, as it does on a full disk."""
    desk = council.desk()
    with desk.state.database.connection(writes=True) as connection:
        connection.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON web_audit "
                "BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        )
    desk.state.database.close()


def lost_database(council: CaseworkCouncil) -> None:
    (council.config.casework_folder / "casework.sqlite").write_bytes(b"damaged" * 1000)


def lost_key(council: CaseworkCouncil) -> None:
    (council.config.casework_folder / "casework.key").unlink()


@pytest.mark.parametrize("fault", [unsigned, full_log, lost_database, lost_key])
def test_what_cannot_be_noted_is_not_shown(
    council: CaseworkCouncil, tmp_path: Path, fault: Callable[[CaseworkCouncil], None]
) -> None:
    fault(council)
    out = tmp_path / "calls.csv"
    for command in (
        ("explain", council.uprn(0), "--reason", REASON),
        ("explain", council.uprn(0), "--subject-access"),
        ("households", "--out", out, "--reason", REASON),
        ("upgrade", "try", "--python", sys.executable, "--out", out, "--reason", REASON),
    ):
        done = node(council, *command)
        assert done.code != 0
        assert done.stdout == ""
        assert str(council.uprn(0)) not in done.stderr
    assert not out.exists()


def test_a_resident_is_answered_after_the_policys_last_day(council: CaseworkCouncil) -> None:
    path = policy_path(council.config)
    path.write_text(path.read_text().replace(str(SUNSET), "2026-01-01"))
    council.sign()
    refused = node(council, "explain", council.uprn(0), "--reason", REASON)
    assert refused.code == ExitCode.REFUSED
    assert "the casework policy ended on 2026-01-01" in refused.stderr
    node(council, "explain", council.uprn(0), "--subject-access").said()
    (entry,) = entries(council, SUBJECT_ACCESS)
    assert entry["reason"] == "A resident asks for their own data"


def test_a_node_account_without_roles_reads_nothing(
    council: CaseworkCouncil, tmp_path: Path
) -> None:
    append(council, "node_account = []\n")
    out = tmp_path / "calls.csv"
    for command in (
        ("explain", council.uprn(0), "--reason", REASON),
        ("explain", council.uprn(0), "--subject-access"),
        ("households", "--out", out, "--reason", REASON),
    ):
        done = node(council, *command)
        assert done.code == ExitCode.REFUSED
        assert "casework policy: command_line.node_account" in done.stderr
        assert done.stdout == ""
    assert not out.exists()
    assert [entry["right"] for entry in entries(council, REFUSED)] == ["open", "rights", "export"]


def test_a_persons_roles_decide_what_they_read(
    council: CaseworkCouncil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(council, '[command_line.accounts]\njo = ["caseworker"]\n')
    out = tmp_path / "calls.csv"
    monkeypatch.setattr(
        command_reading, "current_operator", lambda: Operator("folkmoot", 990, login="jo")
    )
    node(council, "explain", council.uprn(0), "--reason", REASON).said()
    (entry,) = entries(council, HOUSEHOLD_READ)
    assert entry["by"] == "command of folkmoot (signed in as jo)"
    assert (entry["as"], entry["roles"]) == ("their own roles", ["caseworker"])
    refused = node(council, "households", "--out", out, "--reason", REASON)
    assert refused.code == ExitCode.REFUSED
    assert not out.exists()
    monkeypatch.setattr(
        command_reading, "current_operator", lambda: Operator("folkmoot", 990, login="sam")
    )
    assert node(council, "explain", council.uprn(0), "--reason", REASON).code == ExitCode.REFUSED
    monkeypatch.setattr(command_reading, "current_operator", lambda: Operator("folkmoot", 990))
    node(council, "explain", council.uprn(0), "--reason", REASON).said()


def test_a_restricted_household_is_not_read(council: CaseworkCouncil, tmp_path: Path) -> None:
    desk = council.desk()
    officer = council.visitor(desk, "protection_officer")
    until = datetime.date(2029, 1, 1)
    kind = RestrictionKind.SAFE_ADDRESS
    desk.restrictions.restrict(officer, council.uprn(0), kind, "Police advice", until)
    out = tmp_path / "calls.csv"
    for how in (("--reason", REASON), ("--subject-access",)):
        done = node(council, "explain", council.uprn(0), *how)
        assert done.code == ExitCode.REFUSED
        assert done.stdout == ""
        assert "to open restricted households by commands" in done.stderr
    node(council, "households", "--out", out, "--reason", REASON).said()
    written = pl.read_csv(out)["uprn"].to_list()
    assert council.uprn(0) not in written
    assert len(written) == len(council.households) - 1
    assert [entry["right"] for entry in entries(council, REFUSED)] == ["restrict", "restrict"]
    append(council, 'node_account = ["protection_officer"]\n')
    for how in (("--reason", REASON), ("--subject-access",)):
        assert str(council.uprn(0)) in node(council, "explain", council.uprn(0), *how).said()


def test_sensitive_sources_are_taken_out_except_for_the_resident(
    council: CaseworkCouncil,
) -> None:
    at = council.uprn(8)
    shown = json.loads(node(council, "explain", at, "--reason", REASON, "--json").said())
    children = next(one for one in shown["inputs"] if one["field"] == "children_services")
    assert children["value"] is None
    assert shown["band"] == "not shown"
    whole = json.loads(node(council, "explain", at, "--subject-access", "--json").said())
    children = next(one for one in whole["inputs"] if one["field"] == "children_services")
    assert children["value"] is True


@pytest.mark.parametrize("reason", ["Call 0161 496 0000 first", "The one at M33 7AB"])
def test_a_reason_that_names_somebody_is_refused(council: CaseworkCouncil, reason: str) -> None:
    done = node(council, "explain", council.uprn(0), "--reason", reason)
    assert done.code == ExitCode.USAGE
    assert "Leave out addresses" in done.stderr


def policy(**command_line: object) -> CaseworkPolicy:
    return CaseworkPolicy.model_validate(
        {
            "schema": 1,
            "council": "E08000009",
            "sunset": "2029-03-31",
            "sensitive_sources": ["childrens_services"],
            "roles": {"lead": {"may": ["open"], "sources": ["childrens_services"]}},
            "command_line": command_line,
        }
    )


def test_the_nodes_account_sees_no_sensitive_source_unless_a_role_says_so() -> None:
    service = Operator("folkmoot", 990)
    user = command_user(policy(), service)
    assert user.rights == NODE_RIGHTS
    assert not {Right.RESTRICT, Right.DECIDE, Right.OVERRIDE, Right.AUDIT} & user.rights
    assert not user.sources
    lead = command_user(policy(node_account=["lead"]), service)
    assert lead.sources == {"childrens_services"}
    with pytest.raises(Problem, match="does not permit folkmoot to write households to files"):
        lead.require(Right.EXPORT)


def test_a_role_that_is_not_there_is_named(council: CaseworkCouncil) -> None:
    path = policy_path(council.config)
    path.write_text(path.read_text() + '[command_line.accounts]\njo = ["leader"]\n')
    done = node(council, "casework", "policy", "sign", "--signer", "A. Khan")
    assert done.code == ExitCode.SETTINGS
    assert "command_line.accounts.jo: there is no role 'leader'" in done.stderr


def test_without_casework_nothing_is_asked(council: CaseworkCouncil) -> None:
    settings = council.home / "node.toml"
    settings.write_text(settings.read_text().split("[casework]")[0])
    shown = json.loads(node(council, "explain", council.uprn(0), "--json").said())
    assert shown["uprn"] == council.uprn(0)
