"""Table `[plugins]`: names, digests and grants; mistakes are named with what is meant."""

from __future__ import annotations

import pytest

from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.plugins.conftest import ALLOWED, DIGEST, Home
from tests.unit.node.plugins.conftest import home as home


def test_without_a_table_nothing_of_others_is_allowed(home: Home) -> None:
    plugins = home.config().plugins
    assert plugins.allowed == {}
    assert (plugins.if_one_fails, plugins.require_report) == ("stop", False)
    assert plugins.of("meters") is None


def test_a_table_grants_what_it_names_and_nothing_else(home: Home) -> None:
    allowed = home.config(ALLOWED).plugins.of("METERS")
    assert allowed is not None
    assert (allowed.network, allowed.files, allowed.scratch_mib) == ((), False, 0)
    assert allowed.trust == "confined"
    assert home.config(ALLOWED).plugin_registry == home.folder / "plugins" / "registry"


@pytest.mark.parametrize(
    "old,new,message",
    [
        ("version =", "versoin =", "did you mean 'version'?"),
        ("wheel =", "weel =", "plugins.allowed.meters.weel is an unknown key"),
        ("content =", "contents =", "plugins.allowed.meters.content is missing"),
        ("sha256:aaaa", "sha256:AAAA", "does not have the form"),
        ("[plugins.allowed.meters]", "[plugins.alowed.meters]", "did you mean 'allowed'?"),
        ("version", 'trust = "in-process"\nversion', "in_process"),
        ("version", "memory_mib = 1\nversion", "memory_mib"),
        ("version", "network = ['https://a/b']\nversion", "plugins.allowed.meters.network[0]"),
        ("[plugins", "[plugins]\nif_one_fails = 'ask'\n[plugins", "'stop' or 'unknown'"),
    ],
)
def test_mistakes_are_named_with_what_is_meant(
    home: Home, old: str, new: str, message: str
) -> None:
    with pytest.raises(Problem) as raised:
        home.config(ALLOWED.replace(old, new, 1))
    assert message in str(raised.value)
    assert "node.toml" in raised.value.where
    assert raised.value.exit_code is ExitCode.SETTINGS


def test_a_distribution_has_one_table(home: Home) -> None:
    twice = ALLOWED.replace("meters]", "a-b]") + ALLOWED.replace("meters]", "A_B]")
    with pytest.raises(Problem, match="'a-b' is named twice"):
        home.config(twice)


def test_what_decides_about_plugins_is_the_accounts_own(home: Home) -> None:
    keys = home.folder / "plugins" / "trusted-keys.toml"
    keys.parent.mkdir(mode=0o700)
    keys.write_text("")
    keys.chmod(0o622)
    with pytest.raises(Problem, match="other accounts can write to it"):
        home.config(ALLOWED)
    keys.chmod(0o600)
    assert DIGEST in str(home.config(ALLOWED).plugins.allowed)
