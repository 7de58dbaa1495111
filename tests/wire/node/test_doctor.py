"""What the doctor of an enrolled node finds, one fault at a time."""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from stage import Stage
from typer.testing import CliRunner

from folkmoot_kit.confinement.layers import LAYERS
from folkmoot_node.cli import app
from folkmoot_node.federation.checks import certificate
from folkmoot_node.federation.identity import KeyFiles, load_identity
from folkmoot_node.linkage import checks as linkage_checks
from folkmoot_node.operations.doctor import examine
from folkmoot_node.plugins.loaded import LoadedPlugins
from folkmoot_node.scoring import checks as scoring_checks
from folkmoot_node.settings.linkage import LinkageSettings
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.store import checks as store_checks
from folkmoot_operator.checks import State
from folkmoot_operator.checks import examine as run
from folkmoot_operator.signatures import create_key
from folkmoot_sdk.loading import BrokenPlugin
from tests.commands import KEYS_OF_DOCTORS

NAMES = [
    "settings", "home", "database", "leftovers", "council", "keys", "installation",
    *(f"confinement: {layer}" for layer in LAYERS), "plugins", "policies and sources",
    "licences", "linkage",
    "release policy", "signer", "evidence", "clock", "disk", "scores", "sunset", "pauses",
    "scoring runs", "retention", "extracts", "backup", "Prefect", "enrolment",
    "path", "coordinator",
]  # fmt: skip


def failures(home: Path) -> dict[str, str]:
    """What failed, without the coordinator, and that everything else was looked at."""
    findings = list(examine(home, offline=True))
    assert [finding.name for finding in findings] == NAMES[:-2]
    failed = [finding for finding in findings if finding.state is State.FAIL]
    assert all(finding.remedy for finding in failed)
    return {finding.name: f"{finding.where}: {finding.what}" for finding in failed}


def details(home: Path) -> dict[str, str]:
    return {finding.name: finding.what for finding in examine(home, offline=True)}


@pytest.fixture(autouse=True)
def _scores_of_today(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy of the stage lasts for some months; its day is none of the faults."""
    monkeypatch.setattr("folkmoot_node.operations.checks.expired", lambda home: ())


def test_no_backups_are_a_warning_that_says_how(stage: Stage) -> None:
    (found,) = (one for one in examine(stage.home, offline=True) if one.name == "backup")
    assert (found.state, found.ok) == (State.WARN, True)
    assert "no backups are set up" in found.what
    assert found.command == "folkmoot-node backup keygen --out FILE"
    shown = CliRunner().invoke(app, ["status", "--home", str(stage.home)]).output
    assert "not set up; `doctor` says how" in shown


def test_a_sound_node_passes_and_says_so_in_json(stage: Stage) -> None:
    done = CliRunner().invoke(app, ["doctor", "--json", "--home", str(stage.home)])
    assert done.exit_code == 0
    found = json.loads(done.output)
    assert [item["check"] for item in found] == NAMES
    assert all(item["ok"] for item in found)
    # What root decides is not decided on a machine of tests.
    assert {item["check"] for item in found if item["remedy"]} <= {
        "signer", "installation", "backup"
    }  # fmt: skip
    assert {frozenset(item) for item in found} == {KEYS_OF_DOCTORS}


def test_a_coordinator_that_is_not_there(stage: Stage) -> None:
    stage.server.stop(None).wait()
    *others, last = examine(stage.home, offline=False)
    assert all(finding.ok for finding in others)
    assert (last.name, last.ok) == ("path: port", False)
    assert "cannot be reached" in last.what


def open_key(home: Path) -> None:
    (home / "keys" / "policy-signing.key").chmod(0o604)


def open_witness_key(home: Path) -> None:
    create_key(home / "keys" / "witness.key")
    (home / "keys" / "witness.key").chmod(0o640)


def unsigned(home: Path) -> None:
    (home / "release-policy.toml").write_text(
        (home / "release-policy.toml").read_text() + "\n# changed\n"
    )


def no_scores(home: Path) -> None:
    (home / "store" / "households.duckdb").unlink()


def no_certificate(home: Path) -> None:
    (home / "keys" / "node.crt").unlink()


def no_such_source(home: Path) -> None:
    path = home / "node.toml"
    path.write_text(path.read_text().replace('kind = "extracts"', 'kind = "no_such_kind"'))


def forged_log(home: Path) -> None:
    with closing(sqlite3.connect(home / "state.sqlite")) as state:
        state.execute(
            "INSERT INTO egress (sequence, at, body, previous, digest) "
            "VALUES (1, 0, '{}', zeroblob(32), zeroblob(32))"
        )
        state.commit()


@pytest.mark.parametrize(
    ("spoil", "check", "says"),
    [
        (open_key, "keys", "policy-signing.key can be read by others"),
        (open_witness_key, "keys", "witness.key can be read by others"),
        (unsigned, "release policy", "release-policy.toml"),
        (no_scores, "scores", "no household has been scored yet"),
        (no_certificate, "enrolment", "this node is not enrolled (node.crt missing)"),
        (no_such_source, "policies and sources", "no_such_kind"),
        (forged_log, "evidence", "egress"),
    ],
)
def test_each_fault_fails_its_own_check(
    stage: Stage, spoil: Callable[[Path], None], check: str, says: str
) -> None:
    assert failures(stage.home) == {}
    spoil(stage.home)
    found = failures(stage.home)
    assert list(found) == [check]
    assert says in found[check]


def test_a_node_that_is_not_there_has_nothing_else_to_look_at(tmp_path: Path) -> None:
    (only,) = examine(tmp_path, offline=True)
    assert (only.name, only.state) == ("settings", State.FAIL)


def test_an_expired_certificate(stage: Stage) -> None:
    keys = KeyFiles(stage.home / "keys")
    end = int(load_identity(keys).not_after.timestamp())
    (still,) = run([certificate(keys, lambda: end - 1)])
    (over,) = run([certificate(keys, lambda: end)])
    assert still.ok
    day = datetime.datetime.fromtimestamp(end, datetime.UTC).date()
    assert over.what == f"this node's certificate expired on {day}"


def test_a_disk_without_room(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_checks, "MIN_FREE_BYTES", 2**80)
    assert "GiB free" in failures(stage.home)["disk"]


def test_libraries_of_linkage(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert details(stage.home)["linkage"] == "off: records without a UPRN count for nobody"
    both = LinkageSettings.model_validate({"addresses": {}, "people": {"sources": ["tax"]}})
    installed = {"uk_address_matcher", "splink"}
    monkeypatch.setattr(
        linkage_checks, "find_spec", lambda library: library if library in installed else None
    )
    (found,) = run([linkage_checks.libraries(both)])
    assert found.what == "by addresses and people, as in an area of 200,000 people"
    installed.remove("splink")
    (found,) = run([linkage_checks.libraries(both)])
    assert (found.ok, found.what) == (False, "the libraries of linkage are not installed")
    (found,) = run([linkage_checks.libraries(LinkageSettings(addresses=both.addresses))])
    assert found.what == "by addresses", "a library that nobody asked for may be missing"


def test_scores_by_another_policy_and_broken_plugins_are_said(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, kept = scoring_checks.load_plugins, []

    def broken(config: NodeConfig) -> LoadedPlugins:
        loaded = load(config)
        kept.append(loaded)  # its processes end with it
        origin = next(iter(loaded.source_origins.values()))
        return replace(loaded, broken=(BrokenPlugin(origin, "", "does not load", ""),))

    monkeypatch.setattr(scoring_checks, "load_plugins", broken)
    policy = stage.home / "risk-policy.toml"
    policy.write_text(policy.read_text() + "\n# another\n")
    found = details(stage.home)
    assert "by another policy than the one in node.toml" in found["scores"]
    assert "broken plugins:" in found["policies and sources"]
    assert "does not load" in found["policies and sources"]
