"""No sequence of actions shows a household without an earlier entry that is durable.

Any sequence of what people do, with a fault at any statement or commit. After each answer that has
something of a household in it, another connection must see the entry.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event
from sqlcipher3 import dbapi2

from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.desk import Desk, desk_of_app
from folkmoot_node.casework.opening.exports import EXPORTED
from folkmoot_node.casework.opening.models import OpeningRow
from folkmoot_node.casework.opening.openings import OPENED, RENEWED, SHOWN
from folkmoot_node.casework.opening.restrictions import Restrictions
from folkmoot_node.casework.settings import database_path, read_key
from folkmoot_operator.sqlcipher import Cipher
from tests.casework_council import CaseworkCouncil, make_council, serving_council
from tests.casework_opening import (
    EXPORTS_UPRNS,
    REASON,
    change_policy,
    close_case,
    open_case,
    restrict,
)
from tests.web_site import Browser

PEOPLE = ("caseworker", "manager", "protection_officer", "auditor")
PLACES = (0, 4, 8)
people = st.sampled_from(PEOPLE)
places = st.sampled_from(PLACES)
faults = st.one_of(st.none(), st.none(), st.integers(1, 14))


class Disk:
    """Fails at a statement or commit of a chosen number, and from then on until it is repaired."""

    def __init__(self, desk: Desk) -> None:
        engine = desk.state.database._engine
        self.left: int | None = None
        event.listen(engine, "before_cursor_execute", lambda *_: self.count())
        event.listen(engine, "commit", lambda _: self.count())

    def count(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                raise dbapi2.OperationalError("disk I/O error")


class Council:
    """One site for all sequences: to make one takes seconds."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp())
        self.folder = folder
        self.council: CaseworkCouncil = make_council(folder)
        change_policy(
            self.council,
            EXPORTS_UPRNS,
            ("per_day = 60 ", "per_day = 9000 "),
            ("exports_per_day = 5 ", "exports_per_day = 900 "),
            ("searches_per_day = 30 ", "searches_per_day = 900 "),
        )
        self.serving = serving_council(self.council)
        self.site = self.serving.__enter__()
        self.desk = desk_of_app(self.site.app)
        self.disk = Disk(self.desk)
        self.browsers = {role: Browser(self.site) for role in PEOPLE}
        for role, browser in self.browsers.items():
            browser.sign_in(f"{role}@example.gov.uk")
        self.tokens = {role: one.token("/sign-out") for role, one in self.browsers.items()}

    def close(self) -> None:
        for browser in self.browsers.values():
            browser.close()
        self.serving.__exit__(None, None, None)
        shutil.rmtree(self.folder)


SHARED: list[Council] = []


def teardown_module() -> None:
    for one in SHARED:
        one.close()


class Reading(RuleBasedStateMachine):
    """What people do, in any order."""

    @initialize()
    def begin(self) -> None:
        if not SHARED:
            SHARED.append(Council())
        self.shared = SHARED[0]
        self.desk, self.council = self.shared.desk, self.shared.council
        self.shared.disk.left = None
        self.cases = {at: open_case(self.council, self.desk, at) for at in PLACES}
        self.households = {at: self.desk.cases.get(one).household for at, one in self.cases.items()}

    def entries(self) -> list[dict[str, Any]]:
        """The log as another connection sees it, which shares nothing with the site's."""
        key = read_key(self.council.config)
        assert key is not None
        address = f"{database_path(self.council.config).as_uri()}?mode=ro"
        connection = Cipher(key).connect(address, uri=True)
        try:
            rows = connection.execute("SELECT body FROM web_audit ORDER BY sequence").fetchall()
        finally:
            connection.close()
        return [json.loads(body) for (body,) in rows]

    def ask(self, role: str, method: str, path: str, fault: int | None, **fields: Any) -> None:
        """Asks for something; whatever the answer has in it must be in the log already."""
        before = self.entries()
        self.shared.disk.left = fault
        browser = self.shared.browsers[role]
        try:
            data = {"form_token": self.shared.tokens[role], **fields} if method == "POST" else None
            answer = browser.request(method, path, data=data)
        finally:
            self.shared.disk.left = None
        self.check(role, answer, before)

    def check(self, role: str, answer: httpx2.Response, before: list[dict[str, Any]]) -> None:
        after = self.entries()
        assert after[: len(before)] == before
        new = [one for one in after[len(before) :] if one["by"] == f"{role}@example.gov.uk"]
        for at in PLACES:
            if str(self.council.uprn(at)) in answer.text:
                shown = [one for one in new if one["action"] == SHOWN]
                assert self.households[at] in {one["household"] for one in shown}, answer.url
                if "attachment" in answer.headers.get("content-disposition", ""):
                    assert EXPORTED in {one["action"] for one in new}
                else:
                    # It was opened before, with a reason.
                    opened = [
                        one
                        for one in after
                        if one["action"] in (OPENED, RENEWED)
                        and one["household"] == self.households[at]
                        and one["by"] == f"{role}@example.gov.uk"
                    ]
                    assert opened
                    assert all(one["reason"] for one in opened)

    @rule(role=people, at=places, fault=faults)
    def open(self, role: str, at: int, fault: int | None) -> None:
        self.ask(role, "POST", f"/cases/{self.cases[at]}/open", fault, reason=REASON)

    @rule(role=people, at=places, fault=faults)
    def look(self, role: str, at: int, fault: int | None) -> None:
        self.ask(role, "GET", f"/cases/{self.cases[at]}/score", fault)

    @rule(role=people, at=places, fault=faults)
    def open_and_look(self, role: str, at: int, fault: int | None) -> None:
        self.open(role, at, None)
        self.look(role, at, fault)

    @rule(role=people, at=places)
    def close(self, role: str, at: int) -> None:
        self.ask(role, "POST", f"/cases/{self.cases[at]}/close-household", None)

    @rule(role=people, at=places, fault=faults)
    def search(self, role: str, at: int, fault: int | None) -> None:
        uprn = self.council.uprn(at)
        before = self.entries()
        self.shared.disk.left = fault
        data = {"form_token": self.shared.tokens[role], "uprn": uprn, "reason": REASON}
        try:
            answer = self.shared.browsers[role].post("/search", data=data)
        finally:
            self.shared.disk.left = None
        self.check(role, answer, before)
        if answer.status_code == 303:
            assert self.entries()[-1]["search"] in answer.headers["location"]

    @rule(role=people, fault=faults)
    def export(self, role: str, fault: int | None) -> None:
        self.ask(role, "POST", "/exports", fault, name="visits", reason=REASON)

    @rule(at=places)
    def restrict(self, at: int) -> None:
        restrict(self.council, self.desk, at)

    @rule()
    def lift_all(self) -> None:
        officer = self.council.visitor(self.desk, "protection_officer")
        for one in Restrictions(self.desk.state).listed()[0]:
            self.desk.restrictions.lift(officer, one.restriction_id, REASON)

    @rule(at=places)
    def close_the_case(self, at: int) -> None:
        close_case(self.desk, self.cases[at])

    @rule(at=places)
    def open_another_case(self, at: int) -> None:
        self.cases[at] = open_case(self.council, self.desk, at)

    @rule()
    def an_hour_passes(self) -> None:
        with self.desk.state.database.writing() as session:
            for row in session.query(OpeningRow):
                row.ends_at = min(row.ends_at, self.desk.clock())

    @invariant()
    def the_log_is_whole(self) -> None:
        if SHARED:
            self.desk.state.audit.verify()
            with self.desk.state.database.reading() as session:
                assert session.query(CaseRow).count() >= len(PLACES)


TestReading = Reading.TestCase
TestReading.settings = settings(
    max_examples=12,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
