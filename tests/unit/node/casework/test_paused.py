"""While the node is paused the pages of casework are closed, and say why."""

from __future__ import annotations

from folkmoot_node.home import open_home
from folkmoot_node.operations.pausing import pause, resume
from folkmoot_operator.accounts import current_operator
from tests.casework_council import CaseworkCouncil
from tests.web_site import Browser, RunningSite

WHY = "a mistake in the tax extract"


def test_pages_close_at_once_and_open_again(council: CaseworkCouncil, site: RunningSite) -> None:
    with Browser(site) as browser:
        assert browser.get("/sign-in").status_code == 200
        with open_home(council.home) as node:
            pause(node, WHY, current_operator())
        for path in ("/sign-in", "/", "/cohorts"):
            page = browser.get(path)
            assert page.status_code == 503
            assert WHY in page.text
        with open_home(council.home) as node:
            resume(node, "settled", current_operator())
        assert browser.get("/sign-in").status_code == 200
