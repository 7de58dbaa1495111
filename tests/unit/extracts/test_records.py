"""Where records begin and end is found as the csv module of Python finds it."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_plugin_extracts.records import blank, layout, without

cell = st.text(alphabet='ab",;\n é\t', max_size=6)


def written(rows, delimiter=",", end="\n", quoting=csv.QUOTE_MINIMAL):
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return stream.getvalue().encode()


def tables(width):
    return st.lists(st.lists(cell, min_size=width, max_size=width), max_size=12)


@given(
    st.integers(1, 4).flatmap(lambda width: st.tuples(st.just(width), tables(width))),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_well_formed_text(drawn, delimiter, end, quoting):
    width, rows = drawn
    text = written(rows, delimiter, end, quoting)
    found = layout(text, delimiter.encode(), b'"', width)
    assert found.fields is None
    assert found.stray is None
    assert found.size == len(text)
    assert len(found.ends) == len(rows)
    assert found.line_count == text.count(b"\n")
    for at, row in enumerate(rows):
        record = text[found.starts[at] : found.ends[at] + 1].decode()
        assert next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), []) == row
        assert found.line(at) == text[: found.starts[at]].count(b"\n")
        assert found.line_span(at) == record.count("\n")


@given(st.lists(st.lists(cell, min_size=1, max_size=5), max_size=10), st.integers(1, 4))
def test_the_number_of_fields_is_counted(rows, expected):
    found = layout(written(rows, quoting=csv.QUOTE_ALL), b",", b'"', expected)
    counts = [len(row) for row in rows]
    if all(count == expected for count in counts):
        assert found.fields is None
    else:
        assert found.fields.tolist() == counts


@given(tables(3), st.data())
def test_records_are_dropped_whole(rows, data):
    text = written(rows)
    found = layout(text, b",", b'"', 3)
    dropped = np.array([data.draw(st.booleans()) for _ in rows], dtype=bool)
    kept = [row for row, gone in zip(rows, dropped, strict=True) if not gone]
    assert without(text, found, dropped) == written(kept)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'1,a"b"\n2,c\n', [True, False]),
        (b'1,"a"b"c"\n2,c\n', [True, False]),
        (b'1, "a"\n2,"c"\n', [True, False]),
        (b'1,"a" \n2,"c"\r\n', [True, False]),
        (b'1,"a""b"\n2,""\n', [False, False]),
        (b'"1","a\nb"\n', [False]),
    ],
)
def test_stray_quotes_are_found(text, expected):
    stray = layout(text, b",", b'"', 2).stray
    assert ([False] * len(expected) if stray is None else stray.tolist()) == expected


def test_an_open_quote_leaves_the_rest_for_later():
    found = layout(b'1,2\n3,"4\n5,6\n', b",", b'"', 2)
    assert found.size == 4
    assert found.line_count == 1
    assert layout(b'"1', b",", b'"', 2).size == 0


def test_without_a_quote_every_line_is_a_record():
    found = layout(b'1,5" pipe\n2,6" pipe\n', b",", b"", 2)
    assert len(found.ends) == 2
    assert found.fields is None


def test_empty_lines_are_blank_whatever_their_end():
    text = b"1\n\n\r\n \n2\n"
    assert blank(text, layout(text, b",", b'"', 1)).tolist() == [False, True, True, False, False]
