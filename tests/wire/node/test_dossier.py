"""The real command writes the dossier of a council that has scored, with casework and answers."""

from __future__ import annotations

import hashlib
import json

import jsonschema
import pytest

from folkmoot_node.home import open_home
from tests.absent import absent
from tests.casework_council import CaseworkCouncil
from tests.commands import run_inside
from tests.dossier_schemas import path_of
from tests.scrutinised_council import scrutinised

DOCUMENTS = ("atrs", "dpia", "equality", "notice", "foi")
BY, WHY = "A. Khan, Data Protection Officer", "request 2026-114"


@pytest.fixture(scope="module")
def council(tmp_path_factory) -> CaseworkCouncil:
    try:
        import weasyprint  # noqa: F401
    except OSError:
        absent("Pango is not installed: apt-get install libpango-1.0-0 libpangoft2-1.0-0")
    return scrutinised(tmp_path_factory.mktemp("dossier"))


def dossier(council, out, *arguments, expect=0):
    command = ("dossier", "--home", council.home, "--out", out, *arguments)
    return run_inside("folkmoot-node", *command).said(expect)


def decisions(council):
    with open_home(council.home) as node:
        assert not list(node.egress.departures())
        return [entry.body for entry in node.audit.entries(("publication decided",))]


def figures(made):
    """Values of exact figures in a document, by key."""
    return {
        used["key"]: (used["value"], used["held"])
        for section in made.values()
        if isinstance(section, dict) and section.keys() != {"by", "reason"}
        for answer in section.values()
        for statement in answer["statements"]
        for used in statement["used"]
        if used["key"].startswith("households.")
    }


def test_five_documents_are_written_and_no_figure_is_in_them(council, tmp_path):
    said = dossier(council, tmp_path, "--json")
    assert {one["document"] for one in json.loads(said)["documents"]} == set(DOCUMENTS)
    files = {path.name: path for path in tmp_path.iterdir()}
    assert set(files) == {f"{name}.{end}" for name in DOCUMENTS for end in ("html", "pdf", "json")}
    for path in files.values():
        assert path.stat().st_mode & 0o077 == 0, "they are to be read before they are published"
    for name in DOCUMENTS:
        made = json.loads(files[f"{name}.json"].read_text("utf-8"))
        schema = json.loads(path_of(name).read_text("utf-8"))
        jsonschema.Draft202012Validator(schema).validate(made)
        assert all(value is None and held for value, held in figures(made).values())
        assert files[f"{name}.pdf"].read_bytes().startswith(b"%PDF-")
    assert figures(json.loads(files["foi.json"].read_text("utf-8")))
    assert "J. Okafor" in files["atrs.html"].read_text("utf-8"), "what people entered"
    assert decisions(council) == []


def test_figures_are_shown_by_a_decision_that_the_audit_log_has(council, tmp_path):
    arguments = ("--only", "foi", "--with-figures", "--by", BY, "--reason", WHY)
    dossier(council, tmp_path, *arguments)
    (decision,) = decisions(council)
    assert (decision["decided_by"], decision["reason"]) == (BY, WHY)
    assert decision["files"] == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()
    }
    made = json.loads((tmp_path / "foi.json").read_text("utf-8"))
    assert made["decision"] == {"by": BY, "reason": WHY}
    shown = figures(made)
    with open_home(council.home) as node, node.open_store() as store:
        assert shown["households.scored"] == (store.run.households, False)
        for band, number in store.run.bands.items():
            value, _ = shown[f"households.bands.{band}"]
            assert value == number if number >= 10 or not number else isinstance(value, str)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--with-figures",),
        ("--by", BY, "--reason", WHY),
        ("--with-figures", "--by", BY),
        ("--with-figures", "--by", " ", "--reason", WHY),
        ("--only", "praise"),
    ],
)
def test_half_a_decision_shows_nothing(council, tmp_path, arguments):
    before = decisions(council)
    dossier(council, tmp_path / "out", *arguments, expect=2)
    assert not (tmp_path / "out").exists()
    assert decisions(council) == before
