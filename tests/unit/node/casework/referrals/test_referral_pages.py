"""The pages of referrals: who may see and do what, and what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.referrals.kinds import Ground, ReferralState, Urgency, Way
from tests.casework_council import CaseworkCouncil, serving_council
from tests.casework_opening import change_policy, restrict
from tests.referring import NAME, TELEPHONE, Referring
from tests.web_site import Browser, RunningSite

CONSENT = {
    "how": "spoken", "given_by": "the resident", "fields": ["name", "telephone", "records"],
    "given_on_day": "14", "given_on_month": "1", "given_on_year": "2027",
}  # fmt: skip


@pytest.fixture
def on_site(council: CaseworkCouncil, site: RunningSite) -> Referring:
    """A council that refers, on a running site."""
    return Referring(council, desk_of_app(site.app))


@contextmanager
def browser_of(site: RunningSite, role: str) -> Iterator[Browser]:
    with Browser(site, follow_redirects=True) as browser:
        browser.sign_in(f"{role}@example.gov.uk")
        yield browser


def consent(browser: Browser, on_site: Referring, case_id: str) -> httpx2.Response:
    path = f"/cases/{case_id}/consents/new"
    return browser.fill_in(path, service=on_site.debt, **CONSENT)


def draft(browser: Browser, on_site: Referring, case_id: str, **fields: object) -> httpx2.Response:
    on_site.opened(case_id, on_site.visitor("caseworker"))
    path = f"/cases/{case_id}/referrals/new?service={on_site.debt}"
    consents = on_site.room.consents.listed(case_id, on_site.debt)
    given = {
        "consent": consents[0].consent_id if consents else "none", "name": NAME,
        "telephone": TELEPHONE, "urgency": "routine", **fields,
    }  # fmt: skip
    return browser.fill_in(path, **given)


def test_from_consent_to_completed_on_pages(site: RunningSite, on_site: Referring) -> None:
    case_id = on_site.case()
    with browser_of(site, "caseworker") as worker, Browser(site) as service:
        assert "Consent is recorded" in consent(worker, on_site, case_id).text
        page = draft(worker, on_site, case_id, records=["factor.council_tax_arrears"])
        assert "not sent yet" in page.text
        for shown in (NAME, TELEPHONE, "Council tax"):
            assert shown in page.text
        path = page.url.path
        page = worker.fill_in(f"{path}/send", path, way="link")
        assert "The referral is sent" in page.text
        link = on_site.room.links.latest(path.rpartition("/")[2])
        assert link is not None
        assert link.pin in page.text
        service.follow_redirects = True
        seen = service.fill_in(link.path, pin=link.pin)
        for shown in (NAME, TELEPHONE, "Council tax"):
            assert shown in seen.text
        assert str(on_site.council.uprn(0)) not in seen.text  # it was not chosen
        assert "Received" in worker.get(path).text
        refused = service.fill_in(f"{link.path}/answer", link.path, answer="rejected")
        assert "Enter why you reject the referral" in refused.text
        accepted = service.fill_in(f"{link.path}/answer", link.path, answer="accepted")
        assert "you accept the referral" in accepted.text
        assert "Accepted" in worker.get(f"/cases/{case_id}/referrals").text
        # Weeks later, in another browser, the service finishes: the household is not shown again.
        site.clock.now += 40 * 24 * 60 * 60
    with Browser(site, follow_redirects=True) as later:
        page = later.fill_in(link.path, pin=link.pin)
        assert NAME not in page.text
        later.fill_in(f"{link.path}/answer", link.path, answer="completed")
    found = on_site.room.referrals.get(path.rpartition("/")[2], case_id)
    assert found.state == ReferralState.COMPLETED


def test_forms_keep_what_was_typed_and_say_what_is_wrong(
    site: RunningSite, on_site: Referring
) -> None:
    case_id = on_site.case()
    with browser_of(site, "caseworker") as worker:
        new = f"/cases/{case_id}/consents/new"
        wrong = worker.fill_in(new, service=on_site.debt, note="N1")
        for words in ("Select how consent was given", "Select what may be handed over", "N1"):
            assert words in wrong.text
        never = {**CONSENT, "given_on_day": "31", "given_on_month": "2"}
        unreal = worker.fill_in(new, service=on_site.debt, **never)
        assert "must be a real date" in unreal.text
        late = worker.fill_in(new, service=on_site.debt, **{**CONSENT, "given_on_year": "2031"})
        assert "or earlier" in late.text
        consent(worker, on_site, case_id)
        page = draft(worker, on_site, case_id, address="1 High Street")
        assert page.status_code == 422
        assert "The consent does not cover Address" in page.text
        assert "1 High Street" in page.text
        nothing = draft(worker, on_site, case_id, name="", telephone="")
        assert "at least one thing" in nothing.text
        page = draft(worker, on_site, case_id)
        path = page.url.path
        assert "Select how it is handed over" in worker.fill_in(f"{path}/send", path).text
        assert "Enter why the referral is revoked" in worker.fill_in(f"{path}/revoke", path).text


def test_a_ground_needs_a_second_person(site: RunningSite, on_site: Referring) -> None:
    case_id = on_site.case()
    with browser_of(site, "caseworker") as worker, browser_of(site, "manager") as manager:
        path = draft(worker, on_site, case_id, consent="none").url.path
        given = {"ground": "safeguarding_adult", "reason": "She is at risk, and cannot be asked"}
        page = worker.fill_in(f"{path}/ground", path, **given)
        assert "waits for a second person" in page.text
        assert "Approve the legal ground" not in page.text
        token = worker.token(path)
        own = worker.post(f"{path}/decide", data={"form_token": token, "decision": "approve"})
        assert own.status_code == 403
        shown = manager.get(path).text
        assert "She is at risk" in shown
        assert NAME not in shown  # the manager has not opened the household
        page = manager.fill_in(f"{path}/decide", path, decision="approve")
        assert "The legal ground is approved" in page.text
        assert "The referral is sent" in worker.fill_in(f"{path}/send", path, way="file").text
        taken = worker.fill_in(f"{path}/file", path)
        assert "attachment" in taken.headers["content-disposition"]
        document = taken.json()
    assert document["service"]["id"] == "ac148810-d857-441c-9679-408f346de14b"
    assert document["referral"]["basis"].startswith("Safeguarding an adult")
    values = [one["value"] for one in document["referral"]["handed_over"]]
    assert values == [NAME, TELEPHONE]


def test_a_household_that_is_not_open_shows_nothing(site: RunningSite, on_site: Referring) -> None:
    case_id = on_site.case()
    with browser_of(site, "caseworker") as worker:
        consent(worker, on_site, case_id)
        path = draft(worker, on_site, case_id).url.path
        assert NAME in worker.fill_in(f"{path}/send", path, way="link").text
        link = on_site.room.links.latest(path.rpartition("/")[2])
        assert link is not None
        assert link.pin in worker.get(path).text
        site.clock.now += 61 * 60
        worker.sign_in("caseworker@example.gov.uk")
        page = worker.get(path).text  # nor the way round by the link
        assert not any(secret in page for secret in (NAME, link.pin, link.path))
        new = worker.get(f"/cases/{case_id}/referrals/new?service={on_site.debt}")
        assert new.status_code == 403


@pytest.mark.parametrize(
    ("role", "paths"),
    [
        ("auditor", {"/referrals": 403, "/services": 403, "/cases/{case}/referrals": 403}),
        (
            "protection_officer",
            {
                "/referrals": 200,
                "/services": 200,
                "/services/{service}": 200,
                "/services/{service}/order": 200,
                "/cases/{case}/referrals": 200,
                "/cases/{case}/consents/new": 403,
                "/cases/{case}/referrals/new": 403,
            },
        ),
    ],
)
def test_pages_are_for_those_who_may(
    site: RunningSite, on_site: Referring, role: str, paths: dict[str, int]
) -> None:
    case_id = on_site.case()
    with browser_of(site, role) as browser:
        for path, status in paths.items():
            whole = path.format(case=case_id, service=on_site.debt)
            assert browser.get(whole).status_code == status, path


def test_services_are_changed_by_those_who_may(site: RunningSite, on_site: Referring) -> None:
    path = f"/services/{on_site.debt}"
    with browser_of(site, "manager") as manager, browser_of(site, "caseworker") as worker:
        assert "What the council knows itself" not in worker.get(path).text
        wrong = manager.fill_in(path, version="1", contact_email="nobody", capacity="-1")
        assert "Enter an email address" in wrong.text
        assert "from 0 to 10,000" in wrong.text
        done = manager.fill_in(path, version="1", contact_email="a@b.example", capacity="2")
        assert "The service is changed" in done.text
        assert "a@b.example" in worker.get(path).text
        outdated = manager.fill_in(path, version="1", contact_email="c@b.example")
        assert outdated.status_code == 409
        assert "Retired" in manager.fill_in(f"{path}/retire", path).text
        assert "Debt advice" not in worker.get(f"/cases/{on_site.case()}/referrals/new").text


def test_the_work_list_and_the_order_show_no_resident(
    site: RunningSite, on_site: Referring
) -> None:
    case_id = on_site.case()
    on_site.draft(case_id, on_site.consent(case_id))
    on_site.take(0)
    with browser_of(site, "caseworker") as worker:
        draft(worker, on_site, case_id, consent="none")
        found = next(one for one in on_site.room.referrals.listed() if one.consent_id)
        path = f"/cases/{case_id}/referrals/{found.referral_id}"
        assert "no place this week" in worker.fill_in(f"{path}/send", path, way="link").text
        pages = [
            worker.get(one).text
            for one in ("/referrals", "/referrals?mine=true", f"/services/{on_site.debt}/order")
        ]
    assert "Waits 0 days: 0 points" in pages[2]
    uprn = str(on_site.council.uprn(0))
    assert not any(secret in page for page in pages for secret in (NAME, TELEPHONE, uprn))


WAITERS = [("high", "routine"), ("low", "routine")]


def order_page(council: CaseworkCouncil, *changes: tuple[str, str], hidden: bool = False) -> str:
    """The order of two who wait, as a manager sees it under a changed policy."""
    change_policy(council, *changes)
    with serving_council(council) as site:
        on_site = Referring(council, desk_of_app(site.app))
        on_site.take(0)
        for at, (band, urgency) in enumerate(WAITERS):
            case_id = on_site.case(at, band=band)
            consent_id = on_site.consent(case_id)
            one = on_site.draft(case_id, consent_id, urgency=Urgency(urgency))
            on_site.room.referrals.send(case_id, one, on_site.visitor("caseworker"), Way.FILE)
            if hidden and not at:
                restrict(council, on_site.desk, at)
        with browser_of(site, "manager") as manager:
            return manager.get(f"/services/{on_site.debt}/order").text


SEES = ('may = ["cohorts",', 'sources = ["childrens_services"]\nmay = ["cohorts",')
BLIND = ("[openings]", "[openings]\nblind_first_look = true")


def test_the_order_shows_bands_to_those_who_may_know_them(council: CaseworkCouncil) -> None:
    page = order_page(council, SEES)
    assert "30 points" in page
    assert "Band high: 30 of 30 points" in page


@pytest.mark.parametrize("changes", [(), (SEES, BLIND)], ids=["sensitive sources", "blind look"])
def test_the_order_hides_bands_that_would_give_something_away(
    council: CaseworkCouncil, changes: tuple[tuple[str, str], ...]
) -> None:
    page = order_page(council, *changes)
    assert "Bands are not shown to you" in page
    assert "of 30 points" not in page
    assert page.count("Waits 0 days: 0 points") == len(WAITERS)


def test_a_restricted_household_waits_without_a_link(council: CaseworkCouncil) -> None:
    page = order_page(council, hidden=True)
    assert page.count("you may not see this household") == 1
    assert page.count("/referrals/") == 1


def test_a_blind_first_look_comes_before_what_records_say(council: CaseworkCouncil) -> None:
    change_policy(council, BLIND)
    with serving_council(council) as site:
        on_site = Referring(council, desk_of_app(site.app))
        case_id = on_site.case()
        on_site.opened(case_id, on_site.visitor("caseworker"))
        with browser_of(site, "caseworker") as worker:
            page = worker.get(f"/cases/{case_id}/referrals/new?service={on_site.debt}")
    assert page.url.path.endswith("/first-look")
    assert "arrears" not in page.text


def test_withdrawing_says_what_it_ends(site: RunningSite, on_site: Referring) -> None:
    case_id = on_site.case()
    with browser_of(site, "caseworker") as worker:
        consent(worker, on_site, case_id)
        referral_id = draft(worker, on_site, case_id).url.path.rpartition("/")[2]
        (one,) = on_site.room.consents.listed(case_id)
        path = f"/cases/{case_id}/consents/{one.consent_id}/withdraw"
        assert referral_id in worker.get(path).text
        page = worker.fill_in(path)
        assert "Consent is withdrawn" in page.text
        assert "Revoked" in page.text
        missing = f"/cases/{case_id}/consents/nonsense/withdraw"
        assert worker.get(missing).status_code == 404


def test_no_address_carries_a_resident(site: RunningSite, on_site: Referring) -> None:
    case_id = on_site.case()
    seen: list[str] = []
    with browser_of(site, "caseworker") as worker:
        worker.event_hooks = {"request": [lambda one: seen.append(str(one.url))]}
        consent(worker, on_site, case_id)
        path = draft(worker, on_site, case_id).url.path
        worker.fill_in(f"{path}/send", path, way="link")
    everything = json.dumps(seen)
    for secret in (NAME, NAME.replace(" ", "+"), TELEPHONE, str(on_site.council.uprn(0))):
        assert secret not in everything


def test_closing_a_case_revokes_what_was_not_sent_and_says_so_before(
    site: RunningSite, on_site: Referring
) -> None:
    """One that waits for a place would keep it from others, and could never be sent."""
    case_id, other = on_site.case(0), on_site.case(1, band="none")
    by = on_site.visitor("caseworker")
    consent_id = on_site.consent(case_id)
    sent, waits, written, asked = (on_site.draft(case_id, consent_id) for _ in range(4))
    on_site.room.referrals.send(case_id, sent, by, Way.FILE)
    on_site.room.overrides.ask(case_id, asked, by, Ground.COURT_ORDER, "A court says so")
    on_site.take(1)
    assert on_site.room.referrals.send(case_id, waits, by, Way.FILE) == ReferralState.QUEUED
    page = f"/cases/{case_id}"
    with browser_of(site, "caseworker") as worker:
        shown = worker.get(page).text
        assert "3 referrals have not been sent, and closing the case revokes them" in shown
        worker.fill_in(f"{page}/close", page, version="1", outcome="helped")
    states = {one.referral_id: one.state for one in on_site.room.referrals.listed(case_id=case_id)}
    assert states.pop(sent) == ReferralState.SENT
    assert states == dict.fromkeys((waits, written, asked), ReferralState.REVOKED)
    assert on_site.room.referrals.history(waits)[-1].note == "The case was closed"
    on_site.take(2)
    late = on_site.draft(other, on_site.consent(other))
    assert on_site.room.referrals.send(other, late, by, Way.FILE) == ReferralState.SENT
