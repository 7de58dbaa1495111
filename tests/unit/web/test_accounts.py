"""Accounts on both databases, as commands use them."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from folkmoot_operator.problems import Problem
from folkmoot_web.audit import Audit
from folkmoot_web.database.connection import Database
from folkmoot_web.settings import AttemptSettings, SessionSettings
from folkmoot_web.sign_in.accounts import Account, Accounts
from folkmoot_web.sign_in.attempts import Attempts
from folkmoot_web.sign_in.sessions import Sessions
from tests.web_site import PASSWORD, PERMISSIONS, Clock

ISSUER = "https://login.example"


def only(accounts: Accounts) -> Account:
    (account,) = accounts.list()
    return account


def test_an_account_has_no_password_until_its_link_is_used(
    accounts: Accounts, database: Database
) -> None:
    link = accounts.add(" Alice@Example.gov.uk ", "Alice", ["writer", "reader", "reader"], by="t")
    assert link.startswith("http://127.0.0.1:8080/set-up/")
    account = only(accounts)
    assert account.name == "alice@example.gov.uk"
    assert account.roles == ("reader", "writer")
    assert not account.has_password
    assert accounts.with_password(account.name, "") is None
    token = link.rpartition("/")[2]
    with database.reading() as session:
        assert token not in str(session.execute(text("SELECT * FROM web_setup_links")).all())
    assert accounts.of_link(token) == account
    assert accounts.choose_password(token, PASSWORD) is not None
    assert accounts.choose_password(token, PASSWORD) is None
    assert accounts.with_password("ALICE@example.gov.uk", PASSWORD) is not None
    assert accounts.with_password("alice@example.gov.uk", PASSWORD + " ") is None
    with database.reading() as session:
        kept = str(session.execute(text("SELECT password_hash FROM web_accounts")).scalar_one())
    # RFC 9106's second choice: 64 MiB, three passes, four lanes.
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_link_expires_and_a_newer_one_replaces_it(accounts: Accounts, clock: Clock) -> None:
    first = accounts.add("alice", "Alice", [], by="t").rpartition("/")[2]
    second = accounts.new_link("alice", by="t", hours=2).rpartition("/")[2]
    assert accounts.of_link(first) is None
    clock.now += 2 * 3600 - 1
    assert accounts.of_link(second) is not None
    clock.now += 1
    assert accounts.of_link(second) is None
    assert accounts.choose_password(second, PASSWORD) is None


@pytest.mark.parametrize("name", ["", "a b", "é@example.org", "a@b@c", "x" * 300, "<b>"])
def test_names_that_are_none(name: str, accounts: Accounts) -> None:
    with pytest.raises(Problem, match="not a name for an account"):
        accounts.add(name, "Alice", [], by="t")
    assert accounts.list() == []


def test_what_is_wrong_changes_nothing(accounts: Accounts, audit: Audit) -> None:
    accounts.add("alice", "Alice", ["reader"], by="t")
    before = audit.verify()
    for wrong in (
        lambda: accounts.add("ALICE", "Alice", [], by="t"),
        lambda: accounts.add("bob", " ", [], by="t"),
        lambda: accounts.add("bob", "Bob", ["reeder"], by="t"),
        lambda: accounts.set_roles("bob", [], by="t"),
        lambda: accounts.set_roles("alice", ["reeder"], by="t"),
        lambda: accounts.disable("bob", by="t"),
        lambda: accounts.enable("bob", by="t"),
        lambda: accounts.new_link("bob", by="t"),
    ):
        with pytest.raises(Problem):
            wrong()
    assert audit.verify() == before
    assert only(accounts).roles == ("reader",)


def test_a_disabled_account_gets_no_link_and_its_link_ends(accounts: Accounts) -> None:
    token = accounts.add("alice", "Alice", [], by="t").rpartition("/")[2]
    accounts.disable("alice", by="t")
    assert accounts.of_link(token) is None
    with pytest.raises(Problem, match="is disabled"):
        accounts.new_link("alice", by="t")
    accounts.enable("alice", by="t")
    assert accounts.of_link(token) is None, "it ended for good"


def test_a_provider_decides_about_its_accounts(
    accounts: Accounts, database: Database, audit: Audit
) -> None:
    def arrives(roles: list[str], subject: str = "1") -> Account | None:
        with database.writing() as session:
            return accounts.of_provider(session, ISSUER, subject, "Alice\n", roles)

    first = arrives(["reader"])
    assert first is not None
    assert first.display_name == "Alice"
    again = arrives(["writer"])
    assert again is not None
    assert (again.id, again.roles) == (first.id, ("writer",))
    other = arrives(["reader"], "2")
    assert other is not None
    assert other.id != first.id
    actions = [entry.body["action"] for entry in audit.entries()]
    assert actions == ["account added", "roles changed", "account added"]
    with pytest.raises(Problem, match=f"come from {ISSUER}"):
        accounts.set_roles(first.name, ["reader"], by="t")
    with pytest.raises(Problem, match=f"signs in at {ISSUER}"):
        accounts.new_link(first.name, by="t")
    accounts.disable(first.name, by="t")
    assert arrives(["writer"]) is None


def test_sessions_on_both_databases(
    accounts: Accounts, database: Database, audit: Audit, clock: Clock
) -> None:
    accounts.add("alice", "Alice", ["reader"], by="t")
    sessions = Sessions(database, audit, PERMISSIONS, SessionSettings(), clock)
    with database.writing() as session:
        first = sessions.begin(session, only(accounts), "password", None)
        second = sessions.begin(session, only(accounts), "password", None)
    found = sessions.find(first)
    assert found is not None
    assert (found.name, found.roles, found.may("read notes")) == ("alice", ("reader",), True)
    sessions.end(found)
    assert sessions.find(first) is None
    assert sessions.find(second) is not None, "in another browser"
    assert sessions.find("x" * 43) is None
    assert only(accounts).signed_in_at == clock.now


def test_attempts_on_both_databases(database: Database, audit: Audit, clock: Clock) -> None:
    attempts = Attempts(database, audit, AttemptSettings(per_account=2, per_address=3), clock)
    assert attempts.reserve("alice", "192.0.2.1")
    attempts.note_failure("alice", "192.0.2.1")
    assert attempts.reserve(" ALICE", "192.0.2.2")
    attempts.note_failure("alice", "192.0.2.2")
    assert not attempts.reserve("alice", "192.0.2.3")
    assert [entry.body["action"] for entry in audit.entries()] == [
        "sign-in failed", "sign-in failed", "sign-in held back"
    ]  # fmt: skip
    for name in ("bob", "carol"):
        assert attempts.reserve(name, "192.0.2.1")
    assert not attempts.reserve("dan", "192.0.2.1")
    with database.writing() as session:
        attempts.clear(session, "alice", "192.0.2.1")
    assert attempts.reserve("alice", "192.0.2.1")
    assert not attempts.reserve("dan", "192.0.2.1"), "one success clears one attempt"
