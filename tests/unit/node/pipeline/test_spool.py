"""Tables between the stages of a run: in memory, or encrypted on disk, and the same from both."""

from __future__ import annotations

import base64
import stat
import threading

import polars as pl
import pytest

from folkmoot_node.pipeline import spool as spool_module
from folkmoot_node.pipeline.spool import Spool
from folkmoot_node.store.encrypted_file import StoreKey
from folkmoot_operator.problems import ExitCode, Problem

KEY = StoreKey(base64.b64encode(bytes(32)).decode())
OTHER = StoreKey(base64.b64encode(bytes([1] * 32)).decode())
CANARY = "zq-canary-4410"
MEBIBYTE = 2**20


def table(first, count=1000):
    numbers = pl.int_range(first, first + count, eager=True)
    return pl.DataFrame({"n": numbers, "text": pl.repeat(CANARY, count, eager=True)})


def make(tmp_path, memory=0, key=KEY, run_id="r1"):
    return Spool(tmp_path / "run", key, run_id, memory)


@pytest.mark.parametrize("memory", [0, 60_000, MEBIBYTE])
def test_the_rows_of_a_partition_come_back_in_order(tmp_path, memory, monkeypatch):
    monkeypatch.setattr(spool_module, "_FLUSH_BYTES", 50_000)
    spool = make(tmp_path, memory)
    with spool.writer("tax") as writer:
        for at in range(6):
            writer.append(at % 2, table(at * 1000))
        writer.document = "six"
    even = spool.read("tax", 0)
    assert even is not None
    assert even.equals(pl.concat([table(0), table(2000), table(4000)]))
    assert spool.read("tax", 7) is None
    assert spool.document("tax") == "six"
    assert spool.has("tax")
    assert not spool.has("rents")
    assert spool.path("tax").exists() == (memory < MEBIBYTE)


def test_another_process_finds_what_was_written_without_memory(tmp_path):
    with make(tmp_path).writer("tax") as writer:
        writer.append(3, table(5))
        writer.document = "one"
    there = make(tmp_path)
    found = there.read("tax", 3)
    assert found is not None
    assert found.equals(table(5))
    assert there.document("tax") == "one"


def test_a_name_without_rows_is_there_too(tmp_path):
    with make(tmp_path).writer("empty"):
        pass
    there = make(tmp_path)
    assert there.has("empty")
    assert there.document("empty") == ""
    assert there.read("empty", 0) is None


def test_files_show_nothing_and_are_the_accounts_own(tmp_path):
    spool = make(tmp_path)
    with spool.writer("tax") as writer:
        writer.append(0, table(0))
        writer.document = CANARY
    content = spool.path("tax").read_bytes()
    assert CANARY.encode() not in content
    assert stat.S_IMODE(spool.path("tax").stat().st_mode) == 0o600
    assert stat.S_IMODE(spool.path("tax").parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("changes", [{"key": OTHER}, {"run_id": "r2"}])
def test_another_key_or_run_opens_nothing(tmp_path, changes):
    with make(tmp_path).writer("tax") as writer:
        writer.append(0, table(0))
    with pytest.raises(Problem, match="damaged") as caught:
        make(tmp_path, **changes).read("tax", 0)
    assert caught.value.exit_code is ExitCode.DATA


@pytest.mark.parametrize("damage", ["cut", "bit", "moved", "empty"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    spool = make(tmp_path)
    for name in ("tax", "rents"):
        with spool.writer(name) as writer:
            writer.append(0, table(0))
    path = spool.path("tax")
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[:-20]
    elif damage == "bit":
        content[100] ^= 1
    elif damage == "moved":
        content = bytearray(spool.path("rents").read_bytes())
    else:
        content = bytearray()
    path.write_bytes(content)
    with pytest.raises(Problem, match="damaged"):
        make(tmp_path).read("tax", 0)


@pytest.mark.parametrize("memory", [0, MEBIBYTE])
def test_what_failed_is_not_there(tmp_path, memory):
    spool = make(tmp_path, memory)
    with pytest.raises(ValueError, match="stop"), spool.writer("tax") as writer:
        writer.append(0, table(0))
        raise ValueError("stop")
    assert not spool.has("tax")
    assert not list((tmp_path / "run").glob("*")) if memory == 0 else True
    with spool.writer("tax") as writer:
        writer.append(0, table(7))
    again = spool.read("tax", 0)
    assert again is not None
    assert again.equals(table(7))


def test_dropped_partitions_make_room(tmp_path):
    size = int(table(0).estimated_size())
    spool = make(tmp_path, memory=size + 100)
    with spool.writer("tax") as writer:
        writer.append(0, table(0))
    assert not spool.take(size)
    spool.drop(["tax", "unknown"], 0)
    assert spool.take(size)


def test_several_threads_write_their_own_names(tmp_path):
    spool = make(tmp_path, memory=100_000)

    def write(name):
        with spool.writer(name) as writer:
            for at in range(20):
                writer.append(at % 3, table(at))

    threads = [threading.Thread(target=write, args=(f"s{at}",)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = pl.concat([table(at) for at in range(1, 20, 3)])
    assert all(spool.read(f"s{at}", 1).equals(expected) for at in range(4))
