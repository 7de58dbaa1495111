"""No UPRN and no text of a resident in addresses, logs or error pages of residents' rights."""

from __future__ import annotations

import logging
import re

import pytest

from folkmoot_node.casework.desk import Desk
from tests.casework_council import CaseworkCouncil
from tests.casework_rights import flag, object_to
from tests.web_site import Browser, RunningSite

CANARY = "Zebedee at number four"


def test_only_opened_pages_name_the_household(
    council: CaseworkCouncil,
    site: RunningSite,
    site_desk: Desk,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    uprn = str(council.uprn(6))
    case_id = flag(council, site_desk, 6, why=CANARY)
    objection = object_to(council, site_desk, case_id)
    addresses: list[str] = []
    closed: list[str] = []
    with Browser(site, follow_redirects=True) as officer:
        officer.sign_in("protection_officer@example.gov.uk")

        def get(path: str) -> str:
            answer = officer.get(path)
            addresses.extend(str(one.url) for one in (*answer.history, answer))
            return answer.text

        def send(path: str, form_of: str, **fields: object) -> str:
            answer = officer.fill_in(path, form_of, **fields)
            addresses.extend(str(one.url) for one in (*answer.history, answer))
            return answer.text

        asked = {"kind": "access", "uprn": uprn, "asked_by": CANARY}
        made = send("/rights/new", "/rights/new", **asked)
        found = re.search(r"/rights/requests/([a-z0-9]+)/open", made)
        assert found is not None
        request = f"/rights/requests/{found[1]}"
        closed += [made, get("/rights"), get(request), get(f"/rights/objections/{objection}")]
        closed.append(get(f"{request}/review"))  # not open
        closed.append(get(f"{request}/erase"))  # another kind
        closed.append(get("/rights/requests/222222222222"))
        wrong = {"kind": "access", "uprn": "99999999999", "asked_by": "Somebody"}
        closed.append(send("/rights/new", "/rights/new", **wrong))
        send(f"{request}/open", request)
        assert CANARY in get(f"{request}/review")
        closed.append(send(f"{request}/answer", request, version="99"))  # out of date
        closed.append(send(f"{request}/refuse", request, version="1", why=""))
        refused = send(f"{request}/refuse", request, version="1", why="Asked for the third time")
        assert "ico.org.uk" in refused
        closed.append(refused)
        send(f"/rights/objections/{objection}/open", f"/rights/objections/{objection}")
        opened = get(f"/rights/objections/{objection}")
        assert "We paid this in March" in opened
    assert len(addresses) > 12
    log = [str(one.body) for one in site_desk.state.audit.entries()]
    for what in (*addresses, *closed, *log, caplog.text):
        for secret in (uprn, CANARY, "March"):
            assert secret not in what, what[:300]
