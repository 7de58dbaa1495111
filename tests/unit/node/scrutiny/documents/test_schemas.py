"""The published schemas are those of the documents, and documents keep to them."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from folkmoot_node.scrutiny.documents.answers import Decision
from folkmoot_node.scrutiny.documents.dossier import STANDARDS
from folkmoot_node.scrutiny.documents.standard import build, schema_of
from tests.dossier_schemas import path_of, text_of
from tests.fact_base import base_of, fact_base

GOLDEN = Path(__file__).parent / "golden"
every = pytest.mark.parametrize("name", STANDARDS)


def _validator(name):
    schema = json.loads(path_of(name).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@every
def test_the_published_schema_is_that_of_the_document(name: str) -> None:
    """Write them with `python -m tests.dossier_schemas` after a change."""
    assert path_of(name).read_text("utf-8") == text_of(schema_of(STANDARDS[name]))


@every
def test_documents_keep_to_the_schema(name: str) -> None:
    decision = Decision(by="A. Khan", reason="a request")
    for facts, decided in (
        (fact_base(), decision),
        (base_of(()), None),
    ):
        made = json.loads(json.dumps(build(STANDARDS[name], facts, decided).as_json()))
        _validator(name).validate(made)


@every
def test_the_schema_refuses_a_document_that_lacks_a_field_or_has_another(name: str) -> None:
    validator, whole = _validator(name), build(STANDARDS[name], fact_base()).as_json()
    for section in STANDARDS[name].sections:
        properties = validator.schema["properties"][section.name]["$ref"].rpartition("/")[2]
        assert validator.schema["$defs"][properties]["required"] == [
            one.name for one in section.asks
        ]
        lacking = whole | {section.name: dict(list(whole[section.name].items())[1:])}
        assert not validator.is_valid(lacking), section.name
    assert not validator.is_valid(whole | {"praise": "none is needed"})
    first = STANDARDS[name].sections[0]
    empty = copy.deepcopy(whole)
    empty[first.name][first.asks[0].name] = {"statements": []}
    assert not validator.is_valid(empty)


@pytest.mark.parametrize("name", ["atrs", "notice"])
def test_the_json_is_as_it_was(name: str) -> None:
    """Programs read it. Delete the file of a deliberate change, and run this twice."""
    document = build(STANDARDS[name], fact_base())
    made = json.dumps(document.as_json(), indent=1, ensure_ascii=False)
    made = made.replace(document.program, "folkmoot-node VERSION") + "\n"
    path = GOLDEN / f"{name}.json"
    if not path.exists():
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(made, "utf-8")
        pytest.fail(f"wrote {path.name}: look at it")
    assert made == path.read_text("utf-8")
