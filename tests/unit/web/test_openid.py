"""Sign-in at a real OpenID provider on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from folkmoot_operator.problems import Problem
from folkmoot_web.settings import WebSettings
from folkmoot_web.site import build_site
from tests.openid_provider import Provider, openid_provider
from tests.web_site import Browser, RunningSite, product, running_site

USERS: dict[str, dict[str, Any]] = {
    # Entra ID: app roles, and groups by object id
    "entra-reader": {"name": "Alice Adams", "roles": ["Notes.Read"]},
    "entra-writer": {"name": "Bo Brown", "roles": ["Notes.Write", "Notes.Read", "Other"]},
    "entra-none": {"name": "Nobody"},
    "entra-other": {"name": "Other", "roles": ["Other"]},
    "entra-overage": {
        "name": "Many Groups",
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.example/x"}},
    },
    "entra-groups": {"name": "In A Group", "groups": ["9f1c-0001"]},
    # Keycloak: realm roles in a table
    "keycloak": {"preferred_username": "kay", "realm_access": {"roles": ["notes-writers"]}},
    "odd": {"name": "<script>x</script>", "roles": "Notes.Read"},
    "very-odd": {"name": "Odd", "roles": {"Notes.Read": True}},
}
ROLES = {
    "Notes.Read": ["reader"],
    "Notes.Write": ["writer"],
    "9f1c-0001": ["reader"],
    "notes-writers": ["writer"],
}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with openid_provider(USERS) as running:
        yield running


@contextmanager
def site_of(provider: Provider, home: Path, **changes: Any) -> Iterator[RunningSite]:
    openid = {"issuer": provider.issuer, "client_id": "notes", "roles": ROLES, **changes}
    with running_site(home, sign_in={"openid": openid}) as running:
        yield running


@pytest.fixture
def site(provider: Provider, tmp_path: Path) -> Iterator[RunningSite]:
    (tmp_path / "secret").write_text("the client's secret\n")
    with site_of(provider, tmp_path, client_secret_file="secret") as running:
        yield running


def begin(browser: Browser, leads_to: str = "/notes") -> str:
    """The address at the provider to which the site sends a browser."""
    answer = browser.get("/sign-in/openid", params={"next": leads_to})
    assert answer.status_code == 303
    return answer.headers["location"]


def at_provider(address: str, subject: str, action: str = "") -> str:
    """What somebody does at the provider; where it sends the browser back to."""
    data = {"sub": subject} | ({"action": action} if action else {})
    with httpx2.Client() as client:
        answer = client.post(address, data=data)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def arrives(browser: Browser, subject: str) -> httpx2.Response:
    return browser.get(at_provider(begin(browser), subject))


@pytest.mark.parametrize(
    ("subject", "name", "status"),
    [("entra-reader", "Alice Adams", 403), ("entra-writer", "Bo Brown", 200)],
)
def test_app_roles_become_roles(subject: str, name: str, status: int, site: RunningSite) -> None:
    with Browser(site) as browser:
        answer = arrives(browser, subject)
        assert (answer.status_code, answer.headers["location"]) == (303, "/notes")
        page = browser.get("/notes")
        assert page.status_code == 200
        assert name in page.text
        assert browser.get("/notes/new").status_code == status
    actions = [entry.body["action"] for entry in site.state.audit.entries()]
    assert actions == ["account added", "signed in"]


@pytest.mark.parametrize(
    ("claim", "subject"), [("groups", "entra-groups"), ("realm_access.roles", "keycloak")]
)
def test_groups_and_tables_of_roles(
    claim: str, subject: str, provider: Provider, tmp_path: Path
) -> None:
    with site_of(provider, tmp_path, claim=claim) as site, Browser(site) as browser:
        assert arrives(browser, subject).status_code == 303
        assert browser.get("/notes").status_code == 200


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("entra-none", "You have no role here"),
        ("entra-other", "You have no role here"),
        ("very-odd", "You have no role here"),
        ("entra-overage", "You are in too many groups"),
    ],
)
def test_who_has_no_role_is_not_signed_in(subject: str, says: str, site: RunningSite) -> None:
    with Browser(site) as browser:
        answer = arrives(browser, subject)
        assert answer.status_code == 403
        assert says in answer.text
        assert browser.get("/mine").status_code == 303
    assert site.state.accounts.list() == []


def test_a_name_with_markup_is_shown_as_text(site: RunningSite) -> None:
    with Browser(site) as browser:
        assert arrives(browser, "odd").status_code == 303
        page = browser.get("/").text
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_pkce_state_and_nonce_are_sent_and_differ_each_time(site: RunningSite) -> None:
    with Browser(site) as browser:
        asked = [parse_qs(urlsplit(begin(browser)).query) for _ in range(2)]
    for one in asked:
        assert one["code_challenge_method"] == ["S256"]
        assert one["redirect_uri"] == [f"{site.address}/sign-in/openid/callback"]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]


def test_a_code_of_another_browser_is_refused(site: RunningSite) -> None:
    with Browser(site) as attacker, Browser(site) as victim:
        address = at_provider(begin(attacker), "entra-writer")
        assert victim.get(address).status_code == 403
        begin(victim)
        answer = victim.get(address)
        assert answer.status_code == 403
        assert "You were not signed in" in answer.text
        assert victim.get("/mine").status_code == 303


def test_a_code_is_used_once(site: RunningSite) -> None:
    with Browser(site) as browser:
        address = at_provider(begin(browser), "entra-writer")
        cookies = dict(browser.cookies)
        assert browser.get(address).status_code == 303
        browser.cookies.clear()
        browser.cookies.update(cookies)
        assert browser.get(address).status_code == 403


def test_a_state_that_was_changed_or_is_old_is_refused(site: RunningSite) -> None:
    with Browser(site) as browser:
        address = at_provider(begin(browser), "entra-writer")
        changed = re.sub("state=.", "state=_", address)
        assert browser.get(changed).status_code == 403
        site.clock.now += 10 * 60 + 1
        answer = browser.get(address)
        assert answer.status_code == 403
        assert "more than 10 minutes" in answer.text


def test_who_cancels_is_told(site: RunningSite) -> None:
    with Browser(site) as browser:
        answer = browser.get(at_provider(begin(browser), "entra-writer", "deny"))
        assert answer.status_code == 403
        assert "or you cancelled" in answer.text


@pytest.mark.parametrize("elsewhere", ["https://attacker.example", "//attacker.example"])
def test_it_leads_to_no_other_site(elsewhere: str, site: RunningSite) -> None:
    with Browser(site) as browser:
        answer = browser.get(at_provider(begin(browser, elsewhere), "entra-writer"))
        assert answer.headers["location"] == "/"


def test_a_provider_of_another_name_is_refused(provider: Provider, tmp_path: Path) -> None:
    other = provider.issuer.replace("127.0.0.1", "localhost")
    elsewhere = Provider(other + "/")
    with site_of(elsewhere, tmp_path) as site, Browser(site) as browser:
        answer = browser.get("/sign-in/openid")
        assert answer.status_code == 503
        assert "Sign-in is set up wrongly" in answer.text


def test_a_provider_that_does_not_answer(tmp_path: Path) -> None:
    with site_of(Provider("http://127.0.0.1:9"), tmp_path) as site, Browser(site) as browser:
        answer = browser.get("/sign-in/openid")
        assert answer.status_code == 503
        assert "does not answer" in answer.text
        assert browser.get("/sign-in").status_code == 200


def test_a_disabled_account_is_told(site: RunningSite) -> None:
    with Browser(site) as browser:
        assert arrives(browser, "entra-writer").status_code == 303
        (account,) = site.state.accounts.list()
        site.state.accounts.disable(account.name, by="test")
        assert browser.get("/mine").status_code == 303
        answer = arrives(browser, "entra-writer")
        assert answer.status_code == 403
        assert "Your account is disabled" in answer.text


@pytest.mark.parametrize(
    ("openid", "fault"),
    [
        ({"roles": {"a": ["raeder"]}}, "did you mean 'reader'"),
        ({"client_secret_file": "nowhere"}, "cannot be read"),
        ({"client_secret_file": "empty"}, "is empty"),
    ],
)
def test_settings_that_name_what_is_not_there(
    openid: Mapping[str, Any], fault: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text(" \n")
    values = {"issuer": "https://login.example", "client_id": "x", "roles": ROLES, **openid}
    settings = WebSettings.model_validate({"name": "Here", "sign_in": {"openid": values}})
    with pytest.raises(Problem, match=fault):
        build_site(settings, product(), home=tmp_path)
