"""Roles of casework come from groups of the organisation's own accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.site import build_casework
from folkmoot_operator.problems import ExitCode, Problem
from tests.casework_council import CaseworkCouncil, serving_council
from tests.openid_provider import Provider, openid_provider
from tests.web_site import Browser

USERS: dict[str, dict[str, Any]] = {
    "carla": {"name": "Carla Worker", "groups": ["7d1b-casework"]},
    "max": {"name": "Max Manager", "groups": ["7d1b-managers", "7d1b-casework"]},
    "nora": {"name": "Nora Nobody", "groups": ["7d1b-parking"]},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with openid_provider(USERS) as running:
        yield running


def use(council: CaseworkCouncil, provider: Provider, role: str = "manager") -> None:
    settings = council.home / "node.toml"
    settings.write_text(
        settings.read_text()
        + f"""
[casework.sign_in]
local = false

[casework.sign_in.openid]
label = "your council account"
issuer = "{provider.issuer}"
client_id = "casework"
client_secret_file = "openid-secret"
claim = "groups"

[casework.sign_in.openid.roles]
"7d1b-casework" = ["caseworker"]
"7d1b-managers" = ["{role}"]
"""
    )
    secret = council.config.casework_folder / "openid-secret"
    secret.write_text("the client's secret\n")
    secret.chmod(0o600)


def arrive(browser: Browser, subject: str) -> httpx2.Response:
    """Signs in at the provider, and comes back."""
    sent = browser.get("/sign-in/openid", params={"next": "/cases"})
    with httpx2.Client() as client:
        answer = client.post(sent.headers["location"], data={"sub": subject})
    assert answer.status_code == 302
    return browser.get(answer.headers["location"])


def test_groups_give_roles_and_the_log_knows_people(
    council: CaseworkCouncil, provider: Provider
) -> None:
    use(council, provider)
    with serving_council(council) as site:
        for subject, may_assign in (("carla", False), ("max", True)):
            with Browser(site) as browser:
                assert arrive(browser, subject).status_code == 303
                roles = {
                    one.display_name: one.roles for one in site.state.accounts.list() if one.issuer
                }[USERS[subject]["name"]]
                permissions = site.app.state.desk.known.policy.permissions().of(roles)
                assert Right.OPEN in permissions
                assert (Right.ASSIGN in permissions) is may_assign
                assert browser.get("/").status_code == 200
                assert browser.get("/audit").status_code == 403
        with Browser(site) as browser:
            assert arrive(browser, "nora").status_code == 403
            assert browser.get("/").status_code in (303, 401)


def test_a_role_that_the_policy_has_not_is_named(
    council: CaseworkCouncil, provider: Provider
) -> None:
    use(council, provider, role="boss")
    with pytest.raises(Problem, match="there is no role 'boss'") as refused:
        build_casework(council.config)
    assert refused.value.exit_code == ExitCode.SETTINGS
