"""`scrutiny.toml`: what people add, signed; what is wrong in it is named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.federation.identity import KeyFiles, create_policy_key, load_policy_key
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.policies.release_policy import RELEASE_POLICY
from folkmoot_node.policies.signed_document import sign_document
from folkmoot_node.scrutiny.facts import Fact, Mark
from folkmoot_node.scrutiny.first_file import first_file
from folkmoot_node.scrutiny.gather.people import answer_facts
from folkmoot_node.scrutiny.scrutiny_file import ScrutinyDocument, load_unsigned
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import parse
from tests.commands import Done, run_inside
from tests.council_files import source_tables
from tests.scrutinised_council import ANSWERS, SIGNER

NODE = f"""\
schema = 1
council = "E08000009"
name = "Trafford"
[scoring]
frame = "council_tax"
{source_tables("council_tax")}"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A node that has scored nothing: answers need no more."""
    tmp_path.chmod(0o700)
    (tmp_path / "node.toml").write_text(NODE)
    make_private_folder(tmp_path / "keys")
    create_policy_key(KeyFiles.of(tmp_path))
    StateDatabase(tmp_path / "state.sqlite", create=True).close()
    return tmp_path


@pytest.fixture
def node(home: Path) -> Iterator[NodeHome]:
    with open_home(home) as opened:
        yield opened


def sign(home: Path, *words: object) -> Done:
    return run_inside(
        "folkmoot-node", "scrutiny", "sign", "--signer", SIGNER, *words, "--home", home
    )


def answered(node: NodeHome) -> dict[str, Fact]:
    return {fact.key: fact for fact in answer_facts(node)}


def test_without_the_file_every_answer_is_missing(node: NodeHome) -> None:
    found = answered(node)
    assert len(found) > 60
    assert {fact.mark for fact in found.values()} == {Mark.MISSING}


def test_what_is_signed_counts_and_the_rest_is_missing(home: Path, node: NodeHome) -> None:
    before = answered(node)
    (home / "scrutiny.toml").write_text(ANSWERS)
    said = json.loads(sign(home, "--json").said())
    found = answered(node)
    assert found.keys() >= before.keys()
    assert found["scrutiny.dpo_advice.given_on"].value == "2026-10-01"
    assert found["scrutiny.signer"].value == SIGNER
    still = sorted(key for key, fact in found.items() if fact.mark is Mark.MISSING)
    assert said["missing"] == still
    assert "scrutiny.owner.team" in still
    (entry,) = node.audit.entries(("answers for scrutiny signed",))
    assert (entry.body["version"], entry.body["sha256"]) == (1, said["sha256"])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "J. Okafor"', "name = ", "scrutiny.toml: is not valid TOML"),
        ('[owner]\nname = "J. Okafor"', '[owner]\nnam = "J. Okafor"', "owner.nam"),
        ("[dpo_advice]", "[dpo_advise]", "dpo_advice"),
        ("[sources.council_tax]", "[sources.council_tex]", "did you mean 'council_tax'"),
        ('"possible"', '"perhaps"', "likelihood"),
        ("2026-10-01", '"in autumn"', "given_on"),
        ("[equality.impacts.age]", "[equality.impacts.wealth]", "equality.impacts"),
        ('necessity = "', 'necessity = ""#', "necessity"),
        ('necessity = "', 'necessity = "\\u202e', "rationale.necessity: has control characters"),
        ('name = "J. Okafor"', 'name = "J.\\nOkafor"', "owner.name: is one line"),
        ("E08000009", "E08000002", "belongs to E08000002, this node is E08000009"),
        ("[rationale]", '[owner]\nname = "A. N. Other"\n[rationale]', "owner"),
        (
            "[owner]",
            '[[owner]]\nname = "A. N. Other"\n[[owner]]',
            "2 owners are named (A. N. Other; J. Okafor)",
        ),
    ],
)
def test_what_is_wrong_is_named(home: Path, old: str, new: str, says: str) -> None:
    assert old in ANSWERS
    (home / "scrutiny.toml").write_text(ANSWERS.replace(old, new, 1))
    done = sign(home)
    assert done.code == ExitCode.SETTINGS
    assert says in done.stderr
    assert "scrutiny.toml" in done.stderr
    assert not (home / "scrutiny.toml.sig").exists()


@pytest.mark.parametrize("change", ["not signed", "changed", "signed by another", "not readable"])
def test_what_was_not_signed_as_it_stands_does_not_count(
    home: Path, node: NodeHome, change: str
) -> None:
    path = home / "scrutiny.toml"
    path.write_text(ANSWERS)
    if change != "not signed":
        sign(home).said()
    if change == "changed":
        path.write_text(ANSWERS + "# later\n")
    if change == "signed by another":
        signature = home / "scrutiny.toml.sig"
        signature.write_text(
            re.sub(r'(public_key = ")[0-9a-f]{64}', rf"\g<1>{'0' * 64}", signature.read_text())
        )
    if change == "not readable":
        (home / "scrutiny.toml.sig").write_text("policy_sha256 = 1\n")
    with pytest.raises(Problem) as caught:
        list(answer_facts(node))
    assert caught.value.exit_code == ExitCode.SETTINGS
    assert "scrutiny.toml.sig" in caught.value.where
    assert caught.value.remedy


def test_another_text_needs_another_version(home: Path) -> None:
    path = home / "scrutiny.toml"
    path.write_text(ANSWERS)
    sign(home).said()
    sign(home).said()
    path.write_text(ANSWERS + '[contact]\nemail = "info@trafford.example"\n')
    done = sign(home)
    assert done.code == ExitCode.SETTINGS
    assert "version 1 with another text was signed already" in done.stderr
    path.write_text(path.read_text().replace("version = 1", "version = 2"))
    assert "Version 2" in sign(home).said()


def test_a_signature_of_another_document_is_none_of_this_one(home: Path, node: NodeHome) -> None:
    path = home / "scrutiny.toml"
    path.write_text(ANSWERS)
    _, digest = load_unsigned(node.config)
    key = load_policy_key(KeyFiles.of(home).policy_key)
    sign_document(RELEASE_POLICY, path, digest, key, SIGNER, 1_790_000_000)
    with pytest.raises(Problem, match="the signature is not valid"):
        list(answer_facts(node))


def test_the_first_file_asks_everything_and_answers_nothing(home: Path, node: NodeHome) -> None:
    text = run_inside("folkmoot-node", "scrutiny", "init", "--home", home).said()
    assert "scrutiny sign --signer" in text
    written = (home / "scrutiny.toml").read_text()
    assert written == first_file(node.config)
    document = parse(ScrutinyDocument, written.encode(), "scrutiny.toml")
    assert document == ScrutinyDocument.model_validate(
        {"schema": 1, "council": "E08000009", "version": 1, "sources": {"council_tax": {}}}
    )
    sign(home).said()
    for key in answered(node):
        if key not in ("scrutiny.sha256", "scrutiny.signer", "scrutiny.signed_at"):
            assert key.rpartition(".")[2] in written, key
    done = run_inside("folkmoot-node", "scrutiny", "init", "--home", home)
    assert done.code == ExitCode.SETTINGS
    assert (home / "scrutiny.toml").read_text() == written


def test_the_first_file_lists_what_may_stand_where_there_is_a_choice(node: NodeHome) -> None:
    """And what it says may stand there does."""
    lines = first_file(node.config).splitlines()
    choices = [line for line in lines if "# one of: " in line]
    assert {line.split()[1] for line in choices} == {
        "phase", "likelihood", "severity", "overall", "effect", "residual", "decision", "impact"
    }  # fmt: skip
    assert len({line for line in choices if line.startswith("# decision")}) == 2
    for number, line in enumerate(lines):
        if line.startswith(("# third_party", "# given_on")):
            lines[number] = line.removeprefix("# ")
        elif line in choices and line.split()[1] in ("phase", "decision"):
            first = line.partition("one of: ")[2].partition(",")[0]
            lines[number] = line.removeprefix("# ").replace('""', f'"{first}"')
    document = parse(ScrutinyDocument, "\n".join(lines).encode(), "scrutiny.toml")
    assert (document.rationale.phase, document.equality.decision, document.dpo_advice.decision) == (
        "pre-deployment", "no change", "accepted"
    )  # fmt: skip
    assert document.procurement.third_party is True


def test_each_question_has_a_label(node: NodeHome) -> None:
    labels = [fact.label for fact in answer_facts(node)]
    assert len(set(labels)) == len(labels)
    assert all(label[0].isupper() and not label.endswith(".") for label in labels)
    assert not [label for label in labels if "{" in label]
