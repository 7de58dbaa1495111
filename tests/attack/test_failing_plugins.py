"""A plugin of others does its worst in a scoring run, through the node's own command.

It is named by distribution, version and hook, in words that quote nothing of it; the last good
scores stay, and rounds wait for a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from stage import RISK_POLICY, Stage, ask

from folkmoot import round_codec
from folkmoot_kit import confinement
from folkmoot_kit.provenance import Privileges
from folkmoot_node.answering.visit import poll
from folkmoot_node.home import open_home
from folkmoot_operator.problems import ExitCode
from tests.commands import Done, run_inside
from tests.night import by_night
from tests.plugin_council import NAME
from tests.plugin_of_others import FACTOR, Others, install_plugin

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(confinement.unmet() is not None, reason=str(confinement.unmet())),
]

SECONDS = 20
SOON = 8
"""Seconds that a plugin is granted whose hanging is waited for."""
SCORES = 'return np.clip(inputs["council_tax_arrears"] / 1000, 0, 1)'
QUOTED = "A record of Mrs Example, UPRN 100000000001"
POLICY = RISK_POLICY + '[[factors]]\nfactor = "energy_debt"\nweight = 10\n'
WORST = {
    "leaves as if it had succeeded": ("import os; os._exit(0)", "its process ended by itself"),
    "calls sys.exit": ("raise SystemExit(0)", "raised SystemExit"),
    "crashes": ("import ctypes; ctypes.memset(0, 0, 1)", "signal 11"),
    "makes a call that no plugin may": (
        "import ctypes; ctypes.CDLL(None).unshare(0x10000000)",
        "a forbidden system call",
    ),
    "hangs": ("while True: pass", f"gave no answer within {SOON} seconds"),
    "floods": ('import os\n        while True: os.write(2, b"x" * 65536)', "MiB"),
    "prints to the channel": (
        'import os; os.write(0, b"HTTP/1.1 200 OK, and so on")\n        while True: pass',
        "sent something else than an answer",
    ),
    "answers too high": (
        'return np.full(len(inputs["council_tax_arrears"]), 2.0)',
        "outside 0 to 1",
    ),
    "answers for nobody": ("return np.zeros(0)", "another shape"),
    "quotes a record in a name and a message": (
        f'raise type("{QUOTED}", (Exception,), {{}})("{QUOTED}")',
        "raised an exception of its own",
    ),
    "takes all memory": (
        "held = [b'x' * (1 << 26) for _ in range(1000)]",
        "raised MemoryError",
    ),
}  # fmt: skip
AT_NIGHT = ("calls sys.exit", "answers for nobody", "prints to the channel")
"""Of each of these another case shows more by day."""


def node(stage: Stage, *arguments: str) -> Done:
    return run_inside("folkmoot-node", *arguments, "--home", stage.home)


def install(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, code: str, if_fails: str, seconds: int
) -> Others:
    (stage.home / "risk-policy.toml").write_text(POLICY)
    digest = hashlib.sha256(POLICY.encode()).digest()
    stage.coordinator.rounds = [round_codec.encode_round(ask(policy_digest=digest))]
    settings = (stage.home / "node.toml").read_text()
    more = f'[plugins]\nif_one_fails = "{if_fails}"\n'
    limits = Privileges(memory_mib=1024, seconds=seconds)
    others = install_plugin(stage.home, settings + more, monkeypatch, code=code, asks=limits)
    others.pinned(limits)
    return others


def last_run(home: Path) -> object:
    """The run whose scores are stored."""
    with open_home(home) as opened, opened.open_store() as store:
        return store.run


def logged(home: Path) -> Iterator[str]:
    """Every text that the node has written, in whichever file."""
    for path in home.rglob("*"):
        if path.is_file() and path.parent.name != "site" and "plugins" not in path.parts:
            yield path.read_bytes().decode(errors="replace")


@pytest.mark.parametrize(
    "name", by_night(sorted(WORST, key=AT_NIGHT.__contains__), by_day=len(WORST) - len(AT_NIGHT))
)
def test_named_and_the_last_scores_stay(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    worst, said = WORST[name]
    before = last_run(stage.home)
    seconds = SOON if name == "hangs" else SECONDS
    install(stage, monkeypatch, FACTOR.replace(SCORES, worst), "stop", seconds)
    done = node(stage, "score")
    told = " ".join(done.stderr.split())
    assert done.code == ExitCode.FAULT, told
    assert f"score: plugin {NAME} 1.2.0" in told
    assert said in told
    assert "Rounds wait now" in told
    assert QUOTED not in done.stdout + done.stderr
    assert not any(QUOTED in text for text in logged(stage.home))
    assert last_run(stage.home) == before, "the last good scores are there"
    with open_home(stage.home) as opened, opened.connect() as client:
        events = " ".join(event.text for event in poll(opened, client))
    assert "rounds resume --reason" in events
    assert stage.coordinator.submissions == []
