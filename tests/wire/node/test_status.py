"""How a node is, on one screen: true, within 80 columns, and without changing anything."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from stage import Stage, ask, ask_for_approval

from folkmoot import round_codec
from folkmoot_node.answering.visit import poll
from folkmoot_node.evidence.restored import note_restored
from folkmoot_node.evidence.scoring_runs import recorded_run
from folkmoot_node.home import open_home
from folkmoot_node.operations.pausing import pause
from folkmoot_node.operations.status import node_status
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.checks import sized
from folkmoot_operator.status_screen import Status, ago, show_status
from tests.commands import Done, run_inside

KEYS = {
    "schema", "at", "version", "node", "pause", "evidence", "stopped_run", "rounds", "budget",
    "incidents", "fitted_policy", "for_rounds", "scrutiny", "policies", "scores", "certificates",
    "backup", "disk", "plugins",
    "prefect", "serve", "unreadable", "needs",
}  # fmt: skip


def node(stage: Stage, *arguments: str) -> Done:
    return run_inside("folkmoot-node", "status", *arguments, "--home", stage.home)


def document(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node(stage, "--json").said())
    return found


def needs(stage: Stage) -> dict[str, str]:
    return {one["command"]: one["what"] for one in document(stage)["needs"]}


def visit(stage: Stage) -> None:
    with open_home(stage.home) as opened, opened.connect() as client:
        list(poll(opened, client))


def test_a_document_whose_keys_are_stable(stage: Stage) -> None:
    found = document(stage)
    assert set(found) == KEYS
    assert found["schema"] == 1
    assert found["node"]["council"] == "E08000009"
    assert found["pause"] is None
    assert found["scores"]["policy_is_current"] is True
    assert found["scores"]["age_seconds"] >= 0
    assert found["budget"] == {
        **found["budget"], "cap": "1", "spent": "0", "remaining": "1", "lifetime_remaining": "2",
    }  # fmt: skip
    assert [one["standing"] for one in found["certificates"]] == ["fine", "fine"]
    assert found["unreadable"] == []
    assert {one["command"] for one in found["needs"]} == {"folkmoot-node serve"}


def test_every_key_is_in_the_documents() -> None:
    page = (Path(__file__).parents[3] / "docs" / "looking-after.md").read_text()
    assert [key for key in sorted(KEYS) if f"`{key}`" not in page] == []


def test_what_needs_somebody_is_in_order_with_its_command(stage: Stage) -> None:
    ask_for_approval(stage)
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    visit(stage)
    with pytest.raises(ZeroDivisionError), recorded_run(stage.home / "state.sqlite", "test"):
        raise ZeroDivisionError
    with open_home(stage.home) as opened:
        pause(opened, "we look into it", current_operator())
    run_inside(
        "folkmoot-node", "incident", "add", "--what", "a", "--happened", "2020-01-01",
        "--home", stage.home,
    ).said()  # fmt: skip
    found = document(stage)
    assert [one["command"] for one in found["needs"]] == [
        "folkmoot-node resume --reason TEXT",
        "folkmoot-node incident told 1 --whom ico --by NAME",
        "folkmoot-node score",
        "folkmoot-node rounds show 000000000000",
        "folkmoot-node serve",
    ]
    assert found["stopped_run"]["going_on"] is False
    assert [one["status"] for one in found["rounds"]["open"]] == ["waiting for approval"]
    said = node(stage).said()
    assert "Needs somebody (5)" in said
    assert "we look into it" in said


def test_rounds_and_budget_after_an_answer(stage: Stage) -> None:
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    visit(stage)
    found = document(stage)
    assert (found["rounds"]["open"], found["rounds"]["answered"]) == ([], 1)
    assert (found["budget"]["spent"], found["budget"]["remaining"]) == ("0.1", "0.9")


@pytest.mark.parametrize("long", [False, True])
def test_a_screen_of_80_columns(stage: Stage, long: bool) -> None:
    if long:
        with open_home(stage.home) as opened:
            pause(opened, "a reason with many words " * 15, current_operator())
    lines = node(stage).said().splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 40
    titles = [line[:12].strip() for line in lines]
    for title in ("Scores", "Rounds", "Budget", "Certificate", "Disk", "Plugins", "Prefect"):
        assert title in titles


def test_for_monitoring(stage: Stage) -> None:
    assert node(stage).code == 0
    assert node(stage, "--check").code == 1
    (stage.home / "serve.lock").write_text("1\n")  # a process that there always is
    assert node(stage, "--check").code == 0, document(stage)["needs"]


@pytest.mark.parametrize(
    ("spoil", "section", "others"),
    [
        ("node.toml", "node", ()),
        ("state.sqlite", "state", ("scores", "disk", "certificates")),
        ("store/households.duckdb", "scores", ("rounds", "budget")),
        ("risk-policy.toml", "policies", ("rounds", "disk")),
        ("release-policy.toml.sig", "budget", ("scores", "rounds")),
        ("keys/node.crt", "certificates", ("scores", "budget")),
    ],
)
def test_a_broken_home_is_named_and_the_rest_is_said(
    stage: Stage, spoil: str, section: str, others: tuple[str, ...]
) -> None:
    (stage.home / spoil).write_bytes(b"not what it was\n")
    done = node(stage, "--json")
    found = json.loads(done.said())
    assert section in {one["section"] for one in found["unreadable"]}
    assert all(one["problem"] for one in found["unreadable"])
    assert all(found[name] is not None for name in others), found["unreadable"]
    assert "cannot be read" in node(stage).said()
    assert node(stage, "--check").code == 1


def test_one_cause_is_named_once_with_the_parts_that_it_spoils(stage: Stage) -> None:
    policy = stage.home / "release-policy.toml"
    policy.write_text(policy.read_text().replace("per_round", "# per_round"))
    found = document(stage)
    assert {one["section"] for one in found["unreadable"]} >= {"budget", "policies"}
    named = [one["what"] for one in found["needs"] if "cannot be read" in one["what"]]
    assert len(named) == len({one["problem"] for one in found["unreadable"]})
    assert "budget and policies cannot be read" in " ".join(named)


def test_scores_that_cannot_be_read_are_not_said_to_be_none(stage: Stage) -> None:
    (stage.home / "keys" / "store.key").unlink()
    said = node(stage).said()
    assert re.search(r"^Scores +cannot be read", said, re.MULTILINE), said


def test_a_restored_node_that_has_not_compared_is_told_to(stage: Stage) -> None:
    with open_home(stage.home) as opened:
        note_restored(opened.state, 1, {"made_at": "2026-11-29T12:00:00Z"})
    assert "2026-11-29T12:00:00Z" in needs(stage)["folkmoot-node ledger recover"]


def test_a_node_that_has_left_needs_nothing_that_it_cannot_do(stage: Stage) -> None:
    leave = "leave", "--reason", "it ended", "--yes", "--home", stage.home
    run_inside("folkmoot-node", *leave).said()
    found = document(stage)
    assert found["pause"]["final"] is True
    assert set(found) == KEYS
    assert (found["needs"], found["unreadable"], found["scores"]) == ([], [], None)
    said = node(stage).said()
    assert re.search(r"^Left +since ", said, re.MULTILINE), said
    assert "Paused" not in said
    assert "cannot be read" not in said


def test_it_only_reads(stage: Stage) -> None:
    node(stage)  # SQLite's own files are there afterwards

    def all_files() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in sorted(stage.home.rglob("*"))
            if path.is_file() and not path.name.endswith(("-shm", "-wal"))
        }

    before = all_files()
    node(stage, "--json")
    assert all_files() == before


def test_nothing_heavy_is_imported_and_no_plugin_is_started(stage: Stage) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from folkmoot_node.operations.status import node_status\n"
        f"node_status(Path({str(stage.home)!r}))\n"
        "print(sorted({'grpc', 'polars', 'prefect', 'opendp', 'sqlalchemy', 'folkmoot_kit.hosting',"
        " 'folkmoot_plugin_extracts'} & set(sys.modules)))\n"
        "print(time.process_time() < 3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported, quick = done.stdout.split("\n")[:2]
    assert imported == "[]"
    assert quick == "True"


def test_while_serve_writes(stage: Stage) -> None:
    with open_home(stage.home) as writer, writer.state.transaction():
        assert node_status(stage.home).document["unreadable"] == []


class Enough(KeyboardInterrupt):
    """Ctrl-C."""


def test_watching_repeats_until_it_is_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    looks = []

    def read() -> Status:
        looks.append(time.monotonic())
        if len(looks) == 3:
            raise Enough
        return Status({"n": len(looks)}).finished()

    show_status(read, lambda d: [("N", str(d["n"]))], as_json=False, watch=0.01, check=False)
    said = capsys.readouterr().out
    assert said.count("Nothing needs anybody") == 2
    looks.clear()
    show_status(read, lambda d: [], as_json=True, watch=0.01, check=False)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["n"] for line in lines] == [1, 2]


def test_watching_a_real_process_ends_with_ctrl_c(stage: Stage) -> None:
    import signal

    # Where tests run in the background of a shell, Ctrl-C is ignored, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("folkmoot-node")), "status", "--watch", "0.5",
            "--json", "--home", str(stage.home),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    guard = threading.Timer(60, process.kill)
    guard.start()
    assert process.stdout is not None
    for _ in range(2):
        assert json.loads(process.stdout.readline())["schema"] == 1
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    process.stdout.close()
    guard.cancel()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "less than a minute"), (60, "1 minute"), (7200, "2 hours"), (90_000, "1 day")],
)
def test_how_long_ago(seconds: int, words: str) -> None:
    assert ago(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"), [(5e3, "5 KiB"), (2.5e6, "2.4 MiB"), (7.1e9, "6.6 GiB"), (2**40, "1.0 TiB")]
)
def test_sizes(size: float, words: str) -> None:
    assert sized(size) == words
