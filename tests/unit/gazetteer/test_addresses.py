"""Addresses of homes, put together by the rules of BS 7666."""

import pytest

from folkmoot_plugin_gazetteer.source import Gazetteer
from folkmoot_sdk import Identifier
from folkmoot_sdk.parameters import build
from tests.spoiled_files import read
from tests.unit.gazetteer.gazetteer_file import GazetteerFile, blpu, lpi, street

BOTH = (Identifier.ADDRESS, Identifier.POSTCODE)
HIGH_STREET = street(10001234, "HIGH STREET", "SALE", "TRAFFORD")


def addresses(folder, *records, identifiers=BOTH):
    options = GazetteerFile(folder).write(*records) | {"base": str(folder)}
    found = read(
        Gazetteer(build(Gazetteer.Options, options, "options")), (), identifiers=identifiers
    )
    assert (found.stopped, found.rejected) == (None, [])
    return {record.pop("uprn"): record for record in found.values}


@pytest.mark.parametrize(
    ("sao", "pao", "address"),
    [
        (("", "", "", "", ""), (7, "", "", "", ""), "7 HIGH STREET"),
        (("", "", "", "", ""), (7, "A", "", "", ""), "7A HIGH STREET"),
        (("", "", "", "", ""), (7, "A", 9, "B", ""), "7A-9B HIGH STREET"),
        (("", "", "", "", ""), ("", "", "", "", "ROSE COTTAGE"), "ROSE COTTAGE, HIGH STREET"),
        (("", "", "", "", "FLAT 3"), (7, "", "", "", ""), "FLAT 3, 7 HIGH STREET"),
        ((3, "", "", "", "FLAT"), (7, "", "", "", "ELM COURT"), "FLAT 3, ELM COURT, 7 HIGH STREET"),
        ((3, "B", "", "", ""), (7, "", "", "", ""), "3B, 7 HIGH STREET"),
        (("", "", "", "", "BASEMENT"), (7, "", 9, "", ""), "BASEMENT, 7-9 HIGH STREET"),
    ],
)  # fmt: skip
def test_an_address_is_put_together(tmp_path, sao, pao, address):
    found = addresses(tmp_path, HIGH_STREET, blpu(1), lpi(1, "M33 1AA", sao=sao, pao=pao))
    assert found[1]["identifier_address"] == f"{address}, SALE, TRAFFORD"
    assert found[1]["identifier_postcode"] == "M33 1AA"


def test_only_what_is_asked_for_is_yielded(tmp_path):
    records = (HIGH_STREET, blpu(1), lpi(1, "M33 1AA"))
    (first,) = addresses(tmp_path, *records, identifiers=BOTH[1:]).values()
    assert set(first) == {"record_date", "identifier_postcode"}
    (neither,) = addresses(tmp_path, *records, identifiers=()).values()
    assert set(neither) == {"record_date"}


def test_the_approved_address_in_english_goes_first(tmp_path):
    found = addresses(
        tmp_path,
        street(10001234, "STRYD FAWR", "", "LLANDUDNO", language="CYM"),
        street(10001234, "HIGH STREET", "", "LLANDUDNO"),
        *(blpu(uprn) for uprn in (1, 2, 3, 4)),
        lpi(1, "LL30 1AA", status=3, pao=(8, "", "", "", "")),
        lpi(1, "LL30 1AA", pao=(9, "", "", "", ""), language="CYM"),
        lpi(1, "LL30 1AA"),
        lpi(2, "LL30 1AB", status=8),
        lpi(2, "LL30 1AB", status=3, pao=(10, "", "", "", "")),
        lpi(3, "LL30 1AC", end="2020-01-01"),
    )
    expected = {1: "7 HIGH STREET, LLANDUDNO", 2: "10 HIGH STREET, LLANDUDNO", 3: None, 4: None}
    assert {uprn: record["identifier_address"] for uprn, record in found.items()} == expected


def test_a_street_that_is_not_described(tmp_path):
    found = addresses(tmp_path, HIGH_STREET, blpu(1), lpi(1, "M33 1AA", usrn=99))
    assert found[1]["identifier_address"] == "7"
