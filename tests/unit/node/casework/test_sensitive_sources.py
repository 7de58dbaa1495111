"""What rests on a sensitive source is not shown, and nothing else gives it away."""

from __future__ import annotations

import re
from dataclasses import replace

from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.opening.sensitive import NOT_SHOWN, as_permitted, withheld
from folkmoot_node.scoring.known_inputs import Standing
from tests.casework_council import SENSITIVE, CaseworkCouncil, Household
from tests.casework_opening import REASON, SEES_SENSITIVE, change_policy, open_case
from tests.web_site import Browser, RunningSite

WITH, WITHOUT = 8, 4
"""Places of a household that children's services know, and of one that they do not."""


def test_factors_fields_score_band_and_completeness_are_taken_out(
    council: CaseworkCouncil,
) -> None:
    change_policy(council, SEES_SENSITIVE)
    desk = council.desk()
    case_id = open_case(council, desk, WITH)
    found = {}
    for role in ("caseworker", "protection_officer"):
        visitor = council.visitor(desk, role)
        desk.openings.open(visitor, case_id, REASON)
        found[role] = desk.explanation(desk.openings.look(visitor, case_id, "score"))
    whole, seen = found["protection_officer"], found["caseworker"]
    assert withheld(whole) == ()
    assert len(withheld(seen)) == 1
    hidden = [one for one in seen.contributions if one.title in withheld(seen)]
    assert [(one.points, one.words) for one in hidden] == [(None, NOT_SHOWN)]
    fields = [one for one in seen.inputs if one.standing is Standing.NOT_SHOWN]
    assert [(one.field, one.value, one.source) for one in fields] == [
        ("children_services", None, "")
    ]
    shown = [one for one in whole.contributions if one.title not in withheld(seen)]
    assert seen.score == sum(one.points or 0 for one in shown)
    assert seen.highest == sum(one.weight for one in shown)
    assert (seen.band, whole.band) == ("not shown", "high")
    assert whole.action not in seen.action
    assert whole.score > seen.score


def test_how_a_hidden_explanation_failed_is_not_shown(council: CaseworkCouncil) -> None:
    change_policy(council, SEES_SENSITIVE)
    desk = council.desk()
    case_id = open_case(council, desk, WITH)
    officer = council.visitor(desk, "protection_officer")
    desk.openings.open(officer, case_id, REASON)
    whole = desk.explanation(desk.openings.look(officer, case_id, "score"))
    failed = replace(
        whole, contributions=tuple(replace(one, unexplained="it") for one in whole.contributions)
    )
    seen = as_permitted(failed, frozenset({SENSITIVE}))
    told = {one.title: one.unexplained for one in seen.contributions}
    assert [title for title, why in told.items() if not why] == list(withheld(seen))
    assert len(withheld(seen)) == 1


def test_a_page_is_the_same_whatever_the_sensitive_source_says(
    council: CaseworkCouncil, site: RunningSite
) -> None:
    """Two households that differ in nothing but the sensitive source have the same page."""
    pages = []
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, WITH)
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        worker.fill_in(f"/cases/{case_id}/open", reason=REASON)
        for children in (False, True):
            council.households[WITH] = Household(4_000, 30, 5, children=children)
            council.write_extracts()
            council.score()
            text = worker.get(f"/cases/{case_id}/score").text
            assert "sensitive sources, which your role may not see" in text
            pages.append(re.sub(r'name="form_token" value="[^"]+"', "", text))
    assert pages[0] == pages[1]


def test_an_explanation_without_sensitive_inputs_is_unchanged(council: CaseworkCouncil) -> None:
    change_policy(council, SEES_SENSITIVE)
    desk = council.desk()
    case_id = open_case(council, desk, WITHOUT)
    officer = council.visitor(desk, "protection_officer")
    desk.openings.open(officer, case_id, REASON)
    whole = desk.explanation(desk.openings.look(officer, case_id, "score"))
    assert as_permitted(whole, frozenset()) is whole
    assert as_permitted(whole, frozenset({"no_such_source"})) is whole
    assert as_permitted(whole, frozenset({SENSITIVE})) is not whole
