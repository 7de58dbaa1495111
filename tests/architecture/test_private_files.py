"""Files for one account alone are made, replaced and deleted by one module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOME = "operator/folkmoot_operator/private_files.py"

BY_HAND = {
    "operator/folkmoot_operator/file_lock.py": {
        "os.open": "a lock is a descriptor, and nothing is read from its file",
        "O_CREAT": "the same",
    },
    "operator/folkmoot_operator/root_files.py": {
        "os.open": "what root decides is read without following a link, and nothing is written",
        "chmod": "everybody may read it",
    },
    "operator/folkmoot_operator/backup_file.py": {
        "os.open": "what has become a link since it was seen is not followed; nothing is written",
    },
    "operator/folkmoot_operator/sqlite_faults.py": {
        "os.open": "a database that is there must not be opened, or its locks are lost",
        "O_CREAT": "the same",
        "O_EXCL": "the same",
    },
    "node/folkmoot_node/pipeline/spool.py": {
        "unlink": "sealed parts of a run that goes on; what a crash leaves, `purge` deletes",
    },
    "node/folkmoot_node/pipeline/own_run.py": {
        "shutil.rmtree": "the same, and workers may be writing there while it is deleted",
    },
    "node/folkmoot_node/operations/try_upgrade.py": {
        "os.link": "extracts are lent to the copy that another version scores, not copied",
    },
    "coordinator/folkmoot_coordinator/publication/table_files.py": {
        "unlink": "the results are public",
    },
    "coordinator/folkmoot_coordinator/viewer/api/written_tables.py": {
        "shutil.rmtree": "a download is published, and is sent from the open file",
    },
    "rehearsal/folkmoot_rehearsal/layout.py": {
        "shutil.rmtree": "the residents are invented",
    },
}
"""Modules that do it by hand after all, what they do, and why."""

_OS = {"open", "fsync", "fdatasync", "chmod", "fchmod", "mkdir", "makedirs", "link", "rename",
       "replace", "remove", "unlink", "rmdir", "removedirs"}  # fmt: skip
_OF_PATHS = {"chmod", "touch", "unlink", "rmdir", "hardlink_to"}
_FLAGS = {"O_CREAT", "O_EXCL", "O_TRUNC"}
_MODES = {0o600, 0o700, 0o077}
_TEMPORARY = {"NamedTemporaryFile", "mkstemp", "TemporaryFile"}


def by_hand(text: str) -> Iterator[str]:
    """What a module does to files that `private_files` is there for."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            of = node.value.id if isinstance(node.value, ast.Name) else ""
            if (of == "os" and node.attr in _OS) or (of, node.attr) == ("shutil", "rmtree"):
                yield f"{of}.{node.attr}"
            elif node.attr in _OF_PATHS | _TEMPORARY or (of == "os" and node.attr in _FLAGS):
                yield node.attr
        elif isinstance(node, ast.Constant) and type(node.value) is int and node.value in _MODES:
            if ast.get_source_segment(text, node) == f"0o{node.value:03o}":
                yield "mode"
        elif isinstance(node, ast.ImportFrom) and node.module in {"os", "shutil", "tempfile"}:
            yield from (
                alias.name for alias in node.names if alias.name in _OS | _TEMPORARY | {"rmtree"}
            )


def test_nobody_makes_or_deletes_private_files_by_hand() -> None:
    found = {}
    for folder in ("node", "coordinator", "operator", "web", "rehearsal"):
        for path in (ROOT / folder).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if name != HOME and (used := set(by_hand(path.read_text("utf-8")))):
                found[name] = used
    assert found == {name: set(why) for name, why in BY_HAND.items()}


@pytest.mark.parametrize(
    "line",
    [
        "os.open(path, os.O_WRONLY)",
        "os.fsync(file)",
        "flags = os.O_EXCL",
        "path.chmod(0o640)",
        "path.touch()",
        "path.mkdir(mode=0o700)",
        "path.unlink()",
        "shutil.rmtree(path)",
        "from os import fsync",
        "tempfile.NamedTemporaryFile()",
    ],
)
def test_it_would_be_seen(line: str) -> None:
    assert list(by_hand(line))


def test_other_things_of_the_same_name_are_not_meant() -> None:
    assert not list(by_hand('text.replace("a", "b"); path.open("w"); path.mkdir(); x = 63'))
