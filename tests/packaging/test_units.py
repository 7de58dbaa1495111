"""The systemd units: what systemd says of them, and what runs under their restrictions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import httpx2
import psutil
import pytest

from tests import service_restrictions, service_units
from tests.absent import absent
from tests.other_accounts import ROOT, Account
from tests.ports import free_port
from tests.service_restrictions import under
from tests.service_units import (
    DROP_INS,
    TIMERS,
    UNITS,
    Unit,
    exposure,
    permitted_calls,
    read_unit,
    system_tree,
)

PROGRAM = "/opt/folkmoot/current/bin/"
LONG_RUNNING = ("folkmoot-node", "folkmoot-casework", "folkmoot-coordinator", "folkmoot-viewer")
"""Units that say when they are ready, and are watched."""
RUN_PLUGINS = ("folkmoot-score.service", "folkmoot-casework.service")
SCORES = DROP_INS["folkmoot-node.service"]
STRICT, WITH_PLUGINS = 2.0, 3.5
ACCOUNT = Account(64_321, 64_321)
DOCUMENT = (ROOT / "docs" / "services.md").read_text("utf-8")


def services() -> list[Unit]:
    """All services, and that of the node with its drop-in."""
    return [*map(read_unit, UNITS), read_unit("folkmoot-node.service", SCORES)]


def runs_plugins(unit: Unit) -> bool:
    return unit.name in RUN_PLUGINS or (
        "--no-plugins" not in unit.value("ExecStart")
        and (" serve " in unit.value("ExecStart") and unit.value("User") == "folkmoot")
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := service_units.why_not():
        absent(reason)
    return system_tree(tmp_path_factory.mktemp("system"))


@pytest.fixture(scope="module")
def tree_with_drop_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := service_units.why_not():
        absent(reason)
    return system_tree(tmp_path_factory.mktemp("with-drop-ins"), drop_ins=True)


@pytest.fixture(scope="module")
def confined() -> None:
    if reason := service_restrictions.why_not():
        absent(reason)


def verified(tree: Path, *units: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={tree}", "--man=no", *units],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_systemd_finds_nothing_wrong(tree: Path, tree_with_drop_ins: Path) -> None:
    assert verified(tree, *UNITS, *TIMERS) == ""
    assert verified(tree_with_drop_ins, *UNITS) == ""


def test_systemd_is_asked_about_what_it_reads(tree: Path, tmp_path: Path) -> None:
    """A key that it does not know, or a program that is missing, would be seen."""
    other = system_tree(tmp_path / "system")
    unit = other / "etc" / "systemd" / "system" / "folkmoot-node.service"
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHomes="))
    assert "Unknown key" in verified(other, "folkmoot-node.service")
    (other / PROGRAM.strip("/") / "folkmoot-coordinator").unlink()
    assert "not executable" in verified(other, "folkmoot-coordinator.service")


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_exposed_as_little_as_the_page_says(tree: Path, name: str) -> None:
    found = exposure(tree, name)
    limit = WITH_PLUGINS if name in RUN_PLUGINS else STRICT
    assert found < limit
    row = re.search(rf"^\| `{re.escape(name)}` \|.*\| ([\d.]+) \|$", DOCUMENT, re.M)
    assert row, f"docs/services.md has no row of {name} that ends with its exposure"
    assert float(row[1]) == pytest.approx(found, abs=0.11), "another systemd may round otherwise"


def test_a_serve_that_scores_is_exposed_as_scoring_is(tree_with_drop_ins: Path) -> None:
    assert STRICT < exposure(tree_with_drop_ins, "folkmoot-node.service") < WITH_PLUGINS


def test_the_page_names_each_unit_and_each_account() -> None:
    for name in (*UNITS, *TIMERS):
        assert f"`{name}`" in DOCUMENT, name
    for unit in services():
        assert f"`{unit.value('User')}`" in DOCUMENT


@pytest.mark.parametrize("unit", services(), ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_exists(unit: Unit) -> None:
    for line in (*unit.values("ExecStart"), *unit.values("ExecStartPost")):
        words = line.lstrip("-").split()
        assert words[0].startswith(PROGRAM)
        program, rest = Path(words[0]).name, words[1:]
        if program == "python3.11" and rest[:2] == ["-I", "-S"]:
            file = rest[2].removeprefix("/opt/folkmoot/current/lib/python3.11/site-packages/")
            start, rest = [sys.executable, "-I", "-S", str(ROOT / "node" / file)], rest[3:]
        elif program == "python3.11":
            module = rest.index("-m")
            start = [sys.executable, *rest[: module + 2]]
            rest = rest[module + 2 :]
        else:
            start = [str(Path(sys.executable).with_name(program))]
        options = [word for word in rest if word.startswith("--")]
        commands = [word for word in rest[: 2 if "casework" in rest else 1] if word[0] not in "-/"]
        shown = subprocess.run(
            [*start, *commands, "--help"], capture_output=True, text=True, check=False,
            env={"COLUMNS": "200", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert shown.returncode == 0, shown.stderr
        for option in options:
            assert option in shown.stdout, line


def test_long_running_services_are_waited_for_and_watched() -> None:
    for unit in services():
        watched = unit.name.removesuffix(".service") in LONG_RUNNING
        assert (unit.value("Type") == "notify") is watched, unit.name
        assert bool(unit.value("WatchdogSec")) is watched, unit.name
        assert "AF_UNIX" in unit.words("RestrictAddressFamilies"), "the service manager's socket"


def test_what_needs_a_person_is_not_started_again() -> None:
    for unit in services():
        if unit.value("Restart") in ("on-failure", "always"):
            prevented = set(unit.words("RestartPreventExitStatus"))
            assert "3" in prevented, unit.name
            assert "6" not in prevented, "what passes is tried again"
            if unit.name != "folkmoot-prefect.service":
                assert "7" in prevented, unit.name


def test_nothing_is_reloaded_that_reads_no_settings_again() -> None:
    assert not [unit.name for unit in services() if unit.values("ExecReload")]


@cache
def environment_of_accounts() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in service_units.DEPLOY.glob("*.sysusers.conf"):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("u "):
                found.setdefault(line.split()[1], set()).add(path.name)
    return found


def test_each_role_has_an_account_of_its_own_that_systemd_makes(tmp_path: Path) -> None:
    if reason := service_units.why_not():
        absent(reason)
    users = {unit.name: unit.value("User") for unit in services()}
    assert set(users.values()) == set(environment_of_accounts())
    assert "root" not in users.values()
    roles = [users[f"folkmoot-{one}.service"] for one in (
        "node", "casework", "coordinator", "prefect")]  # fmt: skip
    assert len(set(roles)) == 4
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group"):
        (tmp_path / "etc" / name).touch()
    for role in ("node", "region"):
        for tool, options in (("sysusers", ()), ("tmpfiles", ("--create",))):
            file = service_units.DEPLOY / f"folkmoot-{role}.{tool}.conf"
            done = subprocess.run(
                [f"systemd-{tool}", f"--root={tmp_path}", *options, str(file)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
    made = (tmp_path / "etc" / "passwd").read_text()
    for user in users.values():
        assert re.search(rf"^{user}:", made, re.M)
        assert f"{user}:x:" in made
    assert made.count("nologin") == len(environment_of_accounts())
    group = (tmp_path / "etc" / "group").read_text()
    assert re.search(r"^folkmoot-casework:x:\d+:folkmoot$", group, re.M)
    for unit in services():
        for place in unit.words("ReadWritePaths"):
            if place.startswith("/srv/") and place.count("/") == 2:
                found = (tmp_path / place[1:]).stat()
                assert found.st_mode & 0o777 == 0o700, place


def test_a_home_that_was_opened_to_a_group_stays_open(tmp_path: Path) -> None:
    """`casework share` opens it; the next start of the machine must not close it."""
    if reason := service_units.why_not():
        absent(reason)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("folkmoot:x:64321:64321::/:/bin/sh\n")
    (tmp_path / "etc" / "group").write_text("folkmoot:x:64321:\n")
    home = tmp_path / "srv" / "folkmoot"
    home.mkdir(parents=True)
    home.chmod(0o710)
    file = service_units.DEPLOY / "folkmoot-node.tmpfiles.conf"
    subprocess.run(["systemd-tmpfiles", f"--root={tmp_path}", "--create", str(file)], check=True)
    assert home.stat().st_mode & 0o777 == 0o710


def test_casework_and_the_site_cannot_reach_what_is_not_theirs() -> None:
    node, casework = map(read_unit, ("folkmoot-node.service", "folkmoot-casework.service"))
    (home,) = node.words("ReadWritePaths")
    assert casework.words("ReadWritePaths") == [f"{home}/casework", f"{home}/corrections"]
    assert f"{home}/state.sqlite" in casework.words("InaccessiblePaths")
    site = read_unit("folkmoot-viewer.service")
    assert site.words("InaccessiblePaths") == ["/srv/folkmoot-region/keys"]
    assert not site.values("LoadCredential")


def test_scoring_may_use_the_network() -> None:
    """Sources may be databases, and a run may use a Dask cluster."""
    unit = read_unit("folkmoot-score.service")
    for forbidding in ("PrivateNetwork", "IPAddressDeny", "RestrictNetworkInterfaces"):
        assert not unit.values(forbidding)
    assert {"AF_INET", "AF_INET6"} <= set(unit.words("RestrictAddressFamilies"))


def test_what_needs_no_network_has_none() -> None:
    for name in ("folkmoot-purge.service", "folkmoot-backup.service"):
        assert read_unit(name).is_on("PrivateNetwork")
    prefect = read_unit("folkmoot-prefect.service")
    assert prefect.values("IPAddressDeny") == ["any"]
    assert prefect.values("IPAddressAllow") == ["localhost"]


def test_every_timer_has_a_service_and_catches_up(tree: Path) -> None:
    for name in TIMERS:
        assert name.replace(".timer", ".service") in UNITS
        text = (service_units.DEPLOY / name).read_text("utf-8")
        assert "Persistent=yes" in text
        (when,) = re.findall(r"^OnCalendar=(.*)$", text, re.M)
        assert subprocess.run(
            ["systemd-analyze", "calendar", when], capture_output=True, check=False
        ).returncode == 0  # fmt: skip


def test_credentials_are_those_that_the_programs_look_for() -> None:
    named = {
        line.partition(":")[0] for unit in services() for line in unit.values("LoadCredential")
    }
    assert named == {"store.key", "prefect.auth", "authority.key", "signing.key"}
    for unit in services():
        for line in unit.values("LoadCredential"):
            # A name, and no path: systemd then goes on where there is no such file.
            assert "/" not in line.partition(":")[2]
            assert f"`{line.partition(':')[0]}`" in DOCUMENT


SELF_TEST = """
from folkmoot_kit.confinement import self_test
for layer in self_test():
    print(layer.name, layer.works, layer.problem.splitlines()[:1])
"""
WITH_PLUGINS_UNITS = [unit for unit in services() if runs_plugins(unit)]


def layers(unit: Unit) -> str:
    done = subprocess.run(
        under(unit, ACCOUNT, sys.executable, "-c", SELF_TEST),
        capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5, done.stdout
    return done.stdout


@pytest.mark.usefixtures("confined")
@pytest.mark.parametrize("unit", WITH_PLUGINS_UNITS, ids=lambda unit: unit.name)
def test_plugins_are_confined_under_the_restrictions_of_a_unit(unit: Unit) -> None:
    assert " False " not in layers(unit)


def test_the_units_that_run_plugins_are_known() -> None:
    names = [unit.name for unit in WITH_PLUGINS_UNITS]
    assert sorted(names) == ["folkmoot-casework.service", "folkmoot-node.service",
                             "folkmoot-score.service"]  # fmt: skip


BREAKING = {
    "RestrictNamespaces=yes": "bubblewrap",
    "RestrictNamespaces=~user": "bubblewrap",
    "RestrictNamespaces=~cgroup": "bubblewrap",
    "ProtectHostname=yes": "bubblewrap",
    "ProtectKernelTunables=yes": "bubblewrap",
    "ProcSubset=pid": "bubblewrap",
    "SystemCallFilter=~@mount": "bubblewrap",
    "SystemCallFilter=~sethostname": "bubblewrap",
    "RestrictAddressFamilies=|RestrictAddressFamilies=AF_UNIX AF_INET": "bubblewrap",
    "SystemCallFilter=~landlock_create_ruleset": "bubblewrap",
    "SystemCallFilter=~seccomp": "seccomp",
    "MemoryDenyWriteExecute=yes": "clock",
}


@pytest.mark.usefixtures("confined")
@pytest.mark.parametrize("line", BREAKING)
def test_a_restriction_that_keeps_bubblewrap_from_its_work_is_seen(line: str) -> None:
    unit = read_unit("folkmoot-score.service").changed(*line.split("|"))
    assert f"{BREAKING[line]} False" in layers(unit)
    key = line.partition("=")[0]
    assert key in (service_units.DEPLOY / "folkmoot-score.service").read_text("utf-8"), (
        "the unit says why it does without it"
    )


@pytest.mark.usefixtures("confined")
@pytest.mark.parametrize(
    ("name", "modules"),
    {
        "folkmoot-node.service": "folkmoot_node.running.serve, duckdb, opendp.prelude, grpc",
        "folkmoot-coordinator.service": "folkmoot_coordinator.server.server, prefect",
        "folkmoot-purge.service": "folkmoot_node.operations.retention, duckdb",
    }.items(),
)
def test_what_a_strict_unit_runs_works_there(name: str, modules: str, tmp_path: Path) -> None:
    """Native libraries among it, and a folder of its own that it writes; no other."""
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    for above in home.parents:
        if above != Path("/") and not above.stat().st_mode & 1:
            above.chmod(above.stat().st_mode | 0o011)
    program = f"""
import {modules}
import os, socket, sys
from pathlib import Path
home = Path(sys.argv[1])
(home / "written").write_text("x")
def refused(do):
    try:
        do()
    except OSError:
        return True
    return False
assert refused(lambda: Path("/srv/elsewhere").write_text("x"))
assert refused(lambda: Path("/etc/elsewhere").write_text("x"))
assert refused(lambda: (home.parent / "beside").write_text("x"))
assert refused(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x10000000) == -1, "no user namespace"
assert libc.prctl(39, 0, 0, 0, 0) == 1, "no new privileges"
print("done")
"""
    done = subprocess.run(
        under(read_unit(name), ACCOUNT, sys.executable, "-c", program, home, writable=[home]),
        capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    assert done.stdout == "done\n", done.stderr


def test_every_unit_is_hardened_alike() -> None:
    """What no program of ours needs, none has."""
    alike = (
        "NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "ProtectClock",
        "ProtectControlGroups", "ProtectKernelLogs", "ProtectKernelModules", "LockPersonality",
        "RestrictRealtime", "RestrictSUIDSGID", "RemoveIPC",
    )  # fmt: skip
    for unit in services():
        for key in alike:
            assert unit.is_on(key), (unit.name, key)
        assert unit.value("ProtectSystem") == "strict"
        assert unit.value("UMask") == "0077"
        assert unit.value("SystemCallArchitectures") == "native"
        assert unit.value("CapabilityBoundingSet") == ""
        assert ("Service", "CapabilityBoundingSet", "") in unit.entries
        permitted = permitted_calls(unit)
        assert permitted is not None
        assert not permitted & {"reboot", "init_module", "swapon", "bpf", "iopl", "settimeofday"}
        assert ("mount" in permitted) is runs_plugins(unit)
        assert unit.is_on("RestrictNamespaces") is not runs_plugins(unit)


@pytest.mark.slow
@pytest.mark.usefixtures("confined")
def test_prefect_serves_this_machine_alone_under_its_unit(tmp_path: Path) -> None:
    """With the password of the credential; without it nobody learns anything."""
    credentials, folder = tmp_path / "credentials", tmp_path / "state"
    secret = b"folkmoot:" + b"s" * 40
    for made in (credentials, folder):
        made.mkdir(mode=0o700)
    (credentials / "prefect.auth").write_bytes(secret)
    (credentials / "prefect.auth").chmod(0o400)
    for path in (credentials, credentials / "prefect.auth", folder):
        os.chown(path, ACCOUNT.uid, ACCOUNT.gid)
    credentials.chmod(0o500)
    for above in folder.parents:
        if above != Path("/") and not above.stat().st_mode & 1:
            above.chmod(above.stat().st_mode | 0o011)
    port = free_port()
    line = under(
        read_unit("folkmoot-prefect.service"), ACCOUNT, sys.executable, "-I", "-m",
        "folkmoot_operator.run_prefect", "--port", port, folder,
        writable=[folder], visible=[credentials],
    )  # fmt: skip
    log = tmp_path / "log"
    variables = {**os.environ, "CREDENTIALS_DIRECTORY": str(credentials), "SQL_PASSWORD": "x"}
    with (
        log.open("wb") as out,
        subprocess.Popen(line, cwd="/", env=variables, stdout=out, stderr=out) as process,
    ):
        try:
            address = f"http://127.0.0.1:{port}/api/flow_runs/filter"
            until, answered = time.monotonic() + 120, 0
            while not answered:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                try:
                    answered = httpx2.post(address, json={}, timeout=5).status_code
                except httpx2.HTTPError:
                    time.sleep(0.5)
            assert answered == 401
            user, _, password = secret.decode().partition(":")
            known = httpx2.post(address, json={}, auth=(user, password), timeout=30)
            assert (known.status_code, known.json()) == (200, [])
            for one in [started := psutil.Process(process.pid), *started.children(recursive=True)]:
                assert "SQL_PASSWORD" not in one.environ()
        finally:
            process.terminate()
            process.wait(60)
    assert (folder / "prefect.db").stat().st_size > 0
    assert (folder / "interface").is_dir(), "and nothing is written where Prefect is installed"
