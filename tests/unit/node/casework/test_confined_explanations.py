"""A look at a household whose factors explain themselves in confined processes."""

from __future__ import annotations

import os
import re
import signal
import time
from typing import Any

import pytest

from folkmoot_kit.hosting import ConfinedFactor
from folkmoot_node.casework.desk import desk_of_app
from tests.casework_council import CaseworkCouncil
from tests.casework_opening import REASON, open_case
from tests.web_site import Browser, RunningSite

pytestmark = pytest.mark.confined


def test_a_score_is_shown_although_the_process_that_explains_it_dies(
    council: CaseworkCouncil, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    kept = ConfinedFactor.explain

    def dies(factor: ConfinedFactor, *given: Any) -> str:
        os.kill(factor.process.pid, signal.SIGKILL)
        until = time.monotonic() + 30
        while not factor.process.has_ended and time.monotonic() < until:
            time.sleep(0.01)  # what was killed is the start of it: the rest may answer for a moment
        return kept(factor, *given)

    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        worker.fill_in(f"/cases/{case_id}/open", reason=REASON)
        whole = worker.get(f"/cases/{case_id}/score").text
        with monkeypatch.context() as patch:
            patch.setattr(ConfinedFactor, "explain", dies)
            broken = worker.get(f"/cases/{case_id}/score")
        assert broken.status_code == 200
        assert "No explanation could be made" in broken.text
        for pattern in (r"[\d.]+ of [\d.]+ points", r"[\d.]+ of [\d.]+\. "):
            shown = re.findall(pattern, whole)
            assert shown
            assert re.findall(pattern, broken.text) == shown
        # For the next look there are new processes.
        again = worker.get(f"/cases/{case_id}/score").text
    assert "No explanation could be made" not in whole + again
