"""Pictures that commands draw with Altair, where it is installed; all on this machine."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from folkmoot_operator.extras import how_to_install
from folkmoot_operator.output_places import require_no_link
from folkmoot_operator.private_files import writing_private
from folkmoot_operator.problems import ExitCode, Problem

SUFFIXES = (".svg", ".png", ".html")
"""Kinds of picture."""
_PNG_SCALE = 2
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 (section 2.2) has no way to write these characters."""


def check_suffix(path: Path) -> None:
    """Raises Problem unless a picture can be written under that name."""
    if path.suffix.lower() not in SUFFIXES:
        raise Problem(
            f"{path.suffix or 'a name without suffix'} is not a kind of picture",
            where=str(path),
            remedy=f"Give a name that ends in {', '.join(SUFFIXES)}",
            exit_code=ExitCode.USAGE,
        )


def save_chart(
    draw: Callable[[], Any], path: Path, extra: tuple[str, str], *, private: bool = False
) -> None:
    """Draws an Altair chart, as the kind of picture that the file's name says.

    Args:
        draw: Makes the chart; imports Altair.
        path: The file; see `check_suffix`.
        extra: The distribution and its extra that bring the libraries that draw.
        private: Whether this account alone may read the file.

    Raises:
        Problem: If the libraries are not installed, the file is a link, or it cannot be written.
    """
    require_no_link(path, "--plot")
    _require_libraries(extra, "--plot")
    kind = path.suffix.lower().removeprefix(".")
    options: dict[str, dict[str, Any]] = {
        "html": {"inline": True},
        "png": {"scale_factor": _PNG_SCALE},
    }
    try:
        chart = _drawable_chart(draw())
        with writing_private(path, replace=True) if private else nullcontext(path) as file:
            chart.save(str(file), format=kind, **options.get(kind, {}))
    except OSError as error:
        raise Problem(
            f"cannot be written ({error.strerror})",
            where=str(path),
            remedy="Give a file in a folder that exists",
            exit_code=ExitCode.USAGE,
        ) from None


def draw_svg(draw: Callable[[], Any], extra: tuple[str, str], where: str) -> str:
    """Draws an Altair chart for a page that holds it; nothing is fetched or written.

    Args:
        draw: Makes the chart; imports Altair. Its data are in it.
        extra: The distribution and its extra that bring the libraries that draw.
        where: What asked for it, for the message.

    Returns:
        The text of an SVG file.

    Raises:
        Problem: If the libraries are not installed.
    """
    _require_libraries(extra, where)
    text = io.StringIO()
    _drawable_chart(draw()).save(text, format="svg")
    return text.getvalue()


def drawable(value: str) -> str:
    """A text without the characters that XML cannot hold, which end a process that draws them."""
    return _NOT_IN_XML.sub("\ufffd", value)


def drawable_spec(spec: Any) -> Any:
    """A chart's specification whose texts can be drawn, whatever names are in it."""
    if isinstance(spec, str):
        return drawable(spec)
    if isinstance(spec, dict):
        return {key: drawable_spec(value) for key, value in spec.items()}
    if isinstance(spec, list):
        return [drawable_spec(value) for value in spec]
    return spec


def _drawable_chart(chart: Any) -> Any:
    return type(chart).from_dict(drawable_spec(chart.to_dict()))


def _require_libraries(extra: tuple[str, str], where: str) -> None:
    if find_spec("altair") is None or find_spec("vl_convert") is None:
        raise Problem(
            "plots need Altair and vl-convert",
            where=where,
            remedy=f"Install them: {how_to_install(*extra)}",
            exit_code=ExitCode.USAGE,
        )
