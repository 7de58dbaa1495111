"""What a source may read: what its options name, and nothing that the node keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_node.plugins import grants
from folkmoot_node.plugins.grants import (
    for_factors,
    for_shipped_network,
    for_shipped_sources,
    for_sources,
    is_grantable,
    readable,
)
from tests.unit.node.plugins.conftest import ALLOWED, Home

CASEWORK = """
[casework]
[casework.mail]
[casework.mail.smtp]
host = "mail.example.gov.uk"
sender = "a@example.gov.uk"
user = "folkmoot"
password_file = "mail.password"
"""
SQL = """
[[sources]]
name = "rents"
kind = "sql"
[sources.options]
mapping = "mappings/rents.toml"
url = "{url}"
password_file = "db.password"
"""


def named(home: Home, options: str, more: str = "") -> set[str]:
    """What a source with these options may read, relative to the home where it is in it."""
    text = f'[[sources]]\nname = "other"\nkind = "other"\n[sources.options]\n{options}\n'
    config = home.config(text + more)
    found = readable(config, config.sources[1:])
    return {str(one.relative_to(home.folder)) if home.folder in one.parents else str(one)
            for one in found}  # fmt: skip


def test_extracts_and_what_options_name_and_is_there(home: Home) -> None:
    config = home.config()
    found = readable(config, config.sources)
    assert set(found) == {home.folder / "extracts", home.folder / "mappings" / "tax.toml"}


def test_texts_in_tables_and_lists_count(home: Home) -> None:
    for name in ("a", "b", "c"):
        (home.folder / f"{name}.csv").touch()
    found = named(home, 'one = {two = ["a.csv", "nowhere"], three = {four = "b.csv"}}\nfive = 5')
    assert found == {"extracts", "a.csv", "b.csv"}


def test_a_pattern_names_the_folder_before_it(home: Home) -> None:
    (home.folder / "addresses").mkdir()
    (home.folder / "epc-1.csv").touch()
    assert named(home, 'files = ["addresses/*.csv"]') == {"extracts", "addresses"}
    assert named(home, 'files = ["epc-*.csv", "node*"]') == {"extracts", "epc-1.csv"}


@pytest.mark.parametrize(
    "text",
    [".", "..", "/", "keys", "keys/store.key", "extracts/../keys", "store", "state.sqlite",
     "node.toml", "casework", "corrections", "quarantine", "review", "plugins", "prefect",
     "mail.password", "/proc", "/proc/self", "/sys", "/dev", "/run/user", "extracts/way"],
)  # fmt: skip
def test_never_what_the_node_keeps_nor_what_holds_it(home: Home, text: str) -> None:
    folder = home.folder
    for name in ("casework", "corrections", "quarantine", "review", "plugins", "prefect"):
        (folder / name).mkdir()
    for name in ("keys/store.key", "state.sqlite", "mail.password"):
        (folder / name).touch()
    (folder / "extracts" / "way").symlink_to(folder / "keys")
    assert named(home, f'given = "{text}"', CASEWORK) == {"extracts"}


def test_outcomes_of_casework_are_written_to_be_read(home: Home) -> None:
    outcomes = home.folder / "casework" / "outcomes"
    outcomes.mkdir(parents=True)
    (home.folder / "casework" / "cases").touch()
    (outcomes / "cases").symlink_to(home.folder / "casework" / "cases")
    assert named(home, 'folder = "casework/outcomes"') == {"extracts", "casework/outcomes"}
    assert named(home, 'folder = "casework/outcomes/.."') == {"extracts"}
    assert named(home, 'folder = "casework/outcomes/cases"') == {"extracts"}


def test_not_where_the_settings_put_them_either(home: Home) -> None:
    for name in ("data", "rejected", "own"):
        (home.folder / name).mkdir(mode=0o700)
    elsewhere = (
        '[store]\npath = "data/h.duckdb"\nkey_file = "own/k"\n[quarantine]\nfolder = "rejected"\n'
    )
    (home.folder / "own" / "k").touch(mode=0o600)
    options = 'a = "data"\nb = "rejected"\nc = "own"\nd = "own/k"'
    assert named(home, options, elsewhere) == {"extracts"}


def test_a_store_in_the_home_itself_leaves_the_rest_readable(home: Home) -> None:
    at_home = '[store]\npath = "h.duckdb"\n[quarantine]\nfolder = "."\n'
    (home.folder / "h.duckdb").touch(mode=0o600)
    assert named(home, 'a = "h.duckdb"', at_home) == {"extracts"}


def test_links_of_the_account_lead_to_what_they_name(home: Home, tmp_path_factory) -> None:
    share: Path = tmp_path_factory.mktemp("share")
    (share / "tax.csv").touch()
    (home.folder / "extracts" / "tax.csv").symlink_to(share / "tax.csv")
    (home.folder / "linked").symlink_to(share)
    found = named(home, 'folder = "linked"')
    assert found == {"extracts", "linked", str(share), str(share / "tax.csv")}


def test_no_link_of_another_account_widens_what_an_option_names(
    home: Home, tmp_path_factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    share: Path = tmp_path_factory.mktemp("share")
    (share / "tax.csv").touch()
    partner = home.folder / "extracts" / "partner"
    partner.mkdir()
    (partner / "tax.csv").symlink_to(share / "tax.csv")
    (partner / "folder").symlink_to(share)
    (home.folder / "own.csv").symlink_to(partner / "folder" / "tax.csv")
    options = 'a = "extracts/partner/tax.csv"\nb = "extracts/partner/folder/tax.csv"\nc = "own.csv"'
    assert str(share / "tax.csv") in named(home, options)

    monkeypatch.setattr(grants, "_is_own", lambda link: partner not in link.parents)
    assert named(home, options) == {"extracts"}


def test_a_link_to_a_key_leads_nowhere(home: Home) -> None:
    (home.folder / "keys" / "store.key").touch()
    (home.folder / "extracts" / "key").symlink_to(home.folder / "keys" / "store.key")
    assert named(home, "") == {"extracts"}
    assert not is_grantable(home.config(), home.folder / "extracts" / "key")


def test_a_password_file_is_the_nodes_to_read(home: Home) -> None:
    (home.folder / "db.password").touch(mode=0o600)
    (home.folder / "mappings" / "rents.toml").touch()
    config = home.config(SQL.format(url="postgresql://db.example.gov.uk/revenues"))
    found = for_shipped_network(config, config.sources[1:])
    assert home.folder / "db.password" not in found.readable
    assert home.folder / "mappings" / "rents.toml" in found.readable
    assert found.network


def test_a_database_in_a_file_is_read_where_it_is(home: Home) -> None:
    (home.folder / "rents.sqlite").touch()
    config = home.config(SQL.format(url="sqlite:///rents.sqlite"))
    assert home.folder / "rents.sqlite" in readable(config, config.sources[1:])


def test_factors_are_granted_nothing(home: Home) -> None:
    wide = 'network = ["a.example.org"]\nfiles = true\nscratch_mib = 10\nmemory_mib = 500\n'
    allowed = home.config(ALLOWED + wide).plugins.of("meters")
    assert allowed is not None
    found = for_factors(allowed)
    assert (found.readable, found.network, found.clock) == ((), False, False)
    assert (found.limits.scratch_mib, found.limits.memory_mib) == (0, 500)


def test_a_source_of_others_has_what_its_table_grants(home: Home) -> None:
    config = home.config(ALLOWED)
    allowed = config.plugins.of("meters")
    assert allowed is not None
    bare = for_sources(config, allowed, config.sources, {})
    assert (bare.readable, bare.network) == ((), False)
    config = home.config(ALLOWED + 'network = ["a.example.org"]\nfiles = true\nseconds = 5\n')
    allowed = config.plugins.of("meters")
    assert allowed is not None
    wide = for_sources(config, allowed, config.sources, {})
    assert (wide.network, wide.limits.seconds) == (True, 5)
    assert home.folder / "extracts" in wide.readable


def test_what_comes_with_the_node_reaches_no_network(home: Home) -> None:
    config = home.config()
    assert not for_shipped_sources(config, config.sources).network
    file = home.folder / "draft.csv"
    file.touch()
    assert for_shipped_sources(None, (), [file]).readable == (file,)
    limits = home.config("[plugins.shipped]\nmemory_mib = 4000\nseconds = 9\n")
    found = for_shipped_sources(limits, limits.sources).limits
    assert (found.memory_mib, found.seconds) == (4000, 9)
