"""`status` and `doctor` say how approval and answers stand, and what they tell to run mends it."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from folkmoot_node.home import open_home
from folkmoot_node.scrutiny.permission import permit_run
from folkmoot_node.scrutiny.standing import scrutiny_checks
from folkmoot_node.settings.node_toml import load_config
from folkmoot_operator.checks import Finding, State, examine
from folkmoot_operator.problems import ExitCode, Problem
from tests.casework_council import CaseworkCouncil
from tests.commands import run_inside
from tests.scrutinised_council import SIGNER

APPROVAL, ANSWERS = "approved dossier", "answers for scrutiny"


def node(own: CaseworkCouncil, *words: str) -> Any:
    return run_inside("folkmoot-node", *words, "--home", own.home)


def status(own: CaseworkCouncil) -> tuple[dict[str, Any], dict[str, str]]:
    """The section, and what needs somebody by its command."""
    found = json.loads(node(own, "status", "--json").said())
    assert [one for one in found["unreadable"] if one["section"] == "scrutiny"] == []
    return found["scrutiny"], {one["command"]: one["what"] for one in found["needs"]}


def doctor(own: CaseworkCouncil) -> dict[str, Finding]:
    with open_home(own.home) as home:
        return {one.name: one for one in examine(scrutiny_checks(home))}


def carry_out(own: CaseworkCouncil, command: str, *more: str) -> None:
    """Runs what was told, with the words in capitals filled in."""
    told = command.replace("NAME, ROLE", SIGNER).replace("TEXT", "review")
    node(own, *shlex.split(told)[1:], *more).said()


def edit(own: CaseworkCouncil, file: str, old: str, new: str) -> None:
    path = own.home / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_where_nothing_was_ever_asked_nothing_is_said(own: CaseworkCouncil) -> None:
    (own.home / "scrutiny.toml").unlink()
    assert status(own)[0] is None
    assert doctor(own) == {}


def test_an_approval_that_is_lacking_or_has_lapsed_is_named_with_what_ends_that(
    own: CaseworkCouncil,
) -> None:
    assert status(own)[0]["answers"] == "signed"
    assert set(doctor(own)) == {ANSWERS}
    rows = json.loads(node(own, "doctor", "--offline", "--json").stdout)
    assert ANSWERS in {one["check"] for one in rows}
    with (own.home / "node.toml").open("a") as stream:
        stream.write("\n[scrutiny]\nrequire_approved = true\n")
    section, needs = status(own)
    finding = doctor(own)[APPROVAL]
    assert (section["approved_at"], section["is_stopped"]) == (None, True)
    assert finding.state is State.FAIL
    assert "nobody has approved a dossier" in needs[finding.command]
    carry_out(own, finding.command, "--yes")

    section, needs = status(own)
    assert (section["approved_by"], section["changes"], section["is_stopped"]) == (SIGNER, 0, False)
    assert not any("dossier" in command for command in needs)
    assert doctor(own)[APPROVAL].state is State.OK
    assert re.search(r"^Scrutiny +approved .*; no changes since", node(own, "status").said(), re.M)

    edit(own, "risk-policy.toml", "weight = 50", "weight = 70")
    section, needs = status(own)
    finding = doctor(own)[APPROVAL]
    assert (section["stops"], section["is_stopped"]) == (["weight_changed"], True)
    assert finding.state is State.FAIL
    for said in (needs["folkmoot-node dossier diff"], finding.what):
        assert "was 50, and is 70 (40% more)" in said
        assert "weight_changed" in said
    assert finding.command == "folkmoot-node dossier diff"
    assert "was 50, and is 70" in " ".join(node(own, "dossier", "diff").said().split())
    assert "STOPPED" in node(own, "status").said()
    assert node(own, "score").code != 0

    edit(own, "node.toml", "require_approved = true", "require_approved = false")
    section, needs = status(own)
    finding = doctor(own)[APPROVAL]
    assert section["changes"] > 0
    assert (section["stops"], section["is_stopped"]) == ([], False)
    assert "folkmoot-node dossier diff" not in needs
    assert finding.state is State.OK
    assert re.match(rf"differences from what {SIGNER} approved on .*: \d+; ", finding.what)


def test_answers_that_are_not_what_was_signed_are_named_with_what_ends_that(
    own: CaseworkCouncil,
) -> None:
    edit(own, "scrutiny.toml", "version = 1", "version = 2")
    section, needs = status(own)
    finding = doctor(own)[ANSWERS]
    assert (section["answers"], finding.state) == ("unsigned", State.WARN)
    assert "was changed after it was signed" in finding.what
    assert "was changed after it was signed" in needs[finding.command]
    carry_out(own, finding.command)
    assert status(own)[0]["answers"] == "signed"
    assert doctor(own)[ANSWERS].state is State.OK
    edit(own, "scrutiny.toml", "[owner]", "[ownr]")
    assert status(own)[0]["answers"] == "wrong"
    assert "ownr" in doctor(own)[ANSWERS].what
    with (own.home / "node.toml").open("a") as stream:
        stream.write("\n[scrutiny]\nrequire_approved = true\n")
    assert status(own)[0]["is_stopped"]
    assert doctor(own)[ANSWERS].state is State.FAIL


def test_a_casework_policy_that_is_not_signed_as_it_stands_stops_scoring(
    own: CaseworkCouncil,
) -> None:
    with (own.home / "node.toml").open("a") as stream:
        stream.write("\n[scrutiny]\nrequire_approved = true\n")
    approve = 'folkmoot-node dossier approve --by "NAME, ROLE" --reason "TEXT" --yes'
    carry_out(own, approve)
    permit_run(load_config(own.home))
    with (own.home / "casework-policy.toml").open("a") as stream:
        stream.write("\n# Winter.\n")
    with pytest.raises(Problem, match="changed after it was signed") as stopped:
        permit_run(load_config(own.home))
    assert stopped.value.exit_code == ExitCode.SETTINGS
