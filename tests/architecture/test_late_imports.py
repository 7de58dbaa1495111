"""Imports inside functions: where they are allowed, and why.

A module that imports at its top says what it depends on, and fails when it is loaded rather than
in the middle of a run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

NODE = Path(__file__).resolve().parents[2] / "node" / "folkmoot_node"

START_UP = ("cli/", "home.py", "start.py")
"""A command imports what it needs, so that it starts without what others need."""
OPTIONAL = {
    "altair": "audit",
    "distributed": "dask",
    "jinja2": "dossier",
    "prefect_dask": "dask",
    "pyphen": "dossier",
    "scipy": "audit",
    "sklearn": "audit",
    "splink": "linkage",
    "threadpoolctl": "audit",
}
"""Libraries of an extra that may not be installed, and the extra."""
_COUNTING = "what the last run did, and counts for a release, are read without Polars"
_CASEWORK = "a node without casework does without what casework imports"
_KEY = "the key of the store is made, read and replaced without DuckDB"
_VISIT = "a visit to the coordinator that answers nothing does without it"
_OTHERS = "signatures and their libraries are for councils that allow plugins of others"
PLACES = {
    ("answering/answer.py", "duckdb"): _VISIT,
    ("answering/answer.py", "folkmoot_node.answering.scores_wait"): _VISIT,
    ("answering/answer.py", "folkmoot_node.release"): _VISIT,
    ("answering/answer.py", "folkmoot_node.release.mechanism"): _VISIT,
    ("answering/answer.py", "folkmoot_node.release.tabulate"): _VISIT,
    ("answering/catalogue.py", "folkmoot_node.scoring.binding"): _VISIT,
    ("answering/catalogue.py", "folkmoot_node.sources.connect"): _VISIT,
    ("answering/ended_series.py", "folkmoot_node.store.event_history"): _VISIT,
    ("answering/stopped_run.py", "folkmoot_node.store.encrypted_file"): _VISIT,
    (
        "evidence/database.py",
        "folkmoot_node.evidence.round_table",
    ): "scoring reads the state file, and decodes no round",
    ("installation/places.py", "folkmoot_operator.root_files"): "where it lies is found before",
    ("linkage/addresses.py", "folkmoot_node.linkage.address_matcher"): "it needs the extra linkage",
    ("plugins/opening.py", "folkmoot_node.plugins.decisions"): _OTHERS,
    ("plugins/opening.py", "folkmoot_node.plugins.examining"): _OTHERS,
    ("running/worker.py", "folkmoot_node.running.prefect_flows"): "what is not recorded does "
    "not wait for Prefect, which takes seconds to import",
    (
        "scrutiny/gather/everything.py",
        "folkmoot_node.scrutiny.gather.cases",
    ): _CASEWORK,
    (
        "scrutiny/gather/roles.py",
        "folkmoot_node.casework.authority.signed_policy",
    ): _CASEWORK,
    ("scrutiny/permission.py", "folkmoot_node.scrutiny.gate"): "a node that requires no approved "
    "dossier loads nothing for it",
    ("store/encrypted_file.py", "duckdb"): _KEY,
    ("store/encrypted_file.py", "duckdb_extension_httpfs"): _KEY,
    ("store/reader.py", "duckdb"): _KEY,
    ("store/reader.py", "folkmoot_node.store.household_table"): _COUNTING,
    ("store/reader.py", "polars"): _COUNTING,
}
"""Other places, and why."""


def late_imports() -> Iterator[tuple[str, str]]:
    """Module of the node, and what it imports inside a function."""
    for path in sorted(NODE.rglob("*.py")):
        name = path.relative_to(NODE).as_posix()
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import):
                        yield from ((name, alias.name) for alias in node.names)
                    elif isinstance(node, ast.ImportFrom):
                        yield name, node.module or "."


def test_only_commands_and_the_home_import_late() -> None:
    found = {
        (name, imported)
        for name, imported in late_imports()
        if not name.startswith(START_UP) and imported.partition(".")[0] not in OPTIONAL
    }
    assert sorted(found - PLACES.keys()) == []
