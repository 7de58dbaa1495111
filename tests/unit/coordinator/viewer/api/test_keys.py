"""API keys: shown once, kept as digests, limited, ended."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from folkmoot_coordinator.viewer.keys.api_keys import KEY_MADE, KEY_REVOKED, PREFIX, ApiKeys
from folkmoot_coordinator.viewer.keys.models import API_KEYS
from folkmoot_coordinator.viewer.noted_downloads import DOWNLOADED
from folkmoot_coordinator.viewer.permissions import PERMISSIONS
from folkmoot_operator.problems import Problem
from folkmoot_web.clock import DAY
from folkmoot_web.settings import WebSettings
from folkmoot_web.site import open_state
from tests.api_site import API, ApiSite, api_site, token_in
from tests.commands import run_inside
from tests.postgresql import PASSWORD as DATABASE_PASSWORD
from tests.postgresql import PostgreSQL
from tests.viewer_region import HOSTILE, Clock, ViewerRegion, fill, viewer_region


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    limited = '\n[viewer.visibility]\nreader = ["winter_support"]\n'
    with viewer_region(tmp_path_factory.mktemp("keys"), settings=limited) as made:
        yield fill(made)


@pytest.fixture(scope="module")
def site(region: ViewerRegion) -> Iterator[ApiSite]:
    with api_site(region) as served:
        yield served


def titles(site: ApiSite, key: str) -> set[str]:
    answer = site.get("/rounds?per_page=200", key)
    assert answer.status_code == 200, answer.text
    return {one["title"] for one in answer.json()["rounds"]}


def test_a_command_makes_lists_and_revokes_keys(site: ApiSite) -> None:
    home, clock = site.region.home.path, site.region.clock
    before, clock.now = clock.now, int(time.time())  # commands have no other clock
    made = json.loads(
        run_inside("folkmoot-coordinator", "keys", "add", "Dashboard", "--purpose",
                   "winter_support", "--round", "latest", "--days", 30, "--home", home,
                   "--json").said()
    )  # fmt: skip
    key, key_id = made["key"], made["key_id"]
    assert key.startswith(PREFIX)
    assert made["scopes"] == ["read:statistics"]
    assert len(made["rounds"][0]) == 32
    listed = run_inside("folkmoot-coordinator", "keys", "list", "--home", home, "--json").said()
    (found,) = (one for one in json.loads(listed) if one["key_id"] == key_id)
    assert found["state"] == "active"
    assert found["used_at"] is None
    assert key not in listed
    assert "Dashboard" in run_inside("folkmoot-coordinator", "keys", "list", "--home", home).said()
    assert site.get("/rounds", key).status_code == 200
    run_inside("folkmoot-coordinator", "keys", "revoke", key_id, "--home", home).said()
    assert site.get("/rounds", key).status_code == 401
    clock.now = before
    assert "no key" in run_inside(
        "folkmoot-coordinator", "keys", "revoke", "ffffffff", "--home", home
    ).said(2)


def test_only_a_digest_is_kept(site: ApiSite) -> None:
    key = site.key()
    assert site.get("/rounds", key).status_code == 200
    site.statistics("winter", "/band.csv", key)
    for file in Path(site.region.home.path).glob("viewer.sqlite*"):
        assert key.encode() not in file.read_bytes()
    kept = sqlite3.connect(site.region.home.path / "viewer.sqlite")
    assert key not in repr(kept.execute("SELECT * FROM api_keys").fetchall())
    kept.close()


def test_a_key_ends_when_it_expires(site: ApiSite) -> None:
    clock = site.region.clock
    key = site.key(days=2)
    before = clock.now
    clock.now += 2 * DAY - 1
    assert site.get("/rounds", key).status_code == 200
    clock.now += 1
    assert site.get("/rounds", key).status_code == 401
    clock.now = before


def test_last_use_is_noted_to_the_minute(site: ApiSite) -> None:
    clock = site.region.clock
    key, made = site.keys.add("noted", account=None, by="test")

    def used_at() -> int | None:
        return next(one.used_at for one in site.keys.list() if one.key_id == made.key_id)

    assert used_at() is None
    site.get("/rounds", key)
    first = used_at()
    assert first == clock.now
    clock.now += 59
    site.get("/rounds", key)
    assert used_at() == first
    clock.now += 1
    site.get("/rounds", key)
    assert used_at() == clock.now


def test_a_key_reads_its_purposes_and_rounds_alone(site: ApiSite) -> None:
    site.account("all@example.org", "analyst")
    owner = {"account": "all@example.org"}
    assert "Safeguarding" in titles(site, site.key(**owner))
    assert titles(site, site.key(**owner, purposes=["safeguarding"])) == {"Safeguarding"}
    one = site.key(**owner, rounds=[site.region.id("winter")])
    assert titles(site, one) == {"Winter support 2026"}
    assert site.statistics("winter", "/band", one).status_code == 200
    for other in ("earlier", "secret", "open"):
        for path in (f"/rounds/{site.region.id(other)}", f"/rounds/{site.region.id(other)[:8]}"):
            assert site.get(path, one).status_code == 404
        assert site.statistics(other, "/band.csv", one).status_code == 404


def test_a_key_reads_no_more_than_its_owner(site: ApiSite) -> None:
    site.account("few@example.org", "reader")
    key = site.key(account="few@example.org")
    nobodys = site.key()
    for one in (key, nobodys, site.key(account="few@example.org", purposes=["safeguarding"])):
        assert "Safeguarding" not in titles(site, one)
        assert site.statistics("secret", "/band", one).status_code == 404
    site.state.accounts.set_roles("few@example.org", ["analyst"], by="test")
    assert "Safeguarding" in titles(site, key)
    site.state.accounts.set_roles("few@example.org", [], by="test")
    assert site.get("/rounds", key).status_code == 403
    site.state.accounts.set_roles("few@example.org", ["analyst"], by="test")
    site.state.accounts.disable("few@example.org", by="test")
    assert site.get("/rounds", key).status_code == 401


def test_wrong_keys_are_refused_with_a_challenge(site: ApiSite) -> None:
    for value in ("Bearer nonsense", f"Bearer {PREFIX}x", "Basic abc", "", "Bearer"):
        answer = site.client.get(f"{API}/rounds", headers={"Authorization": value})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_key_opens_no_page(site: ApiSite) -> None:
    key = site.key()
    for path in ("/", "/keys", f"/rounds/{site.region.id('winter')}/statistics/band"):
        answer = site.client.get(path, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 303
        assert "/sign-in" in answer.headers["location"]


def test_downloads_are_in_the_audit_log_and_nothing_else_is(site: ApiSite) -> None:
    site.account("audited@example.org", "analyst")
    key, made = site.keys.add("audited", account="audited@example.org", by="test")
    site.account("person@example.org", "analyst")
    head = site.state.audit.verify().length
    round_id = site.region.id("winter")
    tag = site.statistics("winter", "/lsoa.csv", key).headers["etag"]
    assert site.statistics("winter", "/lsoa.csv", key, if_none_match=tag).status_code == 304
    assert site.statistics("winter", "/lsoa.csv", key, method="HEAD").status_code == 200
    assert site.statistics("winter", "/lsoa.csv-metadata.json", key).status_code == 200
    assert site.statistics("winter", "/none.csv", key).status_code == 404
    with site.signed_in("person@example.org") as browser:
        assert browser.get(f"{API}/rounds/{round_id}/statistics/band.xlsx").status_code == 200
        for page in ("committee", "allocate?table=lsoa&quantity=100&unit=parcels"):
            assert browser.get(f"/rounds/{round_id}/{page}").status_code == 200
        for file in ("committee.pdf?table=band", "allocate/allocation.csv?table=lsoa&quantity=100"):
            assert browser.get(f"/rounds/{round_id}/{file}").status_code == 200, file
    new = [one for one in site.state.audit.entries() if one.sequence > head]
    downloads = [one.body for one in new if one.body["action"] == DOWNLOADED]
    assert downloads == [
        {
            "action": DOWNLOADED, "by": f"API key {made.key_id} of audited@example.org",
            "round": round_id, "table": "lsoa", "form": "csv", "key": made.key_id,
        },
        {
            "action": DOWNLOADED, "by": "person@example.org",
            "round": round_id, "table": "band", "form": "xlsx",
        },
        {
            "action": DOWNLOADED, "by": "person@example.org",
            "round": round_id, "table": "band", "form": "committee.pdf",
        },
        {
            "action": DOWNLOADED, "by": "person@example.org",
            "round": round_id, "table": "lsoa", "form": "allocation.csv",
        },
    ]  # fmt: skip
    assert key not in repr(new)
    site.state.audit.verify()


def test_an_analyst_makes_and_revokes_keys_on_a_page(site: ApiSite) -> None:
    site.account("ann@example.org", "analyst")
    site.account("bob@example.org", "analyst")
    with site.signed_in("ann@example.org") as browser:
        token = token_in(browser.get("/keys").text)
        sent = {"name": HOSTILE, "days": "30", "purposes": "winter_support", "form_token": token}
        page = browser.post("/keys", data=sent)
        assert page.status_code == 200, page.text
        assert page.headers["cache-control"] == "no-store"
        assert HOSTILE not in page.text
        key = page.text.split(">" + PREFIX)[1].split("<")[0]
        key = PREFIX + key
        (made,) = site.keys.list("ann@example.org")
        assert made.purposes == ("winter_support",)
        assert "Safeguarding" not in titles(site, key)
        listed = browser.get("/keys").text
        assert key not in listed
        assert HOSTILE not in listed
        with site.signed_in("bob@example.org") as other:
            token = token_in(other.get("/keys").text)
            answer = other.post(f"/keys/{made.key_id}/revoke", data={"form_token": token})
            assert answer.status_code == 404
        assert site.get("/rounds", key).status_code == 200
        token = token_in(browser.get("/keys").text)
        assert browser.post(f"/keys/{made.key_id}/revoke", data={}).status_code == 403
        answer = browser.post(f"/keys/{made.key_id}/revoke", data={"form_token": token})
        assert answer.status_code == 303
    assert site.get("/rounds", key).status_code == 401
    actions = [(one.body["action"], one.body["by"]) for one in site.state.audit.entries()]
    assert (KEY_MADE, "ann@example.org") in actions
    assert (KEY_REVOKED, "ann@example.org") in actions


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "Enter which program uses the key"),
        ("name", "x" * 101, "must have 100 characters or fewer"),
        ("days", "0", "from 1 to 366"),
        ("days", "3000", "from 1 to 366"),
        ("days", "soon", "from 1 to 366"),
        ("purposes", "everything", "Select purposes from the list"),
    ],
)
def test_the_form_says_beside_the_field_what_is_wrong(
    site: ApiSite, field: str, value: str, message: str
) -> None:
    name = f"form-{field}-{value[:4].lower()}@example.org"
    site.account(name, "analyst")
    with site.signed_in(name) as browser:
        sent = {
            "name": "Kept text",
            "days": "77",
            "form_token": token_in(browser.get("/keys").text),
        }
        page = browser.post("/keys", data=sent | {field: value})
    assert page.status_code == 422
    assert message in page.text
    assert "Kept text" in page.text or field == "name"
    assert not site.keys.list(name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "a\nb"},
        {"days": 367},
        {"scopes": ["write:everything"]},
        {"scopes": []},
        {"purposes": ["No Identifier"]},
        {"rounds": ["short"]},
        {"account": "nobody@example.org"},
    ],
)
def test_wrong_limits_are_refused(site: ApiSite, wrong: dict[str, object]) -> None:
    before = len(site.keys.list())
    values = {"name": "x", "account": None, **wrong}
    with pytest.raises(Problem):
        site.keys.add(str(values.pop("name")), by="test", **values)  # type: ignore[arg-type]
    assert len(site.keys.list()) == before


def test_keys_are_kept_in_postgresql_too(postgresql: PostgreSQL) -> None:
    url = make_url(postgresql.url(postgresql.create("keys"), "postgresql+psycopg"))
    address = url.set(password=DATABASE_PASSWORD).render_as_string(hide_password=False)
    settings = WebSettings.model_validate(
        {"listen": "127.0.0.1:8000", "name": "North", "database": {"url": address}}
    )
    clock = Clock()
    state = open_state(settings, PERMISSIONS, home=Path(), tables=(API_KEYS,), clock=clock)
    state.database.prepare()
    try:
        state.accounts.add("ann@example.org", "Ann", ["analyst"], by="test")
        keys = ApiKeys(state)
        key, made = keys.add("Dashboard", account="ann@example.org", by="test", days=1)
        found = keys.find(key)
        assert found is not None
        assert found[1].roles == ("analyst",)
        (listed,) = keys.list()
        assert (listed.key_id, listed.used_at) == (made.key_id, clock.now)
        clock.now += DAY
        assert keys.find(key) is None
        keys.revoke(made.key_id, by="test")
        assert keys.list()[0].state(clock.now) == "revoked"
        state.audit.verify()
    finally:
        state.database.close()
