"""A council's file is read as something that a stranger wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from folkmoot.geography import GssCode
from folkmoot_coordinator.scrutiny.public_facts import (
    MAX_BYTES,
    public_facts_schema,
    read_public_facts,
)
from folkmoot_operator.problems import ExitCode, Problem
from tests.dossier_schemas import path_of, text_of
from tests.made_up_facts import COUNCIL, MADE_UP, changed, fact, with_facts
from tests.published_facts import edited, published_facts, real_facts, versions_of

TRAFFORD = GssCode(COUNCIL)
LONGER = changed("policy.risk.sunset", "2027-04-30")


def test_the_published_schema_is_that_of_the_reader() -> None:
    """Write it with `python -m tests.dossier_schemas` after a change."""
    assert path_of("public-facts").read_text("utf-8") == text_of(public_facts_schema())


@pytest.mark.parametrize(
    "content",
    [
        published_facts(),
        published_facts(LONGER, MADE_UP),
        published_facts(releases=()),
        published_facts(real_facts()),
    ],
    ids=["as approved", "changed", "without releases", "of everything"],
)
def test_what_a_node_writes_keeps_to_the_schema_and_is_read(content: bytes) -> None:
    schema = json.loads(path_of("public-facts").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    body = json.loads(content)
    jsonschema.Draft202012Validator(schema).validate(body)
    assert not jsonschema.Draft202012Validator(schema).is_valid(body | {"praise": "all is well"})
    found = read_public_facts(content, TRAFFORD, "facts.json")
    assert json.loads(found.model_dump_json()) == body
    assert found.is_as_approved is not bool(body["changes_since_approval"])


def test_both_sites_tell_a_version_alike_and_the_files_of_a_plugin_among_the_causes() -> None:
    files = fact("plugins.shipped-one.sha256", "SHA-256 of the files", "11" * 32)
    before = with_facts(files)
    now = changed("policy.risk.sha256", "22" * 32, base=before)
    now = changed("policy.risk.sunset", "2027-04-30", base=now)
    now = changed(files.key, "33" * 32, base=now)
    content = published_facts(now, before, now)
    (_, there) = read_public_facts(content, TRAFFORD, "facts.json").versions
    (_, here) = versions_of(before, now)
    assert there.words == here.words
    assert [words.partition(": was")[0] for words in here.words] == [
        "SHA-256 of the files",
        "Last day on which the risk policy may be used",
        "SHA-256 of the risk policy",
    ]


def edit(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda body: body["facts"][0].update(fields)


def nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = {
    "nothing": b"",
    "ten megabytes": published_facts() + b" " * 10 * 1024**2,
    "no JSON": b"{",
    "no UTF-8": b'{"layout": "\xff"}',
    "another document": b'{"facts": []}',
    "a list": b"[]",
    "nesting that ends programs": b"[" * 200_000 + b"]" * 200_000,
    "nesting": edited(edit(value=nested(40))),
    "NaN": published_facts().replace(b'"epsilon": 3.1', b'"epsilon": NaN'),
    "infinity": published_facts().replace(b'"epsilon": 3.1', b'"epsilon": 1e999'),
    "digits": published_facts().replace(b'"epsilon": 3.1', b'"epsilon": ' + b"9" * 5_000),
    "a large number": edited(edit(value=10**300)),
    "a name twice": published_facts().replace(b'"layout":', b'"layout": "x", "layout":', 1),
    "an unknown field": edited(lambda body: body.update(more=1)),
    "an unknown field of a fact": edited(edit(note="x")),
    "a missing field": edited(lambda body: body.pop("versions")),
    "a later layout": edited(lambda body: body.update(layout="folkmoot/public-facts/2")),
    "a fact that is not published": edited(edit(key="households.bands.high", value=73_519)),
    "a change of one that is not": edited(
        lambda body: body["changes_since_approval"][0].update(facts=["households.scored"]),
        published_facts(LONGER, MADE_UP),
    ),
    "half a pair": edited(edit(label="\ud800")),
    "an order of letters": edited(edit(label="\u202egpj.exe")),
    "a control character": edited(lambda body: body.update(name="Trafford\u001b[2J")),
    "a number for a text": edited(lambda body: body.update(name=7)),
    "text for a number": edited(lambda body: body["versions"][0].update(number="1")),
    "a day that is none": edited(lambda body: body.update(made_at="2026-02-31T00:00:00Z")),
    "no version": edited(lambda body: body.update(versions=[])),
    "versions out of order": edited(lambda body: body["versions"][0].update(number=2)),
    "a fact twice": edited(lambda body: body["facts"].append(body["facts"][-1])),
    "a value of nothing": edited(edit(mark="missing")),
    "another council within": edited(
        lambda body: next(one for one in body["facts"] if one["key"] == "node.council").update(
            value="E08000001"
        )
    ),
    "another council": published_facts(council="E08000001"),
    "a council that is none": edited(lambda body: body.update(council="../../etc")),
    "a million facts": edited(lambda body: body["facts"].extend([{}] * 20_000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_none_is_refused_by_name_and_not_quoted(name: str) -> None:
    with pytest.raises(Problem) as refused:
        read_public_facts(HOSTILE[name], TRAFFORD, "facts.json")
    problem = refused.value
    assert problem.exit_code is ExitCode.DATA
    assert problem.where == "facts.json"
    assert 8 < len(problem.problem) < 400
    assert "dossier public" in problem.remedy
    for quoted in ("\x1b", "\u202e", "73519", "73,519", "etc"):
        assert quoted not in str(problem)


def test_a_file_of_the_largest_size_is_read() -> None:
    content = published_facts()
    whole = content + b" " * (MAX_BYTES - len(content))
    assert read_public_facts(whole, TRAFFORD, "facts.json").council == COUNCIL
