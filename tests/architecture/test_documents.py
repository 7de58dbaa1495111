"""What documents say of files, contracts and databases is so."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, inspect

from folkmoot.series import SeriesRow
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.drafts.models import DRAFTS
from folkmoot_coordinator.viewer.keys.models import API_KEYS
from folkmoot_node.casework.desk import TABLES
from folkmoot_node.corrections import decisions
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.linkage import review_decisions
from folkmoot_node.store.encrypted_file import attach, read_key
from folkmoot_node.store.event_history import FoundHouseholds, open_history
from folkmoot_web.database.connection import Database as SiteDatabase
from tests.unit.node.conftest import NODE, POLICY, TestNode, node, tax_rows
from tests.unit.node.pipeline.test_corrected_run import agree

__all__ = ["node"]  # a fixture

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "deploy/*.md", "*/README.md", "plugins/*/README.md")
    for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_PATH = re.compile(r"`((?:folkmoot\w*|tests|node|coordinator|proto|plugins|docs)/[\w./*-]+)`")

_DOCUMENT = re.compile(r"\bdocs/[\w/-]+\.md\b")


def links(path: Path) -> Iterator[tuple[str, str]]:
    """Label and target of each link to a file of the repository."""
    for label, target in _LINK.findall(path.read_text("utf-8")):
        if not re.match(r"[a-z]+:|#", target):
            yield label, target.partition("#")[0]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(path: Path) -> None:
    for label, target in links(path):
        found = (path.parent / target).resolve()
        assert found.exists(), f"{target} is not there"
        if label.startswith("`") and label.endswith(".py`"):
            assert str(found).endswith("/" + label.strip("`")), f"{label} leads to {target}"


def test_documents_that_programs_name_are_there() -> None:
    """Settings files that commands write, remedies and units send people to them."""
    folders = ("node", "coordinator", "operator", "web", "deploy", "plugins")
    named = {
        name
        for folder in folders
        for suffix in ("py", "toml", "html", "service")
        for path in ROOT.glob(f"{folder}/**/*.{suffix}")
        for name in _DOCUMENT.findall(path.read_text("utf-8"))
    }
    assert "docs/casework-authority.md" in named, "the sample casework policy"
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_headings_lead_to_headings(path: Path) -> None:
    for _, target in _LINK.findall(path.read_text("utf-8")):
        file, mark, wanted = target.partition("#")
        if mark and "://" not in target:
            text = (path.parent / file).read_text("utf-8") if file else path.read_text("utf-8")
            assert wanted in map(anchor, re.findall(r"^#+ (.*)$", text, re.M)), target


def module_of(name: str) -> list[Path]:
    """Where a path as documents write it may be: from the root, or from a distribution."""
    return [path for base in ("", "*/", "plugins/*/") for path in ROOT.glob(base + name)]


def test_paths_in_contributing_exist() -> None:
    """Each is written in full, so that it can be looked up."""
    text = CONTRIBUTING.read_text("utf-8")
    named = _PATH.findall(text)
    assert len(named) > 60
    for name in named:
        assert module_of(name.rstrip("/")), f"{name} is not there"
    begin = text.index("| Property | Module | Tests |")
    table = text[begin : text.index("\n\n", begin)].splitlines()[2:]
    for row in table:
        _, _, modules, tests, _ = row.split("|")
        for cell, belongs in ((modules, "folkmoot"), (tests, "tests/")):
            words = re.findall(r"`([^`]+)`", cell)
            assert words, row
            assert all(word.startswith(belongs) for word in words), cell


@pytest.mark.parametrize("container", ["folkmoot_node", "folkmoot_coordinator"])
def test_rooms_stand_on_the_floors_of_the_import_contract(container: str) -> None:
    (contract,) = (one for one in contracts().values() if one.get("containers") == [container])
    floors = [set(layer.split(" | ")) for layer in reversed(contract["layers"])]
    text = CONTRIBUTING.read_text("utf-8")
    section = text[text.index(f"/{container}/`, ") :].partition("\n#")[0]
    found = [
        (re.sub(r"/|\.py", "", room), int(floor))
        for room, floor in re.findall(r"^\| `([\w/.]+)` \| (\d+) \|", section, re.M)
    ]
    assert sorted(found) == sorted((room, at) for at, on in enumerate(floors, 1) for room in on)
    assert [floor for _, floor in found] == sorted((floor for _, floor in found), reverse=True)


def rows(section: str) -> list[list[str]]:
    """Rows of the first table of a section, whose heading it names."""
    text = ARCHITECTURE.read_text("utf-8")
    body = text[text.index(f"{section}\n") :]
    lines = body[body.index("\n|") + 1 :].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def contracts() -> dict[str, dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {contract["name"]: contract for contract in settings["contracts"]}


def test_zones_are_those_of_the_import_contracts() -> None:
    zones = rows("## Zones of trust")
    assert [row[0] for row in zones] == ["R", "P", "W"]
    for _, _, packages, name in zones:
        named = {f"folkmoot_node.{package}" for package in re.findall(r"`(\w+)`", packages)}
        assert named == set(contracts()[name]["source_modules"]), name
    text = ARCHITECTURE.read_text("utf-8")
    for quoted in re.findall(r'"([^"]+)"', text[text.index("## Zones") : text.index("## One")]):
        assert quoted.replace("\n", " ") in contracts(), quoted


Columns = set[tuple[str, ...]]


def state_database(node: TestNode, folder: Path) -> Columns:
    StateDatabase(folder / "state.sqlite", create=True).close()
    with sqlite3.connect(folder / "state.sqlite") as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {
            (name, column, kind, "no" if filled or key else "yes")
            for (name,) in names.fetchall()
            for _, column, kind, filled, _, key in connection.execute(
                f"PRAGMA table_info({name})"
            ).fetchall()
        }


def starred(column: str) -> str:
    """The name as documents write it: what comes from the policy or a round is a star."""
    return re.sub(r"^(attribute_|audit_|c(?=\d)).*", r"\1*", column)


def household_store(node: TestNode, folder: Path) -> Columns:
    policy = POLICY + '[[equality]]\nfield = "oldest_age"\nbreaks = [18, 65]\n'
    node.write_policy(policy)
    node.score()
    with node.open() as store:
        found = store._connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE database_name = 'store'"
        ).fetchall()
        arrow = store._connection.execute("SELECT arrow FROM store.details").fetchall()
    assert arrow
    return {(name, starred(column), kind) for name, column, kind in found}


def series_history(node: TestNode, folder: Path) -> Columns:
    path, key = folder / "series.duckdb", read_key(node.config.key_file)
    with open_history(path, key, bytes(32), 2, threads=1) as history:
        cells = (np.zeros(1, np.int64), np.ones(1, np.int64))
        history.count(SeriesRow(1, 1), "r", [], FoundHouseholds(np.array([1]), cells))
    connection = attach(path, key, read_only=True, threads=1)
    found = connection.execute(
        "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() "
        "WHERE database_name = 'store'"
    ).fetchall()
    connection.close()
    return {(t, starred(column), kind, "yes" if null else "no") for t, column, kind, null in found}


def review_store(node: TestNode, folder: Path) -> Columns:
    found = set()
    for model in (
        review_decisions.SourceReview,
        review_decisions.Waiting,
        review_decisions.Decided,
    ):
        for field, schema in model.model_json_schema()["properties"].items():
            kinds = [one["type"] for one in schema.get("anyOf", [schema])]
            found.add((model.__name__, field, ", ".join(kinds)))
    return found


def corrections(node: TestNode, folder: Path) -> Columns:
    return {
        (model.__name__, field, ", ".join(one["type"] for one in schema.get("anyOf", [schema])))
        for model in (decisions.Decisions, decisions.Decision)
        for field, schema in model.model_json_schema()["properties"].items()
    }


def casework_database(_: TestNode, folder: Path) -> Columns:
    """Its tables, each with the room that has it."""
    rooms = {
        table: tables.migrations.parent.name
        for tables in TABLES
        for table in import_module(
            f"folkmoot_node.casework.{tables.migrations.parent.name}.models"
        ).Base.metadata.tables
    }
    site = SiteDatabase(f"sqlite:///{folder / 'casework.sqlite'}", TABLES)
    site.prepare()
    site.close()
    engine = create_engine(f"sqlite:///{folder / 'casework.sqlite'}")
    made = [one for one in inspect(engine).get_table_names() if not one.endswith("_version")]
    engine.dispose()
    return {(table, rooms[table]) for table in made if not table.startswith("web_")}


def coordinator_database(node: TestNode, folder: Path) -> Columns:
    database = Database(f"sqlite:///{folder / 'coordinator.sqlite'}")
    database.create()
    database.close()
    engine = create_engine(f"sqlite:///{folder / 'coordinator.sqlite'}")
    inspector = inspect(engine)
    found = {
        (table, column["name"], str(column["type"]), "yes" if column["nullable"] else "no")
        for table in inspector.get_table_names()
        if table != "alembic_version"
        for column in inspector.get_columns(table)
    }
    engine.dispose()
    return found


def viewer_database(_: TestNode, folder: Path) -> Columns:
    database = Database(f"sqlite:///{folder / 'viewer.sqlite'}", DRAFTS)
    database.bring_up_to_date()
    database.close()
    site = SiteDatabase(f"sqlite:///{folder / 'viewer.sqlite'}", [API_KEYS])
    site.prepare()
    site.close()
    engine = create_engine(f"sqlite:///{folder / 'viewer.sqlite'}")
    inspector = inspect(engine)
    found = {
        (table, column["name"], str(column["type"]), "yes" if column["nullable"] else "no")
        for table in inspector.get_table_names()
        if not table.endswith("_version")
        for column in inspector.get_columns(table)
    }
    engine.dispose()
    return found


DATABASES: dict[str, Callable[[TestNode, Path], Columns]] = {
    "### `state.sqlite`": state_database,
    "### `store/households.duckdb`": household_store,
    "### `store/series/*.duckdb`": series_history,
    "### `store/review.sealed`": review_store,
    "### `corrections/corrections.sealed`": corrections,
    "### `casework/casework.sqlite`": casework_database,
    "### `coordinator.sqlite`": coordinator_database,
    "### `viewer.sqlite`": viewer_database,
}


def test_every_database_that_is_described_is_compared() -> None:
    text = ARCHITECTURE.read_text("utf-8")
    described = re.findall(r"^### .*", text[text.index("## Data model: node") :], re.M)
    assert described == list(DATABASES)


@pytest.mark.parametrize("section", DATABASES)
def test_the_data_model_is_the_schema(section: str, node: TestNode, tmp_path: Path) -> None:
    """Tables, columns, types and nulls, against a database that this version has just made."""
    described = [tuple(cell.strip("`") for cell in row[:-1]) for row in rows(section)]
    assert all(row[-1] for row in rows(section))
    assert len(described) == len(set(described))
    assert set(described) == DATABASES[section](node, tmp_path)


def test_the_arrow_file_of_the_details_holds_what_is_said(node: TestNode) -> None:
    (said,) = (row[-1] for row in rows("### `store/households.duckdb`") if row[1] == "`arrow`")
    named = set(re.findall(r"`([\w@]+)\*?`", said)) - {"details"}
    node.write_node(NODE + "\n[quarantine]\nmaximum_share = 1.0\n")
    node.tax.batches.append(tax_rows([4], [-1.0], ["owned"], ["E01000001"]))
    agree(node, 1, "a", suppress=("tenure",))
    agree(node, 2, "b", correct={"tenure": "owned"})
    node.score()
    with node.open() as store:
        columns = {name for table in store.details() for name in table.columns}
    assert {re.sub(r"^(field_|\w+@|points_).*", r"\1", name) for name in columns} == named
