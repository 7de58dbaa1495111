"""What `doctor` says of casework."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from folkmoot_node.casework.authority.signed_policy import load_own_policy
from folkmoot_node.casework.origin.belonging import id_path
from folkmoot_node.casework.own_account import share_with_group
from folkmoot_node.casework.settings import database_path, key_path, policy_path
from folkmoot_node.home import open_home
from folkmoot_node.policies.signed_document import signature_path
from folkmoot_operator.checks import Finding, State, examine
from tests.casework_council import SUNSET, CaseworkCouncil
from tests.commands import run_inside


def checked(council: CaseworkCouncil) -> dict[str, list[Finding]]:
    """What the checks of casework find, by name, at the council's time."""
    from folkmoot_node.casework.checks import casework_checks

    found: dict[str, list[Finding]] = {}
    with open_home(council.home, clock=council.clock) as home:
        for one in examine(casework_checks(home)):
            found.setdefault(one.name, []).append(one)
    return found


def resign(council: CaseworkCouncil, before: str, after: str) -> None:
    path = policy_path(council.config)
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    council.sign()


def test_a_council_with_people_is_well(council: CaseworkCouncil) -> None:
    accounts = council.desk().state.accounts
    for role in ("protection_officer", "auditor"):
        accounts.add(f"{role}@example.gov.uk", role, [role], by="test")
    found = checked(council)
    assert {one.state for ones in found.values() for one in ones} == {State.OK}
    assert "signed by A. Khan, Data Protection Officer" in found["casework policy"][0].what
    assert "encrypted by its key" in found["casework database"][0].what
    assert "2 accounts may sign in" in found["casework people"][0].what
    assert "unbroken" in found["casework log"][0].what


def unsigned(council: CaseworkCouncil) -> None:
    signature_path(policy_path(council.config)).unlink()


def ended(council: CaseworkCouncil) -> None:
    council.outlast_policy()


def ends_soon(council: CaseworkCouncil) -> None:
    council.outlast_policy(-19)


def conflicting(council: CaseworkCouncil) -> None:
    resign(council, '["audit", "measure"]', '["audit", "work"]')


def key_open_to_others(council: CaseworkCouncil) -> None:
    key_path(council.config).chmod(0o644)


def damaged(council: CaseworkCouncil) -> None:
    database_path(council.config).write_bytes(b"damaged" * 1000)


def anothers(council: CaseworkCouncil) -> None:
    council.desk().state.database.close()
    id_path(council.config).write_text("a" * 24)


def forged(council: CaseworkCouncil) -> None:
    desk = council.desk()
    with desk.state.database.connection(writes=True) as connection:
        raw = connection.exec_driver_sql
        names = raw("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
        for name in names:
            raw(f'DROP TRIGGER "{name}"')
        raw("UPDATE web_audit SET body = replace(body, 'Khan', 'Nobody') WHERE sequence = 1")
    desk.state.database.close()


def two_roles(council: CaseworkCouncil) -> None:
    roles = ["caseworker", "auditor"]
    council.desk().state.accounts.add("jo@example.gov.uk", "Jo", roles, by="test")


def lost_role(council: CaseworkCouncil) -> None:
    council.desk().state.accounts.add("jo@example.gov.uk", "Jo", ["auditor"], by="test")
    resign(council, "[roles.auditor]", "[roles.inspector]")


@pytest.mark.parametrize(
    ("fault", "name", "state", "what"),
    [
        (unsigned, "casework policy", State.FAIL, "the casework policy is not signed"),
        (ended, "casework policy", State.FAIL, f"it ended on {SUNSET}"),
        (ends_soon, "casework policy", State.WARN, "it ends in 19 days"),
        (conflicting, "casework roles", State.WARN, "whoever has `audit` and `work`"),
        (key_open_to_others, "casework database", State.FAIL, "may be read by other accounts"),
        (damaged, "casework database", State.FAIL, "database"),
        (anothers, "casework database", State.FAIL, "whose folder is another one"),
        (forged, "casework database", State.FAIL, "audit entry 1 does not fit the chain"),
        (two_roles, "casework people", State.WARN, "account jo@example.gov.uk: whoever has"),
        (lost_role, "casework people", State.WARN, "1 accounts have the role auditor"),
    ],
)
def test_faults_are_found(
    council: CaseworkCouncil,
    fault: Callable[[CaseworkCouncil], None],
    name: str,
    state: State,
    what: str,
) -> None:
    fault(council)
    found = [one for one in checked(council)[name] if what in one.what]
    assert [one.state for one in found] == [state]
    assert found[0].remedy


def test_nobody_who_may_audit_is_a_warning(council: CaseworkCouncil) -> None:
    council.desk()
    said = [one.what for one in checked(council)["casework people"]]
    assert said == ["nobody may see who looked at what", "nobody may answer what residents ask"]


def test_doctor_changes_nothing_and_shows_casework(council: CaseworkCouncil) -> None:
    database = database_path(council.config)
    council.desk().state.database.close()
    before = database.read_bytes()
    done = run_inside("folkmoot-node", "doctor", "--offline", "--json", "--home", council.home)
    names = [one["check"] for one in json.loads(done.stdout)]
    assert {"casework", "casework policy", "casework database", "casework log"} <= set(names)
    assert database.read_bytes() == before
    settings = council.home / "node.toml"
    settings.write_text(settings.read_text().split("[casework]")[0])
    done = run_inside("folkmoot-node", "doctor", "--offline", "--json", "--home", council.home)
    assert not [one for one in json.loads(done.stdout) if one["check"].startswith("casework")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to any group")
def test_what_is_not_shared_as_it_should_be_is_named(council: CaseworkCouncil) -> None:
    share_with_group(council.home, str(os.getegid()))
    assert [one.state for one in checked(council)["casework account"]] == [State.OK]
    policy_path(council.config).chmod(0o600)
    (found,) = checked(council)["casework account"]
    assert found.state is State.WARN
    assert "casework-policy.toml has not the permissions 640" in found.what
    assert load_own_policy(council.config)
