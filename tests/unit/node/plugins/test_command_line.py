"""`plugins`: what runs and why not, who allowed it, and what the region knows of it."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from folkmoot.public_facts import is_public
from folkmoot_kit.provenance import Privileges, open_registry
from folkmoot_kit.provenance.bundle import write_bundle
from folkmoot_kit.provenance.registry_index import Revocation
from folkmoot_node.cli import app
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.home import open_home
from folkmoot_node.plugins import checks
from folkmoot_node.plugins.opening import places
from folkmoot_node.plugins.words import granted
from folkmoot_operator import checks as operator_checks
from folkmoot_operator.checks import State
from folkmoot_operator.problems import ExitCode, Problem
from tests.plugin_council import MODULE, NAME
from tests.plugin_of_others import Others, install_plugin
from tests.unit.node.plugins.conftest import NODE, Home


@pytest.fixture
def others(home: Home, monkeypatch: pytest.MonkeyPatch) -> Others:
    home.config()
    with StateDatabase(home.folder / "state.sqlite", create=True):
        pass
    return install_plugin(
        home.folder, NODE, monkeypatch, asks=Privileges(files=True, network=("a.example.org",))
    )


def command(others: Others, *words: object) -> Result:
    return CliRunner().invoke(
        app, ["plugins", *map(str, words), "--home", str(others.home)], terminal_width=80
    )


def listed(others: Others) -> dict[str, Any]:
    done = command(others, "list", "--json")
    (found,) = [one for one in json.loads(done.stdout)["plugins"] if one["distribution"] == NAME]
    assert done.exit_code == (ExitCode.VERIFICATION if found["runs"] == "refused" else ExitCode.OK)
    return dict(found)


def wheel(others: Others) -> Path:
    return others.council.wheel.path


def test_a_plugin_that_nobody_allowed_is_listed_with_what_to_do(others: Others) -> None:
    found = listed(others)
    assert (found["runs"], found["shipped"]) == ("not_allowed", False)
    assert "folkmoot-node plugins allow WHEEL" in found["problems"][0]["remedy"]
    done = command(others, "list")
    assert done.exit_code == 0
    assert "nothing of it is imported" in " ".join(done.stdout.split())
    assert MODULE not in sys.modules


def test_allowing_pins_grants_and_notes_who(others: Others) -> None:
    before = (others.home / "node.toml").read_text()
    done = command(others, "allow", wheel(others), "--files", "--seconds", 30)
    assert done.exit_code == 0, done.output
    assert f"Allowed {NAME} 1.2.0" in done.stdout
    text = (others.home / "node.toml").read_text()
    assert text.startswith(before.rstrip())
    assert others.council.wheel.digest in text
    found = listed(others)
    assert (found["runs"], found["files"], found["seconds"]) == ("apart", True, 30)
    assert (found["signed"], found["reviewed"], found["revoked"]) == (True, False, False)
    again = command(others, "allow", wheel(others), "--network", "a.example.org", "--json")
    assert again.exit_code == 0, again.output
    kept = json.loads(again.stdout)
    assert (kept["files"], kept["seconds"], kept["network"]) == (True, 30, ["a.example.org"])
    assert "named hosts cannot be enforced" in kept["granted"]
    with open_home(others.home) as node:
        (first, *_) = node.audit.entries(("plugin allowed",))
    assert first.body["plugin"] == NAME
    assert first.body["wheel"] == others.council.wheel.digest
    assert first.body["files"] is True
    shown = " ".join(command(others, "list").stdout.split())
    assert "signed by Energy Data Ltd until" in shown
    assert "not reviewed by two people" in shown


def test_what_is_not_installed_as_it_is_in_the_wheel_is_not_allowed(others: Others) -> None:
    before = (others.home / "node.toml").read_text()
    others.edit("/ 1000", "/ 1001")
    done = command(others, "allow", wheel(others))
    assert done.exit_code != 0
    assert isinstance(done.exception, Problem)
    assert (others.home / "node.toml").read_text() == before


def test_allowing_what_cannot_run_yet_says_why(others: Others) -> None:
    others.council.trusted_file.unlink()
    done = command(others, "allow", wheel(others))
    assert done.exit_code == 0
    assert "It does not run yet" in done.stderr
    assert "no file of trusted keys" in done.stderr


def test_forgetting_takes_the_table_out_and_nothing_else(others: Others) -> None:
    before = (others.home / "node.toml").read_text()
    assert command(others, "allow", wheel(others)).exit_code == 0
    done = command(others, "forget", NAME.upper())
    assert done.exit_code == 0, done.output
    assert (others.home / "node.toml").read_text() == before
    assert listed(others)["runs"] == "not_allowed"
    with open_home(others.home) as node:
        assert len(list(node.audit.entries(("plugin forgotten",)))) == 1
    unknown = command(others, "forget", "energy-dept")
    assert isinstance(unknown.exception, Problem)
    assert "is not allowed now" in str(unknown.exception)


def test_a_bundle_brings_revocations_and_an_older_one_is_refused(
    others: Others, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert command(others, "allow", wheel(others)).exit_code == 0
    council, folder = others.council, tmp_path_factory.mktemp("bundles")
    write_bundle(open_registry(council.registry, council.trusted), folder / "old.zip")
    kept = folder / "kept"
    council.registry.rename(kept)
    keeper = council.keeper()
    newer = type(keeper)(kept, keeper.key, keeper.today)
    newer.revoke(
        Revocation(
            wheel=council.wheel.digest, distribution=NAME, since=keeper.today, reason="a leak"
        )
    )
    write_bundle(open_registry(kept, council.trusted), folder / "new.zip")
    done = command(others, "import-registry", folder / "new.zip", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["revoked"] == 1
    found = listed(others)
    assert (found["runs"], found["revoked"]) == ("refused", True)
    assert "a leak" in found["problems"][0]["problem"]
    older = command(others, "import-registry", folder / "old.zip")
    assert isinstance(older.exception, Problem)
    assert "has seen number" in str(older.exception)
    assert listed(others)["runs"] == "refused"


def test_doctor_looks_at_each_layer_and_each_plugin(others: Others) -> None:
    config = others.pinned(Privileges(files=True, network=("a.example.org",), memory_mib=900))
    today = datetime.datetime.now(datetime.UTC).date()
    layers = list(operator_checks.examine([checks.confinement(config)]))
    assert {one.name for one in layers} >= {
        f"confinement: {layer}" for layer in ("bubblewrap", "landlock", "seccomp")
    }
    assert {one.state for one in layers} == {State.OK}
    found = {one.name: one for one in operator_checks.examine([checks.plugins(config, today)])}
    ours, theirs = found["plugins"], found[f"plugin {NAME}"]
    assert "extracts" in ours.what
    assert theirs.state is State.OK
    for words in (
        "signed by Energy Data Ltd",
        "the network as a whole, for a.example.org: named hosts cannot be enforced",
        "900 MiB",
        "each run scores it twice",
    ):
        assert words in theirs.what
    (placed,) = [one for one in places(config, today, None) if not one.is_shipped]
    assert "a.example.org" not in granted(config, placed, with_hosts=False)
    # The public page shows privileges, and the hosts are a fact that it does not show.
    assert (is_public("plugins.a.privileges"), is_public("plugins.a.hosts")) == (True, False)
    others.edit("/ 1000", "/ 1001")
    (changed,) = [
        one
        for one in operator_checks.examine([checks.plugins(config, today)])
        if one.name == f"plugin {NAME}"
    ]
    assert changed.state is State.FAIL
    assert changed.remedy


def test_doctor_says_what_a_kernel_cannot(others: Others, monkeypatch: pytest.MonkeyPatch) -> None:
    class Layer:
        name, works, problem, remedy = "landlock", False, "is not there", "Boot with lsm=landlock"

    monkeypatch.setattr(checks, "self_test", lambda: (Layer(),))
    (warned,) = operator_checks.examine([checks.confinement(others.home and _config(others))])
    assert (warned.state, warned.remedy) == (State.WARN, "Boot with lsm=landlock")
    assert "run in its own process" in warned.what
    (failed,) = operator_checks.examine([checks.confinement(others.pinned())])
    assert failed.state is State.FAIL
    assert "those of others do not run" in failed.what


def _config(others: Others) -> Any:
    from folkmoot_node.settings.node_toml import load_config

    return load_config(others.home)
