"""`serve` as a service: it says when it is ready, and a loop that hangs says no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from pyrage import x25519
from stage import Stage, ask

from folkmoot import catalogue_codec, round_codec
from folkmoot.catalogue import Catalogue
from folkmoot_node.answering.kept_catalogue import FILE, keep_catalogue, kept_catalogue
from folkmoot_node.home import open_home
from tests import service_restrictions
from tests.absent import absent
from tests.forked_commands import run_forked
from tests.notified import Manager, service_manager
from tests.other_accounts import ROOT, Account, give_to
from tests.processes import is_stopped
from tests.service_restrictions import under
from tests.service_units import read_unit
from tests.waiting import wait_until

START = [sys.executable, "-I", "-S", str(ROOT / "node" / "folkmoot_node" / "start.py")]
ALONE = "[prefect]\nenabled = false\n"
WATCHDOG_SECONDS = 2.4
ACCOUNT = Account(64_321, 64_321)


@contextmanager
def served(stage: Stage, manager: Manager, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`serve` as the unit starts it."""
    with (stage.home / "node.toml").open("a") as file:
        file.write(ALONE)
    line = [*START, "serve", "--home", str(stage.home), "--poll-seconds", "1", *options]
    variables = manager.variables(WATCHDOG_SECONDS)
    log = stage.home.with_name("serve.log")
    with log.open("wb") as errors, subprocess.Popen(line, env=variables, stderr=errors) as process:
        try:
            manager.wait_for("READY=1")
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


class Hanging(list[bytes]):
    """Rounds that a coordinator never comes to list."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.over = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        self.asked.set()
        self.over.wait(60)
        return iter(())


def test_a_service_is_ready_lives_hangs_and_ends(stage: Stage) -> None:
    with service_manager() as manager, served(stage, manager, "--no-plugins") as process:
        assert manager.heard == ["READY=1\nSTATUS=visits the coordinator"]
        manager.wait_for("STATUS=visits the coordinator; the last visit ended well")
        manager.forget()
        signs = manager.listen(2.5 * WATCHDOG_SECONDS).count("WATCHDOG=1")
        assert 3 <= signs <= 12, manager.heard

        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: is_stopped(process.pid), "it to stop")
        manager.forget()
        assert manager.listen(1.5 * WATCHDOG_SECONDS) == [], "a process that is stopped"
        process.send_signal(signal.SIGCONT)
        manager.wait_for("WATCHDOG=1")

        stage.coordinator.rounds = hanging = Hanging()
        assert hanging.asked.wait(30)
        time.sleep(0.5)
        manager.forget()
        assert manager.listen(1.5 * WATCHDOG_SECONDS) == [], "a visit that hangs"
        stage.coordinator.rounds = []
        hanging.over.set()
        manager.wait_for("WATCHDOG=1")

        process.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        assert process.wait(30) == 0


def test_no_process_that_serve_starts_can_speak_for_it(stage: Stage) -> None:
    stage.coordinator.protocol = 3
    with service_manager() as manager, served(stage, manager) as process:
        until, found = time.monotonic() + 60, 0
        while not stage.coordinator.catalogues:  # made by a child, which starts others
            assert time.monotonic() < until
            for child in psutil.Process(process.pid).children(recursive=True):
                try:
                    variables = child.environ()
                except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
                    continue
                assert "NOTIFY_SOCKET" not in variables
                assert "WATCHDOG_USEC" not in variables
                found += 1
            time.sleep(0.02)
        assert found


def test_a_schedule_that_nobody_would_heed_is_refused(stage: Stage) -> None:
    with (stage.home / "node.toml").open("a") as file:
        file.write(f'[schedule]\nscore = "0 5 * * *"\n{ALONE}')
    refused = run_forked("folkmoot-node", "serve", "--home", stage.home, "--no-plugins")
    assert refused.code == 3
    assert "schedule.score" in refused.stderr
    assert "folkmoot-score.timer" in refused.stderr


def run_as_unit(
    name: str, home: Path, *command: str, also: tuple[Path, ...] = ()
) -> subprocess.CompletedProcess[str]:
    line = under(read_unit(name), ACCOUNT, *command, writable=[home, *also])
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd="/")


@pytest.mark.slow
def test_a_node_scores_and_answers_under_the_restrictions_of_its_units(stage: Stage) -> None:
    """What `serve` may not make, the unit that scores leaves for it."""
    if reason := service_restrictions.why_not():
        absent(reason)
    stage.coordinator.protocol = 3
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with (stage.home / "node.toml").open("a") as file:
        file.write(ALONE)
    give_to(ACCOUNT, stage.home)
    serve = [*START, "serve", "--home", str(stage.home), "--no-plugins", "--until-idle"]

    first = run_as_unit("folkmoot-node.service", stage.home, *serve)
    assert first.returncode == 0, first.stderr
    assert "release delivered" in first.stderr
    assert stage.coordinator.submissions
    assert not stage.coordinator.catalogues, "it starts no plugin to make one"

    scored = run_as_unit(
        "folkmoot-score.service", stage.home, *START, "score", "--home", str(stage.home)
    )
    assert scored.returncode == 0, scored.stderr
    assert "in the node's process" not in scored.stdout + scored.stderr
    kept = [sys.executable, "-m", "folkmoot_node.running.worker", "keep-catalogue", str(stage.home)]
    done = run_as_unit("folkmoot-score.service", stage.home, *kept)
    assert done.returncode == 0, done.stderr
    found = (stage.home / FILE).stat()
    assert (found.st_uid, found.st_mode & 0o777) == (ACCOUNT.uid, 0o600)

    second = run_as_unit("folkmoot-node.service", stage.home, *serve)
    assert second.returncode == 0, second.stderr
    [published] = [
        catalogue_codec.decode_catalogue(one.catalogue) for one in stage.coordinator.catalogues
    ]
    assert isinstance(published, Catalogue)
    assert published.attributes == {"band": ("none", "high"), "lsoa": ()}

    purged = run_as_unit(
        "folkmoot-purge.service", stage.home, *START, "purge", "--home", str(stage.home), "--yes"
    )
    assert purged.returncode == 0, purged.stderr

    backups = stage.home.with_name("backups")
    backups.mkdir(mode=0o700)
    os.chown(backups, ACCOUNT.uid, ACCOUNT.gid)
    recipient = str(x25519.Identity.generate().to_public())
    options = ["--recipient", recipient, "--folder", str(backups), "--home", str(stage.home)]
    backed_up = run_as_unit(
        "folkmoot-backup.service", stage.home, *START, "backup", *options, also=(backups,)
    )
    assert backed_up.returncode == 0, backed_up.stderr
    assert list(backups.iterdir())


def test_a_catalogue_of_another_signature_is_not_published(stage: Stage) -> None:
    with open_home(stage.home) as home:
        assert kept_catalogue(home) is None
        assert keep_catalogue(home)
        assert kept_catalogue(home) is not None
        path = stage.home / FILE
        path.write_bytes(bytes(32) + path.read_bytes()[32:])
        assert kept_catalogue(home) is None
