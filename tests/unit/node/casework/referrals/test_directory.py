"""The directory of services: what files are taken, and what the council knows itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from folkmoot_node.casework.referrals.directory import ServiceDocument, read_directory
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.errors import WebProblem
from tests.referring import SERVICES, Referring


def written(folder: Path, content: Any) -> Path:
    path = folder / "services.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    "shape",
    [lambda one: one, lambda one: {"contents": one}, lambda one: {"services": one}],
)
def test_a_list_and_the_page_of_an_api_are_read(tmp_path: Path, shape: Any) -> None:
    found = read_directory(written(tmp_path, shape(SERVICES)))
    assert [one.name for one in found] == ["Debt advice", "Befriending"]
    debt = found[0]
    assert debt.eligibility() == ["Residents of Trafford", "Aged 18 or over"]
    assert debt.opening() == ["Monday, Tuesday: 09:00 to 17:00"]
    assert (debt.first_email, debt.first_telephone) == (
        "referrals@debt.example.org",
        "01632 960001",
    )


def test_one_service_and_the_names_of_version_1_are_read(tmp_path: Path) -> None:
    old = {
        "id": "1", "name": "Lunch club", "eligibilitys": [{"minimum_age": 60, "maximum_age": 99}],
        "regular_schedules": [{"description": "Fridays at noon"}], "contacts": None,
    }  # fmt: skip
    (found,) = read_directory(written(tmp_path, old))
    assert found.eligibility() == ["Aged 60 to 99"]
    assert found.opening() == ["Fridays at noon"]
    assert ServiceDocument.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[", "no JSON file"),
        ("[" * 100_000, "no JSON file"),
        ([], "holds no service"),
        ({"contents": 3}, "holds no service"),
        ([{"id": "1"}], "service 1: name"),
        ([SERVICES[0], {"id": "2", "name": "B", "status": "open"}], "service 2: status"),
        ([SERVICES[0], SERVICES[0]], "two services with the id"),
        ([3], "service 1"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_taken(
    tmp_path: Path, content: Any, words: str
) -> None:
    with pytest.raises(Problem) as refused:
        read_directory(written(tmp_path, content))
    assert words in refused.value.problem
    assert refused.value.exit_code == ExitCode.DATA


def test_a_new_import_keeps_what_the_council_has_entered(referring: Referring) -> None:
    services = referring.room.services
    before = services.get(referring.debt)
    services.change(
        referring.debt, before.version, "test", contact_name="Bea", contact_email="bea@example.org",
        contact_telephone="01632 960002", capacity=4,
    )  # fmt: skip
    changed = ServiceDocument.model_validate({**SERVICES[0], "name": "Money advice"})
    done = services.take([changed, ServiceDocument.model_validate(SERVICES[1])], "test")
    assert (done.added, done.changed, done.same) == (0, 1, 1)
    after = services.get(referring.debt)
    assert (after.name, after.contact_email, after.capacity) == (
        "Money advice",
        "bea@example.org",
        4,
    )


def test_two_who_change_a_service_at_once_lose_nothing(referring: Referring) -> None:
    version = referring.room.services.get(referring.debt).version
    given = {"contact_name": "", "contact_email": "", "contact_telephone": ""}
    referring.room.services.change(referring.debt, version, "one", **given, capacity=1)
    with pytest.raises(WebProblem) as refused:
        referring.room.services.change(referring.debt, version, "two", **given, capacity=2)
    assert refused.value.status == 409
    assert referring.room.services.get(referring.debt).capacity == 1
