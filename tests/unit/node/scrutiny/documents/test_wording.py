"""The words that readers get: each document and the public page as rendered, whole sentences.

tests/architecture/test_plain_english.py reads the texts in code, where a sentence may be in parts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from folkmoot_node.scrutiny.documents.dossier import STANDARDS
from folkmoot_node.scrutiny.documents.page import as_page
from folkmoot_node.scrutiny.documents.standard import build
from folkmoot_node.scrutiny.facts import FactBase
from folkmoot_node.scrutiny.public.atom_feed import as_feed
from folkmoot_node.scrutiny.public.page import as_page as as_public_page
from tests.architecture.test_plain_english import turns
from tests.fact_base import fact_base, unanswered
from tests.made_up_facts import MADE_UP, changed, without
from tests.unit.node.scrutiny.test_public_page import published, versions_of

SLIPS = {
    r"(?<=[a-z] )None\b|\b(?:True|False|nan|inf)\b": "a value of the program",
    r"[{}]|%s": "a place that was not filled",
    r"\.\.|,,|;\.|:\.|,\.": "two marks",
    r"\w [.,;:!?](?:\s|$)": "a blank before a mark",
    r"\b([a-z]+) \1\b": "a word twice",
    r"\b(?:a [aeio]\w+|an [bcdfgjklmnpqrstvwxz]\w+)\b": "the wrong article",
}
"""What goes wrong where sentences are made from facts."""
RIGHT = {"a one", "a once"}


def paragraphs(page: str) -> Iterator[str]:
    """What a reader reads as one: the text of each element that holds no other block."""
    page = re.sub(r"<(style|head|script)\b.*?</\1>", " ", page, flags=re.S)
    page = re.sub(r"</?(?:a|abbr|b|cite|code|em|i|small|span|strong|time)\b[^>]*>", "", page)
    for text in re.split(r"<[^>]*>", page):
        if text.strip():
            yield re.sub(r"\s+", " ", html.unescape(text)).strip()


def slips(text: str) -> Iterator[str]:
    for words, turn in turns(text):
        yield f"... {words} ... Write: {turn.better}"
    for pattern, what in SLIPS.items():
        for found in re.finditer(pattern, text):
            if found[0] not in RIGHT:
                yield f"... {text[max(0, found.start() - 30) : found.end() + 30]} ...: {what}"


def pages() -> Iterator[tuple[str, str]]:
    bases: dict[str, FactBase] = {"answered": fact_base(), "unanswered": unanswered()}
    for name, standard in STANDARDS.items():
        for how, base in bases.items():
            yield f"{name}, {how}", as_page(build(standard, base))
    now = changed("policy.risk.factors.damp.weight", 40)
    for how, page in {"as approved": published(), "changed": published(now, MADE_UP)}.items():
        yield f"public page, {how}", as_public_page(page)
    versions = versions_of(without("sources.housing"), MADE_UP, now)
    yield "feed", as_feed("E08000009", "Trafford", versions).decode()


@pytest.mark.parametrize(("name", "page"), list(pages()), ids=[name for name, _ in pages()])
def test_what_readers_get_is_plain_english(name: str, page: str) -> None:
    texts = list(paragraphs(page))
    assert len(texts) > 5
    found = [one for text in texts for one in slips(text)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "The policy is read anew.",
        "It ends on None.",
        "The factor {factor} counts.",
        "It counts..",
        "It counts , and ends.",
        "It is the the factor.",
        "It is an factor, and a office.",
    ],
)
def test_each_slip_is_found(text: str) -> None:
    assert list(slips(text)), text


def test_a_sentence_in_parts_is_read_as_one() -> None:
    [text] = paragraphs("<head><title>x</title></head><p>The policy is <b>read</b>\n anew.</p>")
    assert text == "The policy is read anew."
