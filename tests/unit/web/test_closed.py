"""A site that is closed says so on every page, with the reason, and opens again by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_web.settings import WebSettings
from tests.ports import free_port
from tests.web_site import Browser, product, serving_site


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere"])
def test_every_page_is_closed_but_not_its_style_or_its_health(tmp_path: Path, path: str) -> None:
    why: list[str | None] = ["since noon: <b>a mistake</b>"]
    settings = WebSettings.model_validate(
        {"listen": f"127.0.0.1:{free_port()}", "name": "Greater Exampleshire"}
    )
    with (
        serving_site(settings, product(closed=lambda: why[0]), tmp_path) as site,
        Browser(site) as browser,
    ):
        page = browser.get(path)
        assert page.status_code == 503
        assert "This service is paused" in page.text
        assert "since noon: &lt;b&gt;a mistake&lt;/b&gt;" in page.text
        assert page.headers["Retry-After"]
        assert "Content-Security-Policy" in page.headers
        told = browser.get("/api/titles")
        assert told.status_code == 503
        assert told.json()["title"] == "This service is paused"
        assert told.json()["detail"].startswith("It has been paused since noon: ")
        assert browser.get("/health").status_code == 200
        why[0] = None
        assert browser.get("/sign-in").status_code == 200
