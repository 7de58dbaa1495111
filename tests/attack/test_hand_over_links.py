"""Somebody gets hold of a link to a referral, guesses one, or changes one: they see nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.referrals.kinds import ReferralState, Way
from folkmoot_node.casework.referrals.links import OPENED, TRIES, Link
from folkmoot_node.casework.referrals.links import REFUSED as NOT_SHOWN
from folkmoot_node.casework.referrals.models import LinkRow
from folkmoot_node.casework.referring.room import KEY_FILE, open_room
from tests.casework_council import CaseworkCouncil, make_council, serving_council
from tests.referring import NAME, TELEPHONE, Referring
from tests.web_site import Browser, RunningSite

SECRETS = (NAME, TELEPHONE, "Debt advice", "10000000001")
"""Nobody sees any of these before the PIN."""


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> CaseworkCouncil:
    """A council that has scored, and has accounts."""
    council = make_council(tmp_path_factory.mktemp("council"))
    with serving_council(council):
        return council


@pytest.fixture
def site(scored: CaseworkCouncil, tmp_path: Path) -> Iterator[RunningSite]:
    home = tmp_path / "home"
    shutil.copytree(scored.home, home)
    with serving_council(CaseworkCouncil(home), new=False) as site:
        yield site


@pytest.fixture
def referring(site: RunningSite) -> Referring:
    desk = desk_of_app(site.app)
    return Referring(CaseworkCouncil(desk.config.home, clock=site.clock), desk)


class Sent:
    """A referral that was sent by a link."""

    def __init__(self, referring: Referring) -> None:
        self.referring = referring
        self.case_id = referring.case()
        self.id = referring.draft(self.case_id, referring.consent(self.case_id))
        self.worker = referring.visitor("caseworker")
        referring.room.referrals.send(self.case_id, self.id, self.worker, Way.LINK)

    @property
    def link(self) -> Link:
        found = self.referring.room.links.latest(self.id)
        assert found is not None
        return found

    @property
    def state(self) -> ReferralState:
        return self.referring.room.referrals.get(self.id, self.case_id).state

    def shown(self) -> int:
        return len(list(self.referring.desk.state.audit.entries((OPENED,))))


@pytest.fixture
def sent(referring: Referring) -> Sent:
    return Sent(referring)


def enter(browser: Browser, sent: Sent, pin: str, path: str = "") -> str:
    browser.follow_redirects = True
    return browser.fill_in(path or sent.link.path, pin=pin).text


def wrong(pin: str) -> str:
    return f"{(int(pin) + 1) % 1_000_000:06d}"


def test_scanners_that_open_the_link_use_nothing_and_see_nothing(
    site: RunningSite, sent: Sent
) -> None:
    for _ in range(20):
        with Browser(site) as scanner:
            answer = scanner.get(sent.link.path)
            head = scanner.head(sent.link.path)
            assert (answer.status_code, head.status_code) == (200, 200)
            assert not any(secret in answer.text for secret in (*SECRETS, sent.id))
            assert answer.headers["cache-control"] == "no-store"
            assert "noindex" in answer.headers["x-robots-tag"]
            # A scanner that also sends the form without its token is refused.
            assert scanner.post(sent.link.path, data={"pin": sent.link.pin}).status_code == 403
    assert sent.state == ReferralState.SENT
    assert sent.link.opened_at is None
    with Browser(site) as service:
        assert NAME in enter(service, sent, sent.link.pin)
    assert sent.state == ReferralState.RECEIVED


def test_a_link_that_exists_looks_like_one_that_does_not(site: RunningSite, sent: Sent) -> None:
    other = "/hand-over/" + "a" * 12 + "." + "b" * 43
    with Browser(site) as guesser:
        pages = []
        for path in (sent.link.path, other, "/hand-over/nonsense"):
            text = guesser.get(path).text
            token = guesser.token(path)
            pages.append(text.replace(path, "PATH").replace(token, "TOKEN"))
            guessed = guesser.fill_in(path, pin=wrong(sent.link.pin))
            assert guessed.status_code == 422
            pages.append(guessed.text.replace(path, "PATH"))
        plain = [re.sub(r'name="form_token" value="[^"]+"', "", page) for page in pages]
        assert plain[0] == plain[2] == plain[4]
        assert plain[1] == plain[3] == plain[5]


def test_a_second_browser_sees_nothing_of_the_household(site: RunningSite, sent: Sent) -> None:
    pin = sent.link.pin
    with Browser(site) as service, Browser(site) as thief:
        assert NAME in enter(service, sent, pin)
        again = enter(thief, sent, pin)
        assert "does not show it again" in again
        assert not any(secret in again for secret in (NAME, TELEPHONE))
        assert NAME in service.get(sent.link.path).text


def test_two_tabs_of_one_browser_show_the_same(site: RunningSite, sent: Sent) -> None:
    path, pin = sent.link.path, sent.link.pin
    with Browser(site, follow_redirects=True) as service:
        first, second = service.token(path), service.token(path)
        for token in (first, second):
            shown = service.post(path, data={"form_token": token, "pin": pin})
            assert NAME in shown.text
        # Both answer; the second is told that the first was taken.
        page = service.token(path)
        answers = [
            service.post(f"{path}/answer", data={"form_token": page, "answer": answer, "note": "x"})
            for answer in ("accepted", "rejected")
        ]
    assert [one.status_code for one in answers] == [200, 409]
    assert sent.state == ReferralState.ACCEPTED


def test_the_page_closes_after_half_an_hour(site: RunningSite, sent: Sent) -> None:
    with Browser(site) as service:
        assert NAME in enter(service, sent, sent.link.pin)
        site.clock.now += 31 * 60
        assert NAME not in service.get(sent.link.path).text
        assert NAME not in enter(service, sent, sent.link.pin)


def test_a_changed_link_shows_nothing(site: RunningSite, referring: Referring) -> None:
    for change in ("id", "code", "swap", "longer"):
        sent = Sent(referring)
        nothing_is_shown(site, sent, change)
        assert sent.link.opened_at is None


def nothing_is_shown(site: RunningSite, sent: Sent, change: str) -> None:
    other = Sent(sent.referring).link
    name, _, code = sent.link.path.rpartition("/")[2].partition(".")
    last = "A" if code[-1] != "A" else "E"
    changed = {
        "id": f"{name[::-1]}.{code}",
        "code": f"{name}.{code[:-1]}{last}",
        "swap": f"{name}.{other.path.partition('.')[2]}",
        "longer": f"{name}.{code}A",
    }[change]
    with Browser(site) as forger:
        for pin in (sent.link.pin, other.pin):
            text = enter(forger, sent, pin, f"/hand-over/{changed}")
            assert not any(secret in text for secret in SECRETS), change


def test_an_expired_link_shows_nothing_and_a_new_one_ends_the_old(
    site: RunningSite, sent: Sent
) -> None:
    old = sent.link
    site.clock.now += 15 * 24 * 60 * 60
    with Browser(site) as service:
        assert NAME not in enter(service, sent, old.pin)
        assert sent.state == ReferralState.SENT
        sent.referring.room.referrals.renew_link(sent.case_id, sent.id, sent.worker)
        assert sent.link.path != old.path
        assert NAME not in enter(service, sent, old.pin, old.path)
        assert NAME in enter(service, sent, sent.link.pin)


def test_guessing_the_pin_ends_the_link_and_is_logged(site: RunningSite, sent: Sent) -> None:
    pin = sent.link.pin
    with Browser(site) as guesser:
        for _ in range(TRIES):
            assert guesser.fill_in(sent.link.path, pin=wrong(pin)).status_code == 422
        assert NAME not in enter(guesser, sent, pin)
    assert sent.link.closed_at is not None
    assert sent.state == ReferralState.SENT
    entries = list(sent.referring.desk.state.audit.entries((NOT_SHOWN,)))
    assert len(entries) == TRIES + 1
    assert pin not in str([one.body for one in entries])


def test_a_worker_who_has_not_opened_the_household_is_not_the_service(
    site: RunningSite, sent: Sent
) -> None:
    """With link and PIN they would see what is handed over, and the log would name the service."""
    page = f"/cases/{sent.case_id}/referrals/{sent.id}"
    with Browser(site) as worker:
        worker.sign_in("manager@example.gov.uk")
        text = worker.get(page).text
        assert "Nobody has opened it" in text
        assert sent.link.pin not in text
        assert sent.link.path not in text
        before = sent.referring.desk.state.audit.head().length
        worker.fill_in(f"/cases/{sent.case_id}/open", reason="To tell the service the PIN")
        text = worker.get(page).text
        assert sent.link.pin in text
        assert sent.link.path in text
        assert sent.referring.desk.state.audit.head().length == before + 2


def test_many_links_from_one_address_are_limited(site: RunningSite) -> None:
    statuses = []
    with Browser(site) as guesser:
        path = "/hand-over/" + "a" * 12 + "." + "b" * 43
        token = guesser.token(path)
        for at in range(65):
            path = "/hand-over/" + f"{at:a>12}" + "." + "b" * 43
            answer = guesser.post(path, data={"form_token": token, "pin": "000000"})
            statuses.append(answer.status_code)
    assert statuses == [422] * 60 + [429] * 5


def test_a_revoked_referral_is_not_shown(site: RunningSite, sent: Sent) -> None:
    with Browser(site) as service:
        assert NAME in enter(service, sent, sent.link.pin)
        sent.referring.room.referrals.revoke(sent.case_id, sent.id, sent.worker, "A mistake")
        assert NAME not in service.get(sent.link.path).text
        assert NAME not in enter(service, sent, sent.link.pin)
        path = sent.link.path
        token = service.token(path)
        sending = {"form_token": token, "answer": "accepted"}
        assert NAME not in service.post(f"{path}/answer", data=sending).text
    assert sent.state == ReferralState.REVOKED


def test_nobody_answers_without_the_pin(site: RunningSite, sent: Sent) -> None:
    with Browser(site) as stranger:
        path = sent.link.path
        sending = {"form_token": stranger.token(path), "answer": "rejected", "note": "Spite"}
        assert stranger.post(f"{path}/answer", data=sending).status_code == 303
    assert sent.state == ReferralState.SENT


def test_a_service_reports_only_what_may_follow(site: RunningSite, sent: Sent) -> None:
    with Browser(site) as service:
        enter(service, sent, sent.link.pin)
        path = sent.link.path
        for answer in ("revoked", "sent", "drafted", "completed", "nonsense", ""):
            sending = {"form_token": service.token(path), "answer": answer}
            assert service.post(f"{path}/answer", data=sending).status_code in (409, 422), answer
            assert sent.state == ReferralState.RECEIVED, answer


def test_if_the_log_cannot_be_written_the_service_sees_nothing(
    site: RunningSite, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = sent.referring.desk.state.audit
    record = audit.record

    def failing(session: object, action: str, *rest: object) -> object:
        if action == OPENED:
            raise OSError("the disk is full")
        return record(session, action, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(audit, "record", failing)
    with Browser(site) as service:
        text = enter(service, sent, sent.link.pin)
        assert not any(secret in text for secret in SECRETS)
        assert sent.shown() == 0
        monkeypatch.undo()
        assert NAME in service.get(sent.link.path).text
    assert sent.shown() == 1


def test_each_look_is_in_the_log(site: RunningSite, sent: Sent) -> None:
    with Browser(site) as service:
        enter(service, sent, sent.link.pin)
        service.get(sent.link.path)
    assert sent.shown() == 2


def test_who_reads_the_database_makes_no_link(referring: Referring, sent: Sent) -> None:
    """Codes and PINs come from the key, which is a private file of its own."""
    with referring.desk.state.database.reading() as session:
        row = session.scalars(select(LinkRow)).one()
        stored = {str(getattr(row, column.name)) for column in LinkRow.__table__.columns}
    code = sent.link.path.partition(".")[2]
    assert sent.link.pin not in stored
    assert not any(code in one for one in stored)
    key = referring.desk.config.casework_folder / KEY_FILE
    assert key.stat().st_mode & 0o077 == 0
    key.unlink()
    other = open_room(referring.desk).links.latest(sent.id)
    assert other is not None
    assert other.path != sent.link.path
