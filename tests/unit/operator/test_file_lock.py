"""Locks between processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from folkmoot_operator import file_lock

HOLDING = """
import os, sys
from pathlib import Path
from folkmoot_operator import file_lock
lock = file_lock.acquire(Path(sys.argv[1]))
file_lock.note_holder(lock, os.getpid())
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_one_processes_until_it_ends_however_that_is(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert file_lock.acquire(path) is None
        assert file_lock.holder(path) == other.pid
        other.kill()
    lock = file_lock.acquire(path)
    assert lock is not None
    file_lock.note_holder(lock, None)
    assert file_lock.holder(path) is None
    file_lock.release(lock)
    assert path.stat().st_mode & 0o777 == 0o600


def test_who_waits_gets_it_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"held\n"
        threading.Timer(0.2, other.stdin.close).start()  # which is how it ends
        with file_lock.waiting_for(path):
            assert other.wait(30) == 0
            assert file_lock.acquire(path) is None
    lock = file_lock.acquire(path)
    assert lock is not None
    file_lock.release(lock)


def test_a_folder_is_locked_by_one_at_a_time_and_nothing_is_written_into_it(tmp_path: Path) -> None:
    order = []

    def second() -> None:
        with file_lock.waiting_for_folder(tmp_path):
            order.append("second")

    with file_lock.waiting_for_folder(tmp_path):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.2)
        assert other.is_alive()
        order.append("first")
    other.join(60)
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []
