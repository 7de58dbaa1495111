"""Casework in a PostgreSQL that the council runs, instead of an encrypted file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine

from folkmoot_node.casework.opening.log import Choice
from folkmoot_node.casework.opening.openings import OPENED, SHOWN
from folkmoot_node.casework.settings import database_path
from folkmoot_node.federation.identity import KeyFiles, load_policy_key
from folkmoot_node.home import open_home
from folkmoot_node.policies.release_policy import sign
from folkmoot_node.scrutiny.documents.dossier import STANDARDS
from folkmoot_node.scrutiny.documents.page import as_page
from folkmoot_node.scrutiny.documents.standard import build
from folkmoot_node.scrutiny.gather.everything import gather
from folkmoot_operator import sql_database
from folkmoot_operator.checks import State, examine
from folkmoot_operator.problems import ExitCode, Problem
from tests.casework_council import CaseworkCouncil, make_council, serving_council
from tests.casework_opening import open_case, restrict
from tests.casework_rights import object_to
from tests.commands import run_inside
from tests.postgresql import PASSWORD, PostgreSQL
from tests.scrutinised_council import RELEASE_POLICY, SIGNED_AT, SIGNER
from tests.web_site import Browser

REASON = "Monthly list for welfare rights"


def use(council: CaseworkCouncil, url: str) -> None:
    """Names a database in node.toml, and signs the policy there."""
    settings = council.home / "node.toml"
    settings.write_text(
        settings.read_text().replace("[casework]\n", f'[casework]\ndatabase = "{url}"\n')
    )
    council.sign()


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ends connections that commands leave to the end of their process."""
    engines: list[Engine] = []
    made = sql_database.create_engine

    def noted(*arguments: Any, **options: Any) -> Engine:
        engines.append(made(*arguments, **options))
        return engines[-1]

    monkeypatch.setattr(sql_database, "create_engine", noted)
    yield
    for engine in engines:
        engine.dispose()


@pytest.fixture
def url(postgresql: PostgreSQL) -> str:
    url = postgresql.url(postgresql.create("casework"), "postgresql+psycopg")
    return url.replace("@", f":{PASSWORD}@", 1)


@pytest.fixture
def council(council: CaseworkCouncil, url: str) -> CaseworkCouncil:
    database_path(council.config).unlink()
    use(council, url)
    return council


def test_a_household_opens_and_the_log_cannot_be_changed(
    council: CaseworkCouncil, postgresql: PostgreSQL
) -> None:
    desk = council.desk()
    by = council.visitor(desk, "manager")
    with desk.state.database.writing() as session:
        case_id = desk.cases.open(
            session, council.uprn(0), purpose="winter", why="A decision", by=by
        )
    with serving_council(council) as site, Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        assert worker.get(f"/cases/{case_id}/score").status_code == 403
    desk.openings.open(council.visitor(desk, "caseworker"), case_id, "First telephone call")
    opened = desk.openings.look(council.visitor(desk, "caseworker"), case_id, "score")
    assert desk.explanation(opened).uprn == council.uprn(0)
    said = run_inside(
        "folkmoot-node", "explain", council.uprn(0), "--reason", REASON, "--home", council.home
    ).said()
    assert str(council.uprn(0)) in said
    assert [one.body["action"] for one in desk.state.audit.entries((OPENED, SHOWN))] == [
        OPENED,
        SHOWN,
    ]
    head = desk.state.audit.verify()
    for statement in ("UPDATE {} SET body = ''", "DELETE FROM {}", "TRUNCATE {}"):
        change = statement.format("web_audit")
        with pytest.raises(RuntimeError):
            postgresql.run(change, "casework")
    assert desk.state.audit.verify() == head
    desk.state.database.close()
    assert not database_path(council.config).exists()


def test_two_nodes_never_share_a_database(
    council: CaseworkCouncil, url: str, tmp_path: Path
) -> None:
    council.desk().state.database.close()
    other = make_council(tmp_path / "other", households=council.households[:4])
    with pytest.raises(Problem, match="belongs to a node of E08000009 whose folder is another"):
        use(other, url)
    with pytest.raises(Problem, match="belongs to a node of E08000009 whose folder is another"):
        other.desk()


def test_a_server_that_is_away_shows_nothing(council: CaseworkCouncil) -> None:
    settings = council.home / "node.toml"
    port = settings.read_text().partition("127.0.0.1:")[2].partition("/")[0]
    settings.write_text(settings.read_text().replace(f"127.0.0.1:{port}/casework", "127.0.0.1:1/x"))
    done = run_inside(
        "folkmoot-node", "explain", council.uprn(0), "--reason", REASON, "--home", council.home
    )
    assert done.code == ExitCode.UNREACHABLE
    assert done.stdout == ""
    assert PASSWORD not in done.stderr


def test_doctor_says_whose_the_encryption_is(council: CaseworkCouncil) -> None:
    from folkmoot_node.casework.checks import casework_checks

    with open_home(council.home, clock=council.clock) as home:
        found = {one.name: one for one in examine(casework_checks(home))}
    assert found["casework database"].state is State.OK
    assert "Folkmoot does not encrypt it" in found["casework database"].what
    assert PASSWORD not in found["casework database"].what
    desk = council.desk()
    with desk.state.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM casework_origin")) == 1
    desk.state.database.close()


def test_the_log_is_chosen_from_and_households_are_hidden(council: CaseworkCouncil) -> None:
    desk = council.desk()
    worker = council.visitor(desk, "caseworker")
    cases = [open_case(council, desk, at) for at in range(2)]
    for case_id in cases:
        desk.openings.open(worker, case_id, REASON)
    restrict(council, desk, 1)
    assert desk.restrictions.hidden_cases(worker) == {cases[1]}
    found = desk.log.page(Choice(by=worker.name, action=OPENED, case=cases[0]), 0, 10)
    assert [(one.case, one.reason) for one in found] == [(cases[0], REASON)]
    assert desk.log.count(Choice(by=worker.name)) == 2
    with desk.state.database.reading() as session:
        for since, often in ((council.clock(), 2), (council.clock() + 1, 0)):
            assert desk.log.how_often(session, (OPENED, SHOWN), worker.name, since) == often
    people, actions = desk.log.names()
    assert worker.name in people
    assert OPENED in actions
    assert len(list(desk.log.entries(Choice(first=council.clock())))) >= 5
    officer = council.visitor(desk, "protection_officer")
    _, rows = desk.exports.of_cases(officer, "work", desk.cases.listed(), REASON)
    assert len(rows) == 2


def test_facts_and_documents_are_the_same_as_from_a_file(
    council: CaseworkCouncil,
) -> None:
    """Nothing of the address is among them: a password may stand in it."""
    (council.home / "release-policy.toml").write_text(RELEASE_POLICY)
    key = load_policy_key(KeyFiles.of(council.home).policy_key)
    sign(council.home / "release-policy.toml", key, SIGNER, SIGNED_AT)
    desk = council.desk()
    desk.state.accounts.add("manager@example.gov.uk", "Manager", ["manager"], by="test")
    case = open_case(council, desk, 0)
    object_to(council, desk, case)
    desk.close()
    with open_home(council.home, clock=council.clock) as node:
        base = gather(node)
    words = "facts", "--own", "--json", "--home", council.home
    text = run_inside("folkmoot-node", *words).said()
    found = {one["key"]: one for one in json.loads(text)["facts"]}
    known = {key: one["value"] for key, one in found.items()}
    assert (known["cases.all"], known["rights.contests"]) == (1, 1)
    assert known["people.holders.manager"] == 1
    assert found["cases.all"]["provenance"]["place"].startswith("database of casework, table ")
    assert PASSWORD not in text
    assert "postgresql" not in text
    for name, standard in STANDARDS.items():
        page = as_page(build(standard, base))
        assert PASSWORD not in page, name
        assert "postgresql" not in page, name
