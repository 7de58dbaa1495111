"""Working on a case on the real site."""

from __future__ import annotations

import dataclasses
import re

import pytest
from sqlalchemy import select

from folkmoot_node.casework.cases.cases import CaseState
from folkmoot_node.casework.cases.models import FirstLookRow
from folkmoot_node.casework.desk import Desk, desk_of_app
from folkmoot_node.casework.homes import score_at_opening
from folkmoot_node.casework.opening.searches import SEARCHED
from tests.casework_cases import MANAGER, OTHER, WORKER, open_case
from tests.casework_council import CaseworkCouncil, serving_council
from tests.web_site import Browser, RunningSite

NOTE = "The boiler has been broken since Monday"


@pytest.fixture
def desk(site: RunningSite) -> Desk:
    return desk_of_app(site.app)


def open_household(browser: Browser, case_id: str) -> None:
    browser.fill_in(f"/cases/{case_id}/open", reason="First telephone call")


def test_while_there_are_no_cases_the_work_list_says_where_they_begin(
    council: CaseworkCouncil, site: RunningSite, desk: Desk
) -> None:
    leads = 'href="/cohorts">go to cohorts'
    with Browser(site) as manager, Browser(site) as caseworker:
        manager.sign_in(MANAGER)
        caseworker.sign_in(WORKER)
        for one in (manager, caseworker):
            assert "There are no cases yet" in one.get("/").text
        assert leads in manager.get("/").text
        assert leads not in caseworker.get("/").text
        open_case(council, desk, 0)
        for one in (manager, caseworker):
            assert "There are no cases yet" not in one.get("/?whose=me").text
        assert leads not in manager.get("/?show=closed").text


def test_a_case_is_worked_on_from_claim_to_close_and_reopened(
    council: CaseworkCouncil, site: RunningSite, desk: Desk
) -> None:
    case_id = open_case(council, desk, 0, flagged_days_ago=9)
    page = f"/cases/{case_id}"
    with Browser(site, follow_redirects=True) as one:
        one.sign_in(WORKER)
        listed = one.get("/").text
        assert "Waiting for 9 days" in listed
        assert "No worker" in listed
        assert "You have the case now" in one.fill_in(f"{page}/claim", page, version=1).text
        assert "Mine" in one.get("/").text
        open_household(one, case_id)

        wrong = one.fill_in(
            f"{page}/contacts", f"{page}/record", channel="telephone", time="25:00", on_day="31",
            on_month="2", on_year="2027", contact_text=NOTE,
        )  # fmt: skip
        assert wrong.status_code == 422
        for said in ("Select what came of it", "must be a real date", "must be a time", NOTE):
            assert said in wrong.text
        done = one.fill_in(
            f"{page}/contacts", f"{page}/record", channel="telephone", outcome="no answer",
            time="07:55", on_day="15", on_month="1", on_year="2027", contact_text=NOTE,
        )  # fmt: skip
        assert "The contact is recorded" in done.text
        assert "15 January 2027 at 07:55: telephone, no answer" in done.text

        both = one.fill_in(f"{page}/needs", f"{page}/needs", found="no", needs="Food")
        assert "Select needs only if you found one" in both.text
        found = one.fill_in(
            f"{page}/needs", f"{page}/needs", found="yes", needs=["Food", "Heating and energy"]
        )
        assert "Need found" in found.text
        assert "Heating and energy" in found.text

        version = desk.cases.get(case_id).version
        planned = one.fill_in(
            f"{page}/plan", f"{page}/plan", version=version, plan_text="Warm home grant"
        )
        assert "Warm home grant" in planned.text
        acted = one.fill_in(
            f"{page}/actions", f"{page}/plan", action_text="Send the form", due_day="16",
            due_month="1", due_year="2027",
        )  # fmt: skip
        assert "Send the form" in acted.text
        assert "Overdue" not in acted.text
        council.clock.now += 3 * 86_400
        one.cookies.clear()
        one.sign_in(WORKER)
        plain = one.get(page).text
        assert "1 overdue action" in plain
        assert "Send the form" not in plain
        assert case_id in one.get("/?whose=me&show=overdue").text

        version = desk.cases.get(case_id).version
        unsure = one.fill_in(f"{page}/close", page, version=version)
        assert "Select how the case ended" in unsure.text
        closed = one.fill_in(f"{page}/close", page, version=version, outcome="helped")
        assert "The case is closed" in closed.text
        assert "You have no case" in one.get("/?whose=me").text
        again = one.fill_in(f"{page}/reopen", page, version=version + 1)
        assert "The case is open again" in again.text
    assert desk.cases.get(case_id).state is CaseState.OPEN


def test_what_is_recorded_shows_only_in_an_opened_household_and_typing_is_kept(
    council: CaseworkCouncil,
) -> None:
    change_policy(council, "minutes = 60", "minutes = 5")
    with (
        serving_council(council) as site,
        Browser(site, follow_redirects=True) as one,
        Browser(site, follow_redirects=True) as two,
    ):
        desk = desk_of_app(site.app)
        case_id = open_case(council, desk, 1)
        page = f"/cases/{case_id}"
        site.add_account(OTHER, "caseworker")
        one.sign_in(WORKER)
        open_household(one, case_id)
        assert NOTE in one.fill_in(f"{page}/notes", f"{page}/record", note_text=NOTE).text
        token = one.token(f"{page}/record")
        two.sign_in(OTHER)
        for path in ("record", "needs", "plan", "then-and-now", "score"):
            answer = two.get(f"{page}/{path}")
            assert answer.status_code == 403, path
            assert NOTE not in answer.text
        refused = two.fill_in(f"{page}/notes", page, note_text="Never looked")
        assert refused.status_code == 403
        assert "never opened" in refused.text
        assert NOTE not in two.get(page).text

        council.clock.now += 6 * 60  # the time is over while a note is typed
        wrong = one.post(f"{page}/notes", data={"form_token": token, "note_text": "x" * 4_001})
        assert wrong.status_code == 422
        assert "x" * 4_001 in wrong.text
        assert NOTE not in wrong.text
        assert "no longer open" in wrong.text
        late = one.fill_in(f"{page}/notes", page, note_text="Typed late")
        assert "What you entered is recorded" in late.text
        assert "Typed late" not in late.text
        open_household(one, case_id)
        assert "Typed late" in one.get(f"{page}/record").text


def test_two_workers_at_once_lose_nothing(
    council: CaseworkCouncil, site: RunningSite, desk: Desk
) -> None:
    case_id = open_case(council, desk, 2)
    page = f"/cases/{case_id}"
    site.add_account(OTHER, "manager")
    with Browser(site, follow_redirects=True) as one, Browser(site, follow_redirects=True) as two:
        one.sign_in(MANAGER)
        two.sign_in(OTHER)
        assert "You have the case now" in one.fill_in(f"{page}/claim", page, version=1).text
        late = two.fill_in(
            f"{page}/assign", page, version=1, worker=number(desk, WORKER), team="Welfare rights"
        )
        assert late.status_code == 409
        assert "Manager" in late.text
        assert "Worker from nobody to Manager" in late.text
        assert "Worker Caseworker; Team Welfare rights" in late.text
        assert desk.cases.get(case_id).worker == MANAGER
        again = two.post(f"{page}/assign", data=hidden(late.text))
        assert "The case is given out" in again.text
        now = desk.cases.get(case_id)
        assert (now.worker, now.team) == (WORKER, "Welfare rights")
        # Whoever changes the team only does not take the case from who has claimed it meanwhile.
        desk_now = desk.cases.get(case_id).version
        stale = two.fill_in(
            f"{page}/assign", page, version=desk_now - 1, worker="", worker_was="",
            team="Adult social care", team_was="",
        )  # fmt: skip
        assert "Give the case out: Team Adult social care." in stale.text
        two.post(f"{page}/assign", data=hidden(stale.text))
        now = desk.cases.get(case_id)
        assert (now.worker, now.team) == (WORKER, "Adult social care")
        claimed = one.fill_in(f"{page}/claim", page, version=1)
        assert claimed.status_code == 409
        assert "cannot be done any more. Somebody has the case." in claimed.text

        open_household(one, case_id)
        open_household(two, case_id)
        version = now.version
        one.fill_in(f"{page}/plan", f"{page}/plan", version=version, plan_text="First plan")
        kept = two.fill_in(f"{page}/plan", f"{page}/plan", version=version, plan_text="Second plan")
        assert kept.status_code == 409
        assert "First plan" in kept.text
        assert "Second plan" in kept.text
        assert "plan recorded" in kept.text
        for who, text in ((one, "Note of one"), (two, "Note of two")):
            who.fill_in(f"{page}/notes", page, note_text=text)
        both = one.get(f"{page}/record").text
        assert "Note of one" in both
        assert "Note of two" in both


def test_several_cases_are_given_out_and_those_that_changed_are_named(
    council: CaseworkCouncil, site: RunningSite, desk: Desk
) -> None:
    ids = [open_case(council, desk, at) for at in range(3)]
    with Browser(site, follow_redirects=True) as one, Browser(site, follow_redirects=True) as two:
        one.sign_in(MANAGER)
        assert "Select at least one case" in one.fill_in("/").text
        nothing = one.fill_in("/", chosen=f"{ids[0]}:1")
        assert "Select a worker, a team or both" in nothing.text
        two.sign_in(WORKER)
        two.fill_in(f"/cases/{ids[2]}/claim", f"/cases/{ids[2]}", version=1)
        chosen = [f"{one_id}:1" for one_id in ids]
        mixed = one.fill_in("/", chosen=chosen, team="Welfare rights")
        assert mixed.status_code == 409
        assert "1 case you did not give out" in mixed.text
        assert "2 cases" in mixed.text
        assert "Worker from nobody to Caseworker" in mixed.text
        assert f'value="{ids[2]}:2" checked' in mixed.text
        assert [desk.cases.get(one_id).team for one_id in ids] == ["Welfare rights"] * 2 + [None]
        done = one.fill_in("/", chosen=f"{ids[2]}:2", team="Welfare rights")
        assert "You have given out 1 case" in done.text
        assert desk.cases.get(ids[2]).worker == WORKER  # what is not chosen stays
        assert two.fill_in("/", f"/cases/{ids[2]}", chosen=chosen[0]).status_code == 403


def test_a_version_that_is_no_number_of_the_database_is_refused(
    council: CaseworkCouncil, site: RunningSite, desk: Desk
) -> None:
    page = f"/cases/{open_case(council, desk, 0)}"
    with Browser(site) as one:
        one.sign_in(WORKER)
        assert one.fill_in(f"{page}/claim", page, version="9" * 30).status_code == 422


def test_a_first_look_comes_before_the_score_where_the_policy_says_so(
    council: CaseworkCouncil,
) -> None:
    change_policy(council, "[openings]", "[openings]\nblind_first_look = true")
    with serving_council(council) as site, Browser(site, follow_redirects=True) as one:
        desk = desk_of_app(site.app)
        case_id = open_case(council, desk, 0)
        page = f"/cases/{case_id}"
        one.sign_in(WORKER)
        assert one.get(f"{page}/score").status_code == 403
        open_household(one, case_id)
        for path_ in ("score", "then-and-now", "notice"):
            asked = one.get(f"{page}/{path_}").text
            assert "say what you think" in asked
            assert "arrears" not in asked.lower()
        assert "Select what you think" in one.fill_in(f"{page}/first-look").text
        seen = one.fill_in(f"{page}/first-look", view="unlikely", why="Nothing is known to us")
        assert "council tax" in seen.text.lower()
        one.fill_in(f"{page}/first-look", view="likely", why="After the score was seen")
        one.cookies.clear()
        one.sign_in("protection_officer@example.gov.uk")
        open_household(one, case_id)  # who judges no need records no view
        assert "council tax" in one.get(f"{page}/score").text.lower()
        with desk.state.database.reading() as session:
            (row,) = session.scalars(select(FirstLookRow))
            assert (row.view, row.band, row.is_upper) == ("unlikely", "high", True)


def test_a_home_that_left_the_list_keeps_its_case_and_gets_a_new_uprn(
    council: CaseworkCouncil, site: RunningSite, desk: Desk
) -> None:
    case_id = open_case(council, desk, 0)
    other = open_case(council, desk, 3)
    page = f"/cases/{case_id}"
    first = council.uprn(0)
    council.households = [
        dataclasses.replace(one, arrears=0.0) if at == 0 else one
        for at, one in enumerate(council.households)
    ]
    council.score()
    with Browser(site, follow_redirects=True) as one:
        one.sign_in(MANAGER)
        open_household(one, case_id)
        compared = one.get(f"{page}/then-and-now").text
        assert "Score then and now" in compared
        assert "no longer in the council" not in compared

        rows = (council.home / "extracts" / "council_tax.csv").read_text().splitlines()
        kept = [row for row in rows if not row.startswith(str(first))]
        (council.home / "extracts" / "council_tax.csv").write_text("\n".join(kept) + "\n")
        council.score()
        gone = one.get(f"{page}/then-and-now").text
        assert "no longer in the council" in gone
        assert "Score then and now" in gone

        def connect(uprn: object) -> str:
            return one.fill_in(
                f"{page}/connect", f"{page}/then-and-now", version=1, uprn=uprn,
                why="The gazetteer split the building",
            ).text  # fmt: skip

        assert "No home in the council" in connect(999)
        assert "has another case" in connect(council.uprn(3))
        searched = [one.body["household"] for one in desk.state.audit.entries((SEARCHED,))]
        assert searched == [None, desk.cases.get(other).household]
        assert other != case_id
        assert "about the other UPRN now" in connect(council.uprn(20))
        assert one.get(f"{page}/score").status_code == 403  # opened for another home
        open_household(one, case_id)
        moved = one.get(f"{page}/then-and-now").text
        assert str(council.uprn(20)) in moved
        assert "The gazetteer split the building" in moved
    assert str(first) not in str([entry.body for entry in desk.state.audit.entries()])


def test_the_score_of_then_hides_sensitive_sources_as_that_of_now_does(
    council: CaseworkCouncil, site: RunningSite, desk: Desk
) -> None:
    case_id = open_case(council, desk, 8)  # arrears, and a case of children's services
    by = council.visitor(desk, "caseworker")
    desk.openings.open(by, case_id, "First telephone call")
    opened = desk.openings.look(by, case_id, "score then and now")
    then = score_at_opening(desk.state, opened, desk.known.policy.sensitive_sources)
    now = desk.explanation(opened).as_json()
    assert then is not None
    for name in ("score", "highest", "completeness", "band", "action", "contributions"):
        assert then[name] == now[name], name
    everything = score_at_opening(desk.state, opened, ())
    assert everything is not None
    assert everything["score"] > then["score"]


def test_what_was_entered_by_mistake_is_taken_out(
    council: CaseworkCouncil, site: RunningSite, desk: Desk
) -> None:
    case_id = open_case(council, desk, 1)
    page = f"/cases/{case_id}"
    with Browser(site, follow_redirects=True) as one:
        one.sign_in(WORKER)
        open_household(one, case_id)
        shown = one.fill_in(f"{page}/notes", f"{page}/record", note_text=NOTE).text
        place = shown.split("/entries/note/")[1].split('"')[0]
        gone = one.fill_in(f"{page}/entries/note/{place}", f"{page}/record").text
        assert NOTE not in gone
        assert "Taken out as a mistake by Caseworker" in gone
        assert one.fill_in(f"{page}/entries/note/nothing/remove", page).status_code == 404
        assert one.fill_in(f"{page}/entries/cases/{case_id}/remove", page).status_code == 404


def number(desk: Desk, name: str) -> str:
    return next(str(one.id) for one in desk.state.accounts.list() if one.name == name)


def hidden(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text))


def change_policy(council: CaseworkCouncil, before: str, after: str) -> None:
    path = council.home / "casework-policy.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    council.sign()
