"""Texts from a plugin's process: bounded, and nothing but print."""

from __future__ import annotations

import unicodedata

from folkmoot_kit.hosting.answers import Garbage

_CONTROL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def line(value: object, longest: int) -> str:
    """One line of printable text.

    White space is made one blank; characters that print nothing, or change the order of others,
    are left out.

    Raises:
        Garbage: If it is no text, or longer than is allowed.
    """
    return " ".join(_checked(value, longest).split())


def lines(value: object, longest: int) -> str:
    """Printable text of several lines; tabs and ends of lines stay.

    Raises:
        Garbage: If it is no text, or longer than is allowed.
    """
    return _checked(value, longest)


def quoted(value: object, longest: int) -> str:
    """Text that quotes a value as it was found: all but what no file can hold.

    Raises:
        Garbage: If it is no text, or longer than is allowed.
    """
    text = _bounded(value, longest)
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _checked(value: object, longest: int) -> str:
    text = _bounded(value, longest)
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _CONTROL)


def _bounded(value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise Garbage("a text is none")
    if len(value) > longest:
        raise Garbage("a text is longer than is allowed")
    return value
