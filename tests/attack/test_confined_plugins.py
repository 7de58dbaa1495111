"""A hostile plugin tries to break out of its confinement, in every way that we know.

Each attempt runs as plugin code in a confined process, against servers, files and processes that
were made for it. Controls show that the same attempts come through where nothing stands in their
way: in a plain process, and in a process that was granted more.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from folkmoot_kit import confinement
from folkmoot_kit.attacks import confined, plugin
from folkmoot_kit.attacks.attempts import Attempt, Group
from folkmoot_kit.attacks.catalogue import ATTEMPTS
from folkmoot_kit.attacks.records import FIELDS, ROWS
from folkmoot_kit.attacks.stage import Stage
from folkmoot_kit.attacks.unconfined import control
from folkmoot_kit.attacks.verdicts import Outcome, Verdict
from folkmoot_kit.hosting import HostedPlugins, Hosting, PluginFailure, make_factor, open_plugins
from folkmoot_sdk import samples
from folkmoot_sdk.factor import ScoringContext
from folkmoot_sdk.source import ReadContext
from tests.night import by_night

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(confinement.unmet() is not None, reason=str(confinement.unmet())),
]

CONTEXT = ScoringContext(datetime.date(2026, 4, 1))
APPLYING = {name: entry for name, entry in ATTEMPTS.items() if entry.applies}
COME_THROUGH = [
    "connect-ipv4", "connect-unix-path", "connect-unix-abstract", "send-udp", "look-up-name",
    "listen", "netlink-socket", "read-keys", "read-store", "read-ledger", "read-other-council",
    "read-beside-granted", "list-home", "look-at-file", "read-passwd", "read-environment",
    "read-environment-of-host", "read-command-line", "read-own-memory", "read-mounts", "read-sys",
    "open-device", "use-inherited", "watch-files", "read-shared-memory", "open-shared-memory",
    "use-message-queue", "write-tmp", "write-home", "write-anywhere", "append-granted",
    "truncate-granted", "map-granted", "unlink-granted", "replace-granted", "chmod-granted",
    "utime-granted", "link-granted", "rename-granted", "make-symbolic-link", "make-hard-link",
    "make-folder", "make-node", "bind-path", "lock-granted", "leave-in-scratch",
    "fill-memory-files", "fork", "clone-process", "posix-spawn", "run-subprocess", "run-shell",
    "run-multiprocessing", "become-program", "become-descriptor", "load-from-memory",
    "signal-victim", "signal-thread", "queue-signal", "signal-by-descriptor", "slow-victim",
    "bind-victim", "limit-victim", "files-off", "filter-off", "leave", "leave-from-thread",
    "call-exit", "raise-interrupt", "crash", "abort", "kill-itself", "stop-itself", "hang",
    "hang-in-c", "wait", "take-memory", "take-memory-by-map", "start-threads", "start-processes",
    "read-time", "read-exact-clock", "clock-by-call", "clock-of-vdso", "exact-clock-of-vdso",
    "read-uptime", "timer", "time-of-pipe", "time-of-memory-file",
]  # fmt: skip
"""What comes through in a plain process of any account on any Linux."""


SHARING = (
    Group.NETWORK, Group.READING, Group.WRITING, Group.PROGRAMS, Group.OTHERS, Group.KERNEL,
    Group.CLOCK,
)  # fmt: skip
"""Attempts of these are single calls. Each was refused in the same words in a process of its own;
at night each has one again."""
REPEATS = (
    "floats-for-scores", "too-low", "fewer-rows", "other-columns", "no-columns", "short-buffers",
    "many-nulls", "many-fields", "two-schemas", "nothing-for-columns", "damaged-5", "damaged-11",
    "damaged-23", "damaged-31", "above-one", "no-array", "lying-array", "c1-controls", "direction",
    "quote-in-type", "quote-in-file", "quote-in-frame",
    "text-on-channel", "long-columns", "columns-alone", "no-json", "no-number", "no-scores",
    "forged-start", "another-call", "forged-place", "leave-after-answer",
    "records-offsets-before", "records-offsets-back", "records-indexes-before",
    "records-short-buffer", "records-lying-nulls", "records-lying-count", "records-missing",
    "records-twice", "records-in-records",
    "take-memory-by-numpy", "take-memory-by-pipes", "flood-errors", "copy-descriptors",
    "leave-from-thread", "call-exit", "raise-strange", "abort", "hang-in-c", "wait",
)  # fmt: skip
"""Another case of what is tried by day beside each: another place, side or word of one fault."""
BY_DAY = [name for name in APPLYING if name not in REPEATS]
AT_NIGHT = [name for name in APPLYING if name in REPEATS]


@pytest.fixture(scope="module")
def attack() -> Iterator[Callable[[Attempt], Outcome]]:
    with confined.attacking(sharing=() if "FOLKMOOT_NIGHT" in os.environ else SHARING) as made:
        yield made


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


@pytest.mark.parametrize("name", by_night([*BY_DAY, *AT_NIGHT], by_day=len(BY_DAY)))
def test_contained(attack: Callable[[Attempt], Outcome], name: str) -> None:
    outcome = attack(ATTEMPTS[name])
    allowed = {Verdict.CONTAINED}
    if ATTEMPTS[name].manner.known_limit:
        allowed.add(Verdict.KNOWN_LIMIT)
    assert outcome.verdict in allowed, outcome.how


def test_what_is_left_to_the_night_is_an_attempt() -> None:
    assert set(REPEATS) <= set(ATTEMPTS)


def test_few_limits_are_known() -> None:
    """Each stands in SECURITY."""
    known = {name for name, entry in ATTEMPTS.items() if entry.manner.known_limit}
    assert known == {"time-of-pipe", "time-of-descriptors", "time-of-folders"}


CONTROLS = [name for name in COME_THROUGH if name in APPLYING]
CONTROLS_BY_DAY = [
    name
    for group in Group
    for name in [one for one in CONTROLS if ATTEMPTS[one].group is group][:2]
]
"""Two of each group; the others show at night that they would come through."""
CONTROLS.sort(key=lambda name: name not in CONTROLS_BY_DAY)


@pytest.mark.parametrize("name", by_night(CONTROLS, by_day=len(CONTROLS_BY_DAY)))
def test_the_same_comes_through_in_a_plain_process(stage: Stage, name: str) -> None:
    found = control(ATTEMPTS[name], stage)
    assert found.comes_through, found.how


GRANTED: dict[str, tuple[confined.Granting, list[str]]] = {
    "network": (
        lambda grants, _: dataclasses.replace(grants, network=True),
        ["connect-ipv4", "send-udp", "look-up-name", "connect-unix-abstract"],
    ),
    "files": (
        lambda grants, stage: dataclasses.replace(grants, readable=(stage.granted.parents[1],)),
        ["read-keys", "read-store", "read-ledger", "read-other-council", "list-home"],
    ),
    "clock": (
        lambda grants, _: dataclasses.replace(grants, clock=True),
        ["read-time", "read-exact-clock", "clock-by-call", "clock-of-vdso"],
    ),
}


@pytest.mark.parametrize("granted", GRANTED)
def test_what_is_granted_is_seen_to_come_through(granted: str) -> None:
    """The confinement refuses, not the attempt, nor the attacker's plugin, nor its process."""
    granting, names = GRANTED[granted]
    with confined.attacking(granting, sharing=set(Group)) as attack:
        outcomes = [attack(ATTEMPTS[name]) for name in names]
    # Even with the network, names without an address have none.
    expected = {name: name != "connect-unix-abstract" for name in names}
    found = {one.attempt.id: one.verdict is Verdict.NOT_CONTAINED for one in outcomes}
    assert found == expected, [one.how for one in outcomes]


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[HostedPlugins]:
    granted = tmp_path / "granted.csv"
    granted.write_text("-")
    wanted = confined.hosting(None, granted)
    with confined.installed() as folder, confined.opened(wanted, folder) as opened:
        assert opened.broken == ()
        yield opened


def test_a_sound_frame_is_taken(hostile: HostedPlugins) -> None:
    """So the others are refused for what is wrong with them, not because a plugin wrote them."""
    given = {"attempt": plugin.SOUND_FRAME}
    factor = make_factor(hostile.factors[plugin.Attacker.name], given, "here")
    scores = factor.score({"amount": np.ones(4)}, CONTEXT)
    assert scores.tolist() == [0.25] * 4


def test_sound_records_are_taken(hostile: HostedPlugins, tmp_path: Path) -> None:
    from folkmoot_kit.hosting import make_source

    kind = hostile.sources[plugin.AttackerSource.kind]
    source = make_source(kind, {"attempt": plugin.SOUND_FRAME}, "here", tmp_path)
    context = ReadContext(FIELDS, CONTEXT.reference_date, lambda _: None)
    first = next(iter(source.read(context)))
    assert first.data.num_rows == ROWS  # type: ignore[attr-defined]


PATCHING = """
import numpy, pyarrow, folkmoot_sdk, folkmoot_sdk.factor, folkmoot_sdk.parameters
from folkmoot_sdk import RiskFactor, hookimpl
numpy.clip = numpy.where = numpy.full = lambda *a, **k: numpy.ones(1)
folkmoot_sdk.parameters.build = lambda *a, **k: None
pyarrow.array = None
for kind in RiskFactor.__subclasses__():
    kind.score = lambda self, inputs, context: numpy.ones(len(next(iter(inputs.values()))))

@hookimpl
def folkmoot_risk_factors():
    return []
"""
SHIPPED = "folkmoot-plugin-household-factors"


def test_patching_its_own_process_changes_no_score_of_another(tmp_path: Path) -> None:
    from folkmoot_plugin_household_factors import FinancialHardship

    install(tmp_path, "patching", PATCHING)
    folders = [*confinement.import_folders(), tmp_path]
    hostings = [Hosting(distributions=("patching",)), Hosting(distributions=(SHIPPED,))]
    rows = samples.households(FinancialHardship.inputs, CONTEXT.reference_date, 1000)
    expected = FinancialHardship(FinancialHardship.Parameters()).score(rows, CONTEXT)
    with open_plugins(hostings, import_folders=folders) as opened:
        assert opened.broken == ()
        factor = make_factor(opened.factors[FinancialHardship.name], {}, "here")
        found = factor.score(rows, CONTEXT)
    assert np.array_equal(found, np.rint(expected * 1000) / 1000, equal_nan=True)
    assert np.clip(2.0, 0, 1) == 1.0, "this process is as it was"


DECLARING = """
from folkmoot_kit.attacks.plugin import Attacker
from folkmoot_sdk import Evidence, FieldType, Input, hookimpl

class Declared(Attacker):
    {declared}

@hookimpl
def folkmoot_risk_factors():
    return [Declared]
"""
DECLARED = {
    "escapes in a title": 'title = "\\x1b[2J\\x1b]0;owned\\x07"',
    "a title of ten million letters": 'title = "x" * 10_000_000',
    "a direction in a description": 'description = "safe \\u202e001 ot 0"',
    "lines in a domain": 'domain = "safety\\n\\nApproved: yes"',
    "escapes in evidence": 'evidence = (Evidence("\\x9b2J", "javascript:alert(1)\\x00"),)',
    "a hundred thousand inputs": (
        'inputs = tuple(Input(f"a{at}", FieldType.NUMBER) for at in range(100_000))'
    ),
    "a path for a name": 'name = "../../keys/store.key"',
    "no text for a title": "title = 7",
    "a half of a letter": 'description = "\\ud800"',
    "the name of the node's own": 'name = "__class__"',
}


@pytest.mark.parametrize("name", DECLARED)
def test_declarations_cannot_write_over_a_screen(tmp_path: Path, name: str) -> None:
    """What is not refused is cleaned."""
    install(tmp_path, "declaring", DECLARING.format(declared=DECLARED[name]))
    folders = [*confinement.import_folders(), tmp_path]
    with open_plugins([Hosting(distributions=("declaring",))], import_folders=folders) as opened:
        texts = [f"{broken}" for broken in opened.broken]
        assert all("declaring 1" in text for text in texts)
        for key, factor in opened.factors.items():
            cited = [text for one in factor.evidence for text in (one.citation, one.url)]
            texts += [key, factor.title, factor.description, factor.domain, *cited]
            assert key == plugin.Attacker.name
            assert len(factor.inputs) == 1
        assert texts
    for text in texts:
        assert text.isprintable()
        assert len(text) < 2_000


def test_a_failure_names_the_plugin(hostile: HostedPlugins) -> None:
    with Stage() as stage:
        given = {
            "attempt": "leave",
            "targets": stage.targets(scratch=False, seconds=20).to_json(),
        }
        factor = make_factor(hostile.factors[plugin.Attacker.name], given, "here")
        with pytest.raises(PluginFailure) as caught:
            factor.score({"amount": np.ones(4)}, CONTEXT)
    assert caught.value.origin.distribution == confined.DISTRIBUTION
    assert caught.value.origin.version == "1"
    assert caught.value.hook == "score"
    assert "exit code 0" in caught.value.problem


def install(folder: Path, name: str, text: str) -> None:
    """Writes a module into a folder of packages, as a distribution with one plugin."""
    about = folder / f"{name}-1.dist-info"
    about.mkdir()
    (folder / f"{name}.py").write_text(text)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[folkmoot]\n{name} = {name}\n")
