"""Faults of settings files name the key and the value at fault."""

from __future__ import annotations

import tomllib
from typing import Annotated

import pytest
from pydantic import Field, model_validator

from folkmoot_operator.problems import Problem
from folkmoot_operator.settings import Settings, parse, toml_text


class Span(Settings):
    """Two keys that must go together."""

    first: int = 0
    last: int = 9
    name: Annotated[str, Field(pattern="^[a-z]+$")] = "span"

    @model_validator(mode="after")
    def _check(self) -> Span:
        if self.last < self.first:
            raise ValueError("last: is before first")
        return self


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"last = -1", "last: is before first"),
        (b'name = "LSOA"', "name: 'LSOA' does not have the form ^[a-z]+$"),
        (b"frist = 1", "frist is an unknown key; did you mean 'first'? "),
    ],
)
def test_a_fault_names_what_is_wrong(text: bytes, fault: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(Span, text, "span.toml")
    assert caught.value.problem.startswith(fault)


class Listed(Settings):
    """Settings with a list of some length."""

    rounds: Annotated[tuple[int, ...], Field(min_length=1, max_length=3)]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("[]", "rounds: give at least 1"),
        ("[1, 2, 3, 4]", "rounds: give at most 3"),
        ('["x"]', "rounds[0]: input should be a valid integer"),
    ],
)
def test_how_many_a_list_may_hold_is_said_in_plain_words(given: str, fault: str) -> None:
    """And of a list that is short since an entry is wrong, only the entry is named."""
    with pytest.raises(Problem) as caught:
        parse(Listed, f"rounds = {given}".encode(), "a.toml")
    assert caught.value.problem.startswith(fault)
    assert "\n" not in caught.value.problem


class Kinds(Settings):
    """A setting of each kind that TOML has a word for."""

    listed: tuple[int, ...] = ()
    table: dict[str, int] = {}
    span: Span = Span()
    text: str = ""
    several: frozenset[int] = frozenset()


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("listed = 1", "listed: should be a list"),
        ("several = 1", "several: should be a list"),
        ("table = [1]", "table: should be a table"),
        ("span = 1", "span: should be a table"),
        ("text = 1", "text: should be text in quotes"),
    ],
)
def test_kinds_are_named_as_in_toml(given: str, fault: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(Kinds, given.encode(), "a.toml")
    assert caught.value.problem == fault


@pytest.mark.parametrize("text", ['say "so"', "a\\b\n\tc", "Sale \U0001f3e0", "\x00\x1b\x7f\x85"])
def test_a_text_is_written_as_toml_reads_it(text: str) -> None:
    assert tomllib.loads(f"key = {toml_text(text)}") == {"key": text}
