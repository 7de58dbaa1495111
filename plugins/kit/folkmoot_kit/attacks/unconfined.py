"""The control: the same attempts in a plain process, to show that they would come through.

An attempt that fails without any confinement shows nothing when it fails inside. Those that would
do harm are not run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from folkmoot_kit.attacks.attempts import MARK, SUCCEEDED, Attempt, Group
from folkmoot_kit.attacks.stage import Stage
from folkmoot_kit.attacks.verdicts import reported

_PROGRAM = """
import os, sys
from folkmoot_kit.attacks.attempts import Targets, run
from folkmoot_kit.attacks.catalogue import ATTEMPTS
run(ATTEMPTS[sys.argv[1]], Targets.from_json(sys.argv[2]))
os._exit(42)
"""
_CAME_BACK = 42
_LIMIT_SECONDS = 30.0
_NO_CONTROL = {
    Group.CHANNEL: "it needs a host to confuse",
    Group.ANSWERS: "it needs a host to confuse",
    Group.RECORDS: "it needs a host to confuse",
}


@dataclass(frozen=True, slots=True)
class Control:
    """What an attempt does in a plain process.

    Attributes:
        attempt: The attempt.
        comes_through: True if it does there what it tries; None if it is not run there.
        how: What it got, or why it is not run.
    """

    attempt: Attempt
    comes_through: bool | None
    how: str


def controls(attempts: Iterable[Attempt]) -> Iterator[Control]:
    """Runs attempts without confinement, one after the other; yields each as it ends."""
    with Stage() as stage:
        for attempt in attempts:
            yield control(attempt, stage)


def control(attempt: Attempt, stage: Stage) -> Control:
    """Runs an attempt without confinement, if it does no harm."""
    reason = attempt.manner.unsafe or _NO_CONTROL.get(attempt.group, "")
    return Control(attempt, None, reason) if reason else _control(stage, attempt)


def _control(stage: Stage, attempt: Attempt) -> Control:
    targets = stage.targets(scratch=attempt.manner.scratch, seconds=attempt.manner.seconds)
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, attempt.id, targets.to_json()],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={
            **os.environ,
            "OPENBLAS_NUM_THREADS": "1",
        },  # as inside: a thread changes what is allowed
        close_fds=False,
        start_new_session=True,
    )
    lines: list[str] = []
    reader = threading.Thread(target=_keep_reports, args=(process, lines), daemon=True)
    reader.start()
    begun = time.monotonic()
    hung = False
    try:
        code: int | None = process.wait(min(attempt.manner.seconds, _LIMIT_SECONDS))
    except subprocess.TimeoutExpired:
        code, hung = None, True
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    reader.join(5)
    if process.stdin:
        process.stdin.close()
    return _decided(attempt, lines, stage.traces(), code, hung, time.monotonic() - begun)


def _keep_reports(process: subprocess.Popen[bytes], lines: list[str]) -> None:
    assert process.stderr is not None
    with process.stderr:
        for line in iter(lambda: process.stderr.readline(1 << 16), b""):  # type: ignore[union-attr]
            if line.startswith(MARK.encode()):
                lines.append(line.decode(errors="replace"))


def _decided(
    attempt: Attempt,
    lines: list[str],
    traces: list[str],
    code: int | None,
    hung: bool,
    seconds: float,
) -> Control:
    words = reported("\n".join(lines))
    if traces:
        return Control(attempt, True, "; ".join(traces))
    if SUCCEEDED in words:
        return Control(attempt, True, words[SUCCEEDED])
    if attempt.manner.must_fail and hung:
        return Control(attempt, True, f"it had not come back after {seconds:.1f} seconds")
    if attempt.manner.must_fail and code != _CAME_BACK:
        return Control(attempt, True, f"it took the process with it (exit code {code})")
    return Control(attempt, False, words.get("refused", f"exit code {code}"))
