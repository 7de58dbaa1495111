"""Columns cross as an Arrow stream without a copy; what asks for more than it holds is refused."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_kit.channel import columns
from folkmoot_kit.channel.frames import FrameError
from folkmoot_kit.channel.ipc_messages import MOST_MESSAGES

TABLE = pa.table(
    {
        "number": pa.array([1.5, None, 3.0]),
        "text": pa.array(["a", None, "ccc"]),
        "view": pa.array(["a" * 40, None, "c"], pa.string_view()),
        "code": pa.array(["x", "y", "x"]).dictionary_encode(),
        "flag": pa.array([True, None, False]),
    }
)


def stream(table, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as to:
        to.write_table(table)
    return np.frombuffer(sink.getvalue(), np.uint8).copy()


def sent(table):
    parts = columns.written(table.to_batches(), table.schema)
    return np.frombuffer(b"".join(parts), np.uint8)


@pytest.mark.parametrize("table", [TABLE, TABLE.slice(1, 1), TABLE.slice(0, 0), pa.table({})])
def test_a_table_comes_as_it_was_sent(table):
    found = columns.read(sent(table))
    found.validate(full=True)
    assert found.equals(table)


def test_neither_side_copies_a_column():
    array = np.arange(100_000.0)
    table = pa.table([columns.made(pa.float64(), array)], ["a"])
    parts = columns.written(table.to_batches(), table.schema)
    assert any(
        np.shares_memory(array, np.frombuffer(part, np.uint8)) for part in parts if len(part) > 1e5
    )
    buffer = sent(table)
    found = columns.fixed(columns.read(buffer).column("a").chunk(0))
    assert np.shares_memory(found, buffer)


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_a_compressed_frame_is_refused_before_it_is_unpacked(codec):
    bomb = pa.table({"zeros": np.zeros(10_000_000), "more": np.ones(10_000_000)})
    content = stream(bomb, compression=codec)
    assert len(content) < bomb.nbytes / 20
    with pytest.raises(FrameError, match="compressed"):
        columns.read(content)


def test_a_compressed_dictionary_is_refused():
    words = pa.table({"code": pa.array(["x" * 1_000_000, "y"]).dictionary_encode()})
    with pytest.raises(FrameError, match="compressed"):
        columns.read(stream(words, compression="zstd"))


def test_a_dictionary_that_comes_in_parts_is_refused():
    first = pa.array(["a"]).dictionary_encode()
    second = pa.DictionaryArray.from_arrays(pa.array([1], pa.int32()), ["a", "b"])
    batches = [pa.RecordBatch.from_arrays([one], ["code"]) for one in (first, second)]
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_stream(sink, batches[0].schema, options=options) as to:
        for batch in batches:
            to.write_batch(batch)
    with pytest.raises(FrameError, match="in parts"):
        columns.read(np.frombuffer(sink.getvalue(), np.uint8))


def test_a_tensor_is_refused():
    sink = pa.BufferOutputStream()
    pa.ipc.write_tensor(pa.Tensor.from_numpy(np.zeros(3)), sink)
    with pytest.raises(FrameError):
        columns.read(np.frombuffer(sink.getvalue(), np.uint8))


@pytest.mark.parametrize("cut", [0, 4, 8, 100, -9, -100])
def test_a_frame_that_ends_early_is_refused(cut):
    with pytest.raises(FrameError):
        columns.read(stream(TABLE)[:cut])


def test_a_frame_that_goes_on_is_refused():
    with pytest.raises(FrameError, match="goes on"):
        columns.read(np.append(stream(TABLE), np.zeros(8, np.uint8)))


def test_a_frame_in_very_many_pieces_is_refused():
    """Each piece is short, and costs a thousand bytes once it is read."""
    empty = pa.record_batch({"0": pa.array([], pa.int32())})
    with pa.ipc.new_stream(sink := pa.BufferOutputStream(), empty.schema) as writer:
        for _ in range(MOST_MESSAGES):
            writer.write_batch(empty)
    with pytest.raises(FrameError, match="too many pieces"):
        columns.read(np.frombuffer(sink.getvalue(), np.uint8))


def test_more_columns_than_anybody_has_are_refused():
    wide = pa.table({str(at): pa.array([1]) for at in range(columns.MOST_COLUMNS + 1)})
    with pytest.raises(FrameError, match="too many"):
        columns.read(sent(wide))


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), min_size=1, max_size=20))
def test_damage_is_refused_or_leaves_a_table_that_can_be_validated(damage):
    content = stream(TABLE)
    for at, value in damage:
        content[at % len(content)] = value
    try:
        table = columns.read(content)
        columns.validate(table)
    except FrameError:
        return
    table.nbytes  # noqa: B018 - looks at each buffer


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1, 2, 3], pa.int64()).slice(1), [2, 3]),
        (pa.array([1.5, 2.5]), [1.5, 2.5]),
        (pa.array([True, False, True, True]).slice(1, 2), [0, 1]),
        (pa.array([], pa.bool_()), []),
        (pa.array([5], pa.uint8()), [5]),
        (pa.array([None, 3], pa.int16()).slice(1), [3]),
    ],
)
def test_values_of_fixed_width_are_read_as_they_are(column, expected):
    assert columns.fixed(column).tolist() == expected


@pytest.mark.parametrize(
    ("kind", "array"),
    [
        (pa.bool_(), np.array([True, False, True])),
        (pa.int32(), np.array([1, 2], np.int32)),
        (pa.float64(), np.array([])),
    ],
)
def test_a_column_holds_the_values_of_its_array(kind, array):
    column = columns.made(kind, array)
    column.validate(full=True)
    assert column.to_pylist() == array.tolist()


def test_pandas_is_not_imported_though_it_may_be_installed():
    code = """
import sys
import numpy as np, pyarrow as pa
from folkmoot_kit.channel import columns
column = columns.made(pa.float64(), np.arange(3.0))
table = pa.table([column], ["a"])
content = np.frombuffer(b"".join(columns.written(table.to_batches(), table.schema)), np.uint8)
found = columns.read(content)
found.validate(full=True)
assert columns.fixed(found.column(0).chunk(0)).tolist() == [0, 1, 2]
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
