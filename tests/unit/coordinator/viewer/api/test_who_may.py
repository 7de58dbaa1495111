"""Each role and each scope of a key on each route of the API and of the page Keys."""

from __future__ import annotations

import pytest

from folkmoot_coordinator.viewer.api.forms import TABLE_FORMS
from folkmoot_coordinator.viewer.keys.api_keys import Scope
from folkmoot_coordinator.viewer.pages import keys
from folkmoot_coordinator.viewer.permissions import PERMISSIONS
from folkmoot_coordinator.viewer.site import API
from folkmoot_web.routes import declared_routes
from tests.api_site import ApiSite, token_in
from tests.viewer_region import with_outcome

READING = (
    "/api/v1/rounds",
    "/api/v1/rounds/{round_id}",
    "/api/v1/rounds/{round_id}/statistics",
    *(f"/api/v1/rounds/{{round_id}}/statistics.{form}" for form in TABLE_FORMS),
    "/api/v1/rounds/{round_id}/statistics/{table}",
    "/api/v1/rounds/{round_id}/outcome",
    "/api/v1/rounds/{round_id}/equality",
)
PUBLIC = ("/api/v1", "/api/v1/openapi.json")
OWN_KEYS = ("/keys",)
REVOKING = "/keys/{key_id}/revoke"
MAY_READ = {"nobody": 401, "reader": 200, "analyst": 200, "approver": 200}
MAY_MAKE_KEYS = {"nobody": 303, "reader": 403, "analyst": 200, "approver": 403}


def test_the_tables_name_every_route_and_role(site: ApiSite) -> None:
    modules = [route.path for one in (*API, keys) for route in one.routes().routes]
    assert set(modules) == {*READING, *PUBLIC, *OWN_KEYS, REVOKING}
    served = {one.path for one in declared_routes(site.app)}
    assert {one for one in served if one.startswith("/api")} == {*READING, *PUBLIC}
    assert set(MAY_READ) == set(MAY_MAKE_KEYS) == {"nobody", *PERMISSIONS.roles}
    assert set(Scope) == {"read:statistics"}


@pytest.fixture(scope="module", autouse=True)
def judged(site: ApiSite) -> None:
    with_outcome(site.region, "judged", size=400)


def filled(site: ApiSite, path: str) -> str:
    name = "judged" if path.endswith(("/outcome", "/equality")) else "winter"
    return path.format(round_id=site.region.id(name), table="band", key_id="00000000")


@pytest.mark.parametrize("role", list(MAY_READ))
def test_people(site: ApiSite, role: str) -> None:
    if role == "nobody":
        browser = site.client
        for path in READING:
            assert browser.get(filled(site, path)).status_code == MAY_READ[role], path
        for path in PUBLIC:
            assert browser.get(path).status_code == 200
        for path in OWN_KEYS:
            assert browser.get(path).status_code == MAY_MAKE_KEYS[role]
        assert browser.post(filled(site, REVOKING)).status_code == MAY_MAKE_KEYS[role]
        return
    site.account(f"{role}@example.org", role)
    with site.signed_in(f"{role}@example.org") as browser:
        for path in READING:
            assert browser.get(filled(site, path)).status_code == MAY_READ[role], path
        for path in PUBLIC:
            page = browser.get(path)
            assert page.status_code == 200
        for path in OWN_KEYS:
            assert browser.get(path).status_code == MAY_MAKE_KEYS[role]
        token = token_in(browser.get("/sign-out").text)
        revoked = browser.post(filled(site, REVOKING), data={"form_token": token})
        assert revoked.status_code == (404 if MAY_MAKE_KEYS[role] == 200 else 403)


@pytest.mark.parametrize("role", [None, *PERMISSIONS.roles])
def test_keys_read_and_do_nothing_else(site: ApiSite, role: str | None) -> None:
    account = None if role is None else site.account(f"key-of-{role}@example.org", role)
    headers = {"Authorization": f"Bearer {site.key(account=account)}"}
    for path in (*READING, *PUBLIC):
        assert site.client.get(filled(site, path), headers=headers).status_code == 200, path
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = site.client.request(method, filled(site, path), headers=headers)
            assert answer.status_code == 405
    for path in OWN_KEYS:
        assert site.client.get(path, headers=headers).status_code == 303
        assert site.client.post(path, headers=headers).status_code == 303


def test_whoever_sees_the_documentation_needs_no_script_and_no_other_host(site: ApiSite) -> None:
    page = site.client.get("/api/v1").text
    main = page.partition("<main")[2].partition("</main>")[0]
    main = main.replace(str(site.client.base_url), "")  # the example has the site's own address
    assert "<script" not in main
    assert "style=" not in page
    assert "http://" not in main
    assert "https://" not in main
    description = site.client.get("/api/v1/openapi.json").json()
    for path, methods in description["paths"].items():
        assert path in main
        assert all(one["summary"] in main for one in methods.values())
