"""The pages of cohorts on the real site, with forms as a browser without scripts sends them."""

from __future__ import annotations

import re
from copy import copy
from typing import Any

import httpx2
import pytest

from folkmoot_node.casework.cohorts.cohorts import COUNTED, SAVED
from folkmoot_node.casework.cohorts.deciding import DECIDED, LISTED, NOT_YET, SHOWN, look_at
from folkmoot_node.casework.cohorts.definition import Definition
from folkmoot_node.casework.cohorts.listing import cohort_of_case
from folkmoot_node.casework.cohorts.runs import Standing, get_run, members, run_cohort
from folkmoot_node.casework.desk import Desk, desk_of_app
from folkmoot_web.visitors import Visitor
from tests.casework_council import SENSITIVE, CaseworkCouncil, serving_council
from tests.casework_opening import BLIND, MANAGER_SEES, change_policy, restrict
from tests.unit.node.casework.test_cohorts import definition
from tests.web_site import Browser, RunningSite

THREE = {
    "purpose": "Debt advice",
    "subject_1": "field.council_tax_arrears", "compare_1": "above", "value_1": "£1,000",
    "subject_2": "field.oldest_age", "compare_2": "at_least", "value_2": "65",
    "subject_3": "field.people", "compare_3": "at_most", "value_3": "1",
    "leave_out": ["objected", "in_case", "supported"],
    "supported_within_days": "365",
}  # fmt: skip
SAVED_FIELDS = {
    "title": "Arrears, 65 or over, alone", "owner": "Head of Revenues",
    "lawful_basis": "UK GDPR article 6(1)(e)",
    "ends_day": "31", "ends_month": "3", "ends_year": "2028",
}  # fmt: skip


def build(browser: Browser, action: str, **fields: Any) -> httpx2.Response:
    return browser.fill_in("/cohorts/new", action=action, **fields)


def counted_digest(page: str) -> str:
    found = re.search(r'name="counted" value="([^"]*)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


def save(browser: Browser, **changes: Any) -> httpx2.Response:
    fields = THREE | SAVED_FIELDS | changes
    digest = counted_digest(build(browser, "count", **fields).text)
    return build(browser, "save", counted=digest, **fields)


def test_conditions_are_added_one_by_one_and_counted_before_anything_is_kept(
    site: RunningSite,
) -> None:
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        first = manager.get("/cohorts/new").text
        assert "Council tax arrears, pounds (from council_tax)" in first
        assert "Save the cohort" not in first
        added = build(manager, "add", purpose="Debt advice", add="field.council_tax_arrears")
        assert "Condition 1: council tax arrears" in added.text
        assert 'value="Debt advice"' in added.text
        both = build(
            manager, "add", subject_1="field.council_tax_arrears", compare_1="above",
            value_1="1000", add="attribute.lsoa",
        ).text  # fmt: skip
        assert "Condition 2: LSOA" in both
        assert 'value="1000"' in both
        without = build(
            manager, "remove-1", subject_1="field.council_tax_arrears", value_1="1000",
            subject_2="attribute.lsoa", codes_2="E01005061",
        ).text  # fmt: skip
        assert "Condition 1: LSOA" in without
        assert "Condition 2" not in without
        counted = build(manager, "count", **THREE).text
        assert "Fewer than 5 of 40" in counted
        assert "fewer than 5 more may belong" in counted
        assert "Not known for fewer than 5" in counted
        assert "2 of 40" not in counted
        assert "Band high" not in counted, "it would tell how many"
        assert "Households that are hidden from you are not in the count." in counted
        assert "Save the cohort" in counted
        desk = desk_of_app(site.app)
        assert desk.cohorts.listed() == []
        assert len(list(desk.state.audit.entries((COUNTED,)))) == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"purpose": " "}, "Enter what the cohort is for"),
        ({"value_1": "a lot"}, "Enter a number for council tax arrears, such as 1000"),
        ({"value_1": ""}, "Enter a number for council tax arrears"),
        ({"compare_1": "about"}, "Select how to compare council tax arrears"),
        ({"subject_2": "field.lapsed"}, "the last scoring run has no field &#39;lapsed&#39;"),
        ({"subject_2": "attribute.lsoa", "codes_2": []}, "Select at least one code of LSOA"),
        ({"subject_2": "attribute.lsoa", "codes_2": ["mild"]}, "has no code &#39;mild&#39;"),
        ({"supported_within_days": "-1"}, "whole number from 1 to 3660"),
        ({"supported_within_days": "٣"}, "whole number from 1 to 3660"),
    ],
)
def test_what_is_wrong_stands_beside_what_was_typed(
    fields: dict[str, Any], says: str, site: RunningSite
) -> None:
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        refused = build(manager, "count", **(THREE | fields))
        assert refused.status_code == 422
        assert says in refused.text
        assert "There is a problem" in refused.text
        assert 'value="1"' in refused.text  # of the third condition
        assert " of 40" not in refused.text


def test_an_empty_form_says_what_to_do(site: RunningSite) -> None:
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        refused = build(manager, "count", purpose="Debt advice")
        assert "Choose what the first condition is about, and add it" in refused.text
        assert "Choose what the condition is about" in build(manager, "add", add="").text


def test_a_cohort_is_saved_only_after_its_count_was_seen(site: RunningSite) -> None:
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        unseen = build(manager, "save", counted="", **(THREE | SAVED_FIELDS))
        assert unseen.status_code == 422
        assert "See the new count, then save" in unseen.text
        lacking = save(manager, title="", ends_month="13")
        assert "Enter a title" in lacking.text
        assert "Enter a real date for the last day" in lacking.text
        assert 'value="Head of Revenues"' in lacking.text
        past = save(manager, ends_year="2001")
        assert "would have ended on 2001-03-31 already" in past.text
        saved = save(manager)
        assert saved.status_code == 303
        page = manager.get(saved.headers["location"]).text
        assert "The cohort is saved. Nobody is listed until you run it." in page
        assert "Council tax arrears more than 1,000 pounds" in page
        assert "It was not run yet, so nobody is listed." in page
        assert len(list(desk_of_app(site.app).state.audit.entries((SAVED,)))) == 1


def saved_and_run(site: RunningSite, wanted: Definition | None = None) -> tuple[str, str]:
    desk = desk_of_app(site.app)
    by = CaseworkCouncil.visitor(None, desk, "manager")  # type: ignore[arg-type]
    cohort_id = desk.cohorts.save(wanted or definition(), by)
    return cohort_id, run_cohort(desk.cohorts, cohort_id, by)


def by_score(desk: Desk, run_id: str) -> list[str]:
    """The households of a run, the highest score first."""
    with desk.state.database.reading() as session:
        rows = members(session, run_id, standing=tuple(Standing), first=0, size=99)[1]
    return [row.household_id for row in rows]


def test_a_cohort_is_changed_and_run_and_shown_as_a_file(site: RunningSite) -> None:
    cohort_id, _ = saved_and_run(site)
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        path = f"/cohorts/{cohort_id}/change"
        page = manager.get(path).text
        assert 'value="1000"' in page
        fields = THREE | SAVED_FIELDS | {"value_1": "500", "version": "1"}
        digest = counted_digest(manager.fill_in(path, action="count", **fields).text)
        done = manager.fill_in(path, action="save", counted=digest, **fields)
        assert done.headers["location"].endswith("?done=changed")
        lost = manager.fill_in(path, action="save", counted=digest, **fields)
        assert lost.status_code == 409
        assert "Somebody else has changed this cohort" in lost.text
        ran = manager.fill_in(f"/cohorts/{cohort_id}/run", f"/cohorts/{cohort_id}")
        shown = manager.get(ran.headers["location"]).text
        assert "2 new" not in shown.partition("Newest")[2].partition("</section>")[0]
        assert "The conditions were changed in between." in shown
        file = manager.get(f"/cohorts/{cohort_id}/file")
        assert "above = 500" in file.text
        assert file.headers["content-type"].startswith("text/plain")


def test_members_show_the_least_and_each_page_is_logged_first(
    site: RunningSite, council: CaseworkCouncil
) -> None:
    cohort_id, run_id = saved_and_run(site)
    desk = desk_of_app(site.app)
    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        listed = worker.get(f"/cohorts/{cohort_id}/runs/{run_id}").text
        assert listed.count("casework-member__name") == 2
        assert "Band" not in listed
        assert "in no order: bands would give away" in listed
        assert "2,600" not in listed
        assert all(str(council.uprn(at)) not in listed for at in range(40))
        assert "Record the decision" not in listed  # a caseworker does not decide
        household = re.search(r'casework-member__name">([a-z0-9]+)<', listed)
        assert household is not None
        assert worker.get(f"/cohorts/{cohort_id}/runs/{run_id}/{household[1]}").status_code == 403
        assert worker.get("/cohorts/new").status_code == 403
    [entry] = desk.state.audit.entries((LISTED,))
    assert (entry.body["by"], entry.body["run"]) == ("caseworker@example.gov.uk", run_id)


def test_a_person_decides_on_what_they_see_and_can_decide_otherwise(site: RunningSite) -> None:
    cohort_id, run_id = saved_and_run(site)
    desk = desk_of_app(site.app)
    path = f"/cohorts/{cohort_id}/runs/{run_id}"
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        first, second = by_score(desk, run_id)
        assert {first, second} == set(
            re.findall(rf'href="{path}/([a-z0-9]+)"', manager.get(path).text)
        )
        page = manager.get(f"{path}/{first}").text
        assert "2,600 pounds" in page
        refused = manager.fill_in(f"{path}/{first}", why="Pays by now", decision="")
        assert "Select what you decide" in refused.text
        assert "Pays by now" in refused.text
        against = manager.fill_in(f"{path}/{first}", why="Pays by now", decision="not")
        listed = manager.get(against.headers["location"]).text
        assert "Your decision to open no case is recorded." in listed
        assert "No case, decided" in listed
        opened = manager.fill_in(
            f"{path}/{first}", why="They telephoned", decision="open", team="Welfare rights"
        )
        assert "One case was opened." in manager.get(opened.headers["location"]).text
        again = manager.fill_in(
            f"{path}/{first}", f"{path}/{second}", why="Once more", decision="open"
        )
        assert again.status_code == 409
        history = manager.get(f"{path}/{first}").text
        assert "Pays by now" in history
        assert "They telephoned" in history
        bulk = manager.fill_in(path, household=[second], why="From the list", decision="open")
        assert "One case was opened." in manager.get(bulk.headers["location"]).text
        for one in desk.cases.listed():
            assert "From the cohort" in manager.get(f"/cases/{one.case_id}").text
            by = Visitor(1, "x", "X", ("manager",), frozenset(), "session")
            cohorts = copy(desk.cohorts)
            assert cohort_of_case(cohorts, one.case_id, by) is not None
            hides = {"sensitive_sources": ("council_tax",)}
            cohorts.policy = cohorts.policy.model_copy(update=hides)
            assert cohort_of_case(cohorts, one.case_id, by) is None, "it would tell of the source"
        empty = manager.fill_in(path, why="Nobody", decision="open")
        assert "Select at least one household" in empty.text
    cases = desk.cases.listed()
    assert {one.purpose for one in cases} == {"Debt advice"}
    assert {one.team for one in cases} == {"Welfare rights", None}
    actions = [one.body["action"] for one in desk.state.audit.entries((SHOWN, DECIDED))]
    assert actions.index(SHOWN) < actions.index(DECIDED)


def test_an_unknown_cohort_run_or_household_is_not_found(site: RunningSite) -> None:
    cohort_id, run_id = saved_and_run(site)
    other, _ = saved_and_run(site)
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        for path in (
            "/cohorts/none", "/cohorts/none/change", f"/cohorts/{cohort_id}/runs/none",
            f"/cohorts/{other}/runs/{run_id}", f"/cohorts/{cohort_id}/runs/{run_id}/none",
        ):  # fmt: skip
            assert manager.get(path).status_code == 404, path


def test_what_the_run_no_longer_has_is_said_on_the_cohort(
    site: RunningSite, council: CaseworkCouncil
) -> None:
    cohort_id, _ = saved_and_run(site, definition([{"attribute": "lsoa", "is": "E01005061"}]))
    policy = council.home / "risk-policy.toml"
    policy.write_text(policy.read_text().replace('[attributes.lsoa]\nfield = "lsoa"\n', ""))
    council.clock.now = site.clock.now = site.clock.now + 60
    council.score()
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        page = manager.get(f"/cohorts/{cohort_id}")
        assert page.status_code == 200
        assert "the last scoring run has no attribute &#39;lsoa&#39;" in page.text
        ran = manager.fill_in(f"/cohorts/{cohort_id}/run", f"/cohorts/{cohort_id}")
        assert ran.status_code == 422
        assert "has no attribute" in ran.text
        change = manager.get(f"/cohorts/{cohort_id}/change").text
        assert "The last scoring run has nothing of this name" in change
        council.config.store_path.unlink()
        assert "Cohorts cannot be counted or run now" in manager.get("/cohorts").text
        assert manager.get(f"/cohorts/{cohort_id}").status_code == 200
        assert manager.get("/cohorts/new").status_code == 200


def test_a_sensitive_source_is_not_offered(site: RunningSite) -> None:
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        assert SENSITIVE not in manager.get("/cohorts/new").text
        forced = build(
            manager, "count", purpose="Debt advice", subject_1="field.children_services",
            value_1="yes",
        )  # fmt: skip
        assert "that you may not use" in forced.text or "that you may use" in forced.text
        assert " of 40" not in forced.text


def test_nothing_is_shown_if_the_log_cannot_be_written(
    site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort_id, run_id = saved_and_run(site)
    desk = desk_of_app(site.app)
    path = f"/cohorts/{cohort_id}/runs/{run_id}"
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        household = re.findall(rf'href="{path}/([a-z0-9]+)"', manager.get(path).text)[0]

        def full(*arguments: object, **options: object) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(type(desk.state.audit), "record", full)
        for address in (path, f"{path}/{household}"):
            failed = manager.get(address)
            assert failed.status_code >= 500
            assert household not in failed.text
            assert "2,600" not in failed.text
        assert build(manager, "count", **THREE).status_code >= 500


def test_a_household_that_is_hidden_from_somebody_is_not_listed(
    site: RunningSite, council: CaseworkCouncil
) -> None:
    cohort_id, run_id = saved_and_run(site)
    desk = desk_of_app(site.app)
    path = f"/cohorts/{cohort_id}/runs/{run_id}"
    with Browser(site) as manager:
        manager.sign_in("manager@example.gov.uk")
        first, second = by_score(desk, run_id)
        assert {first, second} == set(
            re.findall(rf'href="{path}/([a-z0-9]+)"', manager.get(path).text)
        )
        restrict(council, desk, 0)
        listed = manager.get(path).text
        assert re.findall(rf'href="{path}/([a-z0-9]+)"', listed) == [second]
        assert "All members (1)" in listed
        assert "Households that are hidden from you are not in the list." in listed
        assert "1 of 40" in manager.get(f"/cohorts/{cohort_id}").text
        assert first not in listed
        refused = manager.get(f"{path}/{first}")
        assert refused.status_code == 403
        assert "2,600" not in refused.text
        bulk = manager.fill_in(path, household=[first, second], why="Both of them", decision="open")
        assert bulk.status_code == 403
    assert desk.cases.listed() == []


def listed_and_first(
    council: CaseworkCouncil, *changes: tuple[str, str]
) -> tuple[list[str], list[str], str, str]:
    """Households by score and as a manager's list has them, the list, and the page of the first."""
    wanted = definition(
        [{"field": "oldest_age", "at_least": 0}, {"factor": "isolation", "at_least": 0}]
    )
    change_policy(council, *changes)
    with serving_council(council) as site, Browser(site) as manager:
        cohort_id, run_id = saved_and_run(site, wanted)
        desk = desk_of_app(site.app)
        scored = by_score(desk, run_id)[:20]
        manager.sign_in("manager@example.gov.uk")
        path = f"/cohorts/{cohort_id}/runs/{run_id}"
        page = manager.get(path).text
        listed = re.findall(rf'href="{path}/([a-z0-9]+)"', page)
        first = manager.get(f"{path}/{scored[0]}").text
        cohort = manager.get(f"/cohorts/{cohort_id}").text
    assert ("Band high" in cohort) == ("Band high" in page)
    return scored, listed, page, first


def test_who_may_see_all_factors_sees_bands_the_highest_score_first(
    council: CaseworkCouncil,
) -> None:
    scored, listed, page, first = listed_and_first(council, MANAGER_SEES)
    assert listed[:20] == scored
    assert "the highest score first" in page
    assert "Band high" in page
    assert ">Band<" in first
    assert NOT_YET not in first


@pytest.mark.parametrize("changes", [(), (MANAGER_SEES, BLIND)], ids=["sources", "blind look"])
def test_bands_and_the_order_by_score_are_hidden_where_they_give_something_away(
    changes: tuple[tuple[str, str], ...], council: CaseworkCouncil
) -> None:
    scored, listed, page, first = listed_and_first(council, *changes)
    assert listed == sorted(listed)
    assert listed[:20] != scored
    assert "Band high" not in page
    assert "the highest score first" not in page
    assert ">Band<" not in first
    assert (NOT_YET in first) == bool(changes), "points are a part of the score"
    assert "?page=1" in first


def test_the_way_back_from_a_household_does_not_tell_its_place_by_score(
    council: CaseworkCouncil,
) -> None:
    desk = council.desk()
    manager = council.visitor(desk, "manager")
    cohort_id = desk.cohorts.save(definition([{"field": "people", "at_least": 0}]), manager)
    run_id = run_cohort(desk.cohorts, cohort_id, manager)
    restrict(council, desk, 3)
    hidden = desk.cohorts.hidden(manager)
    with desk.state.database.reading() as session:
        run = get_run(session, run_id)
        rows = members(session, run_id, standing=tuple(Standing), first=0, size=99, without=hidden)
    ids = sorted(row.household_id for row in rows[1])
    assert [look_at(desk.cohorts, run, one, manager).place for one in ids] == list(range(len(ids)))
