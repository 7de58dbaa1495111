"""The list of councils: complete, consistent, and what it says of codes."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import permutations
from pathlib import Path

import pytest

from folkmoot.council_codes import BEGINNINGS, CouncilList, check_council, council_list
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode

TODAY = date(2026, 11, 29)
LIST = council_list()


def codes(*texts: str) -> list[GssCode]:
    return [GssCode(text) for text in texts]


def test_there_are_as_many_councils_as_the_countries_have() -> None:
    """England 296 (ONS, Local Authority Districts, April 2025), Wales 22, Scotland 32, NI 11."""
    today = [line for line in LIST.lines.values() if not line.successors]
    counts = Counter(line.code[:3] for line in today)
    assert counts == {
        "E06": 63, "E07": 164, "E08": 36, "E09": 33, "W06": 22, "S12": 32, "N09": 11,
    }  # fmt: skip
    assert len({line.name for line in today}) == len(today)


def test_every_change_leads_to_a_council_of_today() -> None:
    for line in LIST.lines.values():
        assert line.code[:3] in BEGINNINGS
        assert line.source
        for code in line.successors:
            following = LIST.lines[code]
            assert following.operative == line.ended, "one ends on the day on which one begins"
            assert following.source == line.source or following.ended is not None
        if line.successors:
            assert " now" in LIST.doubt(line.code, TODAY)
        else:
            assert LIST.doubt(line.code, TODAY) == ""


@pytest.mark.parametrize(
    "councils, twice",
    [
        (("E07000026", "E06000063"), 1),
        (("E07000190", "E06000066"), 1),  # by way of Somerset West and Taunton
        (("E07000190", "E07000246", "E06000066"), 3),
        (("E07000187", "E07000188"), 0),  # both ended, and their homes differ
        (("E07000026", "E06000064"), 0),
        (("E08000016", "E08000038", "E08000019"), 1),
        (("E08000009", "E08000099"), 0),
    ],
)
def test_a_council_and_its_successor_count_homes_twice(
    councils: tuple[str, ...], twice: int
) -> None:
    for some in permutations(codes(*councils)):
        assert len(list(LIST.counted_twice(some))) == twice


def test_what_is_not_ended_yet_or_not_begun_is_told_apart(tmp_path: Path) -> None:
    newer = tmp_path / "newer.csv"
    newer.write_text(
        "\ufeffcode,name,operative,ended,successors,source\r\n"
        'E07000207,Elmbridge,,2027-04-01,E06000098 E06000099,"Order, 2026"\r\n\r\n'
        'E06000098,East,2027-04-01,,,"Order, 2026"\r\n'
    )
    known = council_list(newer)
    old, new, unlisted = codes("E07000207", "E06000098", "E06000099")
    assert known.doubt(old, date(2027, 3, 31)) == ""
    assert known.doubt(old, date(2027, 4, 1)).endswith("East (E06000098) and E06000099 now")
    assert "begins on 1 April 2027" in known.doubt(new, TODAY)
    assert "is not among" in known.doubt(unlisted, TODAY)
    assert len(list(known.counted_twice([old, new]))) == 1
    assert isinstance(known, CouncilList)
    assert LIST.lines[old].successors == ()


@pytest.mark.parametrize(
    "line, problem",
    [
        ("E05000001,A,,,,S", "is not the code of a council"),
        ("E0800001,A,,,,S", "is not a GSS code"),
        ("E08000001,A,1 April,,,S", "is no day"),
        ("E08000001,A,,2023-04-01,,S", "is incomplete"),
        ("E08000001,,,,,S", "is incomplete"),
        ("E08000001,A,,,,", "is incomplete"),
        ("E08000001,A,,", "has 4 columns"),
        ("E08000001,A,,,E10000001,S", "is not the code of a council"),
    ],
)
def test_a_wrong_line_of_a_newer_list_is_named(tmp_path: Path, line: str, problem: str) -> None:
    newer = tmp_path / "newer.csv"
    newer.write_text(f"code,name,operative,ended,successors,source\n{line}\n")
    with pytest.raises(ContractError, match=problem) as caught:
        council_list(newer)
    assert str(newer)[:40] in caught.value.where
    assert "line 2" in caught.value.where


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"", b"code;name\n"])
def test_a_list_that_is_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    newer = tmp_path / "newer.csv"
    if content is not None:
        newer.write_bytes(content)
    with pytest.raises(ContractError) as caught:
        council_list(newer)
    assert caught.value.remedy


@pytest.mark.parametrize("code", ["E05000650", "E10000006", "E01006151", "W92000004", "E11000001"])
def test_codes_of_other_areas_are_no_councils(code: str) -> None:
    with pytest.raises(ContractError, match="is not the code of a council"):
        check_council(GssCode(code))
