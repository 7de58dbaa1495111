"""Plugins with a repository of their own: built, installed into a folder, and put to their tests.

Nothing is fetched: they are built by what is installed here, as their own CI would build them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_LEFT_OUT = shutil.ignore_patterns("build", "dist", "*.egg-info", ".*cache", "__pycache__")


@dataclass(frozen=True)
class Built:
    """A plugin that was built and installed.

    Attributes:
        repository: A copy of its folder.
        wheel: What was built of it.
        installed: The folder that the wheel was installed into.
    """

    repository: Path
    wheel: Path
    installed: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs `python -m ...` in the repository, with what was installed and nothing beside it."""
        environment = {**os.environ, "PYTHONPATH": str(self.installed)}
        environment.pop("PYTEST_ADDOPTS", None)
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.repository,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )


def build(repository: Path, folder: Path) -> Built:
    """Builds a wheel of a copy of a repository, and installs it into a folder."""
    copy = folder / repository.name
    shutil.copytree(repository, copy, ignore=_LEFT_OUT)
    built = Built(copy, folder, folder / "installed")
    for command in (
        ("build", "--wheel", "--no-isolation", "--outdir", str(folder), "."),
        ("pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check",
         "--target", str(built.installed)),
    ):  # fmt: skip
        wheels = [str(path) for path in folder.glob("*.whl")] if command[0] == "pip" else []
        done = built.run(*command, *wheels)
        assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    # The tests are to find the package that was installed, and no other.
    for package in (copy, copy / "src"):
        for path in package.glob("*/__init__.py"):
            if path.parent.name != "tests":
                shutil.rmtree(path.parent)
    return Built(copy, wheel, built.installed)
