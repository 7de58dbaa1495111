"""In a back-test, rows dated later are left out before their values are read."""

from __future__ import annotations

import datetime

import pytest

from folkmoot_sdk.source import LATER

ON = datetime.date(2026, 2, 28)
HEADER = "UPRN,Owed,Rooms,Tenure,Since,Benefit,Ref,Dated"
DATED = 'record_date = { column = "Dated", format = "%d/%m/%Y" }\n'


def row(uprn, dated, owed="5", ref=""):
    return f"{uprn},{owed},3,1,01/02/2020,Y,{ref},{dated}"


@pytest.fixture
def dated(folder):
    folder.accounts(top=DATED)
    return folder


def test_later_records_are_left_out_and_all_others_are_as_they_were(dated):
    days = ("28/02/2026", "01/03/2026", "", "31/12/2025", "01/01/2030", "NULL", "30/02/2026")
    dated.csv(*(row(at + 1, day) for at, day in enumerate(days)), header=HEADER)
    every, rejected = dated.read(), list(dated.rejected)
    known = dated.read(known_on=ON)
    later = (every["record_date"] > ON).fill_null(False)
    assert known.equals(every.filter(~later))
    assert known["uprn"].to_list() == [1, 3, 4, 6, 7]
    assert dated.rows() == [2, 4, 5, 7, 8]
    assert dated.left_out == {LATER: 2}
    assert dated.rejected == rejected  # of the date that cannot be read


def test_their_values_are_not_read(dated):
    dated.csv(row(1, "01/03/2026", owed="much"), row(2, "01/02/2026", owed="much"), header=HEADER)
    dated.read(known_on=ON)
    assert [one.row for one in dated.rejected] == [3]
    dated.read()
    assert [one.row for one in dated.rejected] == [2, 3]


@pytest.mark.parametrize("repeated", ["once", "stop"])
def test_a_later_record_does_not_make_an_earlier_one_doubtful(folder, repeated):
    """Nobody knew then that there would be two."""
    folder.accounts(top=f'{DATED}record_id = "Ref"\nrepeated = "{repeated}"\n')
    rows = row(1, "01/03/2026", owed="9", ref="A"), row(1, "01/02/2026", ref="A")
    folder.csv(*rows, header=HEADER)
    assert folder.read(known_on=ON)["owed"].to_list() == [5]
    assert not folder.rejected


def test_each_person_of_a_later_row_counts(folder):
    folder.accounts(
        top=f'{DATED}[[people]]\nBenefit = "Benefit"\n[[people]]\nBenefit = "Benefit2"\n'
    )
    folder.csv(
        row(1, "01/03/2026") + ",Y", row(2, "01/03/2026") + ",", row(3, "01/01/2026") + ",N",
        header=HEADER + ",Benefit2",
    )  # fmt: skip
    every = folder.read()
    known = folder.read(known_on=ON)
    assert (every.height, known.height) == (5, 2)
    assert folder.left_out == {LATER: 3}


def test_people_with_dates_of_their_own_are_left_to_the_node(folder):
    folder.accounts(
        top='record_date = { column = "Since", format = "%d/%m/%Y" }\n'
        '[[people]]\nSince = "Since"\n[[people]]\nSince = "Since2"\n'
    )
    folder.csv("1,5,3,1,01/03/2026,Y,01/01/2026", header=HEADER.partition(",Ref")[0] + ",Since2")
    assert folder.read(known_on=ON)["record_date"].to_list() == [
        datetime.date(2026, 3, 1),
        datetime.date(2026, 1, 1),
    ]
    assert not folder.left_out


def test_files_without_dates_are_read_whole(folder):
    folder.csv(row(1, "01/03/2030"), header=HEADER)
    assert folder.read(known_on=ON).height == 1
