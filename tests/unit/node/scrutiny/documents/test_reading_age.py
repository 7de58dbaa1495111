"""The reading age of the notice for residents is measured, and has a limit."""

from __future__ import annotations

import pytest

from folkmoot_node.scrutiny.documents.dossier import STANDARDS, age_of_notice
from folkmoot_node.scrutiny.documents.reading_age import LIMIT, reading_age
from folkmoot_node.scrutiny.documents.standard import build
from tests.fact_base import fact_base, unanswered

LAW = (
    "Where processing is to be carried out on behalf of a controller, the controller shall use "
    "only processors providing sufficient guarantees to implement appropriate technical and "
    "organisational measures in such a manner that processing will meet the requirements of "
    "this Regulation and ensure the protection of the rights of the data subject."
)


def test_the_notice_keeps_to_the_limit() -> None:
    for facts in (fact_base(), unanswered()):
        age = age_of_notice(build(STANDARDS["notice"], facts))
        assert age is not None
        assert 6 < age <= LIMIT


def test_what_people_enter_is_measured_too() -> None:
    plain = age_of_notice(build(STANDARDS["notice"], fact_base()))
    heavy = age_of_notice(build(STANDARDS["notice"], fact_base(scrutiny__rationale__summary=LAW)))
    assert heavy > plain


def test_other_documents_are_not_for_residents() -> None:
    assert age_of_notice(build(STANDARDS["dpia"], fact_base())) is None


@pytest.mark.parametrize(
    "text, low, high",
    [
        ("The cat sat on the mat. The dog ran to the cat.", 3, 6),
        # A passage of a newspaper for adults.
        (
            "The committee will consider the report at its meeting in January. Councillors asked "
            "for more information about the cost of the programme before they decide.",
            13,
            18,
        ),
        (LAW, 25, 40),
    ],
)
def test_ages_are_in_the_order_in_which_people_would_put_texts(text, low, high) -> None:
    assert low <= reading_age([text]) <= high


def test_addresses_and_empty_paragraphs_do_not_count() -> None:
    assert reading_age(["Write to us at early.help.team@ashdale.gov.uk."]) == reading_age(
        ["Write to us at us."]
    )
    assert reading_age(["", "2026."]) is None
