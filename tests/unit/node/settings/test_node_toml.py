"""node.toml: strict keys, paths relative to the home."""

from __future__ import annotations

import pytest

from folkmoot_node.settings.node_toml import load_config
from folkmoot_operator.problems import ExitCode, Problem

FULL = """
schema = 1
council = "E08000009"
name = "Trafford"
[scoring]
frame = "tax"
risk_policy = "policies/risk.toml"
release_policy = "/etc/folkmoot/release.toml"
threads = 4
partitions = 8
[quarantine]
maximum_share = 0.05
folder = "rejected"
[store]
path = "data/h.duckdb"
key_file = "keys/k"
[coordinator]
address = "127.0.0.1:7443"
enrolment_address = "127.0.0.1:7444"
poll_seconds = 2.5
[[sources]]
name = "tax"
kind = "extracts"
[sources.options]
mapping = "m.toml"
"""


def loaded(tmp_path, text):
    (tmp_path / "node.toml").write_text(text)
    return load_config(tmp_path)


def test_paths_are_relative_to_the_home(tmp_path):
    config = loaded(tmp_path, FULL)
    assert config.risk_policy == tmp_path / "policies" / "risk.toml"
    assert str(config.release_policy) == "/etc/folkmoot/release.toml"
    assert config.quarantine_folder == tmp_path / "rejected"
    assert config.store_path == tmp_path / "data" / "h.duckdb"
    assert config.key_file == tmp_path / "keys" / "k"
    assert config.state_path == tmp_path / "state.sqlite"
    assert config.sources[0].options == {"mapping": "m.toml"}
    assert config.coordinator.poll_seconds == 2.5
    assert (config.threads, config.partitions, config.maximum_share) == (4, 8, 0.05)


@pytest.mark.parametrize(
    "old,new,message",
    [
        ('frame = "tax"', 'frames = "tax"', "did you mean 'frame'?"),
        ("maximum_share", "max_share", "did you mean 'maximum_share'?"),
        ('kind = "extracts"', 'king = "extracts"', "did you mean 'kind'?"),
        ('frame = "tax"', 'frame = "rents"', "'rents' is not among the sources (tax)"),
        ("0.05", "1.5", "quarantine.maximum_share"),
        ("threads = 4", "threads = 0", "scoring.threads"),
        ("E08000009", "Trafford", "not a GSS code"),
        ("127.0.0.1:7443", "0.0.0.0:7443", "coordinator.address: 0.0.0.0 means every address"),
        ("127.0.0.1:7443", "127.0.0.1", "coordinator.address: is not an address"),
        ("127.0.0.1:7444", "127.0.0.1:70000", "coordinator.enrolment_address: is not an address"),
        ("127.0.0.1:7444", "https://a.example:7444", "without https://"),
        (
            "poll_seconds = 2.5",
            'proxy = "proxy.example:8080"',
            "coordinator.proxy: begin with",
        ),
        ("poll_seconds = 2.5", 'proxy = "socks5://a.example:1080"', "not socks5://"),
        ("schema = 1", "schema = 9", "schema"),
        ("[sources.options]", '[[sources]]\nname = "tax"\nkind = "x"', "two sources are named"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path, old, new, message):
    assert old in FULL
    with pytest.raises(Problem) as raised:
        loaded(tmp_path, FULL.replace(old, new, 1).replace('mapping = "m.toml"', ""))
    assert raised.value.exit_code is ExitCode.SETTINGS
    assert message in raised.value.problem


def test_no_file_says_where_it_should_be(tmp_path):
    with pytest.raises(Problem) as raised:
        load_config(tmp_path)
    assert raised.value.where == str(tmp_path)
    assert "node.toml is missing" in raised.value.problem
    assert "--home" in raised.value.remedy
    assert raised.value.exit_code is ExitCode.SETTINGS
