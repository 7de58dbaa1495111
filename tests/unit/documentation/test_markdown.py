"""Pages as the generator needs them: what a forge shows, in its Markdown."""

from __future__ import annotations

import pytest

from documentation.markdown import first_heading, first_sentence, with_links, with_room


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("words\n- a\n- b\n", "words\n\n-   a\n-   b\n"),
        ("- a\n  more\n  - b\n", "-   a\n    more\n    -   b\n"),
        ("1. a\n\n   more\n", "1.  a\n\n    more\n"),
        ("words\n```bash\n- no item\n```\n", "words\n\n```bash\n- no item\n```\n"),
        ("- a, from\n  6. a sentence\n", "-   a, from\n    6\\. a sentence\n"),
        ("# T\nwords\n", "# T\n\nwords\n"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n", "| a | b |\n|---|---|\n| 1 | 2 |\n"),
    ],
)
def test_lists_and_blocks_have_room(written: str, given: str) -> None:
    assert with_room(written) == given
    assert with_room(given) == given


def test_links_lead_to_pages_and_else_are_words() -> None:
    places = {"docs/running.md": "docs/running.md", "README.md": "walkthrough.md"}

    def moved(text: str) -> str:
        return with_links(text, "docs/site.md", "docs/site.md", places.get).strip()

    assert moved("[run](running.md#a)") == "[run](running.md#a)"
    assert moved("[it](../README.md)") == "[it](../walkthrough.md)"
    assert moved("[code](../node/x.py)") == "code (`node/x.py`)"
    assert moved("[`node/x.py`](../node/x.py)") == "`node/x.py`"
    assert moved("[a](https://example.org) `[b](c.md)`") == "[a](https://example.org) `[b](c.md)`"
    assert moved("```\n[b](c.md)\n```") == "```\n[b](c.md)\n```"


def test_a_title_is_no_comment_in_a_block() -> None:
    assert first_heading("```bash\n# no\n```\n# Yes\n") == "Yes"
    with pytest.raises(ValueError, match="begins with"):
        first_heading("words\n")


def test_the_first_sentence_describes_a_page() -> None:
    assert first_sentence("# T\n\nFirst [words](x.md). More.\n") == "First words."
    assert first_sentence("# T\n\nWhat it is: `a.toml`. More.\n") == "What it is: `a.toml`."
    assert first_sentence("# T\n\nFor analysts. `export` writes:\n\n- a\n") == "For analysts."
    assert first_sentence("# T\n\n| a |\n|---|\n") == ""
