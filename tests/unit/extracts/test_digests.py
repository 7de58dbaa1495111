"""Rows have equal hashes where they are equal as a whole, whichever columns are wanted."""

import polars as pl
import pytest

from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.not_records import Surroundings
from folkmoot_plugin_extracts.parquet_file import read_parquet
from folkmoot_plugin_extracts.workbook import read_workbook
from tests.unit.extracts.workbooks import write_xlsx

ROWS = [("1", "x", "a"), ("2", "x", "a"), ("1", "x", "a"), ("1", "x", "b"), ("1", "x", "a")]
EQUAL = [[0, 2, 4], [1], [3]]


def alike(batches):
    """Which rows have one hash, by their place among all."""
    found = {}
    hashes = [tuple(pair) for batch in batches for pair in batch.digest.tolist()]
    for at, pair in enumerate(hashes):
        found.setdefault(pair, []).append(at)
    assert all(batch.digest.shape == (batch.frame.height, 2) for batch in batches)
    assert len({half for pair in hashes for half in pair}) == 2 * len(found)
    return list(found.values())


def csv_batches(path, chunk_bytes=1 << 20):
    around = Surroundings()
    return list(
        read_csv(path, ("a",), Dialect(), lambda _: None, chunk_bytes, around=around,
                 leave_out=lambda *_: None)
    )  # fmt: skip


@pytest.mark.parametrize("chunk_bytes", [1, 9, 1 << 20])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("text", ["{}", '"{}\n,"'])
def test_rows_of_text(tmp_path, chunk_bytes, end, ended, text):
    path = tmp_path / "x.csv"
    rows = [",".join([one, text.format(two), three]) for one, two, three in ROWS]
    written = end.join(["a,b,c", *rows[:2], "broken", "", *rows[2:]]) + (end if ended else "")
    path.write_bytes(written.encode())
    assert alike(csv_batches(path, chunk_bytes)) == EQUAL


def test_rows_keep_their_hash_in_another_file_and_after_a_filter(tmp_path):
    path, other = tmp_path / "x.csv", tmp_path / "y.csv"
    path.write_text("a,b,c\n" + "".join(",".join(row) + "\n" for row in ROWS))
    other.write_text("a,b,c\n3,x,a\n1,x,a\n")
    (one,), (two,) = csv_batches(path), csv_batches(other)
    assert two.digest[1].tolist() == one.digest[0].tolist()
    kept = one.filter(pl.Series([False, True, False, False, True]))
    assert kept.digest.tolist() == one.digest[[1, 4]].tolist()


def test_one_row_has_one_hash_however_its_block_is_cut(tmp_path):
    """Beside records of several lines, and beside a sign that nobody uses."""
    hashes = []
    for beside in ("3,x,a", '3,"\n",a', "3,\x1f,a"):
        path = tmp_path / "x.csv"
        path.write_text(f"a,b,c\n1,x,\u00e9\n{beside}\n1,\x1e,a\n")
        (batch,) = csv_batches(path)
        hashes.append(batch.digest[0].tolist())
    assert hashes[0] == hashes[1] == hashes[2]


def test_rows_of_parquet_and_of_workbooks(tmp_path):
    path = tmp_path / "x.parquet"
    frame = pl.DataFrame(ROWS, schema=["a", "b", "c"], orient="row")
    frame.with_columns(d=pl.lit([1])).write_parquet(path)
    assert alike(list(read_parquet(path, ("a",), 2))) == EQUAL
    book = tmp_path / "x.xlsx"
    write_xlsx(book, {"S": [["a", "b", "c"], *ROWS]})
    batches = read_workbook(book, ("a",), "", Surroundings(), lambda *_: None, batch_rows=3)
    assert alike(list(batches)) == EQUAL
