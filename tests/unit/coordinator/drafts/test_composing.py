"""Questions made from a form and the councils' catalogues, and how precise their answers are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.council_codes import council_list
from folkmoot.geography import GssCode
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.drafts.composing import FormProblem, QuestionForm, compose, forecast
from folkmoot_coordinator.drafts.drafts import question_of, save_draft
from folkmoot_coordinator.drafts.offer import Offer, offered_attributes
from folkmoot_coordinator.drafts.people import AccountKind, Person
from folkmoot_coordinator.planning.cell_sizes import EqualCells
from folkmoot_coordinator.planning.forecast import Forecast
from folkmoot_coordinator.rounds.code_names import CodeNames
from folkmoot_coordinator.rounds.round_making import make_round
from folkmoot_coordinator.rounds.round_store import open_round
from folkmoot_operator.problems import Problem
from tests.enrolled import enrol
from tests.unit.coordinator.conftest import small_round

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY, TRAFFORD = GssCode("E08000001"), GssCode("E08000002"), GssCode("E08000009")
KNOWN = council_list()
FORM = QuestionForm(
    title="Winter",
    purpose="winter_support",
    policy_digest="ab" * 32,
    councils=(BOLTON, BURY),
    minimum_councils="2",
    rho="0.25",
    attributes={"band": ("low", "high"), "lsoa": ()},
    marginals=((("band", "lsoa"), 1), (("band",), 2)),
)


def join(
    office: Office, council: GssCode, attributes: Mapping[str, tuple[str, ...]] | None
) -> None:
    """The council has enrolled, and spends rho 2 at most."""
    enrol(office, council, attributes, lifetime="2")


@pytest.fixture
def offer(office: Office) -> Offer:
    """Bolton and Bury offer bands and areas, Trafford bands alone; a round knew the areas."""
    join(office, BOLTON, {"band": ("low", "high"), "lsoa": (), "tenure": ("owned", "rented")})
    join(office, BURY, {"band": ("low", "high", "urgent"), "lsoa": (), "ward": ()})
    join(office, TRAFFORD, None)
    names = CodeNames({"lsoa": {"E01000001": "=Bolton, 001A"}}, {"lsoa": "2021"})
    stored = open_round(office.database, office.signing, small_round(), code_names=names)
    office.release(stored, BOLTON)
    office.refuse(stored, BURY)
    return offered_attributes(office.database, office.clock())


def test_what_councils_offer(offer: Offer) -> None:
    assert list(offer.attributes) == ["band", "lsoa", "tenure", "ward"]
    band = offer.attributes["band"]
    assert band.codes == {"low": (BOLTON, BURY), "high": (BOLTON, BURY), "urgent": (BURY,)}
    assert band.shared_codes == ("low", "high")
    assert offer.attributes["tenure"].councils == (BOLTON,)
    lsoa = offer.attributes["lsoa"]
    assert lsoa.is_area
    assert lsoa.area_type == "lsoa21"
    assert lsoa.areas is not None
    assert lsoa.areas.by_council[BURY] == ("E01000003",)
    assert offer.attributes["ward"].areas is None
    assert offer.without_catalogue == (TRAFFORD,)
    assert offer.purposes == {"winter_support": (BOLTON, BURY)}
    assert {code: str(one.released_here) for code, one in offer.councils.items()} == {
        BOLTON: "0.5",
        BURY: "0",
    }
    assert str(offer.councils[BOLTON].left_at_most) == "1.5"


def test_of_rounds_opened_in_one_second_the_id_decides_whose_areas_count(office: Office) -> None:
    join(office, BOLTON, {"band": ("low", "high"), "lsoa": ()})
    for number, vintage in (("f", "2011"), ("1", "2021"), ("8", "2031")):
        asked = replace(small_round(), round_id=number * 32)
        names = CodeNames({}, {"lsoa": vintage})
        open_round(office.database, office.signing, asked, code_names=names)
    areas = offered_attributes(office.database, office.clock()).attributes["lsoa"].areas
    assert areas is not None
    assert areas.vintage == "2021"


def test_a_form_becomes_a_question_and_a_draft(office: Office, offer: Offer) -> None:
    question = compose(FORM, offer, office.clock())
    planned = make_round(question, (), office.clock())
    round_ = planned.round_
    assert round_.councils == (BOLTON, BURY)
    assert (str(round_.loss), round_.minimum_councils) == ("0.25", 2)
    assert round_.deadline == office.clock() + 168 * 3600
    assert [one.attributes for one in round_.workload.marginals] == [("band", "lsoa"), ("band",)]
    assert round_.workload.attribute("lsoa").by_council == {
        BOLTON: ("E01000001", "E01000002"),
        BURY: ("E01000003",),
    }
    assert planned.code_names.of("lsoa") == {"E01000001": "=Bolton, 001A"}
    assert planned.code_names.vintages == {"lsoa": "2021"}
    from folkmoot_coordinator.drafts.opening import open_drafts

    drafts = open_drafts(office.home, office.settings)
    draft = save_draft(drafts, question, Person("ann", AccountKind.WEB), office.clock())
    assert question_of(drafts, draft).serialise() == question.serialise()
    drafts.close()


def test_nested_areas_are_asked_for_together(office: Office, offer: Offer) -> None:
    workload = Workload(
        (
            Attribute("ward", by_council={BOLTON: ("W1",), BURY: ("W2",)}, others=True),
            Attribute(
                "lsoa",
                by_council={BOLTON: ("L1", "L2"), BURY: ("L3",)},
                others=True,
                within="ward",
                parents={"L1": "W1", "L2": "W1", "L3": "W2"},
            ),
        ),
        (Marginal(("lsoa",)), Marginal(("ward",))),
    )
    office.clock.now += 10
    office.open(small_round(workload=workload, opened_at=office.clock()))
    newer = offered_attributes(office.database, office.clock())
    both = replace(
        FORM, attributes={"ward": (), "lsoa": ()}, marginals=((("lsoa",), 1), (("ward",), 1))
    )
    asked = make_round(compose(both, newer, office.clock()), (), office.clock()).round_.workload
    assert asked.attribute("lsoa").within == "ward"
    assert asked.attribute("lsoa").parents == {"L1": "W1", "L2": "W1", "L3": "W2"}
    alone = replace(FORM, attributes={"lsoa": ()}, marginals=((("lsoa",), 1),))
    asked = make_round(compose(alone, newer, office.clock()), (), office.clock()).round_.workload
    assert asked.attribute("lsoa").within == ""


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"title": " "}, "title", "what the figures"),
        ({"purpose": "winter_suport"}, "purpose", "winter_support"),
        ({"councils": ()}, "councils", "one council"),
        ({"councils": ("Bolton",)}, "councils", "GSS"),
        ({"marginals": ()}, "marginals", "what to count"),
        ({"attributes": {"bands": ()}}, "attributes", "No council offers bands"),
        ({"attributes": {"ward": ()}}, "attributes", "are not known here"),
        ({"attributes": {"band": ("purple",)}}, "attributes", "purple"),
        ({"attributes": {"lsoa": ("E01000001",)}}, "attributes", "all areas"),
        ({"rho": "much"}, "rho", "not a privacy loss"),
        ({"rho": "0"}, "rho", ""),
        ({"delta": "2"}, "delta", ""),
        ({"deadline_hours": "soon"}, "deadline_hours", "number"),
        ({"deadline_hours": "-1"}, "deadline_hours", "greater"),
        ({"minimum_councils": "5"}, "minimum_councils", ""),
        ({"policy_digest": "zz"}, "policy_digest", "pattern"),
        ({"marginals": ((("tenure",), 1),)}, "marginals", "not declared"),
        ({"marginals": ((("band",), 0),)}, "marginals", ""),
        ({"councils": (BOLTON, TRAFFORD)}, "marginals", "has no area of"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    offer: Offer, changes: dict[str, object], field: str, says: str
) -> None:
    with pytest.raises(FormProblem) as caught:
        compose(replace(FORM, **changes), offer, 1_800_000_000)  # type: ignore[arg-type]
    assert set(caught.value.fields) == {field}, caught.value.fields
    assert says in caught.value.fields[field]


def test_a_forecast_is_that_of_round_plan(office: Office, offer: Offer) -> None:
    question = compose(FORM, offer, office.clock())
    found = forecast(question, office.database, KNOWN, office.clock(), households=200_000)
    round_ = found.asked.round_
    engine = Forecast(round_, found.asked.planning, EqualCells.of_region(round_, 200_000))
    facts = found.facts()
    assert [one["standard_error"] for one in facts["marginals"]] == [
        one.typical.standard_error for one in engine.marginals
    ]
    assert engine.shares is not None
    assert facts["reliable_share"] == engine.shares.reliable
    assert facts["rho"] == "0.25"
    assert facts["doubts"] == []
    without = forecast(question, office.database, KNOWN, office.clock())
    assert without.facts()["reliable_share"] is None


def test_a_forecast_says_what_will_not_be_answered(office: Office, offer: Offer) -> None:
    form = replace(FORM, rho="0.75", attributes={"tenure": ()}, marginals=((("tenure",), 1),))
    found = forecast(compose(form, offer, office.clock()), office.database, KNOWN, office.clock())
    text = " ".join(found.doubts)
    assert "a round of rho 0.75" in text
    assert f"{BURY} does not offer the attribute tenure" in text


def test_cells_may_be_like_those_of_an_earlier_round(office: Office, offer: Offer) -> None:
    stored = office.open()
    for council in (BOLTON, BURY):
        rows = stored.round_.plan(council).rows
        office.release(stored, council, np.full(rows, 700).tolist())
    found = forecast(
        compose(FORM, offer, office.clock()),
        office.database,
        KNOWN,
        office.clock(),
        like=stored.round_.round_id,
    )
    assert found.facts()["reliable_share"] is not None
    assert "as large as in round" in found.facts()["assumption"]
    opened = office.open()
    with pytest.raises(Problem, match="has no result"):
        forecast(
            compose(FORM, offer, office.clock()), office.database, KNOWN, office.clock(),
            like=opened.round_.round_id,
        )  # fmt: skip
