"""Confined processes: how one is started, watched and ended."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from folkmoot_kit.confinement import bubblewrap, control_groups, remedies
from folkmoot_kit.confinement.folders import hidden_paths, seen_files
from folkmoot_kit.confinement.grants import Grants
from folkmoot_kit.confinement.layers import Setup
from folkmoot_operator.problems import ExitCode, Problem

RUNTIME = Path(__file__).resolve().parents[1] / "inside" / "start.py"
"""What a confined process runs."""
_KEPT_BYTES = 64 << 10
_BY_SIGNAL = 128
"""bubblewrap ends with this and the number of the signal that ended its process."""
_SIGNALS = {
    signal.SIGSYS: "a forbidden system call",
    signal.SIGKILL: "ended from outside, or out of memory",
    signal.SIGSEGV: "a fault in native code, or the processor's counter was read",
    signal.SIGABRT: "native code gave up; often it was out of memory",
    signal.SIGXFSZ: "a file larger than granted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a process ended.

    Attributes:
        reason: In words. They hold nothing that the process wrote.
        exit_code: Its exit code, if it ended by itself.
        signal: The signal that ended it, else None.
        by_host: Whether `kill` was called before.
        out_of_memory: Whether the kernel has ended it for its memory. Without a control group
            this cannot be known: native code gives up in its own way.
    """

    reason: str
    exit_code: int | None
    signal: int | None
    by_host: bool
    out_of_memory: bool = False


class ConfinedProcess:
    """A running confined process.

    Attributes:
        pid: Its number on the machine: that of bubblewrap, with which it ends.
        channel: A connected stream socket; the process has the other end as descriptor 0.
        setup: What it needs in order to lock itself down; send it, and have it call
            `locking.lock_down`.
        control_group: Its control group; None where none is delegated.
    """

    def __init__(
        self,
        started: subprocess.Popen[bytes],
        channel: socket.socket,
        setup: Setup,
        output: int,
        outside: socket.socket,
        control_group: control_groups.ControlGroup | None,
    ) -> None:
        self.pid = started.pid
        self.channel = channel
        self.setup = setup
        self._started = started
        self._outside = outside
        self.control_group = control_group
        self._killed = False
        self._kept = bytearray()
        self._count = 0
        self._drain = threading.Thread(
            target=self._drain_output, args=(output,), name=f"plugin-output-{self.pid}", daemon=True
        )
        self._drain.start()

    def stderr_bytes(self) -> int:
        """How much the process has written to standard output and error, in bytes."""
        return self._count

    def stderr_text(self) -> str:
        """The end of what it has written there, at most 64 KiB.

        It may quote records: show it for made-up data only, and log it never.
        """
        return bytes(self._kept).decode(errors="replace")

    def kill(self) -> None:
        """Ends the process with all that is in its namespaces, and waits until it has ended."""
        if self._started.poll() is None:
            self._killed = True
            self._kill_with_begun()
            self._started.wait()
        self._close()

    def _kill_with_begun(self) -> None:
        """Kills bubblewrap, and first the process that it has begun.

        That process asks Linux to end with bubblewrap, but some milliseconds after it has begun.
        Until then it would outlive bubblewrap, and wait for a word of it that never comes.
        """
        # Once it is stopped, it begins nothing more: a process with a pending signal cannot fork.
        self._started.send_signal(signal.SIGSTOP)
        with contextlib.suppress(OSError):  # ended by now, or Linux was built without such lists
            for begun in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
                os.kill(int(begun), signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):  # another thread has seen it end
            os.killpg(self.pid, signal.SIGKILL)

    def ended(self) -> Ending | None:
        """How it ended; None while it runs."""
        code = self._started.poll()
        if code is None:
            return None
        self._drain.join(1)
        number = -code if code < 0 else code - _BY_SIGNAL if code > _BY_SIGNAL else None
        if self._killed:
            return Ending(reason="ended by the host", exit_code=None, signal=number, by_host=True)
        if self.control_group and self.control_group.ran_out_of_memory():
            return Ending(
                reason="killed by the kernel: it was out of the memory that it was granted",
                exit_code=None, signal=number, by_host=False, out_of_memory=True,
            )  # fmt: skip
        if number is None:
            reason = f"ended by itself (exit code {code})"
            return Ending(reason=reason, exit_code=code, signal=None, by_host=False)
        known = {int(it): words for it, words in _SIGNALS.items()}
        words = known.get(number, "see signal(7)")
        reason = f"killed by signal {number} ({words})"
        return Ending(reason=reason, exit_code=None, signal=number, by_host=False)

    def wait(self, seconds: float) -> Ending | None:
        """Waits for its end, at most so long; None if it still runs."""
        try:
            self._started.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return self.ended()

    def __enter__(self) -> ConfinedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _close(self) -> None:
        self.channel.close()
        self._outside.close()
        if self.control_group:
            self.control_group.remove()
        self._drain.join(1)

    def _drain_output(self, output: int) -> None:
        with open(output, "rb", buffering=0) as pipe:
            while more := pipe.read(_KEPT_BYTES):
                self._count += len(more)
                self._kept = (self._kept + more)[-_KEPT_BYTES:]


def start(
    grants: Grants, import_folders: Sequence[Path], *, script: Path = RUNTIME
) -> ConfinedProcess:
    """Starts a confined process.

    Its descriptor 0 is the channel. 1 and 2 are a pipe, of which the end alone is kept.
    It can see Python, `import_folders` and what was granted, and must still lock itself down.

    Args:
        grants: What it is granted.
        import_folders: Folders that it can import from; one holds `folkmoot_kit`.
        script: What it runs.

    Raises:
        Problem: if bubblewrap is missing or too old, or a granted file does not exist.
    """
    program = bubblewrap.find()
    if program is None:
        raise Problem(
            "plugins cannot be confined: bubblewrap is missing or too old",
            remedy=remedies.INSTALL,
            exit_code=ExitCode.SETTINGS,
        )
    line = bubblewrap.command(program, grants, import_folders, script)
    group = control_groups.make(grants.limits)
    outside, name = _socket_outside()
    setup = _setup(grants, import_folders, bubblewrap.top_names(line), name)
    if group:
        setup["control_group"] = True
        line = control_groups.enter(group, line)
    channel, theirs = socket.socketpair()
    output, their_output = os.pipe()
    try:
        started = _starter().submit(_popen, line, theirs.fileno(), their_output).result()
    except BaseException:
        for made in (channel, outside):
            made.close()
        os.close(output)
        if group:
            group.remove()
        raise
    finally:
        theirs.close()
        os.close(their_output)
    return ConfinedProcess(started, channel, setup, output, outside, group)


def _popen(line: Sequence[str], channel: int, output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        line, stdin=channel, stdout=output, stderr=output, env={}, cwd="/", process_group=0
    )


def _setup(
    grants: Grants, import_folders: Sequence[Path], top: Sequence[str], outside: str
) -> Setup:
    seen = seen_files(grants, import_folders)
    limits = grants.limits
    return Setup(
        readable=[str(path) for path in seen],
        writable=[str(bubblewrap.SCRATCH)] if limits.scratch_mib else [],
        network=grants.network,
        clock=grants.clock or grants.network,
        memory_mib=limits.memory_mib,
        processes=limits.processes,
        control_group=False,
        by_root=os.geteuid() == 0,
        scratch_mib=limits.scratch_mib,
        top=list(top),
        hidden=list(hidden_paths(seen)),
        not_granted=str(bubblewrap.NOT_GRANTED),
        outside=outside,
    )


def _socket_outside() -> tuple[socket.socket, str]:
    """A socket of the machine's network that a confined process must not reach, and its name."""
    name = f"folkmoot-{secrets.token_hex(16)}"
    made = socket.socket(socket.AF_UNIX)
    made.bind("\0" + name)
    made.listen(1)
    return made, name


_starters: list[ThreadPoolExecutor] = []
"""The thread that starts processes. It lives as long as this process: Linux ends a confined
process with the thread that has started it, not only with its process."""


def _starter() -> ThreadPoolExecutor:
    if not _starters:
        _starters.append(ThreadPoolExecutor(1, thread_name_prefix="plugin-starter"))
    return _starters[0]


os.register_at_fork(after_in_child=_starters.clear)
