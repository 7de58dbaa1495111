"""The list of checks in the vendor documentation, made of the checks themselves.

`python -m folkmoot_kit.writing.vendor_documentation docs/plugins.md` writes it again after a check
has changed; a test compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot_sdk.conformance.findings import Check

BEGIN = "<!-- checks: written by folkmoot_kit.writing.vendor_documentation -->"
END = "<!-- end of checks -->"
_HEADINGS = {
    "factor": "Of a risk factor",
    "source": "Of a data source",
    "plugin": "Of the distribution",
}


def as_markdown(checks: Iterable[Check]) -> str:
    """The checks as tables, one for each kind of thing that is checked."""
    entries = list(dict.fromkeys(checks))
    parts = []
    for about, heading in _HEADINGS.items():
        parts.append(f"### {heading}\n\n| Finding | Rule | Otherwise | Remedy |\n|---|---|---|---|")
        for check in entries:
            if check.about == about:
                warning = "" if check.severity.value == "error" else " (warning)"
                cells = (f"`{check.id}`{warning}", check.title, check.why, check.remedy)
                parts[-1] += "\n| " + " | ".join(_cell(cell) for cell in cells) + " |"
    return "\n\n".join(parts)


def renewed(document: str, checks: Iterable[Check]) -> str:
    """The document with the checks between its two marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{as_markdown(checks)}\n\n{END}{after}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").removesuffix(".")


if __name__ == "__main__":
    from folkmoot_kit.checks.plugin import catalogue

    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text("utf-8"), catalogue()), "utf-8")
