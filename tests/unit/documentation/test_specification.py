"""Chapters of the specification are the tests themselves."""

from __future__ import annotations

import re

import pytest

from documentation import specification
from documentation.build import ROOT

MODULE = '''
"""Owed money: what counts.

The rest of the introduction.
"""

CASES = [
    # Columns: amount, counts
    (100, "no"),
    (OTHER_AMOUNT, None),
]
"""What counts:"""


def test_a_debt_counts():
    """From the first pound."""
    check("""
    | debt | score |
    |------|-------|
    | 5    | a*b   |
    """)


@pytest.mark.parametrize(("debt", "large_score"), [(1, 2), (3, 4)])
def test_more_counts_more(debt, large_score):
    pass
'''.replace("'''", '"""')


def test_a_chapter_is_made_of_docstrings_names_and_tables() -> None:
    text = specification.page(specification.chapter(MODULE, "tests/spec/test_owed.py"))
    assert text.startswith("# Owed money: what counts\n\nThe rest of the introduction.")
    assert "What counts:\n\n| Amount | Counts |\n| --- | --- |\n| 100 | no |" in text
    assert "| other amount | ? |" in text
    assert "## A debt counts\n\nFrom the first pound.\n\n| debt | score |" in text
    assert "| 5 | a\\*b |" in text
    assert "| debt | large score |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |" in text
    assert "`tests/spec/test_owed.py`" in text


def test_a_change_of_an_example_changes_the_page() -> None:
    before = specification.page(specification.chapter(MODULE, "x.py"))
    after = specification.page(specification.chapter(MODULE.replace("| 5 ", "| 6 "), "x.py"))
    assert before != after


def test_a_chapter_without_an_introduction_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with a docstring"):
        specification.chapter("def test_it():\n    pass\n", "x.py")


def test_columns_that_are_not_those_of_the_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="are not those of its rows"):
        specification.chapter(MODULE.replace("amount, counts", "amount, counts, more"), "x.py")


def test_the_index_of_the_chapters_names_each() -> None:
    index = (ROOT / "tests" / "spec" / "README.md").read_text("utf-8")
    listed = re.findall(r"\]\(([a-z_/]+\.py)\)", index)
    assert sorted(f"tests/spec/{one}" for one in listed) == [
        one.source for one in specification.chapters()
    ]
