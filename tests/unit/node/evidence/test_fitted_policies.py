"""By what a fitted policy is recognised, and by what it is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.fitted_policies import (
    PROPOSED,
    PUBLISHED,
    FittedPolicy,
    fitted_file,
    fitted_policy,
    publish_command,
    weights_mark,
)
from folkmoot_node.policies.risk_policy import RiskPolicy, parse_policy

TEXT = """schema = 1
name = "Winter"
purpose = "winter"
legal_basis = "Local Government Act 2000, section 2"
owner = "Head of Revenues"
sunset = 2027-03-31
[[factors]]
factor = "arrears"
weight = 40
[[factors]]
factor = "isolation"
weight = 10
[[bands]]
name = "none"
from = 0
action = "No action"
[[bands]]
name = "high"
from = 30
action = "Call"
"""
RENAMED = TEXT.replace("Winter", "Winter 2027").replace("2027-03-31", "2028-03-31")
DAY = 86_400


def policy(text: str) -> RiskPolicy:
    return parse_policy(text.encode(), "policy.toml")


class Node(SimpleNamespace):
    """What is asked of a node: its audit log."""

    def note(self, action: str, at: int, **body: str) -> None:
        with self.state.transaction() as connection:
            self.audit.append(connection, at, {"action": action, **body})

    def proposed(self, text: str = TEXT, at: int = DAY, run: str = "a1") -> None:
        one = policy(text)
        marks = {"proposed_sha256": one.digest.hex(), "weights": weights_mark(one)}
        self.note(PROPOSED, at, run=run, **marks)

    def published(self, text: str, at: int = 3 * DAY) -> None:
        one = policy(text)
        marks = {"file_sha256": one.digest.hex(), "weights": weights_mark(one)}
        self.note(PUBLISHED, at, decided_by="A. Khan, DPO", **marks)

    def found(self, text: str) -> FittedPolicy | None:
        return fitted_policy(self, policy(text))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with StateDatabase(tmp_path / "state.sqlite", create=True) as state:
        yield Node(state=state, audit=state.chain("audit"))


def test_without_a_fit_no_policy_is_fitted(node: Node) -> None:
    assert node.found(TEXT) is None
    node.published(TEXT)
    assert node.found(TEXT) is None


SAME = {
    "a comment": "# mine\n" + TEXT,
    "name and last day": RENAMED,
    "bands": TEXT.replace("from = 30", "from = 31"),
    "an action": TEXT.replace('"Call"', '"Visit"'),
    "twice the weights": TEXT.replace("= 40", "= 80").replace("= 10", "= 20"),
    "a tenth of the weights": TEXT.replace("= 40", "= 4.0").replace("= 10", "= 1.0")
                                  .replace("from = 30", "from = 3"),
    "another order": TEXT.replace('"arrears"', '"x"').replace('"isolation"', '"arrears"')
                         .replace('"x"', '"isolation"').replace("= 40", "= 0.5")
                         .replace("= 10", "= 2").replace("from = 30", "from = 1"),
    "other line ends": TEXT.replace("\n", "\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
def test_an_edited_file_is_recognised_by_its_weights(node: Node, what: str) -> None:
    node.proposed()
    found = node.found(SAME[what])
    assert found is not None
    assert not found.same_file
    assert not found.is_published
    assert "has the weights of the one that `fit` proposed on 2 January 1970" in found.what
    assert "no decision to publish it is recorded" in found.what
    assert "the guarantee does not cover" in found.what


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace("= 40", "= 41"),
        TEXT.replace('"isolation"', '"child_need"'),
        TEXT.replace('[[factors]]\nfactor = "isolation"\nweight = 10\n', ""),
    ],
)
def test_other_weights_are_another_policy(node: Node, other: str) -> None:
    node.proposed()
    assert node.found(other) is None


def test_the_file_itself_is_recognised_without_a_mark(node: Node) -> None:
    node.note(PROPOSED, DAY, run="a1", proposed_sha256=policy(TEXT).digest.hex())
    found = node.found(TEXT)
    assert found is not None
    assert found.same_file
    assert "is the one that" in found.what
    assert node.found(RENAMED) is None


@pytest.mark.parametrize("decided", [TEXT, RENAMED])
def test_a_decision_to_publish_ends_the_doubt_for_these_weights(node: Node, decided: str) -> None:
    node.proposed()
    node.published(decided)
    for text in (TEXT, RENAMED):
        found = node.found(text)
        assert found is not None
        assert found.is_published
        assert "A. Khan, DPO decided on 4 January 1970 to publish it" in found.what
        assert "the guarantee does not cover" in found.what, "that somebody decided changes nothing"


def test_a_decision_about_another_file_ends_nothing(node: Node) -> None:
    node.proposed()
    node.published(TEXT.replace("= 40", "= 41"))
    node.note(PUBLISHED, DAY, file_sha256="ff" * 32, decided_by="A. Khan, DPO")
    found = node.found(TEXT)
    assert found is not None
    assert not found.is_published


def test_the_newest_of_several_fits_is_named(node: Node) -> None:
    node.proposed(run="a1")
    node.proposed(run="b2", at=2 * DAY, text=RENAMED)
    node.proposed(run="c3", at=3 * DAY, text=TEXT.replace("= 40", "= 41"))
    found = node.found(TEXT)
    assert found is not None
    assert (found.run, found.same_file) == ("b2", True)


def test_a_file_that_cannot_be_read_is_none(node: Node, tmp_path: Path) -> None:
    node.proposed()
    path = tmp_path / "a policy.toml"
    path.write_text("name = 3\n")
    assert fitted_file(node, path) is None
    path.write_text(TEXT)
    known = fitted_file(node, path)
    assert known is not None
    assert f"policy publish '{path}' --by" in publish_command(known[1])
