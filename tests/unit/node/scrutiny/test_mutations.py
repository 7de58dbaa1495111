"""Any fact of a real council's configuration changes: the difference names it, and what people read
changes. The facts are those that `tests/scrutinised_council.py` wrote of a council with casework.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest

from folkmoot_node.scrutiny.approved_facts import ApprovedFacts, approvable
from folkmoot_node.scrutiny.differences import differences
from folkmoot_node.scrutiny.documents.dossier import STANDARDS
from folkmoot_node.scrutiny.documents.standard import build
from folkmoot_node.scrutiny.facts import Fact, FactBase, Mark, Provenance, Value
from folkmoot_node.scrutiny.public.page import Published, as_page
from folkmoot_node.scrutiny.public.publishable import publishable
from folkmoot_node.scrutiny.public.versions import Version
from tests.made_up_facts import WHEN, another, changed
from tests.scrutinised_council import LINES

IN_NO_DOCUMENT = {
    "node.region": "where the coordinator listens is no answer to anybody; the region's name is",
    "policy.casework.signed_at": "who signed it and when is for auditors: `facts` shows it",
    "policy.casework.signer": "as before",
    "policy.release.pinned": "whether root holds the signer's key: for auditors too",
    "scrutiny.dpo_advice.reasons": "asked for only if the advice was overruled",
    "scrutiny.evaluation.report": "names a file of the council; the documents have its figures",
    "scrutiny.sha256": "names a text whose answers the documents have",
}
"""Facts that neither a document nor the public page shows, and why."""


def _value(value: Any) -> Value:
    if isinstance(value, list):
        return tuple(map(_value, value))
    if isinstance(value, dict):
        return {name: _value(one) for name, one in value.items()}
    return value  # type: ignore[no-any-return]


def _fact(line: str) -> Fact:
    one = json.loads(line)
    place = Provenance(one["provenance"]["place"])
    kept = {name: one[name] for name in ("own", "configuration")}
    return Fact(one["key"], one["label"], _value(one["value"]), Mark(one["mark"]), place, **kept)


REAL = FactBase(tuple(map(_fact, LINES.read_text().splitlines())), WHEN)
CONFIGURED = [one.key for one in REAL.facts if one.configuration and not one.own]


def approved(base: FactBase) -> ApprovedFacts:
    return approvable(base, "E08000009")


def documents(base: FactBase) -> str:
    return json.dumps([build(one, base).as_json() for one in STANDARDS.values()])


def page(base: FactBase) -> str:
    version = Version(1, 0, "a review", "", ())
    return as_page(Published("Trafford", publishable(approved(base)), (), False, (version,), (), 0))


def mutated(key: str) -> FactBase:
    fact = REAL.get(key)
    assert fact is not None
    mark = Mark.PERSON if fact.mark is Mark.MISSING else None
    return changed(key, another(fact.value), base=REAL, mark=mark)


@pytest.mark.parametrize("key", CONFIGURED)
def test_the_difference_names_what_has_changed(key: str) -> None:
    (found,) = differences(approved(REAL), approved(mutated(key)))
    assert found.facts == (key,)
    assert found.words.startswith(getattr(REAL.get(key), "label", "?"))


@pytest.mark.slow  # hundreds of facts, five documents each
def test_what_people_read_changes_with_each_fact() -> None:
    before, page_before = documents(REAL), page(REAL)
    unseen = {
        key
        for key in CONFIGURED
        if documents(mutated(key)) == before and page(mutated(key)) == page_before
    }
    assert unseen == set(IN_NO_DOCUMENT)


def test_each_kind_of_configuration_is_there() -> None:
    kinds: defaultdict[str, int] = defaultdict(int)
    for key in CONFIGURED:
        kinds[".".join(key.split(".")[: 2 if key.startswith("policy") else 1])] += 1
    for kind in ("node", "people", "plugins", "policy.casework", "policy.release", "policy.risk"):
        assert kinds[kind] > 1, kind
    assert kinds["scrutiny"] > 10
    assert kinds["sources"] > 10
