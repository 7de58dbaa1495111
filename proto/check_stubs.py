"""Checks that the committed stubs are what the .proto files generate.

Generates them again in a temporary folder and compares byte by byte, so that a contract
and its code never drift apart. Exit code 1 names the files that differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVICES = ("enrolment", "collection")


def generate(out: Path) -> None:
    """Writes all stubs below `out`."""
    protos = sorted(str(path.relative_to(HERE)) for path in HERE.glob("folkmoot/v1/*.proto"))
    services = [f"folkmoot/v1/{name}.proto" for name in SERVICES]
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    compiler = [sys.executable, "-m", "grpc_tools.protoc", "-I", "."]
    for command in (
        [*compiler, f"--python_out={out}", f"--mypy_out=quiet:{out}", *protos],
        [*compiler, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", *services],
    ):
        subprocess.run(command, cwd=HERE, env={**os.environ, "PATH": search}, check=True)


def main() -> int:
    """Compares; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = {path.name: path.read_bytes() for path in Path(folder).rglob("*_pb2*")}
    committed = {path.name: path.read_bytes() for path in HERE.glob("folkmoot/v1/*_pb2*")}
    differing = sorted(
        name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name)
    )
    for name in differing:
        print(f"{name}: differs from its .proto file. Run `make proto`.", file=sys.stderr)
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
