"""One virtual environment for each peer, from its own lock file, made when it is needed.

The peers' requirements exclude each other: releases of Polars, NumPy, pandas and Spark.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from peers.contenders import Contender

LOCKS = Path(__file__).with_name("requirements")
LOCKED_FOR = (3, 11)
"""The Python for which the locks were resolved."""


class Unavailable(Exception):
    """A peer cannot be installed or run here; the message says why."""


def python_of(contender: Contender, environments: Path) -> Path:
    """The interpreter that runs a contender, its environment made if it is missing.

    Raises:
        Unavailable: If something of the system is missing, or the installation failed.
    """
    if contender.needs_java and shutil.which("java") is None:
        raise Unavailable(
            "needs Java 17, which is not installed (on Debian: apt install openjdk-17-jre-headless)"
        )
    if contender.environment is None:
        return Path(sys.executable)
    lock = LOCKS / f"{contender.environment}.lock"
    folder = environments / contender.environment
    python = folder / "bin" / "python"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    ready = folder / ".ready"
    if not ready.exists() or ready.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        _run([interpreter(), "-m", "venv", str(folder)])
        install = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
        _run([str(python), *install])
        ready.write_text(digest)
    return python


def interpreter() -> str:
    """This Python if the locks are for it; else the one on the path; else this one."""
    if sys.version_info[:2] == LOCKED_FOR:
        return sys.executable
    return shutil.which("python{}.{}".format(*LOCKED_FOR)) or sys.executable


def version_of(distribution: str, python: Path) -> str:
    """Version of an installed distribution."""
    asked = f"import importlib.metadata as m; print(m.version({distribution!r}))"
    return _run([str(python), "-c", asked]).strip()


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"cannot be installed: {why(done.stderr)}")
    return done.stdout


def why(text: str) -> str:
    """The line that says why a program failed: the last about an error, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no message"])[-1][:300]
