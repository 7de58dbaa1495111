"""Who runs, and how: what comes with the node, what was allowed, what was signed for."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot_node.plugins.decisions import in_process_decisions
from folkmoot_node.plugins.installed import InstalledPlugin, installed_plugins, node_version
from folkmoot_node.plugins.placement import Placement, Way, missing, placements
from folkmoot_node.plugins.provenance import Provenance
from folkmoot_node.plugins.shipped import FACTORS, KINDS, NETWORKED, SECRETS, SHIPPED, is_shipped
from folkmoot_node.plugins.words import granted, not_confined
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.loading import load
from folkmoot_sdk.parameters import describe
from tests.unit.node.plugins.conftest import ALLOWED, DIGEST, OTHER, Home, plugin

UNMET = Problem("bubblewrap is missing", remedy="Install it", exit_code=ExitCode.SETTINGS)
TRUSTED = ALLOWED + 'trust = "in_process"\n'
DECISION = f"""
[[plugins_in_process]]
distribution = "meters"
version = "1.2.0"
content = "{DIGEST}"
reason = "its driver needs it"
"""


def sound(*_: Any) -> Provenance:
    return Provenance(words=("pinned",))


def place(
    config: NodeConfig | None,
    one: InstalledPlugin,
    unmet: Problem | None = None,
    examine: Any = sound,
) -> Placement:
    (found,) = placements(
        config, [one], unmet=unmet, examine=examine, decide=lambda: in_process_decisions(config)
    )
    return found


def test_the_list_of_what_comes_with_the_node_is_what_the_workspace_has() -> None:
    ours = {one.distribution for one in installed_plugins() if "folkmoot-plugin-" in str(one)}
    assert ours == SHIPPED
    assert {one.version for one in installed_plugins() if is_shipped(one.distribution)} == {
        node_version()
    }


def test_what_the_node_knows_beforehand_of_shipped_sources_is_so() -> None:
    loaded = load()
    secrets = {
        kind: frozenset(one.key for one in describe(source.Options) if one.secret == "file")
        for kind, source in loaded.sources.items()
        if is_shipped(loaded.source_origins[kind].distribution)
    }
    assert secrets.keys() == KINDS
    assert {kind: keys for kind, keys in secrets.items() if keys} == SECRETS
    factors = {origin.distribution for origin in loaded.factor_origins.values()}
    assert factors & SHIPPED == FACTORS
    assert not FACTORS & {origin.distribution for origin in loaded.source_origins.values()}
    for kind, distribution in NETWORKED.items():
        assert loaded.source_origins[kind].distribution == distribution


def test_what_comes_with_the_node_runs_apart_without_being_named(home: Home) -> None:
    for config in (home.config(), None):
        found = place(config, plugin("folkmoot-plugin-sql", node_version()))
        assert (found.way, found.is_shipped, found.is_reviewed) == (Way.APART, True, True)


def test_another_version_of_it_is_refused(home: Home) -> None:
    found = place(home.config(), plugin("folkmoot-plugin-sql", "0.0.9"))
    assert found.way is Way.REFUSED
    assert "comes with the node, whose version is" in str(found.broken)
    assert f"Install folkmoot-plugin-sql {node_version()}" in str(found.broken)


def test_where_the_kernel_cannot_it_runs_in_the_node_and_that_is_said(home: Home) -> None:
    found = place(home.config(), plugin("folkmoot-plugin-sql", node_version()), UNMET)
    assert found.way is Way.IN_PROCESS
    (said,) = not_confined([found])
    assert "bubblewrap is missing" in said
    assert "run in its own process and not apart" in said


def test_a_plugin_nobody_named_is_listed_and_not_broken(home: Home) -> None:
    found = place(home.config(), plugin())
    assert (found.way, found.runs, found.broken) == (Way.NOT_ALLOWED, False, None)
    assert found.problem is not None
    assert "nothing of it is imported" in str(found.problem)
    assert "folkmoot-node plugins allow WHEEL" in found.problem.remedy
    assert place(None, plugin()).way is Way.NOT_ALLOWED


@pytest.mark.parametrize("name", ["meters", "Meters", "METERS"])
def test_a_plugin_that_is_named_runs_apart(home: Home, name: str) -> None:
    found = place(home.config(ALLOWED.replace("meters", name)), plugin())
    assert (found.way, found.is_shipped, found.is_reviewed) == (Way.APART, False, False)


def test_where_the_kernel_cannot_it_refuses_with_what_to_enable(home: Home) -> None:
    found = place(home.config(ALLOWED), plugin(), UNMET)
    assert found.way is Way.REFUSED
    assert "bubblewrap is missing" in str(found.broken)
    assert "Install it" in str(found.broken)


def test_what_speaks_against_it_is_named_with_what_to_do(home: Home) -> None:
    revoked = Problem("was revoked", remedy="Install 1.2.1", exit_code=ExitCode.VERIFICATION)
    found = place(
        home.config(ALLOWED), plugin(), examine=lambda *_: Provenance((revoked,), is_reviewed=True)
    )
    assert found.way is Way.REFUSED
    assert str(found.broken) == "plugin meters 1.2.0 (meters): was revoked. Install 1.2.1"


def test_settings_alone_let_nobody_into_the_nodes_process(home: Home) -> None:
    config = home.config(TRUSTED)
    unsigned = place(config, plugin())
    assert unsigned.way is Way.REFUSED
    assert "only the signed release policy" in str(unsigned.broken)
    home.sign()
    silent = place(config, plugin())
    assert silent.way is Way.REFUSED
    assert "does not let this plugin" in str(silent.broken)
    home.sign(DECISION, key=Ed25519PrivateKey.generate())
    assert place(config, plugin()).way is Way.REFUSED


def test_a_signed_decision_does_and_shows(home: Home) -> None:
    home.sign(DECISION)
    found = place(home.config(TRUSTED), plugin())
    assert found.way is Way.IN_PROCESS
    (said,) = not_confined([found])
    assert "meters 1.2.0" in said
    assert "its driver needs it" in said


def test_a_signed_decision_is_about_one_version_and_content(home: Home) -> None:
    for before, after in (("1.2.0", "1.1.0"), (DIGEST, OTHER)):
        home.sign(DECISION.replace(before, after))
        found = place(home.config(TRUSTED), plugin())
        assert found.way is Way.REFUSED
        assert "with other content or another version" in str(found.broken)


def test_a_signed_decision_alone_leaves_it_apart(home: Home) -> None:
    home.sign(DECISION)
    assert place(home.config(ALLOWED), plugin()).way is Way.APART


def test_what_is_allowed_and_not_installed_is_said(home: Home) -> None:
    config = home.config(ALLOWED)
    assert missing(config, [plugin("Meters".lower())]) == ()
    (found,) = missing(config, [])
    assert "is allowed, and not installed" in str(found)
    assert "plugins.allowed.meters" in found.where


def test_grants_are_said_as_they_are(home: Home) -> None:
    network = ALLOWED + 'network = ["meters.example.org"]\nfiles = true\nmemory_mib = 1024\n'
    config = home.config(network)
    said = granted(config, place(config, plugin()))
    assert "the network as a whole, for meters.example.org: named hosts cannot be enforced" in said
    assert "at most 1,024 MiB, and 600 seconds for one call" in said
    assert "each run scores it twice" in said
    config = home.config(ALLOWED)
    said = granted(config, place(config, plugin()))
    assert "its sources read no files, and have no network" in said
