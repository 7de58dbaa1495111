"""Whether this machine can confine plugins: every layer is tried in a real process.

What cannot be had is said in a sentence for who looks after the machine.
"""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from folkmoot_kit.confinement import namespaces, remedies
from folkmoot_kit.confinement.grants import Grants
from folkmoot_kit.confinement.layers import BUBBLEWRAP, CLOCK, LAYERS, LIMITS, SECCOMP
from folkmoot_kit.confinement.processes import ConfinedProcess, start
from folkmoot_operator.problems import ExitCode, Problem

_SECONDS = 20.0
_ENDED_BY = {int(signal.SIGSYS): SECCOMP, int(signal.SIGSEGV): CLOCK}
"""The layer that has ended a process by mistake, by the signal."""
_PROBE = Path(__file__).with_name("probe.py")


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of confinement on this machine.

    Attributes:
        name: One of `layers.LAYERS`.
        works: Whether it was proved.
        problem: What was found: if it works what was proved, else what is wrong.
        remedy: What to do; empty if it works.
    """

    name: str
    works: bool
    problem: str
    remedy: str = ""


class _Unproved(Exception):
    def __init__(self, layers: tuple[Layer, ...]) -> None:
        super().__init__()
        self.layers = layers


def self_test() -> tuple[Layer, ...]:
    """Starts a confined process that proves all layers. What was proved is not asked again.

    Returns:
        A line for each layer. After one that fails, the others were not tried, and do not work.
    """
    try:
        return proved()
    except _Unproved as unproved:
        return unproved.layers


@cache
def proved() -> tuple[Layer, ...]:
    """All layers, as `self_test` has them, once in the life of this process.

    Raises:
        _Unproved: if one does not work. That is asked again: a machine may have been busy.
    """
    layers = _try_all()
    if not all(layer.works for layer in layers):
        raise _Unproved(layers)
    return layers


def _try_all() -> tuple[Layer, ...]:
    kit = Path(__file__).resolve().parents[2]
    try:
        started = start(Grants(), (kit,), script=_PROBE)
    except Problem as missing:
        return _failed(BUBBLEWRAP, missing.problem, missing.remedy)
    except OSError as error:
        problem = f"it cannot be run: {error}"
        return _failed(BUBBLEWRAP, problem, remedies.for_bubblewrap())
    with started:
        return _judge(started, kit)


def unmet() -> Problem | None:
    """What keeps this machine from confining plugins, and what to enable; None if nothing does."""
    for layer in self_test():
        if not layer.works:
            return Problem(
                f"plugins cannot be confined on this machine: {layer.name}: {layer.problem}",
                remedy=layer.remedy,
                exit_code=ExitCode.SETTINGS,
            )
    return None


def _judge(process: ConfinedProcess, kit: Path) -> tuple[Layer, ...]:
    given = {"confinement": process.setup, "import_folders": [str(kit)]}
    answer: dict[str, object] = {}
    entered, shared = False, ""
    try:
        process.channel.settimeout(_SECONDS)
        with process.channel.makefile("rb") as lines:
            lines.readline()  # it has started
            group = process.control_group
            entered = group is None or group.holds_a_process()
            shared = _shared_namespaces(process)
            process.channel.sendall(json.dumps(given).encode() + b"\n")
            answer = json.loads(lines.readline() or b"{}")
    except (OSError, ValueError):
        pass  # it has ended, or hangs
    ending = process.wait(_SECONDS)
    if "layer" in answer:
        name, problem = str(answer["layer"]), str(answer["problem"])
        return _failed(name, problem, remedies.for_layer(name))
    proved = answer.get("proved")
    if not isinstance(proved, dict):
        said = process.stderr_text().strip()  # no plugin has run: these are words of bubblewrap
        reason = ending.reason if ending else "it does not answer"
        name = _ENDED_BY.get(ending.signal or 0, BUBBLEWRAP) if ending else BUBBLEWRAP
        return _failed(name, said or reason, remedies.for_layer(name))
    if shared:
        return _failed(BUBBLEWRAP, shared, remedies.for_bubblewrap())
    if not entered:
        return _failed(LIMITS, "the control group is empty", remedies.for_layer(LIMITS))
    if ending is None or ending.signal != signal.SIGSYS:
        return _failed(
            SECCOMP,
            "a call that only attacks make did not end the process",
            remedies.for_layer(SECCOMP),
        )
    return tuple(Layer(name, True, str(proved[name])) for name in LAYERS)


def _shared_namespaces(process: ConfinedProcess) -> str:
    """What is wrong with the namespaces of a process that waits to be told more; empty if nothing.

    The process cannot see this itself: to it namespaces look alike.
    """
    try:
        shared = namespaces.shared_with_us(namespaces.descendants(process.pid)[-1])
    except (OSError, IndexError) as error:
        return f"the namespaces of the process cannot be read: {type(error).__name__}"
    return (
        f"the process shares namespaces of the machine: {', '.join(sorted(shared))}"
        if shared
        else ""
    )


def _failed(name: str, problem: str, remedy: str) -> tuple[Layer, ...]:
    untried = f"not tried, because {name} does not work"
    return tuple(
        Layer(it, False, problem, remedy) if it == name else Layer(it, False, untried, remedy)
        for it in (name, *(it for it in LAYERS if it != name))
    )
