"""What residents' records and workers' notes hold never comes out beside the pages that show it.

Marks stand in the records of a household and in everything that a worker can type. Every page is
asked for, by every role, and every form is sent, filled in and empty. A mark may be found in the
opened household; never in logs, addresses, headers, error pages, the log of who looked, or in what
the node keeps for the region.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from folkmoot_node.casework.desk import Desk, desk_of_app
from tests.casework_council import CaseworkCouncil, Household, serving_council
from tests.casework_opening import REASON, SEES_SENSITIVE, change_policy, open_case
from tests.unit.node.casework.authority_table import ROLES, TABLE
from tests.web_site import Browser, RunningSite

PLACE = 3
AMOUNT, AMOUNT_SHOWN = "73915.28", "73,915"
WORD = "Zyxwvutian"
CHOSEN = {
    "channel": "telephone",
    "outcome": "reached",
    "time": "14:30",
    "found": "yes",
    "view": "high",
    "then": "/score",
    "decision": "open",
    "how": "spoken",
    "given_by": "resident",
    "purpose": "winter_support",
    "kind": "objection",
    "version": "1",
    "name": "work",
}
"""Of fields that are no text of a worker's own."""
TYPED = (
    "account", "action_text", "answer", "by", "contact", "contact_text", "detail", "details",
    "expected", "field", "ground", "note", "note_text", "plan_text", "said", "summary", "text",
    "title", "value", "who", "words",
)  # fmt: skip
"""Of fields that take what a worker types, besides reasons, which the log keeps."""


@pytest.fixture(scope="module")
def marked(
    scored_council: CaseworkCouncil, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[CaseworkCouncil, RunningSite, Desk]]:
    home = tmp_path_factory.mktemp("marked") / "home"
    shutil.copytree(scored_council.home, home)
    households = list(scored_council.households)
    households[PLACE] = Household(float(AMOUNT), 78, 1, children=True)
    council = CaseworkCouncil(home, households)
    council.write_extracts()
    council.score()
    change_policy(council, SEES_SENSITIVE)
    with serving_council(council) as site:
        yield council, site, desk_of_app(site.app)


class Watch:
    """Everything that was answered, and what may not be in it."""

    def __init__(self, uprn: int) -> None:
        self.marks = (str(uprn), AMOUNT, AMOUNT_SHOWN, WORD)
        self.shown: set[str] = set()

    def clean(self, text: str, where: str) -> None:
        for mark in self.marks:
            assert mark not in text, where

    def answered(self, page: str, answer: httpx2.Response) -> None:
        self.clean(str(answer.url), f"address of {page}")
        self.clean(str(answer.headers), f"headers of {page}")
        for link in re.findall(r'(?:href|action|src)="([^"]*)"', answer.text):
            self.clean(link, f"a link of {page}")
        if answer.status_code >= 400 and answer.status_code not in (409, 422):
            # Those two are forms, which keep what was typed.
            self.clean(answer.text, f"error page of {page}")
        self.shown.update(mark for mark in self.marks if mark in answer.text)


def address(page: str, case_id: str) -> tuple[str, str]:
    method, _, path = page.partition(" ")
    path = path.replace("{case_id}", case_id)
    return method, re.sub(r"\{[a-z_]+(:[a-z]+)?\}", "222222222222", path)


def test_no_mark_comes_out(
    marked: tuple[CaseworkCouncil, RunningSite, Desk],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    council, site, desk = marked
    uprn = council.uprn(PLACE)
    watch = Watch(uprn)
    case_id = open_case(council, desk, PLACE)
    caplog.set_level(logging.DEBUG)
    words = dict.fromkeys(TYPED, WORD) | {"reason": REASON, "why": REASON}
    for role in ROLES:
        with Browser(site) as browser:
            browser.sign_in(f"{role}@example.gov.uk")
            token = browser.token("/sign-out")
            opened = browser.post(
                f"/cases/{case_id}/open", data={"form_token": token, "reason": REASON}
            )
            watch.answered("opening", opened)
            found = browser.post(
                "/search", data={"form_token": token, "uprn": uprn, "reason": REASON}
            )
            watch.answered("search", found)
            pages = sorted(TABLE, key=lambda page: ("close" in page, page))
            for page in (one for one in pages if "sign-" not in one and "set-up" not in one):
                method, path = address(page, case_id)
                if method == "GET":
                    watch.answered(page, browser.get(path))
                    continue
                for filled in ({}, {**CHOSEN, **words, "uprn": str(uprn)}):
                    if "/open" in page and not filled:
                        continue
                    data = {"form_token": token, **filled}
                    watch.answered(page, browser.post(path, data=data))
            for page in (one for one in pages if one.startswith("GET /cases/{case_id}")):
                watch.answered(page, browser.get(address(page, case_id)[1]))
    assert watch.shown >= {str(uprn), AMOUNT_SHOWN, WORD}, (
        "a mark that is never shown proves nothing"
    )
    watch.clean(caplog.text, "the log of the site")
    captured = capfd.readouterr()
    watch.clean(captured.out + captured.err, "what the site prints")
    for entry in desk.state.audit.entries():
        watch.clean(str(entry.body), f"entry {entry.sequence} of the log: {entry.body['action']}")
    assert len(list(desk.state.audit.entries())) > 20


def test_no_mark_is_in_an_error_that_nobody_expected(
    marked: tuple[CaseworkCouncil, RunningSite, Desk],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    council, site, desk = marked
    watch = Watch(council.uprn(PLACE))
    case_id = open_case(council, desk, PLACE)
    caplog.set_level(logging.DEBUG)

    def broken(_: object, opened: object) -> None:
        raise ValueError(f"{opened} owes {AMOUNT}, {WORD}")

    with Browser(site) as browser:
        browser.sign_in("manager@example.gov.uk")
        browser.fill_in(f"/cases/{case_id}/open", reason=REASON)
        monkeypatch.setattr(Desk, "explanation", broken)
        answer = browser.get(f"/cases/{case_id}/score")
    assert answer.status_code == 500
    watch.answered("score", answer)
    watch.clean(caplog.text, "the log of the site")


def test_no_mark_is_in_what_the_node_keeps_for_the_region(
    marked: tuple[CaseworkCouncil, RunningSite, Desk],
) -> None:
    """The ledger, the outbox and the log of egress are in one database of the node."""
    council, _, _ = marked
    watch = Watch(council.uprn(PLACE))
    files = [path for path in council.config.state_path.parent.glob("state*") if path.is_file()]
    assert files
    for path in files:
        watch.clean(path.read_bytes().decode("latin-1"), path.name)


def test_the_database_of_casework_is_opaque(
    marked: tuple[CaseworkCouncil, RunningSite, Desk],
) -> None:
    """Also what SQLite keeps beside it."""
    council, _, _ = marked
    watch = Watch(council.uprn(PLACE))
    found = list(Path(council.config.casework_folder).glob("casework.sqlite*"))
    assert len(found) >= 2
    for path in found:
        watch.clean(path.read_bytes().decode("latin-1"), path.name)
