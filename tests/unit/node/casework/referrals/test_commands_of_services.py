"""Commands about services and messages, and the thread that sends while the site runs."""

from __future__ import annotations

import json
import time
from pathlib import Path

from folkmoot_node.casework.referrals.kinds import Way
from folkmoot_node.casework.referring.mail_rounds import sending_messages
from tests.casework_council import CaseworkCouncil
from tests.commands import run_inside
from tests.mail_server import MailServer
from tests.referring import SERVICES, Referring

NODE = "folkmoot-node"


def test_services_are_imported_listed_and_retired(council: CaseworkCouncil, tmp_path: Path) -> None:
    file = tmp_path / "services.json"
    file.write_text(json.dumps({"contents": SERVICES}))
    home = ("--home", council.home)
    words = ("casework", "services")
    assert "Import them" in run_inside(NODE, *words, "list", *home).said()
    said = run_inside(NODE, *words, "import", file, *home).said()
    assert said == "Services: 2 added, 0 changed, 0 as they were.\n"
    listed = json.loads(run_inside(NODE, *words, "list", *home, "--json").said())["services"]
    assert [one["name"] for one in listed] == ["Befriending", "Debt advice"]
    first = listed[0]["id"]
    run_inside(NODE, *words, "retire", first, *home).said()
    assert first not in run_inside(NODE, *words, "list", *home).said()
    assert "retired" in run_inside(NODE, *words, "list", "--all", *home).said()
    run_inside(NODE, *words, "retire", first, "--undo", *home).said()
    assert first in run_inside(NODE, *words, "list", *home).said()
    refused = run_inside(NODE, *words, "retire", "nonsense", *home)
    assert "there is no service nonsense" in refused.said(2)
    file.write_text("[{}]")
    assert "service 1: id" in run_inside(NODE, *words, "import", file, *home).said(None)
    assert "off" in run_inside(NODE, "casework", "messages", "send", *home).said()


def test_messages_go_while_the_site_runs(referring: Referring) -> None:
    with MailServer().running() as server:
        toml = referring.council.home / "node.toml"
        toml.write_text(
            toml.read_text()
            + '\n[casework.mail.smtp]\nhost = "127.0.0.1"\nsecurity = "none"\n'
            + f'port = {server.port}\nsender = "casework@council.example"\n'
        )
        again = Referring(referring.council, referring.council.desk())
        case_id = again.case()
        worker = again.visitor("caseworker")
        server.replies["CONNECT"] = "421 busy"
        with sending_messages(again.desk, seconds=0.05):
            referral_id = again.draft(case_id, again.consent(case_id))
            again.room.referrals.send(case_id, referral_id, worker, Way.LINK)
            until = time.monotonic() + 30
            while not again.room.postbox.of_referral(referral_id)[0].fault:
                assert time.monotonic() < until
                time.sleep(0.02)
            server.replies.clear()
            again.council.clock.now += 60
            while not server.mails:
                assert time.monotonic() < until
                time.sleep(0.02)
        said = run_inside(NODE, "casework", "messages", "send", "--home", again.council.home).said()
    assert said == "0 sent, 0 not sent.\n"
