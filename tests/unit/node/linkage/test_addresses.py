"""Records are found by their addresses, or a person is asked."""

import resource
import subprocess
import sys
import textwrap

import polars as pl
import pytest

from folkmoot_node.linkage import addresses as address_linkage
from folkmoot_node.linkage.addresses import AddressSettings, prepared
from folkmoot_operator.problems import ExitCode, Problem
from tests.linked import link_addresses

HOMES = {
    1: ("14 HIGH STREET, SALE, TRAFFORD", "M33 1AA"),
    2: ("16A HIGH STREET, SALE, TRAFFORD", "M33 1AA"),
    11: ("FLAT 1, 12 HIGH STREET, SALE, TRAFFORD", "M33 1AA"),
    12: ("FLAT 2, 12 HIGH STREET, SALE, TRAFFORD", "M33 1AA"),
    13: ("FLAT 12, 12 HIGH STREET, SALE, TRAFFORD", "M33 1AA"),
    21: ("ROOM 1, 20 HIGH STREET, SALE, TRAFFORD", "M33 1AB"),
    22: ("ROOM 2, 20 HIGH STREET, SALE, TRAFFORD", "M33 1AB"),
    31: ("ROSE COTTAGE, BACK LANE, SALE, TRAFFORD", "M33 1AC"),
    41: ("THE LIMES CARE HOME, 3 STATION ROAD, SALE, TRAFFORD", "M33 1AD"),
    51: ("5 MILL LANE, SALE, TRAFFORD", "M33 1AE"),
    52: ("5 MILL LANE, STRETFORD, TRAFFORD", "M32 1AE"),
}


def gazetteer(homes=None):
    rows = [(uprn, *home) for uprn, home in (homes or HOMES).items()]
    return pl.DataFrame(rows, ["uprn", "address", "postcode"], orient="row")


def records(*typed):
    rows = [(number, *one) for number, one in enumerate(typed)]
    schema = {"record": pl.Int64, "address": pl.String, "postcode": pl.String}
    return pl.DataFrame(rows, schema, orient="row")


CASES = {
    ("14 High St, Sale", "M33 1AA"): ("linked", 1),
    ("16a high street", "M331AA"): ("linked", 2),
    ("Flt 2, 12 High St", "M33 1AA"): ("linked", 12),
    ("12/12 High Street, Sale", "M33 1AA"): ("linked", 13),
    ("12 High Street, Sale", "M33 1AA"): ("ambiguous", None),
    ("20 High Street", "M33 1AB"): ("ambiguous", None),
    ("Rm2, 20 High Street", "M33 1AB"): ("linked", 22),
    ("Rose Cotage, Back Ln, Sale", "M33 1AC"): ("linked", 31),
    ("The Limes, 3 Station Road, Sale", "M33 1AD"): ("linked", 41),
    ("5 Mill Lane", None): ("ambiguous", None),
    ("5 Mill Lane, Stretford", None): ("linked", 52),
    ("99 Nowhere Avenue, Penzance", "TR18 1AA"): ("unlinked", None),
    (None, "M33 1AA"): ("unlinked", None),
    ("", None): ("unlinked", None),
    ("???", "x"): ("unlinked", None),
}


@pytest.fixture(scope="module")
def found():
    return link_addresses(records(*CASES), gazetteer())


@pytest.mark.parametrize(("at", "expected"), list(enumerate(CASES.values())))
def test_what_becomes_of_a_record(found, at, expected):
    assert found.records.row(at)[:3] == (at, *expected)


def test_a_person_is_shown_the_candidates(found):
    house = list(CASES).index(("12 High Street, Sale", "M33 1AA"))
    shown = found.candidates.filter(pl.col("record") == house)
    assert set(shown["uprn"]) >= {11, 12, 13}
    assert shown["rank"].to_list() == list(range(1, shown.height + 1))
    assert shown["address"].to_list() == [HOMES[uprn][0] for uprn in shown["uprn"]]
    unlinked = found.records.filter(pl.col("outcome") != "ambiguous")["record"]
    assert not set(unlinked) & set(found.candidates["record"])


def test_chunks_give_what_the_whole_gives(found, monkeypatch):
    monkeypatch.setattr(address_linkage, "CHUNK", 4)
    with prepared(gazetteer()) as ready:
        parts = ready.link(records(*CASES), AddressSettings())
    assert parts.records.drop("match_weight", "distinguishability").equals(
        found.records.drop("match_weight", "distinguishability")
    )


def test_records_of_one_address_are_alike():
    typed = ("14 High St, Sale", "M33 1AA")
    twice = link_addresses(records(typed, typed, (typed[0], "M33 9AA")), gazetteer())
    assert twice.records["uprn"].to_list() == [1, 1, 1]


def test_homes_of_one_address_are_not_told_apart():
    """As where a gazetteer gives all flats of a house the address of the house."""
    homes = {1: HOMES[1], 2: ("14 High Street Sale Trafford", "M331AA"), 3: HOMES[2]}
    typed = [("14 High Street, Sale, Trafford", "M33 1AA"), ("16A High Street, Sale", "M33 1AA")]
    with prepared(gazetteer(homes)) as ready:
        found = ready.link(records(*typed), AddressSettings())
        assert found.records["outcome"].to_list() == ["ambiguous", "linked"]
        assert found.candidates["uprn"].to_list() == [1, 2]
        said = {(typed[0][0].upper(), "M33 1AA"): {1}, (typed[1][0].upper(), "M33 1AA"): {3}}
        after = ready.link(records(*typed), AddressSettings(), said)
    assert after.records["uprn"].to_list() == [2, None]


def test_thresholds_decide():
    typed = records(("14 High St", None))
    strict = link_addresses(typed, gazetteer(), AddressSettings(match_weight=100))
    assert strict.records["outcome"].to_list() == ["ambiguous"]
    blind = AddressSettings(match_weight=100, review_weight=100)
    assert link_addresses(typed, gazetteer(), blind).records["outcome"].to_list() == ["unlinked"]


def test_no_records_and_no_addresses():
    assert link_addresses(records(), gazetteer()).records.height == 0
    with pytest.raises(Problem, match="no home of the household frame has an address") as caught:
        link_addresses(records(("1 High Street", None)), gazetteer({1: (None, "M33 1AA")}))
    assert caught.value.exit_code is ExitCode.DATA


def test_without_its_libraries_linkage_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "folkmoot_node.linkage.address_matcher", None)
    with pytest.raises(Problem, match="not installed") as caught:
        link_addresses(records(("1 High Street", None)), gazetteer())
    assert "folkmoot-node[linkage]" in caught.value.remedy


def test_nothing_is_written_to_disk_or_printed(tmp_path):
    """A process that may not write a byte to a file links all the same."""
    program = textwrap.dedent(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        import tempfile
        tempfile.tempdir = "."  # looking for a folder of its own, the library tries to write
        import polars as pl
        from folkmoot_node.linkage.addresses import AddressSettings, prepared
        # More postcode districts than the matcher takes at a time, which it then stages.
        homes = [(at, f"{at % 90 + 1} HIGH STREET, TOWN {chr(65 + at % 26)}",
                  f"ZZ{at % 99} {at % 9}A{chr(65 + at % 20)}") for at in range(1, 3000)]
        homes += [(9000 + at, f"{at} LOW ROAD", f"Z{at % 99}A 1AA") for at in range(1, 99)]
        frame = pl.DataFrame(homes, ["uprn", "address", "postcode"], orient="row")
        typed = frame.rename({"uprn": "record"}).with_columns(
            pl.col("address").str.replace("STREET", "St")
        )
        with prepared(frame) as ready:
            found = ready.link(typed.filter(pl.col("record") > 2500), AddressSettings())
        assert found.records.height
        """
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.stderr, done.stdout, done.returncode) == ("", "", 0)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0
    assert not list(tmp_path.iterdir())
