"""Libraries of plugins can be imported and used, with threads, after lock-down."""

from __future__ import annotations

import pytest

from folkmoot_kit.confinement import Grants, Limits
from tests.confined_code import run_confined

NUMPY = """
import numpy as np
square = np.random.default_rng(1).random((300, 300))
ones = np.ones(300)
result = [float(np.linalg.inv(square) @ square @ ones @ ones), bool(np.sort(square)[0, 0] >= 0)]
"""
PYARROW = """
import pyarrow as pa, pyarrow.compute as pc, pyarrow.ipc
table = pa.table({"a": list(range(200_000)), "b": ["x", "y"] * 100_000})
sums = table.group_by("b").aggregate([("a", "sum")]).sort_by("b").to_pylist()
sink = pa.BufferOutputStream()
with pa.ipc.new_stream(sink, table.schema) as writer:
    writer.write_table(table)
back = pa.ipc.open_stream(sink.getvalue()).read_all()
back.validate(full=True)
result = [sums[0]["a_sum"], back.num_rows, pc.sum(back["a"]).as_py()]
"""
POLARS = """
import polars as pl
frame = pl.DataFrame({"a": range(300_000), "b": [n % 3 for n in range(300_000)]})
sums = frame.lazy().group_by("b").agg(pl.col("a").sum()).sort("b").collect()
result = [pl.thread_pool_size() >= 1, sums["a"].to_list()]
"""
POLARS_FILE = """
import polars as pl
pl.DataFrame({"a": [1, 2]}).write_csv("/scratch/made.csv")
pl.DataFrame({"a": [1, 2]}).write_parquet("/scratch/made.parquet")
result = [
    pl.scan_csv("/scratch/made.csv").collect().height,
    pl.read_parquet("/scratch/made.parquet").height,
]
"""
ONNX = """
import numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["y"])], "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 64])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 64])],
    [helper.make_tensor("w", TensorProto.FLOAT, [64, 64], np.ones(4096, dtype=np.float32))],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 4
session = onnxruntime.InferenceSession(
    model.SerializeToString(), options, providers=["CPUExecutionProvider"]
)
result = float(session.run(None, {"x": np.ones((20_000, 64), dtype=np.float32)})[0].sum())
"""
DUCKDB = """
import duckdb
connection = duckdb.connect()
connection.execute("set threads = 4")
result = connection.execute("select count(*), sum(range)::bigint from range(1000000)").fetchone()
"""
SKLEARN = """
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
rows = np.random.default_rng(0).random((200, 3))
for model in (LogisticRegression(), RandomForestClassifier(n_estimators=5, n_jobs=2)):
    model.fit(rows, rows[:, 0] > 0.5)
    result = float(model.score(rows, rows[:, 0] > 0.5)) > 0.8
"""
STANDARD = """
import asyncio, concurrent.futures, csv, datetime, decimal, json, logging, queue, random
import sqlite3, tempfile, threading, time, uuid, zoneinfo
logging.getLogger("plugin").warning("a message")
async def both():
    return await asyncio.gather(asyncio.sleep(0.01, 1), asyncio.to_thread(lambda: 2))
result = [
    asyncio.run(both()),
    sqlite3.connect(":memory:").execute("select 1 + 1").fetchone()[0],
    len(str(uuid.uuid4())),
    str(datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/London")).utcoffset()),
]
"""
TIMEOUTS = """
import queue, threading, time
def lasted(wait):
    began = time.monotonic()
    try: wait()
    except queue.Empty: pass
    return time.monotonic() - began
condition = threading.Condition()
condition.acquire()
lasting = [
    lasted(lambda: threading.Event().wait(0.2)), lasted(lambda: time.sleep(0.2)),
    lasted(lambda: queue.Queue().get(timeout=0.2)), lasted(lambda: condition.wait(0.2)),
]
result = [0.15 < it < 60 for it in lasting]  # a busy machine ends them later
"""
THREADS = """
import threading
totals = []
def add():
    totals.append(sum(range(300_000)))
threads = [threading.Thread(target=add) for _ in range(16)]
[it.start() for it in threads]
[it.join() for it in threads]
result = len(totals)
"""


@pytest.mark.parametrize(
    "code, expected",
    [
        pytest.param(NUMPY, [pytest.approx(300), True], id="numpy"),
        pytest.param(PYARROW, [9999900000, 200_000, 19999900000], id="pyarrow"),
        pytest.param(ONNX, 81_920_000.0, id="onnxruntime"),
        pytest.param(DUCKDB, [1_000_000, 499_999_500_000], id="duckdb"),
        pytest.param(SKLEARN, True, id="scikit-learn"),
        pytest.param(STANDARD, [[1, 2], 2, 36, "1:00:00"], id="standard library"),
        pytest.param(TIMEOUTS, [True] * 4, id="waits that end"),
        pytest.param(THREADS, 16, id="threads"),
    ],
)
@pytest.mark.parametrize("clock", [False, True], ids=["no clock", "clock"])
def test_works_confined(code: str, expected: object, clock: bool) -> None:
    outcome = run_confined(code, Grants(clock=clock))

    assert outcome.value == expected, outcome


def test_polars_works_with_a_clock() -> None:
    outcome = run_confined(POLARS, Grants(clock=True))

    assert outcome.value == [True, [14999850000, 14999950000, 15000050000]], outcome


def test_polars_reads_and_writes_a_folder_of_its_own() -> None:
    outcome = run_confined(POLARS_FILE, Grants(clock=True, limits=Limits(scratch_mib=16)))

    assert outcome.value == [2, 2], outcome


def test_lazy_polars_reads_the_processors_counter_which_ends_a_process_without_a_clock() -> None:
    """What SECURITY and the vendor's documentation say about Polars in a factor."""
    outcome = run_confined(POLARS)

    assert outcome.ending is not None
    assert outcome.value is None
    assert "the processor's counter was read" in outcome.ending.reason
