"""Every page x every role x every kind of household, by the table of authority.

The pages are those of the app: one that the table does not have fails here.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import httpx2
import pytest

from folkmoot_node.casework.desk import Desk, desk_of_app
from folkmoot_node.casework.pages.doors import HOUSEHOLD_OF
from folkmoot_web.routes import declared_routes
from tests.casework_council import SENSITIVE, CaseworkCouncil, serving_council
from tests.casework_opening import (
    REASON,
    SEES_SENSITIVE,
    change_policy,
    close_case,
    open_case,
    restrict,
)
from tests.unit.node.casework.authority_table import HARMLESS, ROLES, TABLE, Door, Shows
from tests.web_site import Browser, RunningSite

SENSITIVE_WORDS = ("children_services", "child_need", SENSITIVE)
HIDDEN = "You may not see this household"
NOT_OPEN = re.compile("Open the household|You have never opened this household")
VANISHED_UPRN = 99_999_999
_ANY = "222222222222"  # an id of nothing


class Kind(Enum):
    """Kinds of household."""

    ORDINARY = 0
    RESTRICTED = 1
    SENSITIVE = 8
    CLOSED = 2
    VANISHED = 3


@dataclass
class Stage:
    """A site with a case of each kind.

    Attributes:
        site: The site.
        desk: What is behind it.
        council: The council.
        cases: Ids of the cases.
        browsers: Somebody with each role, signed in; `nobody` is not.
        tokens: Of their forms.
    """

    site: RunningSite
    desk: Desk
    council: CaseworkCouncil
    cases: dict[Kind, str]
    browsers: dict[str, Browser]
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def stage(
    scored_council: CaseworkCouncil, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("authority") / "home"
    shutil.copytree(scored_council.home, home)
    council = CaseworkCouncil(home, list(scored_council.households))
    change_policy(council, SEES_SENSITIVE, ("per_day = 60 ", "per_day = 900 "))
    with serving_council(council) as site:
        desk = desk_of_app(site.app)
        cases = {
            kind: open_case(
                council, desk, kind.value, uprn=VANISHED_UPRN if kind is Kind.VANISHED else None
            )
            for kind in Kind
        }
        restrict(council, desk, Kind.RESTRICTED.value)
        close_case(desk, cases[Kind.CLOSED])
        browsers = {role: Browser(site) for role in (*ROLES, "nobody")}
        tokens = {"nobody": "x"}
        for role in ROLES:
            browsers[role].sign_in(f"{role}@example.gov.uk")
            tokens[role] = browsers[role].token("/sign-out")
        yield Stage(site, desk, council, cases, browsers, tokens)
        for browser in browsers.values():
            browser.close()


def declared(stage: Stage) -> dict[str, str]:
    """Each page of the app, and the right that it declares."""
    found = {}
    for route in declared_routes(stage.site.app):
        for method in route.methods:
            if method != "HEAD":
                found[f"{method} {route.path}"] = str(route.permission)
    return found


def test_every_page_is_in_the_table_with_its_right(stage: Stage) -> None:
    found = declared(stage)
    missing = [
        f'    "{page}": Door("{right}"{", CASE" if "{case_id}" in page else ""}),'
        for page, right in found.items()
        if page not in TABLE
    ]
    assert not missing, "pages that nobody has agreed to; decide, and add:\n" + "\n".join(missing)
    assert set(TABLE) == set(found), "pages of the table that are gone"
    assert {page: door.right for page, door in TABLE.items()} == found
    for page, door in TABLE.items():
        parameters = set(re.findall(r"\{([a-z_]+)(?::[a-z]+)?\}", page))
        unknown = parameters - set(HOUSEHOLD_OF) - HARMLESS
        assert not unknown, f"{page}: is {unknown} about a household? then tell the door"
        is_about_one = bool(parameters & set(HOUSEHOLD_OF))
        assert is_about_one == (door.shows is not Shows.NO_HOUSEHOLD), page


def test_roles_hold_what_the_table_says(stage: Stage) -> None:
    held = {name: {str(right) for right in role.may} for name, role in roles(stage).items()}
    assert held == ROLES


def roles(stage: Stage) -> dict[str, object]:
    return dict(stage.desk.known.policy.roles)


def ask(stage: Stage, page: str, role: str, kind: Kind) -> httpx2.Response:
    method, _, path = page.partition(" ")
    path = path.replace("{case_id}", stage.cases[kind])
    path = path.replace("{household}", stage.desk.cases.get(stage.cases[kind]).household)
    address = re.sub(r"\{[a-z_]+(:[a-z]+)?\}", _ANY, path)
    browser = stage.browsers[role]
    if method == "GET":
        return browser.get(address)
    return browser.request(method, address, data={"form_token": stage.tokens[role]})


def test_everybody_begins_at_a_page_that_they_may_see(stage: Stage) -> None:
    begins = {role: stage.browsers[role].get("/start").headers["location"] for role in ROLES}
    assert begins == {
        "caseworker": "/",
        "manager": "/",
        "protection_officer": "/",
        "auditor": "/audit",
    }


PAGES = sorted(page for page, door in TABLE.items() if door.right not in ("public", "signed in"))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_nobody_passes_a_door_that_is_not_theirs(stage: Stage, role: str, kind: Kind) -> None:
    """Nothing is open: so nothing of a household is shown to anybody."""
    for page in PAGES:
        door = TABLE[page]
        if kind is not Kind.ORDINARY and (door.shows is Shows.NO_HOUSEHOLD or role == "nobody"):
            continue  # asked once: the address does not depend on the kind, or nobody is let in
        answer = ask(stage, page, role, kind)
        label = f"{page} as {role}, {kind.name}: {answer.status_code}"
        assert_no_identifier(stage, answer, label)
        if role == "nobody":
            assert answer.status_code == 303, label
            assert answer.headers["location"].startswith("/sign-in"), label
        elif door.right not in ROLES[role]:
            assert answer.status_code == 403, label
        elif is_hidden(door, role, kind):
            assert answer.status_code == 403, label
            assert HIDDEN in answer.text, label
        elif door.shows is Shows.HOUSEHOLD:
            assert answer.status_code == 403, label
            assert NOT_OPEN.search(answer.text), label
        else:
            assert answer.status_code not in (401, 403), label
            assert answer.status_code < 500, label


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("role", ROLES)
def test_an_opened_household_is_shown_to_whom_it_may_be(
    stage: Stage, role: str, kind: Kind
) -> None:
    case_id, browser = stage.cases[kind], stage.browsers[role]
    sent = browser.post(
        f"/cases/{case_id}/open",
        data={"form_token": stage.tokens[role], "reason": REASON, "then": ""},
    )
    may_open = "open" in ROLES[role]
    is_hidden = kind is Kind.RESTRICTED and "restrict" not in ROLES[role]
    is_closed = kind is Kind.CLOSED and "rights" not in ROLES[role]
    expected = 403 if not may_open or is_hidden else 409 if is_closed else 303
    assert sent.status_code == expected
    for page in PAGES:
        door = TABLE[page]
        if door.shows is not Shows.HOUSEHOLD or not page.startswith("GET "):
            continue
        answer = ask(stage, page, role, kind)
        label = f"{page} as {role}, {kind.name}: {answer.status_code}"
        if expected != 303 or door.right not in ROLES[role]:
            assert answer.status_code == 403, label
            assert_no_identifier(stage, answer, label)
            continue
        assert answer.status_code == 200 or kind is Kind.VANISHED, label
        assert answer.status_code < 500, label
        if kind is Kind.VANISHED and answer.status_code != 200:
            assert "not among the scored ones any more" in answer.text, label
        if role != "protection_officer":
            assert_nothing_sensitive(answer, label)
        elif kind is not Kind.VANISHED and page.endswith("/score"):
            assert SENSITIVE in answer.text.lower(), (
                label
            )  # else nothing would be shown by hiding it
    stage.browsers[role].post(
        f"/cases/{case_id}/close-household", data={"form_token": stage.tokens[role]}
    )


def is_hidden(door: Door, role: str, kind: Kind) -> bool:
    return (
        door.shows is not Shows.NO_HOUSEHOLD
        and kind is Kind.RESTRICTED
        and "restrict" not in ROLES[role]
    )


def assert_no_identifier(stage: Stage, answer: httpx2.Response, label: str) -> None:
    for kind in Kind:
        uprn = stage.council.uprn(kind.value)
        assert str(uprn) not in answer.text, label
        assert str(uprn) not in str(answer.headers), label
    assert str(VANISHED_UPRN) not in answer.text, label


def assert_nothing_sensitive(answer: httpx2.Response, label: str) -> None:
    for word in SENSITIVE_WORDS:
        assert word not in answer.text.lower(), f"{label}: {word}"
