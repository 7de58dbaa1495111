"""The documentation site, built once for whichever tests look at it."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def built_site(factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site; processes of one run share it.

    What the build printed lies beside it, as `said.txt`.
    """
    shared = factory.getbasetemp().parent if "popen" in factory.getbasetemp().name else None
    out = (shared or factory.getbasetemp()) / "documentation"
    out.mkdir(exist_ok=True)
    with (out / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "said.txt").exists():
            done = subprocess.run(
                [sys.executable, "-m", "documentation.build", "--out", str(out)],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            (out / "said.txt").write_text(f"{done.returncode}\n{done.stdout}{done.stderr}")
    return out / "site"
