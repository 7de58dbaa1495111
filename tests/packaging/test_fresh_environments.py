"""Each distribution and each extra, in an environment of what it brings and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fresh import NOT_LOCKED, PULLED, Shelf, requirements_of_ours, write_pulled

ROOMS = {
    "folkmoot_node.casework.": "folkmoot-node[casework]",
    "folkmoot_node.scrutiny.gather.cases": "folkmoot-node[casework]",
    "folkmoot_node.linkage.address_matcher": "folkmoot-node[linkage]",
    "folkmoot_coordinator.viewer.": "folkmoot-coordinator[viewer]",
    "folkmoot_coordinator.schedule.prefect_flows": "folkmoot-coordinator[schedule]",
    "folkmoot_operator.sql_": "folkmoot-operator[database]",
    "folkmoot_sdk.pytest_plugin": "folkmoot-sdk[test]",
}
"""Modules that an extra is for: without it they need not be there."""
OURS = (
    "folkmoot", "folkmoot-coordinator", "folkmoot-kit", "folkmoot-node", "folkmoot-operator",
    "folkmoot-plugin-council-records", "folkmoot-plugin-extracts", "folkmoot-plugin-gazetteer",
    "folkmoot-plugin-household-factors", "folkmoot-plugin-nhs-shielding",
    "folkmoot-plugin-notifications", "folkmoot-plugin-open-areas", "folkmoot-plugin-savvi",
    "folkmoot-plugin-sql", "folkmoot-rehearsal", "folkmoot-sdk", "folkmoot-web",
)  # fmt: skip
EXTRAS = (
    "folkmoot-coordinator[metrics]", "folkmoot-coordinator[plot]",
    "folkmoot-coordinator[postgresql]", "folkmoot-coordinator[schedule]",
    "folkmoot-coordinator[viewer]", "folkmoot-node[audit]", "folkmoot-node[casework]",
    "folkmoot-node[dask]", "folkmoot-node[dossier]", "folkmoot-node[linkage]",
    "folkmoot-node[metrics]",
    "folkmoot-node[postgresql]", "folkmoot-operator[backups]", "folkmoot-operator[database]",
    "folkmoot-operator[encrypted]", "folkmoot-operator[metrics]", "folkmoot-operator[pdf]",
    "folkmoot-sdk[test]",
    "folkmoot-web[postgresql]",
)  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))


def test_what_each_brings_is_what_was_reviewed(shelf: Shelf) -> None:
    """After a change that is wanted: `python -m tests.fresh`, and read what differs."""
    assert write_pulled(shelf) == PULLED.read_text("utf-8")


def test_nothing_is_left_out(shelf: Shelf) -> None:
    assert sorted({*OURS, *EXTRAS, *NOT_LOCKED}) == sorted(requirements_of_ours(shelf))


def test_a_node_brings_no_site_and_no_region(shelf: Shelf) -> None:
    brought = shelf.pulled("folkmoot-node")
    kept_out = {"folkmoot-coordinator", "folkmoot-web", "folkmoot-rehearsal", "pytest", "pandas",
                "scikit-learn", "scipy", "uk-address-matcher", "splink", "distributed"}  # fmt: skip
    assert not brought & kept_out
    assert shelf.pulled("folkmoot-sdk") == {"folkmoot-sdk", "numpy", "pluggy"}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", OURS)
def test_it_is_whole(name: str, shelf: Shelf) -> None:
    needed = [
        module
        for module in shelf.modules(name)
        if not any(module.startswith(room) for room in ROOMS)
    ]
    assert needed
    tried = shelf.attempt(name, needed)
    assert tried.failed == {}
    assert tried.check == (0, "No broken requirements found.\n")
    assert all(code == 0 and "Usage" in shown for code, shown in tried.commands.values())
    scripts = {"folkmoot-node", "folkmoot-coordinator"} & {name}
    assert scripts <= set(tried.commands)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("requirement", EXTRAS)
def test_an_extra_is_whole(requirement: str, shelf: Shelf) -> None:
    rooms = tuple(room for room, extra in ROOMS.items() if extra == requirement)
    modules = shelf.modules(requirement.partition("[")[0])
    tried = shelf.attempt(requirement, [one for one in modules if one.startswith(rooms)])
    assert tried.failed == {}
    assert tried.check == (0, "No broken requirements found.\n")
    assert all(code == 0 for code, _ in tried.commands.values())


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_a_room_needs_its_extra(room: str, shelf: Shelf) -> None:
    """Else it should be tried with what is always there."""
    name = ROOMS[room].partition("[")[0]
    modules = [one for one in shelf.modules(name) if one.startswith(room)]
    assert modules, "a room that is not there any more"
    assert shelf.attempt(name, modules).failed


def test_the_text_is_sorted_and_wrapped() -> None:
    lines = PULLED.read_text("utf-8").splitlines()
    assert all(len(line) <= 100 for line in lines)
    assert Path(PULLED).name == "pulled.txt"
