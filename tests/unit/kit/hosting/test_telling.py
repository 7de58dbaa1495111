"""What a source tells in one reading is bounded: the node counts it, and keeps some of it."""

import pyarrow as pa
import pytest

from folkmoot_kit.hosting import told
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.told import Telling
from folkmoot_sdk.source import Records

BATCH = Records(pa.table({"uprn": [1, 2]}), "a.csv", 1)


def rejections(number, file="a.csv", field="debt"):
    return {"rows": 2, "told": [["reject", file, 1, field, "r", "v"]] * number}


def test_as_much_as_records_can_need_and_no_more(monkeypatch):
    monkeypatch.setattr(told, "MOST_TOLD_ALONE", 100)
    monkeypatch.setattr(told, "MOST_TOLD_EACH", 10)
    telling = Telling()
    telling.tell(rejections(100), None)
    telling.tell(rejections(20), BATCH)
    with pytest.raises(Garbage, match="more rejections"):
        telling.tell(rejections(1), None)


@pytest.mark.parametrize(
    "entry",
    [
        lambda at: (["reject", f"{at}.csv", 1, "debt", "r", "v"], "a.csv"),
        lambda at: (["reject", "a.csv", 1, f"{at}", "r", "v"], "a.csv"),
        lambda at: (["leave_out", f"{at}", 1], "a.csv"),
        lambda at: (["note", f"{at}"], "a.csv"),
        lambda at: (["note", "same"], f"{at}.csv"),
    ],
)
def test_no_end_of_different_words(monkeypatch, entry):
    monkeypatch.setattr(told, "MOST_WORDS", 50)
    telling = Telling()
    with pytest.raises(Garbage, match="more different"):
        for at in range(60):
            one, origin = entry(at)
            telling.tell({"rows": 2, "told": [one]}, Records(BATCH.data, origin, 1))


def test_rejections_that_differ_in_rows_and_values_alone_are_no_words(monkeypatch):
    monkeypatch.setattr(told, "MOST_WORDS", 10)
    telling = Telling()
    for at in range(60):
        telling.tell({"told": [["reject", "a.csv", at, "debt", f"r{at}", f"{at}"]]}, None)
