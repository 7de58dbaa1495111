"""A plugin of others that fails in a run: named, and rounds wait until a person decides."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from stage import RISK_POLICY, Stage, ask

from folkmoot import round_codec
from folkmoot_node.answering.visit import poll
from folkmoot_node.home import open_home
from folkmoot_node.operations.doctor import examine
from folkmoot_operator.checks import State
from folkmoot_operator.problems import ExitCode
from tests.commands import Done, run_inside
from tests.plugin_council import NAME
from tests.plugin_of_others import FACTOR, Others, install_plugin

DIES = FACTOR.replace("import numpy as np", "import os\nimport numpy as np").replace(
    'return np.clip(inputs["council_tax_arrears"] / 1000, 0, 1)', "os._exit(3)"
)
LOOKS_ACROSS = FACTOR.replace(
    'inputs["council_tax_arrears"] / 1000',
    'inputs["council_tax_arrears"] / np.nanmean(inputs["council_tax_arrears"]) / 4',
)
POLICY = RISK_POLICY + '[[factors]]\nfactor = "energy_debt"\nweight = 10\n'
NAMED = f"factor energy_debt, score: plugin {NAME} "


def node(stage: Stage, *arguments: str) -> Done:
    return run_inside("folkmoot-node", *arguments, "--home", stage.home)


def installed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, code: str, if_one_fails: str
) -> Others:
    (stage.home / "risk-policy.toml").write_text(POLICY)
    digest = hashlib.sha256(POLICY.encode()).digest()
    stage.coordinator.rounds = [round_codec.encode_round(ask(policy_digest=digest))]
    settings = (stage.home / "node.toml").read_text()
    more = f'[plugins]\nif_one_fails = "{if_one_fails}"\n'
    others = install_plugin(stage.home, settings + more, monkeypatch, code=code)
    others.pinned()
    return others


def visited(home: Path) -> str:
    with open_home(home) as opened, opened.connect() as client:
        return " ".join(event.text for event in poll(opened, client))


def test_a_run_stops_and_names_the_plugin(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(stage, monkeypatch, DIES, "stop")
    done = node(stage, "score")
    assert done.code == ExitCode.FAULT
    assert NAMED in " ".join(done.stderr.split())
    assert "Rounds wait now: a scoring run was stopped" in done.stderr
    assert "rounds resume --reason" in visited(stage.home)
    assert stage.coordinator.submissions == []


def test_a_run_goes_on_without_it_and_everybody_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(stage, monkeypatch, DIES, "unknown")
    done = node(stage, "score")
    assert done.code == ExitCode.OK, done.stderr
    warned = " ".join(done.stderr.split())
    assert "Warning: energy_debt: unknown for every household in this run" in warned
    assert NAMED in warned
    assert "Rounds wait now: a plugin failed in the last scoring run" in warned
    findings = {one.name: one for one in examine(stage.home, offline=True)}
    assert findings["scores"].state is State.WARN
    assert NAMED in findings["scores"].what
    assert findings["scoring runs"].state is State.FAIL
    with open_home(stage.home) as home, home.open_store_for_use() as store:
        uprn = int(store.households(list(store.run.band_names))["uprn"][0])
    explained = " ".join(node(stage, "explain", str(uprn)).said().split())
    assert "Energy debt: unknown of 10 Not known for any household" in explained
    assert NAMED in explained
    assert "a plugin failed in the last scoring run" in visited(stage.home)
    assert stage.coordinator.submissions == []
    node(stage, "rounds", "resume", "--reason", "the others count").said()
    visited(stage.home)
    assert len(stage.coordinator.submissions) == 1


def test_a_factor_that_looks_across_households_stops_the_run_whatever_the_settings(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(stage, monkeypatch, LOOKS_ACROSS, "unknown")
    done = node(stage, "score")
    assert done.code == ExitCode.FAULT
    assert "by what other households have" in " ".join(done.stderr.split())
    assert NAMED in " ".join(done.stderr.split())
    assert visited(stage.home)
    assert stage.coordinator.submissions == []


def test_a_sound_plugin_of_others_scores_and_rounds_go_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(stage, monkeypatch, FACTOR, "stop")
    done = node(stage, "score")
    assert done.code == ExitCode.OK, done.stderr
    visited(stage.home)
    assert len(stage.coordinator.submissions) == 1
