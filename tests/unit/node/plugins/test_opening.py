"""Plugins of others run apart, if they are what was allowed; else nothing of them is imported."""

from __future__ import annotations

import datetime
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace as changed
from pathlib import Path

import numpy as np
import pytest

from folkmoot_kit.hosting import ConfinedFactor, ConfinedSource
from folkmoot_kit.provenance import Declarations, Privileges
from folkmoot_kit.provenance.registry_index import Revocation
from folkmoot_node.plugins import opening
from folkmoot_node.plugins.installed import node_version
from folkmoot_node.plugins.loaded import LoadedPlugins, trust_of
from folkmoot_node.plugins.opening import load_plugins
from folkmoot_node.plugins.placement import Way
from folkmoot_node.plugins.shipped import KINDS
from folkmoot_node.plugins.warm import WarmPlugins
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.sources.connect import connect
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import PluginError, ReadContext, ScoringContext
from tests.plugin_council import MODULE, NAME
from tests.plugin_of_others import BOTH, SOURCE, SOURCES_OF_NODE, Others, install_plugin
from tests.unit.node.plugins.conftest import NODE, Home

DAY = datetime.date(2026, 12, 1)
FILES = Privileges(files=True)


@pytest.fixture
def others(home: Home, monkeypatch: pytest.MonkeyPatch) -> Others:
    return install_plugin(home.folder, NODE, monkeypatch)


def refusal(config: NodeConfig) -> str:
    """Why the plugin does not run; nothing of it was imported or started."""
    with load_plugins(config) as plugins:
        assert "energy_debt" not in plugins.factors
        found = plugins.placement_of(NAME)
        assert found is not None
        assert not found.runs
        assert "council_tax_arrears" in plugins.factors, "the others run"
        broken = [str(one) for one in plugins.broken if one.origin.distribution == NAME]
        if found.provenance is not None:
            broken += [str(problem) for problem in found.provenance.problems[1:]]
    assert MODULE not in sys.modules
    return "; ".join(broken)


def children() -> set[int]:
    """Processes whose parent is this one, and that still run."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(words[1]) == os.getpid() and words[0] not in "ZX":
                found.add(int(entry.name))
    return found


@contextmanager
def no_child_left() -> Iterator[None]:
    before = children()
    yield
    gc.collect()
    limit = time.monotonic() + 60
    while children() - before and time.monotonic() < limit:
        time.sleep(0.05)
    assert children() <= before


def test_what_comes_with_the_node_runs_apart_and_ends_with_the_command(home: Home) -> None:
    with no_child_left(), load_plugins(home.config()) as plugins:
        assert {Way.APART} == {one.way for one in plugins.placements}
        assert all(issubclass(kind, ConfinedSource) for kind in plugins.sources.values())
        assert all(issubclass(kind, ConfinedFactor) for kind in plugins.factors.values())
        assert len(plugins.processes) == 2
        assert plugins.in_process == ()


@pytest.mark.parametrize(
    "about",
    ["folkmoot_plugin_extracts-0.0.1.dist-info", "Folkmoot.Plugin.Extracts-9.DIST-INFO"],
)
def test_no_wheel_takes_the_name_of_one_that_comes_with_the_node(
    home: Home,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    about: str,
) -> None:
    packages = tmp_path_factory.mktemp("x") / "site-packages"
    (packages / about).mkdir(parents=True)
    name, version = "folkmoot-plugin-extracts", node_version()
    (packages / about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    )
    (packages / about / "entry_points.txt").write_text("[folkmoot]\nextracts = evil\n")
    (packages / "evil.py").write_text(SOURCE.replace('"meters"', '"evil"'))
    monkeypatch.syspath_prepend(packages)
    with load_plugins(home.config()) as plugins:
        found = plugins.placement_of(name)
        assert found is not None
        assert found.way is Way.REFUSED
        assert "installed twice" in str(found.problem)
        assert "evil" not in plugins.sources
        assert "gazetteer" in plugins.sources, "the others run"


def test_what_is_forgotten_is_closed_too(home: Home) -> None:
    with no_child_left():
        assert load_plugins(home.config()).factors


def test_a_fork_leaves_its_parents_processes_alone(home: Home) -> None:
    with load_plugins(home.config()) as plugins:
        child = os.fork()
        if not child:
            plugins.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert not plugins.has_ended


def test_a_node_that_is_killed_leaves_no_process(home: Home) -> None:
    home.config()
    program = (
        "import sys, time; from pathlib import Path;"
        "from folkmoot_node.sources.connect import load_plugins;"
        "from folkmoot_node.settings.node_toml import load_config;"
        "held = load_plugins(load_config(Path(sys.argv[1])));"
        "print(*(one.pid for one in held.processes), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(home.folder)]
    node = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert node.stdout is not None
    with node.stdout as told:
        pids = [int(word) for word in told.readline().split()]
    assert pids
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    node.send_signal(signal.SIGKILL)
    node.wait(60)
    limit = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_plugin_nobody_allowed_is_not_imported(home: Home, others: Others) -> None:
    assert refusal(home.config()) == ""


def test_one_that_is_allowed_runs_in_a_process_of_its_own(others: Others) -> None:
    config = others.pinned()
    with load_plugins(config) as plugins:
        kind = plugins.factors["energy_debt"]
        assert issubclass(kind, ConfinedFactor)
        assert kind.process.hosting.distributions == (NAME,)
        grants = kind.process.hosting.grants
        assert (grants.readable, grants.network, grants.clock) == ((), False, False)
        scores = kind(kind.Parameters()).score(
            {"council_tax_arrears": np.array([0.0, 500.0, np.nan])}, ScoringContext(DAY)
        )
        assert scores[:2].tolist() == [0, 0.5]
        standing = trust_of(plugins, plugins.factor_origins["energy_debt"])
        assert (standing.is_shipped, standing.is_reviewed) == (False, False)
    assert MODULE not in sys.modules


def test_two_reviews_are_seen(others: Others) -> None:
    others.review()
    with load_plugins(others.pinned()) as plugins:
        assert trust_of(plugins, plugins.factor_origins["energy_debt"]).is_reviewed


def test_a_changed_byte_is_refused(others: Others) -> None:
    config = others.pinned()
    others.edit("/ 1000", "/ 1001")
    said = refusal(config)
    assert f"plugin {NAME} 1.2.0" in said
    assert "__init__.py" in said


def test_another_version_than_was_allowed_is_refused(others: Others) -> None:
    config = others.pinned()
    text = (others.home / "node.toml").read_text().replace('version = "1.2.0"', 'version = "1.1"')
    (others.home / "node.toml").write_text(text)
    said = refusal(load_config(others.home))
    assert "version 1.2.0 is installed, and 1.1 is allowed" in said
    assert config.plugins.allowed


def test_what_was_revoked_is_refused_from_the_next_bundle_on(others: Others) -> None:
    config = others.pinned()
    council = others.council
    council.keeper().revoke(
        Revocation(
            wheel=council.wheel.digest, distribution=NAME, since=council.today, reason="leak"
        )
    )
    said = refusal(config)
    assert "was revoked on" in said
    assert "leak" in said


def test_what_is_not_signed_is_refused(others: Others) -> None:
    config = others.pinned()
    others.council.trust(others.council.keys_file().replace(NAME, "another"))
    assert "whose key counts for other plugins" in refusal(config)
    others.council.trusted_file.unlink()
    assert "no file of trusted keys" in refusal(config)


def test_a_signature_that_has_expired_is_refused(
    others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = others.pinned()

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return datetime.datetime.now(tz) + datetime.timedelta(days=3000)

    monkeypatch.setattr(opening, "datetime", type("datetime", (), {"datetime": Later,
        "date": datetime.date, "UTC": datetime.UTC}))  # fmt: skip
    assert "expired on" in refusal(config)


def test_a_report_is_needed_where_the_council_wants_one(others: Others) -> None:
    config = others.pinned(more="[plugins]\nrequire_report = true\n")
    assert "no report of the kit counts" in refusal(config)


def test_more_than_it_asks_for_is_not_granted(others: Others) -> None:
    assert "granted files, which it does not ask for" in refusal(others.pinned(FILES))


def test_a_manifest_that_claims_less_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = install_plugin(home.folder, NODE, monkeypatch, declares=lambda declared: Declarations())
    config = made.pinned()
    with load_plugins(config) as plugins:
        assert "energy_debt" not in plugins.factors
        assert "claims less than it does" in " ".join(map(str, plugins.broken))


def test_a_source_reads_what_is_granted_and_its_secret_comes_from_the_node(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = install_plugin(home.folder, NODE + SOURCES_OF_NODE, monkeypatch, code=BOTH, asks=FILES)
    (home.folder / "readings.txt").write_text("1\n2\n")
    token = home.folder / "token"
    token.write_text("abc\n")
    token.chmod(0o600)
    made.settings += 'token_file = "token"\n'

    # The frame's mapping is empty here: only the plugin's source is connected.
    def read(config: NodeConfig) -> list[float]:
        with load_plugins(config) as plugins:
            assert len(plugins.processes) == 4
            only = changed(config, settings=config.settings.model_copy(
                update={"sources": config.sources[1:]}
            ))  # fmt: skip
            (source,) = connect(only, plugins)
            process = plugins.sources["meters"].process  # type: ignore[attr-defined]
            assert token not in process.hosting.grants.readable
            assert process is not plugins.factors["energy_debt"].process  # type: ignore[attr-defined]
            context = ReadContext(("meter_debt",), DAY, lambda _: None)
            return [
                value
                for batch in source.source.read(context)
                for value in batch.data["meter_debt"].to_pylist()  # type: ignore[index]
            ]

    assert read(made.pinned(FILES)) == [3.0, 3.0]
    with pytest.raises(PluginError, match="cannot be read"):
        read(made.pinned(Privileges()))
    token.chmod(0o644)
    with pytest.raises(PluginError, match="can be read by others"):
        read(made.pinned(FILES))


def test_a_manifest_that_names_kinds_of_the_node_opens_no_file_of_theirs(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grasping(declared: Declarations) -> Declarations:
        more = tuple(declared.sources[0].model_copy(update={"kind": kind}) for kind in KINDS)
        return declared.model_copy(update={"sources": (*declared.sources, *more)})

    made = install_plugin(
        home.folder,
        NODE + SOURCES_OF_NODE,
        monkeypatch,
        code=BOTH,
        asks=FILES,
        declares=grasping,
    )
    (home.folder / "readings.txt").write_text("1\n")
    mapping = home.folder / "mappings" / "tax.toml"
    with load_plugins(made.pinned(FILES)) as plugins:
        theirs = plugins.sources["meters"].process.hosting  # type: ignore[attr-defined]
        ours = plugins.sources["extracts"].process.hosting  # type: ignore[attr-defined]
    assert home.folder / "readings.txt" in theirs.grants.readable
    assert mapping not in theirs.grants.readable
    assert mapping in ours.grants.readable


def test_a_source_that_gives_more_than_was_signed_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_fields(declared: Declarations) -> Declarations:
        sources = tuple(one.model_copy(update={"fields": ()}) for one in declared.sources)
        return declared.model_copy(update={"sources": sources})

    made = install_plugin(
        home.folder,
        NODE + SOURCES_OF_NODE,
        monkeypatch,
        code=SOURCE,
        asks=FILES,
        declares=without_fields,
    )
    config = made.pinned(FILES)
    only = changed(
        config, settings=config.settings.model_copy(update={"sources": config.sources[1:]})
    )
    with load_plugins(config) as plugins, pytest.raises(Problem) as raised:
        connect(only, plugins)
    assert "claims less than it does" in str(raised.value)
    assert raised.value.exit_code is ExitCode.VERIFICATION


def test_where_the_kernel_cannot_others_refuse_and_ours_run_here(
    others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmet = Problem("bubblewrap is missing", remedy="Install it", exit_code=ExitCode.SETTINGS)
    monkeypatch.setattr(opening, "unmet", lambda: unmet)

    def cannot(hostings: object, **given: object) -> object:
        if hostings:
            raise unmet
        return real(hostings, **given)

    real = opening.open_plugins
    monkeypatch.setattr(opening, "open_plugins", cannot)
    said = refusal(others.pinned())
    assert "a plugin of others runs in a confined process only" in said
    assert "bubblewrap is missing" in said
    with load_plugins(others.pinned()) as plugins:
        assert plugins.processes == ()
        assert not issubclass(plugins.factors["council_tax_arrears"], ConfinedFactor)
        assert {one.way for one in plugins.placements if one.is_shipped} == {Way.IN_PROCESS}


def test_warm_plugins_stay_until_one_ends_or_something_is_decided(others: Others) -> None:
    config = others.pinned()
    loads: list[LoadedPlugins] = []

    def load(config: NodeConfig) -> LoadedPlugins:
        loads.append(load_plugins(config))
        return loads[-1]

    days = [DAY]
    with no_child_left():
        warm = WarmPlugins(config, load, lambda: days[-1])
        first = warm()
        assert warm() is first
        first.processes[0].close()
        second = warm()
        assert second is not first
        assert not second.has_ended
        council = others.council
        council.keeper().revoke(
            Revocation(
                wheel=council.wheel.digest, distribution=NAME, since=council.today, reason="leak"
            )
        )
        third = warm()
        assert "energy_debt" in second.factors
        assert "energy_debt" not in third.factors
        days.append(DAY + datetime.timedelta(days=1))
        assert warm() is not third
        warm.close()
        del first, second, third
        loads.clear()


def test_a_source_of_what_the_node_keeps_is_refused_before_it_reads(home: Home) -> None:
    (home.folder / "mappings" / "tax.toml").write_text(
        'schema = 1\nname = "tax"\nlevel = "household"\nsupplier = "R"\nfiles = ["*.csv"]\n'
        'uprn = "UPRN"\n[fields.people]\ncolumn = "P"\ntype = "integer"\ncombine = "sum"\n'
        'category = "demography"\n'
    )
    for folder in (".", "store", "keys"):
        text = NODE + f'folder = "{folder}"\n'
        (home.folder / "node.toml").write_text(text)
        config = load_config(home.folder)
        with load_plugins(config) as plugins, pytest.raises(Problem) as raised:
            connect(config, plugins)
        assert "which no plugin may read" in str(raised.value)
        assert raised.value.where.endswith("sources.tax.options.folder")
        assert "extracts" in raised.value.remedy
