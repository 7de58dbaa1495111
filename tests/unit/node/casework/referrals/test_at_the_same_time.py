"""Two people at the same time, on SQLite and on PostgreSQL: nobody's act undoes a rule."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from folkmoot_node.casework.cases.words import CaseOutcome
from folkmoot_node.casework.referrals.kinds import Ground, ReferralState, Way
from folkmoot_node.casework.referring.closing import close_case
from folkmoot_web.errors import WebProblem
from tests.casework_council import CaseworkCouncil
from tests.postgresql import ADMINISTRATOR, PASSWORD, PostgreSQL
from tests.referring import Referring

S = ReferralState


@pytest.fixture(params=["sqlite", "postgresql"])
def both(council: CaseworkCouncil, request: pytest.FixtureRequest) -> Iterator[Referring]:
    """A council that refers, on each database."""
    if request.param == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        user = f"{ADMINISTRATOR}:{quote(PASSWORD, safe='')}"
        url = server.url(server.create("referring"), "postgresql+psycopg", user)
        toml = council.home / "node.toml"
        toml.write_text(toml.read_text().replace("[casework]", f'[casework]\ndatabase = "{url}"'))
    desk = council.desk()
    yield Referring(council, desk)
    desk.state.database.close()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each of some acts gave or raised, begun at the same moment."""
    start = threading.Barrier(len(acts))
    found: list[object] = [None] * len(acts)

    def run(at: int, act: Callable[[], object]) -> None:
        start.wait()
        try:
            found[at] = act()
        except WebProblem as problem:
            found[at] = problem.status

    threads = [threading.Thread(target=run, args=one) for one in enumerate(acts)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return found


def test_consent_withdrawn_while_it_is_sent_leaves_nothing_at_the_service(both: Referring) -> None:
    worker = both.visitor("caseworker")
    room = both.room
    for at in range(8):
        case_id = both.case(at)
        consent = both.consent(case_id)
        one = both.draft(case_id, consent)
        sent, _ = at_once(
            lambda: room.referrals.send(case_id, one, worker, Way.LINK),  # noqa: B023
            lambda: room.consents.withdraw(case_id, consent, worker),  # noqa: B023
        )
        assert sent in (S.SENT, 403, 409)
        assert room.referrals.get(one, case_id).state == S.REVOKED


def test_the_last_place_is_given_once(both: Referring) -> None:
    worker = both.visitor("caseworker")
    both.take(1)
    made = []
    for at in range(4):
        case_id = both.case(at)
        made.append((case_id, both.draft(case_id, both.consent(case_id))))
    sent = at_once(
        *(lambda one=one: both.room.referrals.send(*one, worker, Way.FILE) for one in made)
    )
    assert sorted(map(str, sent)) == [S.SENT, *[S.QUEUED] * 3]


def test_a_case_that_closes_while_its_referral_is_sent_leaves_nothing_that_waits(
    both: Referring,
) -> None:
    worker = both.visitor("caseworker")
    state = both.desk.state

    def close(case_id: str) -> None:
        with state.database.writing() as session:
            close_case(state, session, case_id, 1, worker, CaseOutcome.HELPED)

    for at in range(8):
        case_id = both.case(at)
        consent = both.consent(case_id)
        one = both.draft(case_id, consent)
        sent, closed, drafted = at_once(
            lambda: both.room.referrals.send(case_id, one, worker, Way.FILE),  # noqa: B023
            lambda: close(case_id),  # noqa: B023
            lambda: both.draft(case_id, consent),  # noqa: B023
        )
        assert closed is None
        assert isinstance(drafted, str) or drafted == 409
        states = [found.state for found in both.room.referrals.listed(case_id=case_id)]
        assert states.count(S.SENT) == (sent == S.SENT)
        assert set(states) <= {S.SENT, S.REVOKED}


def test_a_link_is_opened_once(both: Referring) -> None:
    case_id = both.case()
    one = both.draft(case_id, both.consent(case_id))
    both.room.referrals.send(case_id, one, both.visitor("caseworker"), Way.LINK)
    link = both.room.links.latest(one)
    assert link is not None
    token = link.path.rpartition("/")[2]
    browsers = [f"browser {at}" for at in range(4)]
    entered = at_once(
        *(lambda name=name: both.room.links.enter(token, link.pin, name) for name in browsers)
    )
    assert entered == [True] * 4
    shown = [both.room.links.show(token, name) for name in browsers]
    assert sum(one is not None and one.content is not None for one in shown) == 1


def test_both_who_decide_about_a_ground_get_an_answer_and_one_counts(both: Referring) -> None:
    case_id = both.case()
    one = both.draft(case_id, None)
    both.room.overrides.ask(
        case_id, one, both.visitor("caseworker"), Ground.COURT_ORDER, "A court says so"
    )
    first, second = both.visitor("manager", "first"), both.visitor("manager", "second")
    decided = at_once(
        lambda: both.room.overrides.decide(case_id, one, first, approve=True),
        lambda: both.room.overrides.decide(case_id, one, second, approve=False),
    )
    assert sorted(map(str, decided)) == ["409", "None"]
    is_approved = decided[0] is None
    assert both.room.referrals.get(one, case_id).is_overridden == is_approved
