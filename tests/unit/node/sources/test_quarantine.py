"""Rejections are summed up by field and kind of reason, and the summary quotes no value."""

import csv

import pytest

from folkmoot_node.sources import quarantine as module
from folkmoot_node.sources.quarantine import Quarantine, kind_of_reason, reasons_in_words
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.source import Rejection


@pytest.fixture
def quarantine(tmp_path):
    made = Quarantine(tmp_path, "council_tax", "run-1")
    yield made
    made.close()


def rejected(row, field, reason, value=""):
    return Rejection("a.csv", row, field, reason, value)


@pytest.mark.parametrize(
    ("reason", "value", "kind"),
    [
        ("2,645.68 is not a number", "2,645.68", "is not a number"),
        ("12/03/45 gives -19 is below the smallest valid value, 0 (years)", "12/03/45",
         "is below the smallest valid value, 0 (years)"),
        ("1 is not in the code list ('10', '11')", "1", "is not in the code list ('10', '11')"),
        ("the code B123 is unknown", "B123", "the code ... is unknown"),
        ("has 5 fields, the header has 4", "", "has 5 fields, the header has 4"),
        ("Smith", "Smith", "cannot be read"),
        ("\x1b[2J is\nno\tnumber\u202e", "\x1b", "[2J is no number"),
        ("7\x1b]0;x\x07 is odd", "7\x1b]0;x\x07", "is odd"),
        ("x" * 999, "", "x" * 200),
    ],
)  # fmt: skip
def test_a_kind_of_reason_quotes_no_value(reason, value, kind):
    assert kind_of_reason(reason, value) == kind


def test_rejections_are_counted_by_field_and_reason(quarantine):
    quarantine.reject([
        rejected(2, "Arrears", "1,000 is not a number", "1,000"),
        rejected(3, "Arrears", "2,000 is not a number", "2,000"),
        rejected(3, "UPRN", "x is not a UPRN", "x"),
        rejected(4, "", "has 5 fields, the header has 4"),
    ])  # fmt: skip
    assert quarantine.summary() == (
        "Arrears: 2 times: is not a number",
        "UPRN: 1 time: is not a UPRN",
        "whole row: 1 time: has 5 fields, the header has 4",
    )
    quarantine.close()
    with quarantine.path.open(newline="") as file:
        assert [row["value"] for row in csv.DictReader(file)] == ["1,000", "2,000", "x", ""]


def test_a_stop_repeats_the_summary_on_the_terminal_alone(quarantine):
    quarantine.reject([
        rejected(row, "Arrears", f"{row},000 is not a number", f"{row},000") for row in range(2, 5)
    ])  # fmt: skip
    with pytest.raises(Problem) as caught:
        quarantine.check(7, 0.02)
    problem = caught.value
    assert problem.exit_code is ExitCode.DATA
    assert problem.for_operator == (
        "3 records could not be read, or not wholly:", "Arrears: 3 times: is not a number",
    )  # fmt: skip
    shown = f"{problem} {problem.where} {problem.remedy}"
    assert "3" not in shown.replace(str(quarantine.path), "")
    assert "Arrears" not in shown


def test_kinds_are_bounded_and_the_list_is_short(quarantine, monkeypatch):
    monkeypatch.setattr(module, "MAXIMUM_REASONS", 3)
    quarantine.reject([rejected(2, "A", f"is wrong in way {'x' * at}") for at in range(6)])
    assert quarantine.reasons["A", "other reasons"] == 3
    assert sum(quarantine.reasons.values()) == 6
    lines = reasons_in_words([("A", f"reason {at}", 1) for at in range(20)])
    assert len(lines) == 13
    assert lines[-1] == "and 8 more kinds of reason"


def test_rejections_that_are_not_listed_are_counted_all_the_same(tmp_path):
    found = Quarantine(tmp_path, "people", "run-1", lists=False)
    found.reject([rejected(row, "Born", "-1 is no age", "-1") for row in (2, 3, 3)])
    assert (found.rejected, found.fields["Born"]) == (2, 3)
    assert found.reasons == {("Born", "is no age"): 3}
    with pytest.raises(Problem, match="more than") as caught:
        found.check(0, 0.5)
    assert caught.value.remedy == module.NOT_LISTED
    found.close()
    assert not list(tmp_path.iterdir())
