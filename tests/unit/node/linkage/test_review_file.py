"""The file for clerical review, and what a person may write into it."""

import csv
import io
import stat

import pytest

from folkmoot_node.linkage.review_decisions import Decided, ReviewDecisions, SourceReview, Waiting
from folkmoot_node.linkage.review_file import Pair, take_over, write
from folkmoot_node.store.encrypted_file import create_key
from folkmoot_operator.problems import ExitCode, Problem

WAITING = {
    "id-a1": Waiting(digest="a", uprn=1),
    "id-a2": Waiting(digest="a", uprn=2),
    "id-b3": Waiting(digest="b", uprn=3),
}
REVIEW = SourceReview(waiting=WAITING)


def pair(name, waiting, typed="12 High Street"):
    return Pair(name, (typed, "M33 1AA"), ("12 HIGH STREET", ""), waiting.uprn, 3.25, "f.csv", 7)


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "review" / "tax.csv"
    write(target, [pair(name, waiting) for name, waiting in WAITING.items()])
    return target


def decide(path, decisions):
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    for row in rows[1:]:
        row[1] = decisions.get(row[0], "")
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    path.write_text(out.getvalue(), newline="")


def test_the_file_is_for_the_node_s_account_alone(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    assert rows[0] == {
        "id": "id-a1", "decision": "", "as_typed": "12 High Street",
        "postcode_as_typed": "M33 1AA", "candidate": "12 HIGH STREET",
        "candidate_postcode": "", "uprn": "1", "weight": "3.2", "file": "f.csv", "row": "7",
    }  # fmt: skip
    write(path, [])
    assert not path.exists()


def test_an_untouched_file_decides_nothing(path):
    assert take_over(path, REVIEW) == REVIEW
    assert take_over(path.with_name("none.csv"), REVIEW) == REVIEW


def test_decisions_are_taken_over(path):
    decide(path, {"id-a2": " YES ", "id-b3": "n"})
    after = take_over(path, REVIEW)
    assert after.waiting == {}
    assert after.decided == {"a": Decided(is_home=2), "b": Decided(is_not={3})}


def test_what_is_not_decided_waits_on(path):
    decide(path, {"id-a1": "no"})
    after = take_over(path, REVIEW)
    assert set(after.waiting) == {"id-a2", "id-b3"}
    assert after.decided == {"a": Decided(is_not={1})}


def test_a_spreadsheet_may_save_with_semicolons_and_drop_columns(path):
    path.write_text("decision;id\r\nyes;id-a1\r\n;\r\n")
    assert take_over(path, REVIEW).decided == {"a": Decided(is_home=1)}


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("id,decision\nid-a1,\nid-a2,maybe\n", "row 3", "neither yes nor no"),
        ("id,decision\nid-zz,yes\n", "row 2", "belongs to no waiting pair"),
        ("id,decision\nid-a1,no\nid-a1,no\n", "row 3", "appears twice"),
        ("id,decision\nid-a1,yes\nid-a2,yes\n", "row 3", "row 2 says yes to another"),
        ("id,verdict\nid-a1,yes\n", "row 1", "no column 'decision'"),
        ("", "row 1", "no column 'id'"),
        (b"id,decision\nid-a1,\xff\n", "tax.csv", "is not UTF-8"),
    ],
)
def test_what_is_malformed_names_the_row_and_changes_nothing(path, text, where, problem):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Problem) as caught:
        take_over(path, REVIEW)
    assert caught.value.exit_code is ExitCode.DATA
    assert caught.value.where.endswith(where)
    assert problem in caught.value.problem
    assert REVIEW.decided == {}


def test_no_cell_is_a_formula(path):
    write(
        path, [pair("id-a1", WAITING["id-a1"], "=1+1\n@x"), pair("id-a2", WAITING["id-a2"], "-1")]
    )
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    assert [row["as_typed"] for row in rows] == ["'=1+1 @x", "'-1"]


def test_decisions_are_kept_encrypted(tmp_path):
    key, other = create_key(tmp_path / "a.key"), create_key(tmp_path / "b.key")
    path = tmp_path / "store" / "review.sealed"
    kept = ReviewDecisions(path, key)
    assert kept.read() == {}
    decided = SourceReview(waiting=WAITING, decided={"a": Decided(is_home=100012345678)})
    kept.keep("tax", decided)
    kept.keep("rents", SourceReview())
    assert ReviewDecisions(path, key).of("tax") == decided
    assert b"100012345678" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    left = {entry.name for entry in path.parent.iterdir()}
    assert left == {"review.sealed", "review.lock"}
    with pytest.raises(Problem, match="cannot be read"):
        ReviewDecisions(path, other).read()


def test_digests_tell_sources_and_texts_apart(tmp_path):
    one = ReviewDecisions(tmp_path / "x", create_key(tmp_path / "a.key"))
    two = ReviewDecisions(tmp_path / "x", create_key(tmp_path / "b.key"))
    typed = ("12 HIGH STREET", "M33 1AA")
    digests = {
        one.digest("tax", typed), one.digest("rents", typed), two.digest("tax", typed),
        one.digest("tax", typed[::-1]), one.digest("tax", ("12 HIGH STREET", None)),
    }  # fmt: skip
    assert len(digests) == 5
    assert one.digest("tax", typed) in digests
    assert one.pair("a", 1) != one.pair("a", 2)
