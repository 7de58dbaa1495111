"""Headers, files, and pages of errors."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from pathlib import Path

import pytest

from folkmoot_web.security_headers import content_security_policy
from tests.web_site import SECRET, Browser, RunningSite

PAGES = ("/", "/sign-in", "/accessibility", "/cookies", "/no-such-page", "/broken")


@pytest.mark.parametrize("path", [*PAGES, "/health", "/api/v1/broken"])
def test_every_answer_has_the_headers(path: str, browser: Browser) -> None:
    headers = browser.get(path).headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy, "another host"
    assert policy.startswith("default-src 'none'")
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers
    assert "strict-transport-security" not in headers, "there is no TLS"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_nothing_that_its_policy_refuses(path: str, writer: Browser) -> None:
    page = writer.get(path).text
    for script in re.findall(r"<script(?![^>]*src=)[^>]*>(.+?)</script>", page, re.S):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in content_security_policy()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        outside = address.startswith(("http", "//"))
        assert not outside or address == "https://www.equalityadvisoryservice.com/"


def test_files_are_kept_for_a_year_and_compressed(browser: Browser) -> None:
    page = browser.get("/").text
    for name in ("site.css", "site.js", "icon.svg"):
        (address,) = re.findall(rf'"(/static/[^"]+/{re.escape(name)})"', page)
        answer = browser.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert len(answer.content) > 100
    style = browser.get(re.findall(r'"(/static/[^"]+/site.css)"', page)[0])
    assert style.headers["content-encoding"] == "gzip"
    assert "GDS Transport" not in style.text
    beside = re.sub("site.css$", "govuk-frontend.js", str(style.url))
    assert browser.get(beside).headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path", ["/static/0000000000000000/site.css", "/static/x/..%2f..%2fsettings.py"]
)
def test_other_files_are_not_served(path: str, browser: Browser) -> None:
    assert browser.get(path).status_code == 404


def test_a_fault_says_nothing_but_its_code(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        page = browser.get("/broken")
        document = browser.get("/api/v1/broken")
    assert (page.status_code, document.status_code) == (500, 500)
    assert SECRET not in page.text + document.text
    assert SECRET not in caplog.text
    (code,) = re.findall(r'folkmoot-code">([0-9a-f]+)<', page.text)
    assert f"request {code} failed: builtins.ValueError at" in caplog.text
    stated = document.json()
    assert document.headers["content-type"] == "application/problem+json"
    assert stated["status"] == 500
    assert stated["instance"].removeprefix("urn:request:") in caplog.text


def test_a_page_that_is_not_there_says_what_to_do(browser: Browser) -> None:
    answer = browser.get("/no-such-page")
    assert answer.status_code == 404
    assert "Page not found" in answer.text
    assert "check it" in answer.text


def test_another_host_is_refused(browser: Browser) -> None:
    answer = browser.get("/", headers={"Host": "attacker.example"})
    assert answer.status_code == 400


def test_a_database_that_is_gone_is_said_and_comes_back(
    site: RunningSite, writer: Browser, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    path = re.sub("^sqlite:///", "", site.state.database.address)
    kept = Path(path)
    site.state.database.close()
    for end in ("-wal", "-shm"):
        Path(path + end).unlink(missing_ok=True)
    aside = kept.rename(kept.with_suffix(".aside"))
    try:
        assert writer.get("/health").status_code == 503
        answer = writer.get("/notes")
        assert answer.status_code == 503
        assert "cannot reach its database" in answer.text
        assert path not in answer.text, "where it is concerns operators"
        assert path in caplog.text
        assert browser.get("/accessibility").status_code == 200, "it needs no database"
    finally:
        aside.rename(kept)
    assert writer.get("/notes").status_code == 200
    assert writer.get("/health").status_code == 200


def test_an_address_with_very_many_parameters_is_refused(writer: Browser) -> None:
    # FastAPI takes time by the square of their number, while nobody else is served.
    many = "&".join(f"a{number}" for number in range(101))
    page = writer.get(f"/notes?{many}")
    assert page.status_code == 400
    assert "at most 100 parameters" in page.text
    problem = writer.get(f"/api/v1/notes?{many}")
    assert problem.status_code == 400
    assert problem.headers["content-type"] == "application/problem+json"


def test_one_parameter_may_be_there_often(writer: Browser) -> None:
    often = "&".join(f"kind=a{number}" for number in range(1000))
    assert writer.get(f"/notes?{often}").status_code == 200
