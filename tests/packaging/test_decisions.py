"""Every decision has a number, a title and a status, and one line in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
FILES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
INDEX = (FOLDER / "README.md").read_text("utf-8")
STATUS = re.compile(r"accepted|superseded by \[(\d+)\]\((\d{4}-[a-z0-9-]+\.md)\)")


def described(path: Path) -> tuple[str, str]:
    """Title and status of a decision."""
    title, _, status, *_ = path.read_text("utf-8").splitlines()
    assert title.startswith("# "), f"{path.name}: begin with `# N. Title`"
    assert status.startswith("Status: "), f"{path.name}: say `Status: accepted` under the title"
    return title.removeprefix("# "), status.removeprefix("Status: ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_decision_is_in_the_index_with_title_and_status(path: Path) -> None:
    title, status = described(path)
    assert f"- [{title}]({path.name}): {status}" in INDEX.splitlines()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_number_and_status_are_right(path: Path) -> None:
    title, status = described(path)
    number = re.fullmatch(r"(\d{4})-[a-z0-9-]+\.md", path.name)
    assert number, "a decision's file is named NNNN-some-words.md"
    assert title.startswith(f"{int(number[1])}. ")
    known = STATUS.fullmatch(status)
    assert known, f"{status!r} is neither `accepted` nor `superseded by [N](file)`"
    if known[2]:
        assert (FOLDER / known[2]).is_file()
        assert int(known[2][:4]) == int(known[1])


def test_the_index_names_each_decision_once_in_order() -> None:
    named = re.findall(r"^- \[.*\]\((.*?\.md)\): ", INDEX, re.MULTILINE)
    assert named == [path.name for path in FILES]


def test_no_number_is_used_twice() -> None:
    numbers = [path.name[:4] for path in FILES]
    assert len(set(numbers)) == len(numbers)
