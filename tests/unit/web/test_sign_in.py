"""Signing in and out in a browser without scripts; set-up links; sessions that end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.web_site import PASSWORD, Browser, RunningSite, running_site

NAME = "alice@example.gov.uk"


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[RunningSite]:
    """A site of the test's own, with one account."""
    limits = {"per_account": 3, "per_address": 6}
    with running_site(tmp_path, attempts=limits) as running:
        running.add_account(NAME, "reader")
        yield running


@pytest.fixture
def alice(alone: RunningSite) -> Iterator[Browser]:
    """A browser that is not signed in yet."""
    with Browser(alone) as client:
        yield client


def session_of(client: Browser) -> str | None:
    return client.cookies.get("folkmoot-session")


def test_sign_in_leads_to_the_page_that_was_asked_for(alice: Browser) -> None:
    asked = alice.get("/notes?title=x&a=b")
    assert asked.headers["location"] == "/sign-in?next=/notes%3Ftitle%3Dx%26a%3Db"
    answer = alice.fill_in(asked.headers["location"], name=NAME, password=PASSWORD)
    assert answer.headers["location"] == "/notes?title=x&a=b"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Alice" in alice.get("/").text


@pytest.mark.parametrize(
    "elsewhere",
    ["https://attacker.example", "//attacker.example", "/\\attacker.example", "javascript:x",
     "/sign-out", "/\t/attacker.example", "/x\\..\\y"],
)  # fmt: skip
def test_sign_in_leads_to_no_other_site(elsewhere: str, alice: Browser) -> None:
    form = {"form_token": alice.token("/sign-in"), "name": NAME, "password": PASSWORD}
    answer = alice.post("/sign-in", params={"next": elsewhere}, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("name", [NAME, "nobody@example.gov.uk"])
def test_a_wrong_password_says_no_more_than_a_wrong_name(name: str, alice: Browser) -> None:
    answer = alice.fill_in("/sign-in", name=name, password="not the password")
    assert answer.status_code == 422
    assert "The name or the password is wrong" in answer.text
    assert f'value="{name}"' in answer.text
    assert "not the password" not in answer.text
    assert session_of(alice) is None


def test_the_token_is_kept_as_a_digest_alone(alone: RunningSite, alice: Browser) -> None:
    alice.sign_in(NAME)
    token = session_of(alice)
    assert token is not None
    with alone.state.database.reading() as session:
        rows = session.execute(text("SELECT * FROM web_sessions")).all()
    assert len(rows) == 1
    assert token not in str(rows)


def test_sign_out_ends_the_session_on_the_server(alone: RunningSite, alice: Browser) -> None:
    alice.sign_in(NAME)
    token = session_of(alice)
    answer = alice.fill_in("/sign-out")
    assert answer.headers["location"] == "/sign-in?ended"
    assert session_of(alice) is None
    assert "You have signed out" in alice.get("/sign-in?ended").text
    alice.cookies.set("folkmoot-session", token or "", domain="127.0.0.1")
    assert alice.get("/mine").status_code == 303


def test_a_link_cannot_sign_anybody_out(alice: Browser) -> None:
    alice.sign_in(NAME)
    assert "Do you want to sign out?" in alice.get("/sign-out").text
    assert alice.get("/mine").status_code == 200


def test_each_sign_in_gives_a_new_token_and_ends_the_old_session(alice: Browser) -> None:
    alice.sign_in(NAME)
    first = session_of(alice)
    form = {"name": NAME, "password": PASSWORD, "form_token": alice.token("/sign-out")}
    assert alice.post("/sign-in", data=form).status_code == 303
    second = session_of(alice)
    assert second != first
    alice.cookies.set("folkmoot-session", first or "", domain="127.0.0.1")
    assert alice.get("/mine").status_code == 303


def test_a_session_that_somebody_planted_is_not_taken_over(alice: Browser) -> None:
    alice.cookies.set("folkmoot-session", "planted" * 6, domain="127.0.0.1")
    alice.sign_in(NAME)
    assert session_of(alice) != "planted" * 6


def test_a_session_ends_when_it_is_not_used(alone: RunningSite, alice: Browser) -> None:
    alice.sign_in(NAME)
    for _ in range(5):
        alone.clock.now += 29 * 60
        assert alice.get("/mine").status_code == 200
    alone.clock.now += 30 * 60
    answer = alice.get("/mine")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/mine")


def test_a_session_ends_after_twelve_hours_of_use(alone: RunningSite, alice: Browser) -> None:
    alice.sign_in(NAME)
    for _ in range(35):
        alone.clock.now += 20 * 60
        assert alice.get("/mine").status_code == 200
    alone.clock.now += 20 * 60
    assert alice.get("/mine").status_code == 303


def test_a_form_that_was_sent_too_late_leads_to_sign_in(alone: RunningSite, alice: Browser) -> None:
    alone.state.accounts.set_roles(NAME, ["writer"], by="test")
    alice.sign_in(NAME)
    token = alice.token("/notes/new")
    alone.clock.now += 31 * 60
    answer = alice.post("/notes/new", data={"form_token": token, "title": "x"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_roles_count_from_the_next_request(alone: RunningSite, alice: Browser) -> None:
    alice.sign_in(NAME)
    assert alice.get("/notes").status_code == 200
    alone.state.accounts.set_roles(NAME, ["guest"], by="test")
    assert alice.get("/notes").status_code == 403


def test_a_disabled_account_is_out_at_once(alone: RunningSite, alice: Browser) -> None:
    alice.sign_in(NAME)
    alone.state.accounts.disable(NAME, by="test")
    assert alice.get("/mine").status_code == 303
    assert alice.sign_in(NAME).status_code == 422
    alone.state.accounts.enable(NAME, by="test")
    assert alice.sign_in(NAME).status_code == 303


@pytest.mark.parametrize("name", [NAME, "nobody@example.gov.uk"])
def test_attempts_at_an_account_are_limited_whether_it_exists_or_not(
    name: str, alone: RunningSite, alice: Browser
) -> None:
    for _ in range(3):
        assert alice.fill_in("/sign-in", name=name, password="wrong").status_code == 422
    for _ in range(2):
        answer = alice.sign_in(name)
        assert answer.status_code == 429, "not even the right password is looked at"
        assert answer.headers["retry-after"] == "900"
        assert "Wait 15 minutes" in answer.text
    alone.clock.now += 15 * 60 + 1
    assert alice.sign_in(name).status_code == (303 if name == NAME else 422)


def test_attempts_from_an_address_are_limited(alone: RunningSite, alice: Browser) -> None:
    for number in range(6):
        answer = alice.fill_in("/sign-in", name=f"user{number}", password="wrong")
        assert answer.status_code == 422
    assert alice.sign_in(NAME).status_code == 429


def test_who_signs_in_starts_at_none_again(alone: RunningSite, alice: Browser) -> None:
    for _ in range(4):
        assert alice.fill_in("/sign-in", name=NAME, password="wrong").status_code in (422, 429)
        if alice.sign_in(NAME).status_code == 303:
            assert alice.fill_in("/sign-out").status_code == 303
            continue
        pytest.fail("a success does not clear the account's failures")


def test_the_log_has_no_name_that_was_typed_wrongly(alone: RunningSite, alice: Browser) -> None:
    alice.fill_in("/sign-in", name="my secret password", password="x")
    assert "my secret" not in str(list(alone.state.audit.entries()))
    assert list(alone.state.audit.entries())[-1].body["action"] == "sign-in failed"


def test_a_set_up_link_works_once(alone: RunningSite, alice: Browser) -> None:
    link = alone.state.accounts.add("bob", "Bob", ["reader"], by="test")
    path = link.removeprefix(alone.address)
    chosen = {"password": "seven green otters", "again": "seven green otters"}
    assert alice.sign_in("bob", "").status_code == 422
    assert "Your password is saved" in alice.fill_in(path, **chosen).text
    again = alice.get(path)
    assert again.status_code == 404
    assert "This link does not work any more" in again.text
    assert alice.sign_in("BOB ", chosen["password"]).status_code == 303


@pytest.mark.parametrize(
    ("password", "again", "message"),
    [
        ("", "", "Enter a password"),
        ("short", "short", "at least 12 characters"),
        ("password1234", "password1234", "harder to guess"),
        ("bob.smith.bob.smith", "bob.smith.bob.smith", "harder to guess"),
        ("seven green otters", "seven green otter", "The two passwords differ"),
        ("x" * 129, "x" * 129, "128 characters or fewer"),
    ],
)
def test_passwords_that_are_not_taken(
    password: str, again: str, message: str, alone: RunningSite, alice: Browser
) -> None:
    link = alone.state.accounts.add("bob.smith", "Bob", ["reader"], by="test")
    path = link.removeprefix(alone.address)
    answer = alice.fill_in(path, password=password, again=again)
    assert answer.status_code == 422
    assert message in answer.text
    assert not password or password not in answer.text
    assert alice.get(path).status_code == 200, "the link is not used up"


def test_spaces_of_a_password_count(alone: RunningSite, alice: Browser) -> None:
    link = alone.state.accounts.add("bob", "Bob", ["reader"], by="test")
    chosen = " seven green otters "
    alice.fill_in(link.removeprefix(alone.address), password=chosen, again=chosen)
    assert alice.sign_in("bob", chosen.strip()).status_code == 422
    assert alice.sign_in("bob", chosen).status_code == 303


def test_a_new_password_ends_every_session(alone: RunningSite, alice: Browser) -> None:
    alice.sign_in(NAME)
    link = alone.state.accounts.new_link(NAME, by="test")
    assert alice.get("/mine").status_code == 200, "the link alone changes nothing"
    token = link.rpartition("/")[2]
    assert alone.state.accounts.choose_password(token, "seven green otters") is not None
    assert alice.get("/mine").status_code == 303
    assert alice.sign_in(NAME).status_code == 422
