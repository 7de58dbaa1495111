"""Titles, totals, notes and repeated headers are left out with a reason; records are not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_plugin_extracts import not_records
from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.not_records import LeaveOut, NotRecords, Surroundings
from folkmoot_sdk import PluginError

HEADER = "UPRN,Arrears,Support"
RECORDS = ["10,1.00,N", "11,2.00,Y"]


def accounts(folder, *lines, top="", name="accounts.csv", **changes):
    """A source whose fields are in three columns."""
    folder.mapping(
        'schema = 1\nname = "accounts"\nlevel = "household"\nfiles = ["accounts*"]\n'
        f'uprn = "UPRN"\n{top}\n'
        '[fields.owed]\ncolumn = "Arrears"\ntype = "number"\ncombine = "sum"\n'
        'category = "finance"\n'
        '[fields.support]\ncolumn = "Support"\ntype = "boolean"\ncombine = "any"\n'
        'category = "finance"\n'
    )
    folder.csv(*lines[1:], header=lines[0], name=name, **changes)
    return folder.read()


def test_a_title_above_the_header_is_skipped_where_it_is_plainly_one(folder):
    title = ["Trafford council tax arrears,,", "", "As at:,28/11/2026,", '5" pipe report,,']
    for lines in (title[:1], title[:2], title):
        frame = accounts(folder, *lines, HEADER, *RECORDS)
        assert frame["uprn"].to_list() == [10, 11]
        assert folder.rows() == [len(lines) + 2, len(lines) + 3]
        assert folder.left_out == {not_records.ABOVE: sum(bool(line) for line in lines)}


def test_a_header_below_lines_that_may_be_records_is_named_with_the_key(folder):
    with pytest.raises(PluginError) as caught:
        accounts(folder, "9,9.00,N", HEADER, *RECORDS)
    assert caught.value.where.endswith("accounts.csv: line 2")
    assert "set skip_rows = 1" in caught.value.remedy
    frame = accounts(folder, "9,9.00,N", HEADER, *RECORDS, top="skip_rows = 1")
    assert frame["uprn"].to_list() == [10, 11]


@pytest.mark.parametrize(("rows", "where"), [(1, "line 2"), (9, "accounts.csv")])
def test_skip_rows_that_do_not_fit(folder, rows, where):
    with pytest.raises(PluginError) as caught:
        accounts(folder, "Title", "More", HEADER, *RECORDS, top=f"skip_rows = {rows}")
    assert caught.value.where.endswith(where)


def test_the_nearest_line_is_quoted_if_a_name_is_wrong(folder):
    with pytest.raises(PluginError) as caught:
        accounts(folder, "Title,,", "uprn,Arrears,Support", *RECORDS)
    assert caught.value.where.endswith("line 2")
    assert "Did you mean 'uprn'?" in caught.value.remedy


def test_a_title_does_not_hide_another_delimiter(folder):
    with pytest.raises(PluginError) as caught:
        accounts(folder, "Council tax", HEADER.replace(",", ";"), "10;1.00;N")
    assert "delimited by ';'" in caught.value.remedy


def test_comments_above_and_between(folder):
    frame = accounts(
        folder, "# made by hand", HEADER, "10,1.00,N", "#11,1,N", '# "', "12,1.00,N",
        top='comment = "#"\nquote = ""',
    )  # fmt: skip
    assert frame["uprn"].to_list() == [10, 12]
    assert folder.left_out == {not_records.ABOVE: 1, not_records.COMMENT: 2}
    assert folder.rejected == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Total,3.00,", not_records.TOTAL),
        (",TOTAL,3.00", not_records.TOTAL),
        ("Grand Total:,3.00,", not_records.TOTAL),
        ("Sub-total ward 3,3.00,", not_records.TOTAL),
        ("TOTALS,3.00,", not_records.TOTAL),
        ("Total,3.00", not_records.TOTAL),
        ('"Total arrears","3,000.00",""', not_records.TOTAL),
        (HEADER, not_records.HEADER),
        ("Report run 01/04/2026 by system", not_records.NOTE),
        ("Report run 01/04/2026 by system,,", not_records.NOTE),
        ("Page 1 of 3", not_records.NOTE),
        ("*** End of report ***,,", not_records.NOTE),
        ("Printed on 01/04/2026,by system", not_records.NOTE),
        ("(200 rows affected)", not_records.NOTE),
        ("2 rows selected.", not_records.NOTE),
        ("Number of records: 2,,", not_records.NOTE),
        ("Completion time: 2026-04-01T06:12:33", not_records.NOTE),
        ("OFFICIAL - SENSITIVE,,", not_records.NOTE),
        ("\x1a", not_records.NOTE),
        ("----,-------,-------", not_records.RULER),
        ("==========", not_records.RULER),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("at_the_end", [True, False])
def test_what_is_no_record_is_left_out_with_a_reason(folder, line, reason, end, at_the_end):
    lines = [*RECORDS, line] if at_the_end else [RECORDS[0], line, RECORDS[1]]
    frame = accounts(folder, HEADER, *lines, end=end)
    assert frame["uprn"].to_list() == [10, 11]
    assert folder.left_out == {reason: 1}
    assert folder.rejected == []
    if at_the_end:
        path = folder.path / "accounts.csv"
        path.write_bytes(path.read_bytes().removesuffix(end.encode()))
        assert folder.read()["uprn"].to_list() == [10, 11]
        assert folder.left_out == {reason: 1}


def test_a_title_that_is_repeated_on_each_page_is_left_out(folder):
    title = "Council tax arrears,,"
    frame = accounts(folder, title, HEADER, "10,1.00,N", title, HEADER, "11,2.00,Y")
    assert frame["uprn"].to_list() == [10, 11]
    assert folder.left_out == {
        not_records.ABOVE: 1, not_records.NOTE: 1, not_records.HEADER: 1,
    }  # fmt: skip


def test_rows_of_delimiters_are_empty_lines(folder):
    frame = accounts(folder, HEADER, "10,1.00,N", ",,", "11,2.00,Y", ",,", ",,")
    assert frame["uprn"].to_list() == [10, 11]
    assert folder.left_out == {}
    assert folder.rejected == []


@pytest.mark.parametrize(
    "line",
    [
        "12,,", ",5.00,N", "12,5.00,", ",,Y", "12,-5.00,N", "-1,,",
        '"12","",""', "12,0,Total",
    ],
)  # fmt: skip
def test_what_may_be_a_record_is_not_left_out(folder, line):
    accounts(folder, HEADER, *RECORDS, line)
    assert folder.left_out == {}
    assert 4 in folder.rows() or [entry.row for entry in folder.rejected] == [4]


@pytest.mark.parametrize("end", ["13", "1000100", "Smith", "12,5.0", "12 High Street"])
def test_a_last_line_that_may_be_cut_stops_and_names_both_reasons(folder, end):
    accounts(folder, HEADER, *RECORDS)
    path = folder.path / "accounts.csv"
    path.write_bytes(path.read_bytes() + end.encode())
    with pytest.raises(PluginError) as caught:
        folder.read()
    assert caught.value.where.endswith("line 4")
    assert "truncated, or its last line is a note below the data" in caught.value.problem
    assert "[[leave_out]]" in caught.value.remedy


def test_a_rule_of_the_mapping_leaves_rows_out(folder):
    rule = '[[leave_out]]\ncolumn = "{}"\n{}\n'
    by_start = rule.format("UPRN", 'starts_with = ["Ref", "12 "]\nreason = "suspense account"')
    by_value = rule.format("Support", 'in = ["C", 7]')
    frame = accounts(
        folder, HEADER, *RECORDS, "Ref 9,5.00,N", "14,5.00,C", "15,5.00,7", "16,5.00,N", "12 of",
        top=by_start + by_value,
    )  # fmt: skip
    assert frame["uprn"].to_list() == [10, 11, 16]
    assert folder.rows() == [2, 3, 7]
    assert folder.left_out == {
        "suspense account": 2, "the mapping leaves it out for its Support": 2,
    }  # fmt: skip
    assert folder.rejected == []


def test_a_rule_explains_a_last_line_without_an_end(folder):
    top = '[[leave_out]]\ncolumn = "UPRN"\nstarts_with = ["Smith"]\n'
    accounts(folder, HEADER, *RECORDS, top=top)
    path = folder.path / "accounts.csv"
    path.write_bytes(path.read_bytes() + b"Smith wrote this")
    assert folder.read()["uprn"].to_list() == [10, 11]


def test_a_rule_needs_texts():
    for texts in ({}, {"starts_with": (" ",)}):
        with pytest.raises(ValueError, match="by `in` or by `starts_with`"):
            LeaveOut("a", **texts)


def test_other_readers_of_csv_leave_nothing_out(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\nTotal,2\na,b\nPage 1\n")
    rejected = []
    (batch,) = read_csv(path, ("a", "b"), Dialect(), rejected.extend)
    assert batch.frame.height == 3
    assert [entry.row for entry in rejected] == [5]


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.sampled_from([
            ("10,1.00,N", ""), ("11,,", ""), (",3,N", ""), ("Total,9,", not_records.TOTAL),
            ("Page 2", not_records.NOTE), (HEADER, not_records.HEADER), (",,", None), ("", None),
            ("12,3", "rejected"), ('13,"1\n2",N', ""),
        ]),
        max_size=20,
    ),
    chunk_bytes=st.sampled_from([1, 7, 33, 1 << 20]),
)  # fmt: skip
def test_in_pieces_of_any_size_each_row_is_read_or_counted(tmp_path_factory, rows, chunk_bytes):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_text("\n".join([HEADER, *(text for text, _ in rows)]) + "\n")
    rejected, left = [], {}
    batches = read_csv(
        path, ("UPRN",), Dialect(), rejected.extend, chunk_bytes,
        around=Surroundings(keys=("UPRN",)),
        leave_out=lambda reason, n: left.update({reason: left.get(reason, 0) + n}),
    )  # fmt: skip
    kinds = [kind for _, kind in rows]
    assert sum(batch.frame.height for batch in batches) == kinds.count("")
    assert len(rejected) == kinds.count("rejected")
    assert left == {kind: kinds.count(kind) for kind in set(kinds) - {"", None, "rejected"}}


def test_a_total_with_a_key_is_a_record():
    judge = NotRecords(["Name", "UPRN"], Surroundings(keys=("UPRN",)))
    assert judge.reason(["Total Fitness", "100"]) == ""
    assert judge.reason(["Total", ""]) == not_records.TOTAL
