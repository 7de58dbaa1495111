"""Nothing of casework reads a household by its UPRN to show it, except behind an `Opened`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASEWORK = ROOT / "node" / "folkmoot_node" / "casework"

READS = frozenset(
    {
        "HouseholdRow",
        "explain",
        "explain_household",
        "known_id",
        "rescored",
        "stored_household",
        "uprn_of",
    }
)
"""Names by which a household is read by its UPRN, or a UPRN by the id of a household."""
METHODS = frozenset({"audited", "columns", "details", "household", "households"})
"""Of the store: what reads records of households."""

ALLOWED = {
    "authority/households.py": "connects ids and UPRNs",
    "authority/models.py": "the table of ids",
    "cohorts/assessments.py": "what is kept with a case when it is opened; shown behind an Opened",
    "cohorts/deciding.py": "opens cases; shows answers to a cohort's conditions, noted before",
    "cohorts/marks.py": "which households of a cohort have a case",
    "cohorts/runs.py": "ids for the members of a cohort",
    "cohorts/scores.py": "columns of all households, counted and listed without identifiers",
    "desk.py": "explains to whoever has an Opened",
    "homes.py": "takes an Opened; whether a case can be about another UPRN",
    "opening/exports.py": "UPRNs of a list, each noted as shown before",
    "opening/log.py": "the id of a household of a complaint, for the auditor",
    "opening/openings.py": "makes Opened",
    "opening/restrictions.py": "which households commands leave out",
    "opening/searches.py": "whether there is a household; opens a case",
    "outcomes/facts.py": "needs by UPRN for the source of outcomes, which shows nobody anything",
    "outcomes/measuring.py": "protected groups of assessed households, for figures",
    "rights/comparison.py": "the score without a disputed input, for an Opened",
    "rights/dossier.py": "all that is held, for a resident's own request, behind an Opened",
    "rights/erasure.py": "takes a household's id away from its UPRN",
    "rights/notice.py": "what would change the score, for an Opened",
    "rights/objections.py": "writes the correction of an upheld objection",
    "rights/requests.py": "finds or opens a case for a resident's request",
    "rights/retention.py": "which households nothing is kept of",
}
"""Modules that may, and why. A page never may."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(CASEWORK.rglob("*.py")):
        name = path.relative_to(CASEWORK).as_posix()
        if "/migrations/" not in name:
            yield name, ast.parse(path.read_text("utf-8"))


def reads(tree: ast.AST) -> set[str]:
    """What in a module reads a household by its UPRN."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found.update(one.name for one in node.names if one.name in READS)
        elif isinstance(node, ast.Attribute) and node.attr in METHODS:
            receiver = node.value
            name = getattr(receiver, "id", getattr(receiver, "attr", ""))
            if "store" in name:
                found.add(f"{name}.{node.attr}")
    return found


def test_only_some_modules_read_households() -> None:
    found = {name: reads(tree) for name, tree in modules()}
    guilty = {name: sorted(what) for name, what in found.items() if what and name not in ALLOWED}
    assert not guilty, "take an Opened, or say here why not"
    assert not [name for name in ALLOWED if name.startswith("pages/")]
    idle = [name for name in ALLOWED if not found.get(name) and name != "authority/models.py"]
    assert not idle, "allowed, and need not be"


def test_only_a_look_makes_an_opened_household() -> None:
    made = [
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Opened"
    ]
    assert made == ["opening/openings.py"]


def test_a_look_returns_only_after_its_entry() -> None:
    """`Opened` is made inside the transaction that writes, which commits before it is returned."""
    tree = ast.parse((CASEWORK / "opening" / "openings.py").read_text("utf-8"))
    look = next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "look"
    )
    (block,) = [node for node in look.body if isinstance(node, ast.With)]
    assert "writing" in ast.dump(block.items[0])
    calls = [
        getattr(node.func, "attr", getattr(node.func, "id", ""))
        for node in ast.walk(block)
        if isinstance(node, ast.Call)
    ]
    lines = {
        name: node.lineno
        for node in ast.walk(block)
        if isinstance(node, ast.Call)
        for name in [getattr(node.func, "attr", getattr(node.func, "id", ""))]
    }
    assert {"record", "Opened"} <= set(calls)
    assert lines["record"] < lines["Opened"]


@pytest.mark.parametrize(
    "code",
    [
        "from folkmoot_node.casework.authority.households import uprn_of",
        "from folkmoot_node.scoring.explain import explain_household",
        "def page(desk):\n    with desk.store() as store:\n        return store.household(1)",
    ],
)
def test_the_test_finds_what_it_is_for(code: str) -> None:
    assert reads(ast.parse(code))


def test_pages_have_no_uprn_in_their_addresses() -> None:
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "{uprn" not in node.value.lower(), name
