"""JSON that has one form only: the same values are always the same bytes.

What is signed must not be readable in two ways. So keys are sorted and stand there once, there
are no fractions, text is ASCII with escapes, and bytes in any other form are refused.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from folkmoot_operator.problems import ExitCode, Problem

MAX_BYTES = 8 * 1024 * 1024
"""Length of the longest document. A manifest lists its files, and is the longest."""
_MAX_NUMBER = 2**53
_MAX_DIGITS = 16
_MAX_DEPTH = 12


def encode(value: Any) -> bytes:
    """The one form of a value: lists, tables with text as keys, texts, whole numbers, true, false
    and null.

    Raises:
        ValueError: If it has a fraction, or is nested too deeply.
    """
    _require_plain(value, 0)
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def decode(content: bytes, where: str) -> Any:
    """The value that bytes stand for.

    Args:
        content: The bytes of a document.
        where: The file, for the message.

    Raises:
        Problem: Exit code VERIFICATION, if they are not the one form of a value.
    """
    if len(content) > MAX_BYTES:
        raise damaged(where, f"is longer than {MAX_BYTES} bytes")
    try:
        value = json.loads(
            content.decode("ascii"),
            object_pairs_hook=_table,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
            parse_int=_whole,
        )
        same = encode(value) == content
    except (ValueError, RecursionError):
        raise damaged(where, "is not a document of the plugin kit, or was damaged") from None
    if not same:
        raise damaged(where, "was changed after it was written")
    return value


def damaged(where: str, problem: str) -> Problem:
    """The problem that a document is not what somebody has signed."""
    return Problem(
        problem,
        where=where,
        remedy="Get it again from whoever gave it to you",
        exit_code=ExitCode.VERIFICATION,
    )


def _require_plain(value: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        for key, held in value.items():
            if not isinstance(key, str):
                raise ValueError("a key is not text")
            _require_plain(key, depth + 1)
            _require_plain(held, depth + 1)
    elif isinstance(value, list | tuple):
        for held in value:
            _require_plain(held, depth + 1)
    elif isinstance(value, str):
        value.encode()  # half of a pair of surrogates is no text
    elif isinstance(value, int):
        if abs(value) > _MAX_NUMBER:
            raise ValueError("a number is too large")
    elif value is not None:
        raise ValueError(f"a {type(value).__name__} has no one form")


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands there twice")
    return table


def _no_fraction(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is a fraction")


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS + 1:
        raise ValueError("a number is too large")
    return int(text)
