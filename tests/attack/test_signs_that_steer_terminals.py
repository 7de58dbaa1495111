"""What somebody wrote into a log or a reason does not move the cursor of whoever reads it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_node.home import open_home
from folkmoot_operator.incidents import ADDED, CLOSED, TOLD
from folkmoot_operator.pauses import PAUSED
from folkmoot_operator.plain_text import is_plain
from tests.commands import run_inside

NODE = "folkmoot-node"
STEERING = ["\x1b[2J", "\x1b]0;title\x07", "\x9b2J", "\r", "\b", "\x7f", "\u202e", "\u2066"]
EVIL = "a" + "".join(STEERING) + "z"


def enter(program: str, home: Path) -> None:
    """Writes what no command takes: another program's version, or somebody with the file, did."""
    now = int(time.time())
    bodies: list[dict[str, object]] = [
        {"action": ADDED, "incident": 1, "what": EVIL, "happened_at": now, "noticed_at": now},
        {"action": TOLD, "incident": 1, "whom": "dpo", "told_at": now, "told_by": EVIL,
         "note": EVIL},
        {"action": CLOSED, "incident": 1, "outcome": EVIL},
        {"action": EVIL, EVIL: EVIL},
        {"action": PAUSED, "reason": EVIL},
    ]  # fmt: skip
    account = {"by": EVIL, "uid": 1}
    if program == NODE:
        with open_home(home) as node:
            for body in bodies:
                with node.state.transaction() as connection:
                    node.audit.append(connection, now, {**account, **body})
        return
    place = Home(home)
    database = Database(place.database_url(place.settings()))
    for body in bodies:
        with database.writing() as session:
            details = {key: value for key, value in body.items() if key != "action"}
            audit_log.note(session, now, str(body["action"]), details, EVIL)
    database.close()


def test_what_was_entered_is_shown_and_not_obeyed(program: str, home: Path) -> None:
    enter(program, home)
    for words in (
        ("incident", "list"), ("incident", "list", "--json"),
        ("incident", "told", 1, "--whom", "ico", "--by", "DPO", "--json"),
        ("audit", "show"), ("audit", "show", "--json"),
        ("status",), ("status", "--json"), ("doctor",), ("doctor", "--json"),
        ("pause", "--reason", "again"), ("pause", "--reason", "again", "--json"),
        ("resume", "--reason", "settled", "--json"),
    ):  # fmt: skip
        done = run_inside(program, *words, "--home", home)
        text = done.stdout + done.stderr
        assert not [sign for sign in text if sign != "\n" and not is_plain(sign)], words
        assert "\\u001b" in text, words
        if "--json" in words:
            assert json.loads(done.stdout)


@pytest.mark.parametrize("sign", STEERING, ids=ascii)
def test_none_can_be_entered(program: str, home: Path, sign: str) -> None:
    head = run_inside(program, "audit", "verify", "--json", "--home", home).said()
    for words in (
        ("incident", "add", "--happened", "2026-01-01", "--what"),
        ("incident", "told", 1, "--whom", "dpo", "--by"),
        ("incident", "close", 1, "--outcome"),
        ("pause", "--reason"),
        ("resume", "--reason"),
    ):
        done = run_inside(program, *words, f"one{sign}two", "--home", home)
        assert "control characters" in done.said(2), words
        assert is_plain(done.stderr), words
    assert run_inside(program, "audit", "verify", "--json", "--home", home).said() == head


def test_a_text_of_several_lines_is_taken(program: str, home: Path) -> None:
    words = ("incident", "add", "--happened", "2026-01-01", "--what", "one\n\ttwo – \u00e9")
    run_inside(program, *words, "--home", home).said()
