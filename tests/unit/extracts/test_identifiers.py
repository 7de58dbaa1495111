"""Identifiers of a mapping: read only if asked for, joined, checked."""

import datetime

import pytest

from folkmoot_sdk import Identifier, PluginError, ReadContext
from tests.spoiled_files import read

MAPPING = """
schema = 1
name = "clients"
level = "person"
files = ["clients.csv"]
{uprn}
person = "Id"
null_values = ["N/K"]
[identifiers]
address = ["Line1", "Line2", "Town"]
postcode = "Postcode"
forename = "Forename"
surname = "Surname"
date_of_birth = {{ column = "Born", format = "%d/%m/%Y" }}
nhs_number = "NHS"
[fields.care_start]
column = "Start"
type = "date"
combine = "min"
category = "social_care"
"""
WITHOUT_IDENTIFIERS = (
    MAPPING.format(uprn="").partition("[identifiers]")[0]
    + "[fields"
    + MAPPING.partition("[fields")[2]
)
HEADER = "Id,UPRN,Line1,Line2,Town,Postcode,Forename,Surname,Born,NHS,Start"
ROWS = (
    'A,1," 1 High Street ",,Sale,m33 1aa,Ann,Clegg,02/03/1940,9990020019,2026-01-01',
    'B,,Flat 2,"12, High St,",N/K,,N/K,Farrow,,999 002 0027,2026-01-02',
    "C,,,, , ,,,,,2026-01-03",
)
EVERY = tuple(Identifier)


@pytest.fixture
def clients(folder):
    folder.mapping(MAPPING.format(uprn='uprn = "UPRN"'))
    folder.csv(*ROWS, name="clients.csv", header=HEADER)
    return folder


def test_they_are_declared_and_only_yielded_if_asked_for(clients):
    source = clients.source()
    assert source.schema.identifiers == EVERY
    assert set(read(source).values[0]) == {"uprn", "care_start"}
    (asked,) = {tuple(record) for record in read(source, (), identifiers=EVERY[:1]).values}
    assert asked == ("uprn", "identifier_address")


def test_lines_are_joined_and_texts_are_bare(clients):
    first, second, third = read(clients.source(), (), identifiers=EVERY).values
    assert first == {
        "uprn": 1,
        "identifier_address": "1 High Street, Sale",
        "identifier_postcode": "m33 1aa",
        "identifier_forename": "Ann",
        "identifier_surname": "Clegg",
        "identifier_date_of_birth": datetime.date(1940, 3, 2),
        "identifier_nhs_number": "9990020019",
    }
    assert second["identifier_address"] == "Flat 2, 12, High St"
    assert second["identifier_forename"] is None
    assert second["identifier_nhs_number"] == "9990020027"
    assert all(third[entry.column] is None for entry in EVERY)


@pytest.mark.parametrize(
    ("broken", "field", "asked"),
    [
        (ROWS[0].replace("9990020019", "9990020018"), "NHS", Identifier.NHS_NUMBER),
        (ROWS[0].replace("02/03/1940", "31/02/1940"), "Born", Identifier.DATE_OF_BIRTH),
    ],
)
def test_a_malformed_one_is_unread_if_it_is_asked_for(clients, broken, field, asked):
    clients.csv(broken, *ROWS[1:], name="clients.csv", header=HEADER)
    assert read(clients.source(), identifiers=(Identifier.SURNAME,)).rejected == []
    found = read(clients.source(), (), identifiers=(asked,))
    assert [(entry.row, entry.field) for entry in found.rejected] == [(2, field)]
    assert found.unread == {2: {asked.column}}
    assert found.values[0][asked.column] is None
    assert len(found.values) == 3


@pytest.mark.parametrize("number", ["9999999999", "000 000 0000", "222-222-2222"])
def test_a_number_that_stands_for_none_is_unknown_and_no_error(clients, number):
    clients.csv(ROWS[0].replace("9990020019", number), name="clients.csv", header=HEADER)
    (record,) = read(clients.source(), (), identifiers=EVERY).values
    assert record["identifier_nhs_number"] is None
    assert record["identifier_surname"] == "Clegg"
    assert clients.rejected == []


def test_no_rejection_quotes_an_nhs_number(clients):
    shifted = ROWS[0].replace(",02/03/1940,9990020019", ",9990020019,9990020018")
    clients.csv(shifted, name="clients.csv", header=HEADER)
    found = read(clients.source(), (), identifiers=EVERY)
    assert {entry.field for entry in found.rejected} == {"Born", "NHS"}
    for entry in found.rejected:
        assert "999002" not in entry.reason + entry.value


def test_a_file_without_uprns_can_be_read(folder):
    folder.mapping(MAPPING.format(uprn=""))
    folder.csv(*ROWS, name="clients.csv", header=HEADER)
    found = read(folder.source())
    assert [record["uprn"] for record in found.values] == [None] * 3
    context = ReadContext((), datetime.date(2026, 4, 1), lambda entries: None)
    assert sum(batch.data.height for batch in folder.source().read(context)) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (WITHOUT_IDENTIFIERS, "needs the table `identifiers`"),
        (MAPPING.format(uprn='uprn = "UPRN"').replace("postcode =", "post_code ="), "unknown key"),
        (MAPPING.format(uprn='uprn = "UPRN"').replace("%d/%m/%Y", "%m"), "does not name a day"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named(folder, text, problem):
    folder.mapping(text)
    with pytest.raises(PluginError) as caught:
        folder.source()
    assert problem in str(caught.value)
