"""The public page: what is decided to be public, nothing else, and all that has changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from folkmoot.public_facts import is_public
from folkmoot_node.scrutiny.approved_facts import ApprovedFacts
from folkmoot_node.scrutiny.differences import differences
from folkmoot_node.scrutiny.facts import Fact, FactBase, Mark
from folkmoot_node.scrutiny.public.atom_feed import as_feed
from folkmoot_node.scrutiny.public.page import Published, as_page
from folkmoot_node.scrutiny.public.publishable import publishable
from folkmoot_node.scrutiny.public.releases_made import ReleaseMade
from folkmoot_node.scrutiny.public.site import as_json, checked_address, write_site
from folkmoot_node.scrutiny.public.versions import Version
from folkmoot_node.scrutiny.scrutiny_file import ScrutinyDocument
from folkmoot_operator.problems import Problem
from folkmoot_operator.settings import Settings
from tests.made_up_facts import (
    COUNCIL,
    FIGURE,
    HOLDER,
    MADE_UP,
    another,
    approved,
    changed,
    fact,
    with_facts,
)

NOON = 1_796_126_400
"""1 December 2026, 12:00 UTC."""
ATOM = "{http://www.w3.org/2005/Atom}"
INSIDE = ["node.region", "policy.casework.signer", "policy.release.signer"]
"""Facts of the made-up council that are configuration and not published."""


def versions_of(*bases: FactBase) -> tuple[Version, ...]:
    found: list[Version] = []
    before: ApprovedFacts | None = None
    for number, base in enumerate(bases, 1):
        facts = publishable(approved(base))
        changes = () if before is None else differences(before, facts)
        at = NOON + number * 86_400
        found.append(Version(number, at, f"review {number}", approved(base).sha256, changes))
        before = facts
    return tuple(found)


def published(now: FactBase = MADE_UP, *earlier: FactBase) -> Published:
    last = earlier[-1] if earlier else now
    open_facts = publishable(approved(now))
    changes = differences(publishable(approved(last)), open_facts)
    release = ReleaseMade(
        "ab" * 16,
        "Winter <round>",
        "winter",
        NOON,
        "0.25",
        3.1,
        "1e-06",
        ("by band: 4 counts",),
        "cd" * 32,
    )
    versions = versions_of(*(earlier or (now,)))
    return Published("Trafford", open_facts, changes, False, versions, (release,), NOON)


@pytest.mark.parametrize("key", [one.key for one in MADE_UP.facts])
def test_a_change_of_any_published_fact_changes_the_page(key: str) -> None:
    fact_ = MADE_UP.get(key)
    assert fact_ is not None
    mark = Mark.PERSON if fact_.mark is Mark.MISSING else None
    now = changed(key, another(fact_.value), mark=mark)
    before, after = as_page(published()), as_page(published(now))
    is_public = key in publishable(approved()).by_key
    assert (before != after.replace(approved(now).sha256, approved().sha256)) is is_public
    if is_public:
        assert key in as_page_of_change(now)


def as_page_of_change(now: FactBase) -> str:
    content = published(now, MADE_UP)
    page = as_page(content)
    for change in content.changes:
        assert page_text(change.words) in page_text(page)
    return " ".join(key for change in content.changes for key in change.facts)


def page_text(text: str) -> str:
    return re.sub(r"&#?\w+;", "?", text.replace("'", "?").replace('"', "?").replace("<", "?"))


def test_figures_names_and_what_is_not_listed_stay_inside(tmp_path: Path) -> None:
    more = with_facts(fact("something.new", "Something new", "not decided"))
    for path in write_site(published(more, MADE_UP, more), tmp_path):
        text = path.read_text()
        for inside in (str(FIGURE), f"{FIGURE:,}", HOLDER, "region.example", "not decided"):
            assert inside not in text, (path.name, inside)
    left_out = approved().by_key.keys() - publishable(approved()).by_key.keys()
    assert sorted(left_out) == INSIDE


def test_of_answers_that_name_a_person_only_the_owners_name_is_published() -> None:
    asked = {
        f"scrutiny.{table}.{key}": str(about.description)
        for table, field in ScrutinyDocument.model_fields.items()
        if isinstance(field.default, Settings)
        for key, about in type(field.default).model_fields.items()
    }
    naming = [key for key, label in asked.items() if re.search("_by$|^Name of", f"{label}|{key}")]
    assert len(naming) > 6
    assert [key for key in naming if is_public(key)] == ["scrutiny.owner.name"]


def test_the_page_is_alone_and_marks_what_is_missing() -> None:
    page = as_page(published())
    assert not re.search(r"<script|<iframe|@import|url\(|src=|href=\"https?:", page)
    assert "default-src 'none'" in page
    assert "Winter &lt;round&gt;" in page
    assert '<span class="missing">Missing: 1 answer</span>' in page
    assert '<span class="missing">Missing:</span> What the DPO advised</li>' in page
    assert "entered by a person" in page
    assert page == as_page(published())


def test_answers_stand_in_the_order_of_the_questions_and_bands_in_that_of_scores() -> None:
    more = with_facts(
        fact("scrutiny.consultation.staff", "How staff were consulted", "By letter"),
        fact("scrutiny.rationale.summary", "What the tool does", "It finds cold homes"),
        fact("scrutiny.owner.name", "Name of the senior responsible owner", "J. Okafor"),
        fact("policy.risk.bands.none.from", "Lowest score of the band none, in points", 0),
    )
    _, _, page = as_page(published(more)).partition('id="part-1"')
    said = [page.index(words) for words in ("J. Okafor", "It finds cold homes", "By letter")]
    assert said == sorted(said)
    assert page.index("band none") < page.index("band high")


def test_what_a_resident_looks_for_comes_first_and_says_what_is_missing() -> None:
    more = with_facts(
        fact("scrutiny.rationale.one_sentence", "What it does", "It finds cold homes"),
        fact("scrutiny.contact.rights", "How residents use their rights", "Write to us"),
        fact("scrutiny.use.appeals", "How residents ask for a review", None, mark=Mark.MISSING),
        fact("sources.housing.supplier", "Who supplies housing", "Landlords Ltd"),
        fact("sources.rent.supplier", "Who supplies rent", None, mark=Mark.MISSING),
        fact("policy.risk.factors.damp.maximum", "Most points that damp adds", 20),
        fact("policy.risk.factors.arrears.maximum", "Most points that arrears adds", 10),
        fact("policy.risk.bands.high.action", "What then happens", "A call"),
    )
    first, _, _ = as_page(published(more)).partition('id="part-1"')
    _, _, first = first.partition('<h2 id="in-short">')
    wanted = (
        "What is it for?", "It finds cold homes", "What is used?", "Housing", "Landlords Ltd",
        "Rent", "Missing",
        "What adds points?", "Damp", "Arrears", "What do the points lead to?", "A call",
        "Who decides?", "How can I object, or ask?", "Write to us",
        'Missing:</span> How residents ask for a review', "Versions and changes", "review 1",
    )  # fmt: skip
    at = [first.index(words) for words in wanted]
    assert at == sorted(at)


def test_of_many_changes_those_that_only_follow_from_others_come_last() -> None:
    now = changed("policy.risk.sha256", "22" * 32)
    for weight in ("damp", "arrears"):
        now = changed(f"policy.risk.factors.{weight}.weight", 15, base=now)
    now = changed("policy.risk.sunset", "2027-04-30", base=now)
    now = changed("node.name", "Sale", base=now)
    page = as_page(published(now, MADE_UP))
    assert "<summary>2 more changes</summary>" in page
    assert page.index("(30 days later)") < page.index("SHA-256 of the risk policy: was")


def test_what_an_answer_makes_pointless_is_not_missing() -> None:
    def gap(key: str, label: str) -> Fact:
        return fact(key, label, None, mark=Mark.MISSING)

    suppliers = gap("scrutiny.procurement.suppliers", "Third parties involved")
    reasons = gap("scrutiny.dpo_advice.reasons", "Why the advice was overruled")
    asked = as_page(published(with_facts(suppliers, reasons)))
    assert "Third parties involved" in asked
    assert "Why the advice was overruled" in asked
    answered = as_page(
        published(
            with_facts(
                suppliers,
                reasons,
                fact("scrutiny.procurement.third_party", "Whether any is involved", False),
                fact("scrutiny.dpo_advice.decision", "Whether it was accepted", "accepted"),
            )
        )
    )
    assert "Third parties involved" not in answered
    assert "Why the advice was overruled" not in answered


def test_the_feed_has_each_version_with_what_changed_newest_first() -> None:
    longer = changed("policy.risk.sunset", "2027-04-30")
    longer = changed("node.name", "Sale <&> \x0b", base=longer)
    both = versions_of(MADE_UP, longer)
    feed = Xml.fromstring(as_feed(COUNCIL, "Trafford & Sale", both, "https://example.gov.uk/s/"))
    for name in ("title", "id", "updated"):
        assert feed.findtext(ATOM + name)
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Trafford & Sale"
    assert feed.findtext(f"{ATOM}updated") == "2026-12-03T12:00:00Z"
    entries = feed.findall(f"{ATOM}entry")
    assert [one.findtext(f"{ATOM}title") for one in entries] == ["Version 2", "Version 1"]
    assert "30 April 2027 (30 days later)" in "".join(entries[0].itertext())
    ids = [one.findtext(f"{ATOM}id") for one in (feed, *entries)]
    assert len(set(ids)) == 3
    again = Xml.fromstring(as_feed(COUNCIL, "Trafford", versions_of(MADE_UP, longer, MADE_UP)))
    assert ids[1:] == [one.findtext(f"{ATOM}id") for one in again.findall(f"{ATOM}entry")][1:]


def test_the_same_for_programs_says_what_the_page_says() -> None:
    content = published(changed("node.name", "Sale"), MADE_UP)
    body = json.loads(as_json(content))
    assert [one["key"] for one in body["facts"]] == list(content.facts.by_key)
    assert body["changes_since_approval"][0]["key"] == "node.name"
    assert body["versions"][0]["number"] == 1
    assert body["releases"][0]["rho"] == "0.25"


@pytest.mark.parametrize(
    "wrong", ["example.gov.uk", "ftp://example.gov.uk/", "https://", "https://a/?b"]
)
def test_an_address_that_is_none_is_named(wrong: str) -> None:
    with pytest.raises(Problem, match="no address"):
        checked_address(wrong)
    assert checked_address("https://example.gov.uk/s") == "https://example.gov.uk/s/"
    assert checked_address("") == ""
