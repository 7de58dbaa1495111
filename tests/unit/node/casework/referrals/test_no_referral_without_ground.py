"""Whatever people do, in whatever order, and wherever it breaks off: nothing is sent without
consent to all of it, or a legal ground that a second person approved.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.referrals.content import Item, chosen_items
from folkmoot_node.casework.referrals.kinds import OUTSIDE, Ground, ReferralState, Way
from folkmoot_node.casework.referrals.models import (
    ConsentRow,
    EventRow,
    LinkRow,
    OverrideRow,
    ReferralRow,
)
from folkmoot_web.errors import WebProblem
from folkmoot_web.visitors import Visitor
from tests.referring import TYPED, Referring

S = ReferralState
ACTIONS = (
    "consent", "withdraw", "draft", "draft without", "draft more", "ask", "approve", "refuse",
    "send", "send as a file", "new link", "reject", "accept", "complete", "revoke",
)  # fmt: skip
WHO = (("caseworker", "jo"), ("manager", "mo"), ("manager", "max"))
Step = tuple[str, int, int, int]
"""Action, who, which of the things there are, and at which write it breaks off (0: never)."""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.integers(0, 2),
        st.integers(0, 3),
        st.sampled_from([0, 0, 0, 1, 2]),
    ),
    min_size=4,
    max_size=25,
)
_NUMBERS = itertools.count()


class Broken(Exception):
    """The machine stops here."""


@dataclass
class Known:
    """What a reader of the rules would note, apart from the program."""

    consents: dict[str, bool] = field(default_factory=dict)  # id: whether it holds
    referrals: list[str] = field(default_factory=list)
    rests_on: dict[str, str | None] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)
    askers: dict[str, str] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    sent: int = 0

    def permits(self, referral_id: str) -> bool:
        consent = self.rests_on[referral_id]
        return referral_id in self.approved or (consent is not None and self.consents[consent])


class World:
    """One case, and people who do things about it."""

    def __init__(self, referring: Referring) -> None:
        self.referring = referring
        self.known = Known()
        with referring.desk.state.database.writing() as session:
            self.case_id = referring.desk.cases.open(
                session, referring.council.uprn(0), purpose=f"purpose {next(_NUMBERS)}",
                why="A test", by=referring.visitor("manager"), band="high",
            )  # fmt: skip

    def act(self, action: str, by: Visitor, at: int) -> None:
        room, known = self.referring.room, self.known
        if action == "consent":
            known.consents[self.referring.consent(self.case_id)] = True
            return
        if action.startswith("draft"):
            consents = list(known.consents) if action != "draft without" else []
            consent = consents[at % len(consents)] if consents else None
            items = chosen_items([], list(TYPED), TYPED)
            if action == "draft more":
                items.append(Item("address", "Address", "1 High Street"))
            one = self.referring.draft(self.case_id, consent, by=by, items=items)
            # A consent is taken that holds, and covers all of it.
            assert consent is None or (known.consents[consent] and action == "draft")
            known.referrals.append(one)
            known.rests_on[one], known.authors[one] = consent, by.name
            return
        if action == "withdraw":
            if known.consents:
                consent = list(known.consents)[at % len(known.consents)]
                room.consents.withdraw(self.case_id, consent, by)
                known.consents[consent] = False
            return
        if not known.referrals:
            return
        one = known.referrals[at % len(known.referrals)]
        if action == "ask":
            if room.overrides.ask(self.case_id, one, by, Ground.COURT_ORDER, "A court says so"):
                assert by.name != known.authors[one]
                known.approved.add(one)
            known.askers[one] = by.name
        elif action in ("approve", "refuse"):
            room.overrides.decide(self.case_id, one, by, approve=action == "approve")
            assert by.name not in (known.authors[one], known.askers[one])
            if action == "approve":
                known.approved.add(one)
        elif action.startswith("send"):
            way = Way.FILE if action == "send as a file" else Way.LINK
            assert room.referrals.send(self.case_id, one, by, way) == S.SENT
            assert known.permits(one), "sent without consent or ground"
            known.sent += 1
        elif action == "new link":
            room.referrals.renew_link(self.case_id, one, by)
        elif action == "revoke":
            room.referrals.revoke(self.case_id, one, by, "A test")
        else:
            state = {"reject": S.REJECTED, "accept": S.ACCEPTED, "complete": S.COMPLETED}[action]
            room.referrals.report(self.case_id, one, by, state, "A test")

    def rows(self) -> list[tuple[object, ...]]:
        """All that is stored of the case."""
        found: list[tuple[object, ...]] = []
        with self.referring.desk.state.database.reading() as session:
            for table in (ConsentRow, ReferralRow, OverrideRow, EventRow, LinkRow):
                columns = table.__table__.columns
                found += [tuple(one) for one in session.execute(select(*columns))]
        return found

    def check(self) -> None:
        """With a service is only what is permitted still, or was when it was sent."""
        for one in self.known.referrals:
            found = self.referring.room.referrals.get(one, self.case_id)
            if found.state in OUTSIDE:
                assert self.known.permits(one), f"{one} is {found.state}, and nothing permits it"
            if found.sent_at is None:
                assert found.state not in (*OUTSIDE, S.COMPLETED, S.REJECTED)


def breaking_at(number: int, record: Callable[..., object]) -> Callable[..., object]:
    """A log whose entry with this number breaks off, half of the time after it was written."""
    left = itertools.count(1)

    def recorded(session: Session, *arguments: object) -> object:
        at = next(left)
        if at == number and number % 2:
            raise Broken
        entry = record(session, *arguments)
        if at == number:
            raise Broken
        return entry

    return recorded


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS)
def test_no_referral_is_sent_without_consent_or_approved_ground(
    referring: Referring, monkeypatch: pytest.MonkeyPatch, steps: list[Step]
) -> None:
    world = World(referring)
    audit = referring.desk.state.audit
    for action, who, at, breaks_at in steps:
        role, name = WHO[who]
        by = referring.visitor(role, name)
        referring.opened(world.case_id, by)  # so that entries of that are not counted
        before = world.rows()
        with monkeypatch.context() as broken:
            if breaks_at:
                broken.setattr(audit, "record", breaking_at(breaks_at, audit.record))
            try:
                world.act(action, by, at)
            except (Broken, WebProblem):
                assert world.rows() == before, f"{action} left half of its work"
        world.check()


def test_the_walks_do_send(referring: Referring) -> None:
    """The property above is not true for want of anything sent."""
    world = World(referring)
    by = referring.visitor("manager", "mo")
    for action in ("consent", "draft", "send", "withdraw", "draft without", "ask"):
        world.act(action, by, 1 if action == "ask" else 0)
        world.check()
    world.act("approve", referring.visitor("manager", "max"), 1)
    world.act("send", by, 1)
    world.check()
    assert world.known.sent == 2
