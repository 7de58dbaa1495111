"""Facts about a council with casework: where each comes from, and what is in none of them."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import sqlite3
import sysconfig
from pathlib import Path

import pytest
from sqlalchemy import inspect

from folkmoot_node.home import open_home
from folkmoot_node.scrutiny.facts import FactBase, Mark
from folkmoot_node.scrutiny.gather.configuration import gather_configuration
from folkmoot_node.scrutiny.showing import KEPT, as_json, in_words
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.problems import ExitCode
from tests.casework_council import CaseworkCouncil
from tests.commands import Done, run_inside
from tests.scrutinised_council import LINES, facts_of, lines_of

INSTALLED = Path(sysconfig.get_path("purelib"))
WORD = "Zyxwvutian"
UPRN = "918273645546"
MARKS = (
    UPRN, "73915.28", "73915", "73,915", "7391", "7,391", "119", "E01987654", "2019-07-13", WORD,
)  # fmt: skip
"""In every column of every extract, in values that can be read and in others."""
MARKED = {
    "council_tax.csv": [
        f"{UPRN},73915.28,119,7391,E01987654,2019-07-13",
        *(",".join(WORD if at == column else "1" for at in range(6)) for column in range(6)),
        f"10000000001,-73915.28,{WORD}119,-7391,E01987654{WORD},13/07/2019",
    ],
    "childrens_services.csv": [
        f"{UPRN},Y,2019-07-13",
        *(",".join(WORD if at == column else "Y" for at in range(3)) for column in range(3)),
    ],
}


def command(council: CaseworkCouncil, *words: object) -> Done:
    return run_inside("folkmoot-node", *words, "--home", council.home)


def test_the_json_of_each_fact_is_as_it_was(council: CaseworkCouncil, base: FactBase) -> None:
    """If a change is meant: `python -m tests.scrutinised_council`, and look at what changed."""
    assert list(lines_of(base, council.home)) == LINES.read_text("utf-8").splitlines()


def tables_of(council: CaseworkCouncil) -> dict[str, set[str]]:
    """Tables of the node's databases that can be listed."""
    desk = council.desk()
    with desk.state.database.reading() as session:
        casework = set(inspect(session.connection()).get_table_names())
    desk.close()
    with sqlite3.connect(council.home / "state.sqlite") as connection:
        own = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    connection.close()
    return {"state.sqlite": own, "casework/casework.sqlite": casework}


def test_each_fact_can_be_looked_up(council: CaseworkCouncil, base: FactBase) -> None:
    looked_up = set()
    tables = tables_of(council)
    for fact in base.facts:
        place = fact.provenance
        name, _, table = place.place.partition(", table ")
        # A plugin's list of files lies where programs are installed, wherever that is.
        path = (INSTALLED if name.endswith("/RECORD") else council.home) / name
        looked_up.add(name)
        if place.sha256:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == place.sha256, fact.key
            assert place.when is None or place.when.tzinfo is datetime.UTC, fact.key
        elif name != "installed packages":
            assert path.exists(), fact.key
            assert table, fact.key
            assert name not in tables or table in tables[name], fact.key
    documents = {"node.toml", "risk-policy.toml", "release-policy.toml", "casework-policy.toml"}
    kept = {"state.sqlite", "store/households.duckdb", "casework/casework.sqlite"}
    assert documents | kept | {"scrutiny.toml"} <= looked_up


def test_each_mark_says_who_says_so(base: FactBase) -> None:
    for fact in base.facts:
        assert (fact.value is None) == (fact.mark is Mark.MISSING), fact.key
        is_answer = fact.provenance.place == "scrutiny.toml"
        assert is_answer == (fact.mark is Mark.PERSON) or fact.mark is Mark.MISSING, fact.key
        assert not (fact.own and fact.configuration), fact.key
    assert base.get("scrutiny.owner.name").value == "J. Okafor"
    assert base.get("scrutiny.owner.team").mark is Mark.MISSING
    assert base.get("sources.council_tax.lawful_basis").mark is Mark.PERSON
    assert base.get("rights.contests").value == 1


def test_figures_over_households_are_own(base: FactBase) -> None:
    counted = ("households.", "linkage.", "quarantine.", "cases.", "rights.", "people.looks")
    for fact in base.facts:
        if fact.key.startswith(counted):
            assert fact.own, fact.key


def test_a_gate_sees_what_files_say_and_nothing_else(
    council: CaseworkCouncil, base: FactBase
) -> None:
    with open_home(council.home, clock=council.clock) as node:
        seen = gather_configuration(node)
    assert all(fact.configuration for fact in seen.facts)
    known = {fact.key: fact.value for fact in base.facts if fact.configuration}
    for fact in seen.facts:
        assert known[fact.key] == fact.value, fact.key
    wanted = {
        "sources.council_tax.kind", "policy.risk.sunset", "people.roles.manager",
        "policy.risk.factors.isolation.weight", "plugins.folkmoot-plugin-extracts.trust",
        "scrutiny.risks",
    }  # fmt: skip
    assert wanted <= {fact.key for fact in seen.facts}


def test_no_record_is_in_any_fact(own: CaseworkCouncil, caplog: pytest.LogCaptureFixture) -> None:
    with (own.home / "node.toml").open("a") as file:
        file.write("\n[quarantine]\nmaximum_share = 0.9\n")
    own.write_extracts()
    for name, rows in MARKED.items():
        with (own.home / "extracts" / name).open("a") as file:
            file.write("\n".join(rows) + "\n")
    own.score()
    rejected = [path.read_text() for path in own.config.quarantine_folder.rglob("*.csv")]
    assert any(WORD in text for text in rejected), "marks were read"
    base = facts_of(own)
    text = json.dumps(as_json(base, base.facts, own=True), ensure_ascii=False)
    text += "\n".join(in_words(fact, own=True) for fact in base.facts)
    text += caplog.text
    assert base.get("quarantine.council_tax.records").value
    text = re.sub(r"[0-9a-f]{32,}", "", text)  # a digest may hold any digits
    found = [mark for mark in MARKS if re.search(rf"(?<!\d){re.escape(mark)}", text)]
    assert found == []


def test_no_words_of_cases_are_in_any_fact(base: FactBase) -> None:
    text = json.dumps(as_json(base, base.facts, own=True), ensure_ascii=False)
    for said in ("We paid this in March", "The tenant", "A person decided", "@example.gov.uk"):
        assert said not in text


def test_own_figures_are_shown_to_who_asks_and_that_is_logged(own: CaseworkCouncil) -> None:
    shown = json.loads(command(own, "facts", "--json").said())
    own_facts = [one for one in shown["facts"] if one["own"] and one["mark"] != "missing"]
    assert own_facts
    assert all(one["withheld"] and one["value"] is None for one in own_facts)
    with open_home(own.home) as node:
        assert not list(node.audit.entries(("facts read with exact figures",)))
    shown = json.loads(command(own, "facts", "--json", "--own").said())
    by_key = {one["key"]: one for one in shown["facts"]}
    assert by_key["households.scored"]["value"] == len(own.households)
    with open_home(own.home) as node:
        (entry,) = node.audit.entries(("facts read with exact figures",))
    assert current_operator().as_body().items() <= entry.body.items()


def test_facts_are_read_in_80_columns(
    council: CaseworkCouncil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = command(council, "facts").said()
    too_long = [line for line in text.splitlines() if len(line) > 80]
    assert not [line for line in too_long if " " in line.strip()]  # an address is in one piece
    assert "households are kept at the council: --own shows them" in text
    assert f": {KEPT}" not in text, "figures that are not shown are counted, and not listed"
    assert "J. Okafor" in text
    missing = command(council, "facts", "--missing").said()
    assert "J. Okafor" not in missing
    assert "Team that runs the tool" in missing


def test_subjects_are_shown_alone(council: CaseworkCouncil) -> None:
    every = json.loads(command(council, "facts", "--json").said())["facts"]
    shown = json.loads(command(council, "facts", "sources", "policy.risk", "--json").said())
    begins = ("sources.", "policy.risk.")
    assert shown["facts"] == [one for one in every if one["key"].startswith(begins)]
    assert {one["key"].partition(".")[0] for one in shown["facts"]} == {"sources", "policy"}
    text = command(council, "facts", "policy.risk").said()
    assert "Sources" not in text.splitlines()
    one = json.loads(command(council, "facts", "policy.risk.sunset", "--json").said())["facts"]
    assert [fact["key"] for fact in one] == ["policy.risk.sunset"]
    wrong = command(council, "facts", "source")
    assert wrong.code == 2
    assert "did you mean sources?" in " ".join(wrong.stderr.replace("│", " ").split())


def test_shares_are_read_in_per_cent(council: CaseworkCouncil) -> None:
    shown = json.loads(command(council, "facts", "policy.risk.factors", "--json").said())["facts"]
    share = next(one for one in shown if one["key"].endswith(".share"))
    assert 0 < share["value"] <= 1
    text = command(council, "facts", "policy.risk.factors").said()
    assert f"{share['label']}: {share['value']:.1%}" in " ".join(text.split())


def test_without_scores_they_are_missing(own: CaseworkCouncil) -> None:
    own.config.store_path.unlink()
    base = facts_of(own)
    for key in ("households.scored", "runs.last.day", "linkage.share", "equality.audit"):
        fact = base.get(key)
        assert fact is not None
        assert fact.mark is Mark.MISSING, key


def test_casework_that_cannot_be_read_is_missing(own: CaseworkCouncil) -> None:
    (own.home / "casework" / "casework.key").unlink()
    base = facts_of(own)
    for key in ("people.looks", "rights.contests", "decisions.cases_opened"):
        fact = base.get(key)
        assert fact is not None
        assert fact.mark is Mark.MISSING, key


def test_a_policy_that_was_changed_is_named(own: CaseworkCouncil) -> None:
    with (own.home / "release-policy.toml").open("a") as file:
        file.write("# changed\n")
    done = command(own, "facts")
    assert done.code == ExitCode.SETTINGS
    assert "was changed after it was signed" in done.stderr


@pytest.mark.parametrize("text", ["", "[]", '{"policy": "x", "outcomes": "1,234 households"}'])
def test_a_file_that_is_no_back_test_is_named(own: CaseworkCouncil, text: str) -> None:
    (own.home / "back-test.json").write_text(text)
    done = command(own, "facts")
    assert done.code == ExitCode.SETTINGS
    assert "back-test.json: is not what a back-test prints" in done.stderr
    assert "1,234" not in done.stderr
