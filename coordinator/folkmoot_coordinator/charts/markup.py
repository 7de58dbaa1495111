"""Text and elements of SVG, so that names written by others stay text."""

from __future__ import annotations

import re
from html import escape

from folkmoot_operator.pictures import drawable

_NAME = re.compile("[A-Za-z][A-Za-z0-9_-]*")


def as_text(value: str) -> str:
    """A text for the content of an element, or for an attribute in double quotes."""
    return escape(drawable(value), quote=True)


def require_id(value: str) -> str:
    """Returns an element's id that may stand in `url(#...)`.

    Raises:
        ValueError: If it has anything but ASCII letters, digits, hyphens and underscores.
    """
    if not _NAME.fullmatch(value):
        raise ValueError("an id has letters, digits, hyphens and underscores alone")
    return value


def wrapped(text: str, characters: int, most_lines: int = 4) -> list[str]:
    """A text in lines, for pictures: SVG does not wrap.

    Args:
        text: The text.
        characters: Of a line.
        most_lines: What does not fit ends in an ellipsis.
    """
    lines: list[str] = []
    for word in text.split():
        for piece in (word[at : at + characters] for at in range(0, len(word), characters)):
            if lines and len(lines[-1]) + 1 + len(piece) <= characters:
                lines[-1] += f" {piece}"
            else:
                lines.append(piece)
    if len(lines) > most_lines:
        lines = lines[:most_lines]
        lines[-1] = f"{lines[-1][: characters - 1]}\u2026"
    return lines
