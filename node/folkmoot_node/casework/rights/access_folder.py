"""The folder that a resident gets: a page that opens without a network, and the same as JSON.

What may name somebody else is in it only after a worker has reviewed it and let it through.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from folkmoot_node.casework.holdings import reference
from folkmoot_node.casework.rights.dossier import Dossier
from folkmoot_node.casework.rights.notice import REGULATOR
from folkmoot_operator.private_files import make_private_folder, write_private
from folkmoot_operator.problems import ExitCode, Problem

REDACTED = "Kept back: it may be about somebody else"
"""What stands in place of a text that is kept back."""
PAGE, DATA = "index.html", "everything.json"
"""Files of the folder."""


@dataclass(frozen=True, slots=True)
class AccessFolder:
    """What a resident gets.

    Attributes:
        files: Content by name.
        shown: How many texts that may name others are in it.
        redacted: How many are kept back.
    """

    files: Mapping[str, bytes]
    shown: int
    redacted: int

    def write(self, folder: Path) -> None:
        """Writes private files into a folder that is not there yet.

        Raises:
            Problem: Exit code USAGE, if there is one.
        """
        require_new_folder(folder)
        make_private_folder(folder)
        for name, content in self.files.items():
            write_private(folder / name, content, replace=False)

    def zipped(self, name: str) -> bytes:
        """The folder as one ZIP file.

        Args:
            name: Of the folder in it.
        """
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for file, content in self.files.items():
                archive.writestr(f"{name}/{file}", content)
        return target.getvalue()


def require_new_folder(folder: Path) -> None:
    """Checks that a folder is not there yet.

    Raises:
        Problem: Exit code USAGE, if it is.
    """
    if folder.exists():
        raise Problem(
            "there is such a folder already",
            where=str(folder),
            remedy="Give a folder that does not exist yet",
            exit_code=ExitCode.USAGE,
        )


def access_folder(dossier: Dossier, shown: Collection[str]) -> AccessFolder:
    """Makes what a resident gets.

    Args:
        dossier: Everything that is held.
        shown: References of the texts that a reviewer lets through.
    """
    rooms: list[dict[str, Any]] = []
    counts = {True: 0, False: 0}
    for room in dossier.rooms:
        entries = []
        for item in room.items:
            facts = []
            for fact in item.facts:
                is_shown = not fact.may_name_others or reference(room.name, item, fact) in shown
                if fact.may_name_others:
                    counts[is_shown] += 1
                value = fact.value if is_shown else REDACTED
                facts.append({"label": fact.label, "value": value, "kept_back": not is_shown})
            entries.append({"title": item.title, "facts": facts})
        rooms.append({"title": room.title, "entries": entries})
    document = {
        "council": dossier.council,
        "uprn": dossier.uprn,
        "made_on": dossier.made_on.isoformat(),
        "purposes": dossier.purposes,
        "kept_for": dossier.kept,
        "rooms": rooms,
        "not_in_here": dossier.elsewhere,
        "complain_to": REGULATOR,
    }
    page = _pages().get_template("access_folder.html").render(document)
    data = json.dumps(document, indent=1, ensure_ascii=False)
    files = {PAGE: page.encode(), DATA: data.encode()}
    return AccessFolder(files, counts[True], counts[False])


@cache
def _pages() -> Environment:
    loader = PackageLoader("folkmoot_node.casework", "templates/casework/rights")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
