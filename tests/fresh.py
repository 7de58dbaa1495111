"""Fresh environments: what a distribution and its requirements bring, and nothing else.

Folkmoot's own are built and unpacked as wheels. Those of others are the files that the tests'
environment recorded when their wheels were installed, linked one by one, so that nothing is
fetched and an environment takes a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from bundling.requirements import Pin, closure, needs_here, read_lock
from bundling.wheels import build_ours

ROOT = Path(__file__).resolve().parents[1]
_TRY = """
import contextlib, importlib, io, json, sys
asked = json.loads(sys.argv[1])
sys.path[:0] = asked["folders"]
from importlib.metadata import distribution, packages_distributions
def close(code):
    return 0 if code is None else code
def run(main, words):
    sys.argv = words
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        try:
            code = main()
        except SystemExit as end:
            code = end.code
    return [close(code), shown.getvalue()]
found = {"failed": {}, "commands": {}}
for name in asked["modules"]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        found["failed"][name] = error.name or str(error)
from pip._internal.cli.main import main as pip
found["check"] = run(lambda: pip(["check"]), ["pip"])
for point in distribution(asked["name"]).entry_points:
    if point.group == "console_scripts":
        found["commands"][point.name] = run(point.load(), [point.name, "--help"])
json.dump(found, open(asked["out"], "w"))
"""


@dataclass(frozen=True)
class Tried:
    """What was seen in a fresh environment.

    Attributes:
        failed: Modules that could not be imported, each with what it lacked.
        check: Exit code and output of `pip check`.
        commands: Exit code and output of each command with `--help`.
    """

    failed: dict[str, str]
    check: tuple[int, str]
    commands: dict[str, tuple[int, str]]


class Shelf:
    """Every distribution in a folder of its own, put there when it is first wanted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ours = build_ours(ROOT, folder / "wheels")
        self.pins: dict[str, Pin] = read_lock(ROOT / "requirements.lock")

    def pulled(self, requirement: str) -> set[str]:
        """The names of everything that a requirement brings, itself among them."""
        return closure([requirement], needs_here(self.ours, self.pins))

    def modules(self, name: str) -> list[str]:
        """The public modules of one of ours."""
        with zipfile.ZipFile(self.ours[name]) as archive:
            files = [Path(file) for file in archive.namelist() if file.endswith(".py")]
        found = {".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files}
        return sorted(one for one in found if not _is_private(one))

    def attempt(self, requirement: str, modules: Iterable[str]) -> Tried:
        """Imports modules and starts commands with what a requirement brings, and no more."""
        out = self._folder / "found.json"
        name = requirement.partition("[")[0]
        asked: dict[str, Any] = {
            "name": name,
            "modules": list(modules),
            "folders": [str(self._place(one)) for one in sorted(self.pulled(requirement))]
            + [str(self._place("pip"))],
            "out": str(out),
        }
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _TRY, json.dumps(asked)],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = json.loads(out.read_text())
        return Tried(
            found["failed"],
            tuple(found["check"]),
            {name: tuple(said) for name, said in found["commands"].items()},
        )

    def _place(self, name: str) -> Path:
        place = self._folder / name
        if place.exists():
            return place
        place.mkdir()
        if name in self.ours:
            with zipfile.ZipFile(self.ours[name]) as archive:
                archive.extractall(place)
            return place
        for file in distribution(name).files or ():
            if ".." in file.parts or "__pycache__" in file.parts:
                continue
            link = place / file
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(str(file.locate())))
        return place


def _is_private(module: str) -> bool:
    """Modules that are not imported: private ones, programs, and Alembic's scripts."""
    parts = module.split(".")
    return any(part.startswith("_") for part in parts) or "migrations" in parts
