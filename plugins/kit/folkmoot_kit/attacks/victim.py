"""A process of the same user that does nothing: it is there to be attacked."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import subprocess
import sys
from types import TracebackType
from typing import Self

_PROGRAM = """
import ctypes, sys
held = ctypes.create_string_buffer(sys.argv[1].encode())
ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1), 0, 0, 0)
print(ctypes.addressof(held), flush=True)
for line in sys.stdin:
    print(held.value.decode(), flush=True)
"""
"""Tells where the secret stands in its memory, lets any process trace it, and says the secret
whenever it is asked."""


class Victim:
    """The process.

    Attributes:
        pid: Its id.
        address: Where in its memory the secret stands.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, secret],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"FOLKMOOT_ATTACK_VICTIM": secret},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.pid = self._process.pid
        self.address = int(self._process.stdout.readline())
        self._before = self._state()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def is_sound(self) -> bool:
        """Whether it is as it was; if not, another one has to take its place."""
        return not self.traces()

    def traces(self) -> list[str]:
        """What has been done to it: a sentence for each trace."""
        said = self._said()
        if self._process.poll() is not None:
            return [f"the other process has ended ({self._process.returncode})"]
        found = [
            f"the other process has another {name}"
            for name, value in self._state().items()
            if value != self._before[name]
        ]
        if "state" not in " ".join(found) and said != self._secret:
            found.append("the other process's memory was written")
        return found

    def _said(self) -> str:
        """Its secret as it holds it now; nothing, if it has ended or was stopped.

        It has to run in order to answer: a signal that waits for it is delivered before.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        answer = select.poll()
        answer.register(self._process.stdout, select.POLLIN)
        while not answer.poll(5):
            if self._state()["state"]:
                return ""
        said = self._process.stdout.readline().strip()
        if not said:
            self._process.wait()  # it has closed its output, and is about to end
        return said

    def _state(self) -> dict[str, object]:
        with open(f"/proc/{self.pid}/status") as file:  # noqa: PTH123
            said = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        return {
            "state": said["State"][0] in "tTZX",
            "tracer": said["TracerPid"].strip(),
            "priority": os.getpriority(os.PRIO_PROCESS, self.pid),
            "set of processors": os.sched_getaffinity(self.pid),
            "scheduler": os.sched_getscheduler(self.pid),
            "limit of open files": resource.prlimit(self.pid, resource.RLIMIT_NOFILE),
        }
