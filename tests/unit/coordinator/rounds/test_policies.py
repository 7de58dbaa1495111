"""The policies behind rounds: added by the region, checked against the digests of rounds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.rounds.policies import (
    add_policy,
    find_policy,
    policies,
    policy_of,
)
from folkmoot_coordinator.rounds.policy_structure import (
    MAX_POLICY_BYTES,
    BandShown,
    FactorShown,
    read_policy,
)
from folkmoot_node.policies.risk_policy import parse_policy
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import run_inside
from tests.unit.coordinator.conftest import small_round

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

ROOT = Path(__file__).resolve().parents[4]
POLICY = (ROOT / "rehearsal/folkmoot_rehearsal/documents/risk-policy.toml").read_bytes()
NOW = 1_800_000_000


@pytest.fixture
def digest(office: Office) -> bytes:
    """That of `POLICY`, which a round names."""
    found = hashlib.sha256(POLICY).digest()
    office.open(replace(small_round(), policy_digest=found))
    return found


def test_a_node_and_the_region_give_the_same_bytes_the_same_digest(
    office: Office, digest: bytes
) -> None:
    assert policy_of(office.database, digest) is None
    added = add_policy(office.database, POLICY, "risk-policy.toml", NOW)
    node = parse_policy(POLICY, "risk-policy.toml")
    assert added.digest == node.digest == digest
    assert policy_of(office.database, digest) == added
    assert [(one.name, one.weight) for one in added.factors] == [
        (one.factor, one.weight) for one in node.factors
    ]
    assert [(one.name, one.minimum, one.action) for one in added.bands] == [
        (one.name, one.minimum, one.action) for one in node.bands
    ]
    assert added.total_weight == node.total_weight
    assert added.sunset == node.sunset == date(2027, 3, 31)
    assert (added.name, added.purpose, added.owner) == (
        node.name,
        node.purpose,
        node.document.owner,
    )
    assert {one.name for one in added.protected} == {"age", "disability"}
    assert [one.name for one in added.attributes] == list(node.document.attributes)
    assert added.text.encode() == POLICY


def test_a_document_that_no_round_names_is_refused(office: Office, digest: bytes) -> None:
    changed = {
        POLICY.replace(b"\n", b"\r\n"): "its line ends",
        b"\xef\xbb\xbf" + POLICY: "a mark at its beginning",
        POLICY + b"\n\n": "empty lines at its end",
        POLICY.replace(b"weight = 30", b"weight = 31"): "byte for byte",
    }
    for content, says in changed.items():
        with pytest.raises(Problem, match="no round names this document") as caught:
            add_policy(office.database, content, "p.toml", NOW)
        assert caught.value.exit_code is ExitCode.REFUSED
        assert says in caught.value.remedy
    [summary] = policies(office.database)
    assert (summary.digest, summary.added_at) == (digest, None)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"name =",
        b"x." * 400 + b"x = 1",
        b"#" * (MAX_POLICY_BYTES + 1),
        b"a = " + b"[" * 5000,
    ],
)
def test_what_is_no_policy_is_refused(office: Office, content: bytes) -> None:
    with pytest.raises(Problem) as caught:
        add_policy(office.database, content, "p.toml", NOW)
    assert caught.value.exit_code is ExitCode.SETTINGS


def test_what_is_not_as_expected_is_left_out_of_the_parts() -> None:
    shown = read_policy(
        b"""
name = 7
sunset = "never"
factors = [1, { factor = "isolation", weight = "much", parameters = { from = 2.50, of = ["a"] } }]
bands = { name = "x" }
retention = 3
attributes.tenure = { field = "tenure" }
attributes.old = { all = [{ field = "age", at_least = 75 }, { field = "alone", is = true }] }
extra = true
""",
        "p.toml",
    )
    assert shown.name == "7"
    assert shown.sunset is None
    assert shown.factors == (FactorShown("isolation", None, (("from", "2.5"), ("of", "a"))),)
    assert shown.bands == ()
    assert shown.retention == ()
    assert dict(shown.attributes[1].details) == {
        "all": "field age, at_least 75; field alone, is yes"
    }
    assert shown.others == (("extra", "yes"),)
    json.dumps(shown.facts())


def test_a_document_is_added_once(office: Office, digest: bytes) -> None:
    add_policy(office.database, POLICY, "first.toml", NOW)
    add_policy(office.database, POLICY, "second.toml", NOW + 9)
    [summary] = policies(office.database)
    assert (summary.file_name, summary.added_at) == ("first.toml", NOW)
    assert len(summary.rounds) == 1
    assert find_policy(office.database, digest.hex()[:6]) == summary
    assert find_policy(office.database, summary.rounds[0]) == summary
    for reference in ("", "zz"):
        with pytest.raises(Problem, match="no such policy"):
            find_policy(office.database, reference)
    assert len(list(audit_log.entries(office.database, ("policy added",)))) == 1


def test_a_round_opened_with_its_policy_brings_it(office: Office, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_bytes(POLICY)
    file = tmp_path / "winter.toml"
    file.write_text(
        'title = "W"\npurpose = "winter_support"\npolicy = "policy.toml"\n'
        'councils = ["E08000009"]\nminimum_councils = 1\nrho = 0.2\ndelta = 1e-6\n'
        "deadline_hours = 1\nmarginals = [{ attributes = [] }]\n"
    )
    home = office.home.path

    def run(*arguments: object) -> str:
        return run_inside("folkmoot-coordinator", *arguments, "--home", home).said()

    run("round", "open", file)
    [listed] = json.loads(run("policy", "list", "--json"))
    assert (listed["file"], len(listed["rounds"])) == ("policy.toml", 1)
    shown = json.loads(run("policy", "show", listed["digest"], "--json"))
    assert shown["bands"][0] == {"name": "none", "from": 0.0, "action": "No action"}
    assert run("policy", "show", listed["digest"][:8], "--text").encode() == POLICY
    text = run("policy", "show", listed["rounds"][0])
    assert "financial_hardship" in text
    assert "Telephone call" in text
    assert "policy.toml" in run("policy", "list")
    assert "Added Winter support (rehearsal)" in run("policy", "add", tmp_path / "policy.toml")


def test_a_band_has_its_action() -> None:
    assert read_policy(POLICY, "p").bands[0] == BandShown("none", 0.0, "No action")
