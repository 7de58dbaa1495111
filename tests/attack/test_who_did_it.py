"""Who did something, by the audit log: not whoever says so."""

from __future__ import annotations

import json
import os
import pwd
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from folkmoot_operator import accounts
from folkmoot_operator.accounts import Operator, current_operator
from tests.commands import run_inside
from tests.forked_commands import fork

TRAFFORD = "E08000009"
OTHER = 64_123


def account() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    limits = ("--rho-per-round", "0.5", "--rho-per-period", "1", "--rho-lifetime", "2")
    run_inside(
        "folkmoot-node", "init", "--home", home, "--council", TRAFFORD, "--name", "T", *limits
    ).said()
    return home


def shown(home: Path, *options: object) -> list[dict[str, object]]:
    found = run_inside("folkmoot-node", "audit", "show", "--json", "--home", home, *options).said()
    entries: list[dict[str, object]] = json.loads(found)
    return entries


def sign(home: Path) -> None:
    run_inside("folkmoot-node", "policy", "sign", "--home", home, "--signer", "A. Khan").said()


@pytest.mark.parametrize("variable", ["LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"])
def test_a_false_name_in_a_variable_stands_beside_the_account_and_not_in_its_place(
    home: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "x")
    monkeypatch.setenv("SUDO_UID", "12345")
    sign(home)
    (entry,) = shown(home)
    assert (entry["by"], entry["uid"], entry["claimed"]) == (account(), os.getuid(), "x")
    assert (entry["action"], entry["signer"]) == ("policy signed", "A. Khan")


def test_a_claimed_name_cannot_spoil_the_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "\x1b[2J[bold]\nroot" + "y" * 5000)
    sign(home)
    (entry,) = shown(home)
    assert str(entry["claimed"]).isprintable()
    assert len(str(entry["claimed"])) <= 64
    said = run_inside("folkmoot-node", "audit", "show", "--home", home).said()
    assert "\x1b" not in said
    assert "[bold]" in said


def test_the_account_that_had_signed_in_is_kept_where_the_kernel_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.delenv(name, raising=False)
    login = tmp_path / "loginuid"
    monkeypatch.setattr(accounts, "_LOGIN", login)
    login.write_text("64123")
    assert current_operator() == Operator(account(), os.getuid(), login=str(OTHER))
    assert str(current_operator()) == f"{account()} (signed in as {OTHER})"
    for nothing in ("4294967295", "", "x"):
        login.write_text(nothing)
        assert current_operator() == Operator(account(), os.getuid())


def _as_other() -> None:
    os.setgroups([])
    os.setuid(OTHER)
    print(json.dumps(current_operator().as_body()))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as a second account")
def test_a_second_account_is_named_whatever_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    body = json.loads(fork(_as_other).said())
    assert (body["by"], body["uid"], body["claimed"]) == (str(OTHER), OTHER, "root")


def test_the_log_can_be_read_by_day_action_and_account(home: Path) -> None:
    sign(home)
    sign(home)
    today = str(shown(home)[0]["at"])[:10]
    assert len(shown(home, "--since", today, "--until", today)) == 2
    assert shown(home, "--since", "2099-01-01") == shown(home, "--until", "2000-01-01") == []
    assert len(shown(home, "--last", 1)) == 1
    assert len(shown(home, "--action", "policy signed", "--by", account())) == 2
    assert shown(home, "--action", "purged") == shown(home, "--by", "nobody") == []
    table = run_inside("folkmoot-node", "audit", "show", "--home", home).said()
    assert "policy" in table  # a cell may have two lines
    assert "signed" in table
    assert "A. Khan" in table


@pytest.mark.parametrize("joint", [False, True])
def test_newest_entries_that_were_cut_off_are_found_by_a_head(home: Path, joint: bool) -> None:
    sign(home)
    sign(home)
    if joint:
        told = run_inside("folkmoot-node", "ledger", "show", "--json", "--home", home).said()
        head = json.loads(told)["head_of_all_logs"]
    else:
        told = run_inside("folkmoot-node", "audit", "verify", "--json", "--home", home).said()
        head = json.loads(told)["head"]
    check = ("audit", "verify", "--home", home)
    run_inside("folkmoot-node", *check, "--expect", head).said()
    with closing(sqlite3.connect(home / "state.sqlite")) as state, state:
        state.execute("DROP TRIGGER audit_stays")
        state.execute("DELETE FROM audit WHERE sequence = 2")
    done = run_inside("folkmoot-node", *check)
    assert done.code == 0
    assert "NOT CHECKED: Whether the newest entries of a log were cut off" in done.stderr
    assert "cut off" in run_inside("folkmoot-node", *check, "--expect", head).said(7)


def test_a_changed_entry_is_found(home: Path) -> None:
    sign(home)
    with closing(sqlite3.connect(home / "state.sqlite")) as state, state:
        state.execute("DROP TRIGGER audit_keeps")
        state.execute("UPDATE audit SET body = replace(body, 'Khan', 'Smith')")
    assert "audit entry 1" in run_inside("folkmoot-node", "audit", "verify", "--home", home).said(7)
