"""CSV files: every record is read or rejected by its line, or the run stops."""

import csv
import gzip
import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_sdk import PluginError


def read(path, *columns, chunk_bytes=1 << 20, **changes):
    """Records as (row number, values), and rejections as (row, reason)."""
    rejected = []
    records = []
    for batch in read_csv(path, columns, Dialect(**changes), rejected.extend, chunk_bytes):
        records += zip(batch.numbers().tolist(), batch.frame.select(columns).rows(), strict=True)
    return records, [(entry.row, entry.reason) for entry in rejected]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.csv"


cell = st.text(alphabet='ab",;\n é\t', max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.lists(cell, min_size=3, max_size=3).filter(lambda row: row[0] != ""), max_size=12
    ),
    chunk_bytes=st.sampled_from([1, 2, 7, 40, 1 << 20]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ended=st.booleans(),
    encoding=st.sampled_from(
        ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be"]
    ),
)
def test_reads_what_python_reads_on_the_lines_an_editor_shows(
    tmp_path_factory, rows, chunk_bytes, end, quoting, ended, encoding
):
    stream = io.StringIO()
    written = csv.writer(stream, lineterminator=end, quoting=quoting)
    written.writerow("abc")
    lines = []
    for row in rows:
        lines.append(stream.getvalue().count("\n") + 1)
        written.writerow(row)
    text = stream.getvalue() if ended or not rows else stream.getvalue().removesuffix(end)
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_bytes(text.encode(encoding))
    records, rejected = read(path, "c", "a", chunk_bytes=chunk_bytes, encoding=encoding)
    assert rejected == []
    assert [row for row, _ in records] == lines
    # Polars gives an unquoted empty field as null.
    assert [(c or "", a or "") for _, (c, a) in records] == [(row[2], row[0]) for row in rows]


@settings(max_examples=60, deadline=None)
@given(
    widths=st.lists(st.integers(1, 6), max_size=15),
    chunk_bytes=st.sampled_from([1, 7, 1 << 20]),
    quoted=st.booleans(),
)
def test_records_of_the_wrong_width_are_rejected_by_line(
    tmp_path_factory, widths, chunk_bytes, quoted
):
    value = '"1\n,"' if quoted else "1"
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_text("a,b,c\n" + "".join(",".join([value] * width) + "\n" for width in widths))
    records, rejected = read(path, "b", chunk_bytes=chunk_bytes)
    lines = [2]
    for width in widths:
        lines.append(lines[-1] + (width + 1 if quoted else 1))
    assert [row for row, _ in records] == [
        line for line, width in zip(lines, widths, strict=False) if width == 3
    ]
    assert rejected == [
        (line, f"has {width} fields, the header has 3")
        for line, width in zip(lines, widths, strict=False)
        if width != 3
    ]


PIECES = ['"', ",", "\n", "\r\n", "x", "1", '""', '","', '\n"']


@settings(max_examples=100, deadline=None)
@given(
    body=st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
    column=st.sampled_from("ab"),
    chunk_bytes=st.sampled_from([1, 5, 1 << 20]),
)
def test_of_any_text_nothing_is_lost_and_nothing_moves(tmp_path_factory, body, column, chunk_bytes):
    """Each line is empty, or rejected, or part of a record that Python reads alike."""
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_bytes(b"a,b\n" + body.encode())
    try:
        records, rejected = read(path, column, chunk_bytes=chunk_bytes)
    except PluginError:
        # Only quotes and a missing end may stop the run.
        assert '"' in body or not body.endswith("\n")
        return
    lines = body.split("\n")

    def python_reads(row):
        reader = csv.reader(line + "\n" for line in lines[row - 2 :])
        return next(reader), range(row, row + reader.line_num)

    accounted = []
    for row, (value,) in records:
        fields, span = python_reads(row)
        assert len(fields) == 2
        assert (value or "") == fields["ab".index(column)]
        accounted += span
    for row, reason in rejected:
        accounted += python_reads(row)[1] if "fields" in reason else [row]
    accounted += [at for at, line in enumerate(lines, 2) if line in ("", "\r")]
    assert set(accounted) == set(range(2, 2 + len(lines)))


def test_a_shifted_row_is_rejected_even_if_only_its_first_column_is_wanted(path):
    path.write_text("a,b,c\n1,Smith, Ann,\n2,Jones,\n3,x\n4,y,z\n")
    records, rejected = read(path, "a")
    assert records == [(3, ("2",)), (5, ("4",))]
    assert [row for row, _ in rejected] == [2, 4]


def test_a_short_and_a_long_row_do_not_make_up_for_each_other(path):
    path.write_text("a,b,c\n1,2\n1,2,3,\n1,2,3\n")
    records, rejected = read(path, "a")
    assert [row for row, _ in records] == [4]
    assert [row for row, _ in rejected] == [2, 3]


def test_empty_lines_are_no_records(path):
    path.write_bytes(b"a,b\n\n1,2\n\r\n\n3,4\n\n")
    records, rejected = read(path, "b")
    assert records == [(3, ("2",)), (6, ("4",))]
    assert rejected == []


def test_a_single_column(path):
    path.write_text("a\n1\n\n2\n3,4\n")
    assert read(path, "a") == ([(2, ("1",)), (4, ("2",))], [(5, "has 2 fields, the header has 1")])


def test_a_header_alone_is_an_extract_without_records(path):
    for text in ("a,b\n", "a,b", "a,b\r\n"):
        path.write_text(text)
        assert read(path, "b") == ([], [])


@pytest.mark.parametrize("column", ["a", "b"])
def test_a_stray_quote_rejects_its_record_whichever_column_is_wanted(path, column):
    path.write_text('a,b\n1,"x"y"z"\n2,z\n3,p" and q"\n4,z\n5,"x" ""\n6,"z"\n7,""\n')
    records, rejected = read(path, column)
    assert [row for row, _ in records] == [3, 5, 7, 8]
    assert [row for row, _ in rejected] == [2, 4, 6]
    assert "quote" in rejected[0][1]


@pytest.mark.parametrize("column", ["a", "b"])
def test_stray_quotes_that_span_lines_reject_every_line_between(path, column):
    path.write_text('a,b\n1,5" pipe\n2,x\n3,6" pipe\n4,z\n')
    records, rejected = read(path, column)
    assert [row for row, _ in records] == [5]
    assert [row for row, _ in rejected] == [2, 3, 4]


def test_stray_quotes_do_not_move_a_value_into_another_column(path):
    path.write_text('a,b,c,d\n1,5" x,6" y,wrong,right\n2,"x, y",p,right\n')
    records, rejected = read(path, "d")
    assert records == [(3, ("right",))]
    assert [row for row, _ in rejected] == [2]


def test_stray_quotes_that_swallow_much_stop_the_run(path):
    path.write_text('a,b\n1,5" pipe\n' + "2,x\n" * 2000 + '3,6" pipe\n')
    with pytest.raises(PluginError, match="line 2: begins quotes that do not pair"):
        read(path, "a")


def test_a_file_without_quotes_is_read_as_it_stands(path):
    path.write_text('a,b\n1,5" pipe\n2,6" pipe\n')
    assert read(path, "b", quote="")[0] == [(2, ('5" pipe',)), (3, ('6" pipe',))]


def test_another_delimiter_and_quote(path):
    path.write_text("a;b\n1;'x;y'\n")
    assert read(path, "b", delimiter=";", quote="'")[0] == [(2, ("x;y",))]


def test_blanks_around_column_names_are_ignored(path):
    path.write_text(' a ,"b "\n1,2\n')
    assert read(path, "b", "a")[0] == [(2, ("2", "1"))]


def test_unwanted_columns_may_have_no_name(path):
    path.write_text("a,b,,\n1,2,3,4\n")
    assert read(path, "b")[0] == [(2, ("2",))]


@pytest.mark.parametrize(
    ("content", "where", "problem", "remedy"),
    [
        (b"", "", "is empty", "Export the file again"),
        (b"\n1,2\n", "line 1", "is empty; it should name the columns", "Export"),
        (b"a,b,a\n1,2,3\n", "line 1", "names the column 'a' more than once", "once"),
        (b"a,c,c\n1,2,3\n", "line 1", "names the column 'c' more than once", "once"),
        (b"a,bb\n1,2\n", "line 1", "has no column 'b'", "Did you mean 'bb'?"),
        (b"8,9\n1,2\n", "line 1", "has no column 'a'", "does it begin with their names?"),
        (b"8,8\n1,2\n", "line 1", "names a column more than once", "once"),
        (b"a;b\n1;2\n", "line 1", "has no column 'a'", "delimited by ';': set `delimiter`"),
        (b'a,"b\n1,2\n', "line 1", "header", "Double each quote"),
        (b"a,b\r1,2\r", "line 1", "holds carriage returns", "line ends"),
        (b"a,b\n1,2\n3", "line 3", "truncated, or its last line is a note", "again"),
        (b'a,b\n1,2\n3,"4', "line 3", "never closed: the file is truncated", "Fetch"),
        (b'a,b\n1,"2\n3,4\n', "line 2", "never closed", 'set quote = ""'),
        (b"a,b\n1,\xa35\n", "line 2, byte 3", "is not UTF-8 (byte 0xa3)", "try cp1252"),
        (b"a,b\n1,2\nx,\xff\n", "line 3, byte 3", "is not UTF-8 (byte 0xff)", "try cp1252"),
        (b"a\xff,b\n1,2\n", "line 1, byte 2", "is not UTF-8", "try cp1252"),
        (b"a,b\n1,\x002\n", "line 2", "holds a zero byte", "again"),
        ("a,b\n1,2\n".encode("utf-16"), "line 1, byte 1", "mark of utf-16", 'encoding = "utf-16"'),
        ("a,b\n1,2\n".encode("utf-16-le"), "line 1", "a zero byte", 'encoding = "utf-16-le"'),
        ("a,b\n1,2\n".encode("utf-16-be"), "line 1", "a zero byte", 'encoding = "utf-16-be"'),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [3, 1 << 20])
def test_a_file_that_cannot_be_read_stops_the_run(
    path, content, where, problem, remedy, chunk_bytes
):
    path.write_bytes(content)
    with pytest.raises(PluginError) as caught:
        read(path, "a", "b", chunk_bytes=chunk_bytes)
    assert caught.value.where == (f"{path}: {where}" if where else str(path))
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("encoding", "content", "where", "problem"),
    [
        ("cp1252", b"a,b\n1,2\n3,\x81\n", "line 3, byte 11", "is not cp1252"),
        ("utf-16", "a,b\n1,2\n".encode("utf-16")[:-1], "line 2, byte 17", "is not utf-16"),
        ("utf-16", b"\xef\xbb\xbfa,b\n", "line 1, byte 1", "byte order mark of utf-8"),
        ("cp1252", b"\xef\xbb\xbfa,b\n", "line 1, byte 1", "byte order mark of utf-8"),
        ("utf-16", "a,b\n1,2\n".encode("utf-16-le"), "line 1", "without a byte order mark"),
        ("utf-16-le", "a,b\n1,2\n".encode("utf-16-be"), "line 1", "without a byte order mark"),
        ("utf-16-be", b"a,b\n1,2\n", "line 1", "is not utf-16-be"),
        ("utf-16-be", "a,b\n".encode("utf-16"), "line 1, byte 1", "byte order mark of utf-16"),
    ],
)
def test_a_wrong_encoding_is_said_with_line_and_byte(path, encoding, content, where, problem):
    path.write_bytes(content)
    with pytest.raises(PluginError) as caught:
        read(path, "a", "b", encoding=encoding)
    assert caught.value.where == f"{path}: {where}"
    assert problem in caught.value.problem
    assert "encoding" in caught.value.remedy


@pytest.mark.parametrize("read_as", ["cp1252", "latin-1"])
@pytest.mark.parametrize("chunk_bytes", [3, 1 << 20])
def test_text_in_utf_8_is_not_read_one_byte_at_a_time(path, read_as, chunk_bytes):
    path.write_bytes("a,b\n1,Zo\u00eb\n".encode())
    with pytest.raises(PluginError, match="is written in UTF-8") as caught:
        read(path, "a", encoding=read_as, chunk_bytes=chunk_bytes)
    assert caught.value.remedy == 'Set encoding = "utf-8"'
    path.write_bytes("a,b\n1,Zo\u00eb \u00a35\n".encode("cp1252"))
    assert read(path, "b", encoding=read_as)[0] == [(2, ("Zo\u00eb \u00a35",))]


def test_a_name_that_differs_only_in_case_or_blanks_is_offered(path):
    for written in ("uprn,Arrears", "U P R N,arrears", "\u200bUprn,ARREARS", '"UPRN ",arrears_'):
        path.write_text(f"{written}\n1,2\n")
        with pytest.raises(PluginError) as caught:
            read(path, "UPRN", "Arrears")
        assert "Did you mean" in caught.value.remedy, written


def test_signs_that_nobody_sees_around_a_name_are_ignored(path):
    path.write_bytes("\ufeff\ufeff\u200bUPRN\xa0,b\n1,2\n".encode())
    assert read(path, "UPRN")[0] == [(2, ("1",))]


def test_compressed_files(tmp_path):
    path = tmp_path / "x.csv.gz"
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 10_000)
    path.write_bytes(whole)
    assert len(read(path, "b")[0]) == 10_000
    path.write_bytes(gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"))
    assert [values for _, values in read(path, "b")[0]] == [("2",), ("4",)]
    for damaged, problem in [
        (whole[:-1], "truncated"),
        (whole[: len(whole) // 2], "truncated"),
        (whole[:-8] + b"\0" * 8, "not a sound gzip"),
        (b"a,b\n1,2\n", "not a sound gzip"),
    ]:
        path.write_bytes(damaged)
        with pytest.raises(PluginError, match=problem):
            read(path, "b")
    misnamed = tmp_path / "y.csv"
    misnamed.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read(misnamed, "b")[0] == [(2, ("2",))]


def test_records_are_handed_on_before_the_whole_file_is_read(path):
    path.write_bytes(b"a,b\n" + b"1,2\n" * 1000 + b"1,\xff\n")
    batches = read_csv(path, ("b",), Dialect(), lambda _: None, 100)
    assert next(batches).frame.height > 0
    with pytest.raises(PluginError, match="line 1002"):
        list(batches)


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(path, monkeypatch):
    monkeypatch.setattr("folkmoot_plugin_extracts.blocks.MAXIMUM_RECORD_BYTES", 1000)
    path.write_bytes(b'a,b\n1,2\n3,"' + b"4\n" * 1000)
    with pytest.raises(PluginError, match="line 3: begins a record of more than"):
        read(path, "b", chunk_bytes=100)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PluginError, match="cannot be read"):
        read(tmp_path / "none.csv", "b")


def test_text_stays_text(path):
    path.write_text("a,b\n007,true\n1.50,2026-01-01\n")
    (batch,) = read_csv(path, ("a", "b"), Dialect(), lambda _: None)
    assert set(batch.frame.schema.dtypes()) == {pl.String}
    assert batch.frame.rows() == [("007", "true"), ("1.50", "2026-01-01")]
