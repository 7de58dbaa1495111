"""Forms: tokens, errors beside the field, and what was typed."""

from __future__ import annotations

import re

import pytest

from folkmoot_web.tokens import digest, form_token, is_form_token, new_token
from tests.web_site import Browser, RunningSite

GOOD = {"title": "A note", "households": "7", "kinds": ["heat", "food"]}


def test_a_note_is_saved(writer: Browser) -> None:
    answer = writer.fill_in("/notes/new", **GOOD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/notes?saved")
    page = writer.get("/notes?saved").text
    assert "The note is saved" in page
    assert "<li>A note</li>" in page


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"title": ""}, "title", "Enter a title"),
        ({"title": "  "}, "title", "Enter a title"),
        ({"title": "x" * 21}, "title", "A title must have 20 characters or fewer"),
        ({"households": ""}, "households", "Enter number of households"),
        ({"households": "many"}, "households", "Number of households must be a whole number"),
        ({"households": "7.5"}, "households", "Number of households must be a whole number"),
        ({"households": "0"}, "households", "Number of households must be 1 or more"),
        ({"households": "101"}, "households", "Number of households must be 100 or less"),
        ({"kinds": []}, "kinds", "Select at least one kind"),
    ],
)
def test_an_error_is_beside_its_field_and_what_was_typed_is_kept(
    changes: dict[str, object], field: str, message: str, writer: Browser, site: RunningSite
) -> None:
    before = site.state.audit.verify()
    sent = GOOD | changes
    answer = writer.fill_in("/notes/new", **sent)
    assert answer.status_code == 422
    page = answer.text
    assert f'<a href="#{field}">{message}</a>' in page
    assert re.search(rf'id="{field}-error"[^>]*>\s*<span[^>]*>Error:</span> {message}', page)
    assert "<title>Error: New note" in page
    for name in ("title", "households"):
        typed = str(sent[name])
        assert not typed or f'value="{typed}"' in page
    assert page.count("checked") == len(sent["kinds"])  # type: ignore[arg-type]
    assert site.state.audit.verify() == before, "something was stored"


def test_markup_that_was_typed_is_shown_as_text(writer: Browser) -> None:
    hostile = '"><script>xx</script>'
    page = writer.fill_in("/notes/new", **(GOOD | {"title": hostile})).text
    assert "<script>x" not in page
    assert "&#34;&gt;&lt;script&gt;x" in page
    page = writer.get("/notes", params={"title": hostile}).text
    assert "<script>x" not in page


@pytest.mark.parametrize(
    "token",
    ["", "x", "é", "=" * 86, form_token("another browser's cookie")],
    ids=["empty", "short", "accented", "unsigned", "of another browser"],
)
def test_a_form_of_another_page_is_refused(token: str, writer: Browser, site: RunningSite) -> None:
    before = site.state.audit.verify()
    answer = writer.post("/notes/new", data={"form_token": token, **GOOD})
    assert answer.status_code == 403
    assert "This form is out of date" in answer.text
    assert site.state.audit.verify() == before


def test_a_form_without_a_cookie_is_refused(browser: Browser) -> None:
    token = browser.token("/sign-in")
    browser.cookies.clear()
    sent = {"form_token": token, "name": "writer@example.gov.uk", "password": "x"}
    assert browser.post("/sign-in", data=sent).status_code == 403


def test_a_token_of_before_sign_in_does_not_count_after_it(browser: Browser) -> None:
    before = browser.token("/sign-in")
    assert browser.sign_in("writer@example.gov.uk").status_code == 303
    answer = browser.post("/notes/new", data={"form_token": before, **GOOD})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 303)]
)
def test_a_browser_that_says_whence_it_comes_is_believed(
    origin: str, status: int, writer: Browser
) -> None:
    data = {"form_token": writer.token("/notes/new"), **GOOD}
    answer = writer.post("/notes/new", data=data, headers={"Sec-Fetch-Site": origin})
    assert answer.status_code == status


def test_tokens_of_forms_differ_each_time_and_fit_their_cookie_alone() -> None:
    cookie = new_token()
    made = {form_token(cookie) for _ in range(20)}
    assert len(made) == 20
    assert all(is_form_token(cookie, token) for token in made)
    assert not any(is_form_token(new_token(), token) for token in made)
    assert len(digest(cookie)) == 64


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "chunked"])
def test_a_form_that_is_too_long_is_refused(kind: str, writer: Browser) -> None:
    token = writer.token("/notes/new")
    big = "x" * 300_000
    if kind == "urlencoded":
        answer = writer.post("/notes/new", data={"form_token": token, "title": big})
    elif kind == "multipart":
        answer = writer.post("/notes/new", data={"form_token": token}, files={"f": big.encode()})
    else:
        parts = (b"title=" + b"x" * 1000 for _ in range(300))
        kind = "application/x-www-form-urlencoded"
        answer = writer.post("/notes/new", content=parts, headers={"Content-Type": kind})
    assert answer.status_code == 413
    assert "What you sent is too long" in answer.text
