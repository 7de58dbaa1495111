"""The lists in the vendor documentation, made of the checks and the attacks themselves.

`python -m folkmoot_kit.writing.vendor_documentation docs/plugins.md` writes them again after a
check or an attack has changed; a test compares them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot_kit.attacks.attempts import Attempt
    from folkmoot_sdk.conformance.findings import Check

BEGIN = "<!-- {}: written by folkmoot_kit.writing.vendor_documentation -->"
END = "<!-- end of {} -->"
CHECKS, ATTACKS = "checks", "attacks"
_SHOWN = 3
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


def attacks_as_markdown(attempts: Iterable[Attempt]) -> str:
    """The attacks by what is attacked, and those that confinement does not promise to contain."""
    entries = list(attempts)
    lines = ["| Attacked | Attempts | Such as |", "|---|---|---|"]
    for group, some in groupby(entries, key=lambda attempt: attempt.group):
        members: Sequence[Attempt] = list(some)
        titles = "; ".join(_cell(attempt.title) for attempt in members[:_SHOWN])
        lines.append(f"| {group.value} | {len(members)} | {titles} |")
    limits = [attempt for attempt in entries if attempt.manner.known_limit]
    if limits:
        lines += ["", "What confinement does not promise:", ""]
        lines += [f"- {entry.title}: {entry.manner.known_limit}" for entry in limits]
    return "\n".join(lines)


def renewed(document: str, checks: Iterable[Check], attempts: Iterable[Attempt]) -> str:
    """The document with checks and attacks between their marks."""
    written = {CHECKS: as_markdown(checks), ATTACKS: attacks_as_markdown(attempts)}
    for name, text in written.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = document.partition(begin)
        _, _, after = rest.partition(end)
        document = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    return document


def _cell(text: str) -> str:
    return text.replace("|", "\\|").removesuffix(".")


if __name__ == "__main__":
    from folkmoot_kit.attacks.catalogue import ATTEMPTS
    from folkmoot_kit.checks.plugin import catalogue

    path = Path(sys.argv[1])
    made = renewed(path.read_text("utf-8"), catalogue(), ATTEMPTS.values())
    path.write_text(made, "utf-8")
