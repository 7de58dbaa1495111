"""What an attempt is: a function that runs as plugin code and tries one thing.

An attempt that comes through returns what it got. One that is refused raises `OSError`,
`MemoryError` or `Refused`; one that kills its process says nothing more. What it has said on
the descriptor of errors is one half of the verdict; the other is what the host sees.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MARK = "folkmoot-attack"
"""Begins each line that an attempt reports."""
BEGUN, REFUSED, SUCCEEDED, RAISED, UNMADE = "begun", "refused", "succeeded", "raised", "unmade"
"""What a line says after that."""
GIVEN = "given"
ENDED = {REFUSED, SUCCEEDED, RAISED, UNMADE, GIVEN}
"""What the last line says."""
REFUSALS = (OSError, MemoryError, ImportError)


class Refused(Exception):
    """The attempt came to nothing; says how."""


class NotMade(Exception):
    """The attempt could not be made, and shows nothing."""


class Group(StrEnum):
    """What is attacked."""

    NETWORK = "network"
    READING = "reading"
    WRITING = "writing"
    PROGRAMS = "programs"
    OTHERS = "other processes"
    KERNEL = "kernel"
    ENDING = "ending"
    EXHAUSTING = "exhausting"
    CLOCK = "clock"
    CHANNEL = "channel"
    ANSWERS = "answers"
    RECORDS = "records"


class Runs(StrEnum):
    """Where in a plugin an attempt stands."""

    SCORE = "score"
    """Does something while it scores, then scores as if nothing were."""
    SCORES = "scores"
    """Gives back what `score` then returns."""
    RECORDS = "records"
    """Does something while a source is read."""
    EXPLANATION = "explanation"
    """Gives back what `explain` then returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What there is to attack, as the attacker is told it.

    Attributes:
        secret: What stands in each file, variable and memory that the attacker may not read, and
            what the attacker writes wherever it can.
        home: A folder like a node's home, with keys, store, ledger.
        other_council: A file of another council, beside the home.
        granted: A file that the attacker may read and not change.
        outside: A folder that exists outside, in which the attacker may change nothing.
        places: Paths at which it tries to leave a file, by what lies there.
        ipv4_port: Port at 127.0.0.1 where a server listens, for TCP.
        ipv6_port: Port at ::1 where a server listens, for TCP; 0 where there is no IPv6.
        dns_port: Port at 127.0.0.1 where a name server listens, for UDP.
        unix_path: Path of a server's UNIX socket.
        unix_abstract: Name of a server's abstract UNIX socket, without the zero byte.
        host: Process id of who runs the attacks.
        victim: Process id of a process of the same user that does nothing.
        victim_address: Where in its memory the secret stands.
        shared_key: Key of a System V shared memory segment with the secret.
        shared_name: Name of a POSIX shared memory object with the secret.
        queue_key: Key of a System V message queue.
        inherited: Descriptor of a file with the secret that the host left open for its children.
        variable: Environment variable of the host with the secret.
        host_name: Name of the machine.
        now: When the attacks began, in seconds since 1970.
        memory_mib: Memory that a process is granted, in MiB.
        threads: Threads that a process is granted.
        scratch_mib: Size of its scratch folder in MiB; 0 where there is none.
        seconds: Wall-clock time that a call is granted.
    """

    secret: str
    home: str
    other_council: str
    granted: str
    outside: str
    places: Mapping[str, str]
    ipv4_port: int
    ipv6_port: int
    dns_port: int
    unix_path: str
    unix_abstract: str
    host: int
    victim: int
    victim_address: int
    shared_key: int
    shared_name: str
    queue_key: int
    inherited: int
    variable: str
    host_name: str
    now: float
    memory_mib: int
    threads: int
    scratch_mib: int
    seconds: float

    def to_json(self) -> str:
        """As a parameter of the attacking factor."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> Targets:
        """Reads what `to_json` wrote."""
        return Targets(**json.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How an attempt is made and judged.

    Attributes:
        runs: Where in the plugin it stands.
        must_fail: True if the host has to end the call with a failure that names the plugin,
            because an answer would be worse.
        raises: True if it raises an error on purpose.
        known_limit: Why it may come through: what the confinement does not promise. Empty for
            all that it does.
        unsafe: Why it is not run without confinement; empty if it may be.
        scratch: True if it needs a scratch folder.
        seconds: Wall-clock time that the call is granted.
        machines: Machines that it is written for; empty for all.
    """

    runs: Runs = Runs.SCORE
    must_fail: bool = False
    raises: bool = False
    known_limit: str = ""
    unsafe: str = ""
    scratch: bool = False
    seconds: float = 20
    machines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that a hostile plugin tries.

    Attributes:
        id: Identifier: lower-case words with hyphens.
        title: What it tries, in a few words.
        tries: What it does, in a sentence or two.
        group: What is attacked.
        function: What runs inside.
        manner: How it is made and judged.
    """

    id: str
    title: str
    tries: str
    group: Group
    function: Callable[[Targets], Any]
    manner: Manner

    @property
    def applies(self) -> bool:
        """Whether it is written for this machine."""
        return not self.manner.machines or platform.machine() in self.manner.machines


@dataclass(frozen=True, slots=True)
class Collection:
    """The attempts of one group, in the order in which they were written."""

    group: Group
    attempts: list[Attempt] = dataclasses.field(default_factory=list)

    def attempt(
        self, title: str, **manner: Any
    ) -> Callable[[Callable[[Targets], Any]], Callable[[Targets], Any]]:
        """Makes a function an attempt; its docstring says what it does.

        Args:
            title: What it tries, in a few words.
            manner: See `Manner`.
        """

        def collect(function: Callable[[Targets], Any]) -> Callable[[Targets], Any]:
            tries = " ".join((inspect.getdoc(function) or "").split())
            self.add(function, function.__name__.replace("_", "-"), title, tries, **manner)
            return function

        return collect

    def add(
        self,
        function: Callable[[Targets], Any],
        id_: str,
        title: str,
        tries: str,
        **manner: Any,
    ) -> None:
        """Adds an attempt that is made of a table; see `Attempt` and `Manner`."""
        self.attempts.append(Attempt(id_, title, tries, self.group, function, Manner(**manner)))


def say(word: str, text: str = "") -> None:
    """Reports to whoever runs the attacks, by the descriptor of errors."""
    line = " ".join(f"{MARK} {word} {text}".split())
    os.write(2, line[:400].encode(errors="replace") + b"\n")


def run(attempt: Attempt, targets: Targets) -> Any:
    """Runs an attempt here, and says what came of it.

    Returns:
        What it got; None if it was refused.
    """
    say(BEGUN, attempt.id)
    try:
        got = attempt.function(targets)
    except Refused as refused:
        say(REFUSED, str(refused))
    except REFUSALS as error:
        # What the system says, and no text that could hold what was read.
        say(REFUSED, f"{type(error).__name__} {getattr(error, 'strerror', None) or ''}")
    except NotMade as fault:
        say(UNMADE, str(fault))
    except BaseException as error:
        say(RAISED, type(error).__name__)
        raise
    else:
        came_through = attempt.manner.runs is Runs.SCORE and got is not None
        say(SUCCEEDED if came_through else GIVEN, str(got) if came_through else "")
        return got
    return None
