"""Every field of a standard is filled from facts, or says that it is missing and where to enter it.

The fields are listed here by themselves: a field that is lost from a document fails.
"""

from __future__ import annotations

import pytest

from folkmoot_node.scrutiny.documents.dossier import STANDARDS
from folkmoot_node.scrutiny.documents.reading import NOT_SAID
from folkmoot_node.scrutiny.documents.standard import build
from folkmoot_node.scrutiny.facts import Mark
from folkmoot_node.scrutiny.scrutiny_file import ScrutinyDocument
from folkmoot_operator.settings import Settings
from tests.fact_base import ANSWERS, PEOPLE, base_of, fact_base, unanswered

WANTED = {
    "atrs": "1 2 3 4 1.1 1.2 1.3 1.4 1.4.1 1.4.2 1.4.3 1.4.4 1.4.5 2.1 2.2 2.3 2.4 3.1 3.2 3.3 3.4 "
    "3.5 4.1.1 4.1.2 4.1.3 4.1.4 4.1.5 4.2.1 4.2.2 4.2.3 4.2.4 4.2.5 4.2.6 4.2.7 4.2.8 4.3.1 4.3.2 "
    "4.3.3 4.3.4 4.3.5 4.3.6 4.3.7 4.3.8 4.3.9 4.4.1 4.4.2 4.4.3 4.4.4 4.4.5 5.1 5.2",
    "dpia": "1.1 1.2 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12 2.13 2.14 2.15 2.16 2.17 "
    "2.18 2.19 2.20 3.1 3.2 3.3 3.4 3.5 4.1 4.2 4.3 4.4 4.5 4.6 4.7 4.8 4.9 5.1 5.2 6.1 6.2 6.3 "
    "7.1 7.2 7.3 7.4 7.5 7.6 7.7",
    "equality": "1.1 1.2 1.3 2.1 2.2 2.3 2.4 2.5 3.1 3.2 3.3 4.1 4.2 4.3 4.4 4.5 4.6 4.7 4.8 4.9 "
    "4.10 5.1 5.2 5.3 6.1 6.2 6.3 7.1 7.2 7.3 7.4 7.5 7.6",
    "notice": "14(1)(a) 14(1)(b) 14(1)(c)-1 14(1)(c)-2 14(1)(d) 14(2)(f) 14(2)(g)-1 14(2)(g)-2 22 "
    "9 14(1)(e)-1 14(1)(e)-2 14(1)(f) 14(2)(a) 14(2)(c) 14(2)(e)",
    "foi": " ".join(map(str, range(1, 29))),
}
every = pytest.mark.parametrize("name", STANDARDS)


@every
def test_a_document_has_every_field_of_its_standard(name: str) -> None:
    asks = [one for section in STANDARDS[name].sections for one in section.asks]
    assert [one.number for one in asks] == WANTED[name].split()
    assert len({one.name for section in STANDARDS[name].sections for one in section.asks}) > 0
    for section in STANDARDS[name].sections:
        names = [one.name for one in section.asks]
        assert len(set(names)) == len(names)


@every
def test_every_field_is_filled_where_all_is_known(name: str) -> None:
    document = build(STANDARDS[name], fact_base())
    for asked, answer in document.answers():
        assert answer.is_complete, asked.number
        for one in answer.statements:
            assert one.text or one.grid, asked.number
            assert one.used, f"{asked.number} says something without a fact"
    assert document.missing == 0


@every
def test_what_people_have_not_added_is_missing_and_says_where_to_enter_it(name: str) -> None:
    document = build(STANDARDS[name], unanswered())
    found = 0
    for asked, answer in document.answers():
        for one in answer.statements:
            for used in one.used:
                assert used.mark is not Mark.PERSON, asked.number
                if used.mark is Mark.MISSING:
                    found += 1
                    assert (used.value, used.place) == (None, ANSWERS.place), asked.number
                    assert not answer.is_complete
            if one.mark is Mark.MISSING:
                is_said = one.text.startswith("Missing: ")
                assert is_said or NOT_SAID in one.grid.rows[0], asked.number
    assert found >= document.missing > 0


@every
def test_of_a_node_of_which_nothing_is_known_nothing_is_said_but_how_the_program_works(
    name: str,
) -> None:
    document = build(STANDARDS[name], base_of(()))
    for asked, answer in document.answers():
        for one in answer.statements:
            by_program = {used.key for used in one.used} == {"program"}
            assert by_program or one.mark is Mark.MISSING, asked.number


@every
def test_each_fact_it_names_changes_it(name: str) -> None:
    """A document says what a fact says: whatever is changed shows in what is read."""
    facts = fact_base()
    shown = _read(build(STANDARDS[name], facts))
    named = {one.key for _, answer in _answers(name, facts) for s in answer for one in s.used}
    for key in named - {
        "program",
        "scrutiny.procurement.third_party",
        "scrutiny.dpo_advice.reasons",
    }:
        fact = facts.get(key)
        assert fact is not None, key
        if fact.own or key == "node.council":
            continue
        changed = fact_base(**{key.replace(".", "__"): None})
        assert _read(build(STANDARDS[name], changed)) != shown, key


def test_people_can_enter_whatever_a_document_asks_them_for() -> None:
    """Every key that documents ask from people is one that the file of answers knows."""
    known = {"scrutiny.risks"}
    for table, about in ScrutinyDocument.model_fields.items():
        kind = about.annotation
        if isinstance(kind, type) and issubclass(kind, Settings):
            known |= {f"scrutiny.{table}.{key}" for key in kind.model_fields}
    signed = {"scrutiny.version", "scrutiny.signer", "scrutiny.signed_at"}
    asked = {
        used.key
        for name in STANDARDS
        for _, answer in _answers(name, fact_base())
        for one in answer
        for used in one.used
        if used.key.startswith("scrutiny.") and ".impacts." not in used.key
    }
    assert asked - known - signed == set()
    assert {key for key in PEOPLE if key.startswith("scrutiny.") and ".impacts." not in key} <= (
        known | signed
    )


def test_no_third_party_is_no_gap() -> None:
    facts = fact_base(
        scrutiny__procurement__third_party=False, scrutiny__procurement__suppliers=None
    )
    document = build(STANDARDS["atrs"], facts)
    assert document.missing == 0
    assert "No third party is involved." in _read(document)


def test_reasons_are_asked_for_if_advice_was_overruled() -> None:
    assert build(STANDARDS["dpia"], fact_base()).missing == 0
    overruled = fact_base(scrutiny__dpo_advice__decision="overruled")
    (gap,) = [
        asked.number
        for asked, answer in build(STANDARDS["dpia"], overruled).answers()
        if not answer.is_complete
    ]
    assert gap == "7.4"


def _answers(name, facts):
    for asked, answer in build(STANDARDS[name], facts).answers():
        yield asked, answer.statements


def _read(document) -> list[str]:
    """What a reader sees of it."""
    lines: list[str] = []
    for _, answer in document.answers():
        for one in answer.statements:
            lines.append(one.text)
            if one.grid:
                lines += [one.grid.caption, *(" | ".join(row) for row in one.grid.rows)]
    return lines
