"""Public commands as processes of their own, without starting an interpreter for each.

They are forked from a process that has imported the libraries and done nothing else, so that
they may be killed, and what native libraries write to their standard error is seen. What an
interpreter reads when it starts (PYTHONPATH) or a library when it is imported they do not see.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.commands import PROGRAMS, Done

_PRELOADED = (
    "tests.forked_commands",
    *PROGRAMS.values(),
    # What the commands import late.
    "folkmoot_node.answering.briefing",
    "folkmoot_node.federation.enrolment",
    "folkmoot_node.operations.doctor",
    "folkmoot_node.pipeline.engine",
    "folkmoot_node.pipeline.local",
    "folkmoot_node.release.mechanism",
    "folkmoot_node.running.serve",
)
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(list(_PRELOADED))


def fork(target: Callable[..., object], *arguments: object, seconds: float = 120) -> Done:
    """Calls a function in a process of its own.

    Args:
        target: A function of a module.
        arguments: What it is called with; pickled.
        seconds: After which the process is killed, and the test fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "stdout"), Path(folder, "stderr")
        process = _CONTEXT.Process(
            target=_begin, args=(output, dict(os.environ), Path.cwd(), target, arguments)
        )
        process.start()
        process.join(seconds)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
        process.close()
        out, err = (path.read_text("utf-8", errors="replace") for path in output)
    assert code is not None, f"{target.__name__} {arguments} did not end in time\n{out}\n{err}"
    return Done(code, out, err)


def run_forked(program: str, *arguments: object) -> Done:
    """Runs a public command through the entry point of its console script."""
    return fork(run_here, program, *map(str, arguments))


def run_here(program: str, *arguments: str) -> None:
    """Runs a public command in this process, which ends with it."""
    sys.argv = [program, *arguments]
    importlib.import_module(PROGRAMS[program]).main()


def _begin(
    output: tuple[Path, Path],
    environment: dict[str, str],
    folder: Path,
    target: Callable[..., object],
    arguments: tuple[object, ...],
) -> None:
    for descriptor, path in zip((1, 2), output, strict=True):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    target(*arguments)
