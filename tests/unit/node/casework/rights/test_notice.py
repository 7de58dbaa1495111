"""The notice: what it says, that it can be read, and that translators find every text."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract

from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.rights import notice as module
from folkmoot_node.casework.rights.notice import make_notice
from folkmoot_node.casework.rights.texts import LANGUAGES, Texts, translations, untranslated
from tests.casework_council import CaseworkCouncil
from tests.casework_rights import flag, object_to, opened

LONGEST_SENTENCE = 25
"""Words: what GOV.UK's content design advises."""
AVERAGE_SENTENCE = 15
JARGON = (
    "algorithm", "automated", "automatic", "completeness", "controller", "data subject",
    "deploy", "facilitate", "going forward", "household", "in order to", "intervention",
    "leverage", "liable", "methodology", "pursuant", "processing", "stratification", "threshold",
    "utilise", "vulnerable", "vulnerability", "whereby", "shall", "herein", "commence", "obtain",
    "regarding", "in respect of", "prior to", "subsequent", "UPRN", "attribute", "weighting",
)  # fmt: skip
"""Words that residents do not use of themselves, and those GOV.UK advises against."""


def english() -> list[str]:
    """The texts that our own code says, without those of policies and factors."""
    content = Path(module.__file__).read_bytes()
    found = extract("python", io.BytesIO(content), keywords={"say": None})
    return [str(one[1]) for one in found]


def sentences(texts: list[str]) -> list[list[str]]:
    split = (one for text in texts for one in re.split(r"(?<=[.?!:])\s+", text))
    return [re.findall(r"[\w'’{}£%-]+", one) for one in split if one.strip()]


def test_its_sentences_are_short() -> None:
    found = sentences(english())
    assert len(found) > 50
    long = [" ".join(one) for one in found if len(one) > LONGEST_SENTENCE]
    assert not long
    assert sum(map(len, found)) / len(found) <= AVERAGE_SENTENCE


def test_its_words_are_plain() -> None:
    said = " ".join(english()).lower()
    found = [word for word in JARGON if re.search(rf"\b{word.lower()}\b", said)]
    assert not found


def test_long_sentences_and_jargon_are_found() -> None:
    assert max(map(len, sentences(["one two " * 20]))) > LONGEST_SENTENCE
    assert re.search(r"\bprocessing\b", "the processing of data")


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_translators_find_every_text_and_none_that_is_gone(language: str) -> None:
    assert set(translations(language)) == set(english())
    assert set(untranslated(language)) <= set(english())
    for text, translated in translations(language).items():
        if translated:
            names = re.compile(r"\{\w+\}")
            assert sorted(names.findall(text)) == sorted(names.findall(translated)), text


def test_a_translation_is_used_and_a_missing_one_falls_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import folkmoot_node.casework.rights.texts as texts_module

    known = {"yes": "ydy", "no": ""}
    monkeypatch.setattr(texts_module, "translations", lambda language: known)
    texts = Texts("cy")
    assert (texts.say("yes"), texts.say("no")) == ("ydy", "no")
    assert texts.missing == {"no"}


def test_it_says_what_counted_and_what_would_change_it(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 0)
    shown = opened(council, desk, case_id)
    explanation = desk.explanation(shown)
    notice = make_notice(desk, shown)
    text = "\n".join(notice.texts)
    assert f"group “{explanation.band}”" in text
    assert "£2,600. It comes from Revenues" in text
    for one in explanation.contributions:
        if one.points is not None:
            assert f"{one.title}: " in text
    headings = [section.heading for section in notice.sections]
    assert headings == [
        "What this is about",
        "What counted",
        "The information we used",
        "What we did not know",
        "What would change the result",
        "Who decides",
        "If you do not agree",
        "If you want to complain",
    ]
    change = next(one for one in notice.sections if one.heading == headings[4])
    assert any("arrears" in one for one in change.points)
    assert "ico.org.uk" in text
    assert notice.hidden == ()


def test_it_says_what_is_not_known(council: CaseworkCouncil, desk: Desk) -> None:
    shown = opened(council, desk, flag(council, desk, 5))
    notice = make_notice(desk, shown)
    unknown = next(s for s in notice.sections if s.heading == "What we did not know")
    assert any("arrears" in one for one in unknown.points)
    assert any("did not count" in one for one in unknown.points)


def test_it_is_incomplete_for_who_may_not_see_a_sensitive_source(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 8)
    whole = make_notice(desk, opened(council, desk, case_id))
    part = make_notice(desk, opened(council, desk, case_id, "caseworker"))
    assert part.hidden == ("childrens_services",)
    assert "children" in "\n".join(whole.texts).lower()
    shown = "\n".join(part.texts)
    assert "Children's services" not in shown
    assert "What would change the result" in [s.heading for s in whole.sections]
    assert "What would change the result" not in [s.heading for s in part.sections]
    assert "points out of" in " ".join(whole.sections[0].paragraphs)
    assert "in the group" not in shown, "what is not shown is left out, and not called a group"


def test_it_says_that_an_objection_waits(council: CaseworkCouncil, desk: Desk) -> None:
    case_id = flag(council, desk, 1)
    object_to(council, desk, case_id)
    texts = list(make_notice(desk, opened(council, desk, case_id)).texts)
    assert any("you objected. We answer by" in text for text in texts)


def test_welsh_dates_and_a_count_of_what_is_missing(council: CaseworkCouncil, desk: Desk) -> None:
    notice = make_notice(desk, opened(council, desk, flag(council, desk, 1)), "cy")
    assert re.search(r"Ionawr|Chwefror|Mawrth|Ebrill|Mai|Mehefin|Gorffennaf|Awst|Medi|Hydref|"
                     r"Tachwedd|Rhagfyr", notice.written_on)  # fmt: skip
    assert 0 <= notice.untranslated <= len(english())
