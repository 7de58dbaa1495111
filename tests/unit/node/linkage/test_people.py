"""Whose record it is: the rules of docs/linkage.md, among the people of a small council."""

from __future__ import annotations

import datetime
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from folkmoot_node.linkage.people import (
    OUTCOME,
    Outcome,
    PersonLinks,
    Reviewed,
)
from folkmoot_node.settings.people import PersonRules, SeveralHouseholds
from folkmoot_operator.problems import ExitCode, Problem
from tests.linked import link_people
from tests.rehearsed_people import COLUMNS, TODAY, rehearse

HERE, THERE, ELSEWHERE = 101, 102, 103
RULES = PersonRules(reference_date=TODAY)
NHS = PersonRules(reference_date=TODAY, nhs_numbers=True)
Person = Mapping[str, Any]

SCHEMA = {
    **dict.fromkeys(COLUMNS.values(), pl.String),
    COLUMNS["date_of_birth"]: pl.Date,
}
BORN = datetime.date(1974, 5, 23)


@pytest.fixture(scope="module")
def others() -> pl.DataFrame:
    """The other known people of the council."""
    return rehearse(600, 3).known.drop("person")


def person(forename: str | None, surname: str | None, born: Any, **more: Any) -> dict[str, Any]:
    """Identifiers of somebody at one postcode."""
    found = {"forename": forename, "surname": surname, "date_of_birth": born}
    return {**found, "postcode": "BL9 1AA", **more}


def at(uprn: int, who: Person, date: datetime.date | None = None, source: int = 0) -> Person:
    """Somebody who is known to live at a property."""
    return {**who, "uprn": uprn, "record_date": date, "source": source}


def link(
    others: pl.DataFrame,
    records: Sequence[Person],
    known: Sequence[Person],
    rules: PersonRules = RULES,
    reviewed: Reviewed | None = None,
) -> PersonLinks:
    """Links records, numbered from 0, to known people among the others."""
    mine = pl.DataFrame(
        [{COLUMNS.get(key, key): value for key, value in who.items()} for who in known],
        schema={"uprn": pl.Int64, **SCHEMA, "record_date": pl.Date, "source": pl.Int32},
    )
    asked = pl.DataFrame(
        [{COLUMNS[key]: value for key, value in who.items()} for who in records], schema=SCHEMA
    )
    asked = asked.with_row_index("record").cast({"record": pl.Int64})
    return link_people(asked, pl.concat([mine, others.select(mine.columns)]), rules, reviewed)


def outcomes(links: PersonLinks) -> list[str]:
    return links.outcomes.sort("record")[OUTCOME].to_list()


def households(links: PersonLinks, record: int = 0) -> list[int]:
    return links.households.filter(pl.col("record") == record)["uprn"].to_list()


LINKED, AMBIGUOUS, UNLINKED = (outcome.value for outcome in Outcome)

WAYS_OF_WRITING = {
    "as recorded": person("Siobhán", "O'Brien", BORN),
    "without accent and apostrophe": person("SIOBHAN", "OBrien", BORN),
    "with a title": person("Mrs. Siobhán", "O’Brien", BORN),
    "with a second forename": person("Siobhán Mary", "O'Brien", BORN),
    "mistyped surname": person("Siobhan", "O'Brein", BORN),
    "mistyped forename": person("Sioban", "O'Brien", BORN),
    "one digit of the date": person("Siobhan", "O'Brien", datetime.date(1974, 5, 28)),
    "two digits exchanged": person("Siobhan", "O'Brien", datetime.date(1947, 5, 23)),
    "first of January": person("Siobhan", "O'Brien", datetime.date(1974, 1, 1)),
    "names swapped": person("O'Brien", "Siobhan", BORN),
    "by an initial": person("S", "O'Brien", BORN),
    "a former surname": person("Siobhan", "Grimshaw", BORN),
    "another postcode": person("Siobhan", "O'Brien", BORN, postcode="M1 4BT"),
    "no postcode": person("Siobhan", "O'Brien", BORN, postcode=None),
    "not a postcode": person("Siobhan", "O'Brien", BORN, postcode="unknown"),
    "no forename": person(None, "O'Brien", BORN),
    "forename not known": person("Unknown", "O'Brien", BORN),
}


def test_a_person_is_found_however_written(others):
    links = link(
        others, list(WAYS_OF_WRITING.values()), [at(HERE, person("Siobhán", "O'Brien", BORN))]
    )
    found = dict(zip(WAYS_OF_WRITING, outcomes(links), strict=True))
    assert found == dict.fromkeys(WAYS_OF_WRITING, LINKED)
    assert links.households["uprn"].to_list() == [HERE] * len(WAYS_OF_WRITING)


@pytest.mark.parametrize(
    ("written", "recorded"),
    [("Bob", "Robert"), ("Kate", "Catherine"), ("Mohd", "Muhammad"), ("Harry", "Henry")],
)
def test_short_forms_are_known(others, written, recorded):
    known = [at(HERE, person(recorded, "Entwistle", BORN))]
    assert outcomes(link(others, [person(written, "Entwistle", BORN)], known)) == [LINKED]


def test_half_of_a_double_barrelled_surname_is_enough(others):
    known = [at(HERE, person("Priya", "Taylor-Webb", BORN))]
    records = [person("Priya", "Webb", BORN), person("Priya", "Taylor Webb", BORN)]
    assert outcomes(link(others, records, known)) == [LINKED, LINKED]


def test_a_missing_date_of_birth_never_links_by_name(others):
    rare = person("Zebedee", "Quennerstedt", BORN)
    undated = person("Zebedee", "Quennerstedt", None)
    placeholder = person("Zebedee", "Quennerstedt", datetime.date(1900, 1, 1))
    links = link(others, [undated, placeholder], [at(HERE, rare)])
    assert outcomes(links) == [AMBIGUOUS, AMBIGUOUS]
    assert links.candidates.select("record", "uprn").rows() == [(0, HERE), (1, HERE)]
    assert outcomes(link(others, [rare], [at(HERE, undated)])) == [AMBIGUOUS]
    elsewhere = {**undated, "postcode": None}
    assert LINKED not in outcomes(link(others, [elsewhere], [at(HERE, rare)]))


def test_a_date_of_birth_and_a_postcode_without_a_name_do_not_link(others):
    links = link(others, [person(None, None, BORN)], [at(HERE, person("Ada", "Lomax", BORN))])
    assert outcomes(links) == [AMBIGUOUS]


class TestTwins:
    ANNA = person("Anna", "Lomax", BORN, nhs_number="9980000018")
    BETH = person("Beth", "Lomax", BORN, nhs_number="9980000026")
    KNOWN = (at(HERE, ANNA), at(HERE, BETH))

    def test_the_forename_decides(self, others):
        records = [person("Anna", "Lomax", BORN), person("Betty", "Lomax", BORN)]
        links = link(others, records, self.KNOWN)
        assert outcomes(links) == [LINKED, LINKED]

    def test_without_a_forename_a_person_decides(self, others):
        links = link(others, [person(None, "Lomax", BORN)], self.KNOWN)
        assert outcomes(links) == [AMBIGUOUS]
        assert links.candidates["probability"].item() == pytest.approx(0.5, abs=0.01)

    def test_an_initial_that_both_have_does_not_decide(self, others):
        known = [at(HERE, self.ANNA), at(HERE, person("Alice", "Lomax", BORN))]
        assert outcomes(link(others, [person("A", "Lomax", BORN)], known)) == [AMBIGUOUS]

    def test_the_nhs_number_decides(self, others):
        record = person(None, "Lomax", BORN, nhs_number="9980000026")
        assert outcomes(link(others, [record], self.KNOWN)) == [AMBIGUOUS]
        assert outcomes(link(others, [record], self.KNOWN, NHS)) == [LINKED]

    def test_another_nhs_number_speaks_against(self, others):
        record = person("Anna", "Lomax", BORN, nhs_number="9980000085")
        assert outcomes(link(others, [record], self.KNOWN, NHS)) == [AMBIGUOUS]

    def test_one_who_is_not_known_is_not_taken_for_the_other(self, others):
        links = link(others, [person("Anna", "Lomax", BORN)], [at(HERE, self.BETH)])
        assert outcomes(links) == [AMBIGUOUS]

    def test_a_nameless_record_of_another_source_does_not_tie_them_together(self, others):
        known = [*self.KNOWN, at(HERE, person(None, "Lomax", BORN), source=1)]
        records = [person(None, "Lomax", BORN), person("Anna", "Lomax", BORN)]
        assert outcomes(link(others, records, known))[0] == AMBIGUOUS

    def test_names_alike_are_two_people_if_a_source_lists_both(self, others):
        known = [at(HERE, person(name, "Lomax", BORN)) for name in ("Jane", "Jean")]
        links = link(others, [person("Jeane", "Lomax", BORN)], known)
        assert outcomes(links) == [AMBIGUOUS]


class TestJuniorAndSenior:
    SENIOR = person("John", "Lomax", datetime.date(1948, 3, 2), nhs_number="9980000018")
    JUNIOR = person("John", "Lomax", BORN, nhs_number="9980000026")
    KNOWN = (at(HERE, SENIOR), at(HERE, JUNIOR))

    def test_the_date_of_birth_decides(self, others):
        links = link(others, [self.SENIOR, self.JUNIOR], self.KNOWN)
        assert outcomes(links) == [LINKED, LINKED]

    def test_without_it_a_person_decides(self, others):
        links = link(others, [person("John", "Lomax", None)], self.KNOWN)
        assert outcomes(links) == [AMBIGUOUS]

    def test_or_the_nhs_number(self, others):
        record = person("John", "Lomax", None, nhs_number="9980000026")
        assert outcomes(link(others, [record], self.KNOWN, NHS)) == [LINKED]

    def test_a_junior_who_is_not_known_is_not_the_senior(self, others):
        assert outcomes(link(others, [self.JUNIOR], [at(HERE, self.SENIOR)])) == [AMBIGUOUS]


class TestMovers:
    WHO = person("Wilfred", "Pickles", BORN)
    MOVED = person("Wilfred", "Pickles", BORN, postcode="M1 4BT")

    def test_the_latest_household_counts_alone(self, others):
        known = [
            at(HERE, self.WHO, datetime.date(2019, 4, 1)),
            at(THERE, self.MOVED, datetime.date(2023, 6, 1)),
        ]
        for record in (self.WHO, self.MOVED):
            assert households(link(others, [record], known)) == [THERE]

    def test_a_household_after_the_reference_date_does_not_count_yet(self, others):
        known = [
            at(HERE, self.WHO, datetime.date(2019, 4, 1)),
            at(THERE, self.MOVED, TODAY + datetime.timedelta(days=1)),
        ]
        assert households(link(others, [self.MOVED], known)) == [HERE]
        known[1] = at(THERE, self.MOVED, TODAY)
        assert households(link(others, [self.MOVED], known)) == [THERE]

    def test_an_undated_household_is_older_than_any(self, others):
        known = [at(HERE, self.WHO), at(THERE, self.MOVED, datetime.date(1990, 1, 1))]
        assert households(link(others, [self.WHO], known)) == [THERE]

    def test_a_later_household_is_found_of_which_the_record_is_no_match(self, others):
        known = [
            at(HERE, self.WHO, datetime.date(2019, 4, 1)),
            at(THERE, person("Bill", "Pickels", BORN, postcode="M1 4BT"), TODAY),
            at(THERE, {**self.MOVED, "surname": "Pickels"}, TODAY),
        ]
        record = person("Wilfredd", "Pickles", datetime.date(1974, 5, 28))
        assert households(link(others, [record], known)) == [THERE]


class TestSeveralHouseholds:
    CHILD = person("Grace", "Pickles", datetime.date(2016, 9, 14))
    DATE = datetime.date(2025, 9, 1)
    LATEST = PersonRules(reference_date=TODAY, several_households=SeveralHouseholds.LATEST)

    def test_equal_dates_count_in_each(self, others):
        known = [at(HERE, self.CHILD, self.DATE), at(THERE, self.CHILD, self.DATE)]
        known += [at(ELSEWHERE, self.CHILD, datetime.date(2020, 1, 1))]
        assert households(link(others, [self.CHILD], known)) == [HERE, THERE]

    def test_or_in_that_of_the_first_source_alone(self, others):
        known = [at(HERE, self.CHILD, self.DATE, 1), at(THERE, self.CHILD, self.DATE, 0)]
        assert households(link(others, [self.CHILD], known)) == [HERE, THERE]
        assert households(link(others, [self.CHILD], known, self.LATEST)) == [THERE]

    def test_one_source_with_two_leaves_it_to_a_person(self, others):
        known = [at(HERE, self.CHILD, self.DATE), at(THERE, self.CHILD, self.DATE)]
        links = link(others, [self.CHILD], known, self.LATEST)
        assert outcomes(links) == [AMBIGUOUS]
        assert households(links) == []
        assert sorted(links.candidates["uprn"]) == [HERE, THERE]


class TestReview:
    """What a person has decided about a record and a household."""

    KNOWN = (
        at(HERE, person("Anna", "Lomax", BORN)),
        at(HERE, person("Beth", "Lomax", BORN)),
        at(THERE, person("Carl", "Lomax", BORN, postcode="M1 4BT"), TODAY),
    )
    RECORD = person(None, "Lomax", BORN)

    @staticmethod
    def pair(uprn: int) -> pl.DataFrame:
        return pl.DataFrame({"record": [0], "uprn": [uprn]})

    def test_a_confirmed_household_is_the_records(self, others):
        reviewed = Reviewed(confirmed=self.pair(HERE))
        links = link(others, [self.RECORD], self.KNOWN, RULES, reviewed)
        assert outcomes(links) == [LINKED]
        assert households(links) == [HERE]

    def test_a_refused_household_is_no_candidate(self, others):
        reviewed = Reviewed(refused=self.pair(HERE))
        links = link(others, [self.RECORD], self.KNOWN, RULES, reviewed)
        assert HERE not in links.candidates["uprn"]
        assert households(links) == []
        certain = person("Anna", "Lomax", BORN)
        assert outcomes(link(others, [certain], self.KNOWN)) == [LINKED]
        assert households(link(others, [certain], self.KNOWN, RULES, reviewed)) == []

    def test_a_confirmed_household_from_which_the_person_moved_is_asked_again(self, others):
        moved = [at(ELSEWHERE, who, TODAY) for who in map(dict, self.KNOWN[:2])]
        reviewed = Reviewed(confirmed=self.pair(HERE))
        links = link(others, [self.RECORD], [*self.KNOWN, *moved], RULES, reviewed)
        assert outcomes(links) == [AMBIGUOUS]
        assert links.candidates["uprn"][0] == ELSEWHERE

    def test_candidates_are_shown_with_who_they_are(self, others):
        links = link(others, [self.RECORD], self.KNOWN)
        shown = links.candidates.row(0, named=True)
        assert (shown["uprn"], shown["surname"], shown["dob"]) == (HERE, "lomax", "19740523")
        assert shown["forename"] in {"anna", "beth"}


class TestManyAtOneProperty:
    def test_people_of_a_shared_house_are_told_apart(self, others):
        names = [("Tomasz", "Nowak"), ("Imran", "Malik"), ("Leo", "Byrne"), ("Ewa", "Wong")]
        people = [person(*name, datetime.date(1996, 2, 3 + day)) for day, name in enumerate(names)]
        known = [at(HERE, who) for who in people]
        stranger = person("Hana", "Okafor", datetime.date(1997, 8, 11))
        links = link(others, [*people, stranger], known)
        assert outcomes(links) == [LINKED] * 4 + [UNLINKED]

    def test_residents_of_a_care_home_are_told_apart(self, others):
        born = datetime.date(1938, 1, 10)
        day = datetime.timedelta(days=1)
        names = ["Margaret", "Dorothy", "Jean", "Joan", "Edith", "Irene"]
        people = [
            person(names[number % 6], ("Smith", "Jones")[number % 2], born + day * number * 37)
            for number in range(60)
        ]
        links = link(others, people, [at(HERE, who) for who in people])
        assert outcomes(links) == [LINKED] * 60
        unknown = person("Margaret", "Smith", datetime.date(1941, 1, 1))
        assert outcomes(link(others, [unknown], [at(HERE, who) for who in people])) != [LINKED]


def test_two_systems_that_write_a_person_differently_are_no_doubt(others):
    known = [
        at(HERE, person("Margaret", "Lomax", BORN)),
        at(HERE, person("Maggie", "Lomax", BORN), source=1),
        at(HERE, person("M", "Lomax", BORN), source=2),
    ]
    records = [person("Margaret", "Lomax", BORN), person("Peggy", "Lomax", BORN)]
    assert outcomes(link(others, records, known)) == [LINKED, LINKED]


def test_a_common_name_with_the_first_of_january_is_left_to_a_person(others):
    born = datetime.date(1980, 1, 1)
    everybody = [
        at(1000 + number, person("Mohammed", "Khan", born, postcode=code))
        for number, code in enumerate(["BL1 1AA", "BL2 2BB", "BL3 3DD", "BL4 4EE"])
    ]
    crowd = [
        at(2000 + number, person(f"Ali{letter}", "Khan", born, postcode=f"BL5 {number}AA"))
        for number in range(10)
        for letter in "abcdefghijklmnopqrst"
    ]
    record = person("Mohammed", "Khan", born, postcode="M9 4BT")
    links = link(others, [record], [*everybody, *crowd])
    assert outcomes(links) == [AMBIGUOUS]
    assert sorted(links.candidates["uprn"]) == [1000, 1001, 1002, 1003]


def test_nhs_numbers_are_not_looked_at_without_a_basis(others):
    known = [at(HERE, person("Ada", "Lomax", BORN, nhs_number="9980000018"))]
    record = person("Ada", "Lomax", BORN, nhs_number="9980000026")
    same = person("Ada", "Lomax", None, nhs_number="9980000018")
    links = link(others, [record, same], known)
    without = link(others, [{**record, "nhs_number": None}, {**same, "nhs_number": None}], known)
    assert links.outcomes.equals(without.outcomes)
    assert outcomes(link(others, [record, same], known, NHS)) == [AMBIGUOUS, LINKED]


def test_an_nhs_number_alone_does_not_link(others):
    known = [at(HERE, person("Ada", "Lomax", BORN, nhs_number="9980000018"))]
    record = person("Bartosz", "Nowak", datetime.date(2001, 8, 30), nhs_number="9980000018")
    assert LINKED not in outcomes(link(others, [{**record, "postcode": "M1 4BT"}], known, NHS))


@pytest.mark.parametrize("number", ["9999999999", "2222222222", "9990000018"])
def test_a_placeholder_is_no_number_of_twins_or_strangers(others, number):
    known = [
        at(HERE, person("Amber", "Tunstall", datetime.date(1961, 3, 12), nhs_number=number)),
        at(THERE, person("Octavia", "Garstang", BORN, nhs_number=number)),
    ]
    records = [
        person("Quentin", "Vardy", datetime.date(1967, 3, 12), nhs_number=number),
        person("Oliver", "Garstang", BORN, nhs_number=number),
    ]
    assert LINKED not in outcomes(link(others, records, known, NHS))


def test_a_number_that_plainly_different_people_have_is_left_to_a_person(others):
    """A parent's number on a child's record."""
    known = [at(HERE, person("Ada", "Lomax", BORN, nhs_number="9980000018"))]
    child = person("Zach", "Lomax", datetime.date(2013, 2, 17), nhs_number="9980000018")
    renamed = person("Ada", "Warburton", BORN, nhs_number="9980000018")
    redated = person("Ada", "Lomax", datetime.date(1990, 10, 2), nhs_number="9980000018")
    links = link(others, [child, renamed, redated], known, NHS)
    assert outcomes(links) == [AMBIGUOUS, LINKED, LINKED]


def test_order_chunks_and_threads_do_not_matter():
    council = rehearse(400, 5)
    first = link_people(council.records, council.known, NHS)
    records = council.records.sample(fraction=1.0, shuffle=True, seed=1)
    known = council.known.sample(fraction=1.0, shuffle=True, seed=2)
    rules = PersonRules(reference_date=TODAY, nhs_numbers=True, threads=1, chunk=97)
    second = link_people(records, known, rules)
    for one, other in (
        (first.outcomes, second.outcomes),
        (first.households, second.households),
        (first.candidates, second.candidates),
    ):
        assert one.sort(one.columns).equals(other.sort(other.columns))
    assert second.outcomes["record"].equals(records["record"])


def test_every_record_has_one_outcome():
    council = rehearse(400, 6)
    links = link_people(council.records, council.known, RULES)
    assert links.outcomes["record"].equals(council.records["record"])
    linked = links.outcomes.filter(pl.col(OUTCOME) == LINKED)["record"]
    ambiguous = links.outcomes.filter(pl.col(OUTCOME) == AMBIGUOUS)["record"]
    assert set(links.households["record"]) == set(linked)
    assert set(links.candidates["record"]) == set(ambiguous)
    probabilities = links.outcomes["probability"].drop_nulls()
    assert probabilities.is_between(0, 1).all()


def test_nothing_to_link_needs_no_splink(monkeypatch, others):
    monkeypatch.setitem(sys.modules, "splink", None)
    assert link(others, [], []).outcomes.height == 0
    nobody = others.clear()
    assert outcomes(link(nobody, [person("Ada", "Lomax", BORN)], [])) == [UNLINKED]


def test_a_missing_splink_is_said_clearly(monkeypatch, others):
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(Problem) as caught:
        link(others, [person("Ada", "Lomax", BORN)], [])
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert "folkmoot-node[linkage]" in caught.value.remedy


def test_nothing_is_written_printed_or_logged(others, tmp_path, monkeypatch, capfd, caplog):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    caplog.set_level(logging.DEBUG)
    who = person("Ada", "Quennerstedt", BORN)
    assert outcomes(link(others, [who], [at(HERE, who)])) == [LINKED]
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.startswith("splink")]
    assert "quennerstedt" not in caplog.text.lower()
