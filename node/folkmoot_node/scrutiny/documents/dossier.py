"""The documents of a council, as files: HTML, tagged PDF and JSON of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from folkmoot_node.home import NodeHome
from folkmoot_node.operations.publish_evidence import record_decision
from folkmoot_node.scrutiny.documents.answers import Decision
from folkmoot_node.scrutiny.documents.atrs import ATRS
from folkmoot_node.scrutiny.documents.dpia import DPIA
from folkmoot_node.scrutiny.documents.equality import EQUALITY
from folkmoot_node.scrutiny.documents.foi import FOI
from folkmoot_node.scrutiny.documents.notice import NOTICE
from folkmoot_node.scrutiny.documents.page import as_page, as_pdf
from folkmoot_node.scrutiny.documents.reading_age import reading_age
from folkmoot_node.scrutiny.documents.standard import Document
from folkmoot_node.scrutiny.facts import Mark
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.output_places import require_folder, require_no_link, writing_to
from folkmoot_operator.private_files import write_private
from folkmoot_operator.problems import ExitCode, Problem

STANDARDS = {one.name: one for one in (ATRS, DPIA, EQUALITY, NOTICE, FOI)}
"""By name, as on the command line."""
_LIBRARIES = {"jinja2": "Jinja", "pyphen": "Pyphen", "weasyprint": "WeasyPrint"}


def require_libraries() -> None:
    """Raises Problem unless the libraries are installed, before work begins."""
    missing = [name for module, name in _LIBRARIES.items() if find_spec(module) is None]
    if missing:
        raise Problem(
            f"it needs what is not installed: {', '.join(missing)}",
            where="folkmoot-node dossier",
            remedy=f"Install it: {how_to_install('folkmoot-node', 'dossier')}",
            exit_code=ExitCode.USAGE,
        )


def files_of(document: Document) -> dict[str, bytes]:
    """A document as files, by name.

    Raises:
        Problem: If WeasyPrint, or Pango that it needs from the operating system, is missing.
    """
    name = document.standard.name
    text = json.dumps(document.as_json(), indent=2, ensure_ascii=False)
    return {
        f"{name}.html": as_page(document).encode(),
        f"{name}.pdf": as_pdf(document),
        f"{name}.json": f"{text}\n".encode(),
    }


def age_of_notice(document: Document) -> float | None:
    """The age at which most can read the sentences of a notice for residents.

    Tables are not measured, and neither is the name of a law.

    Returns:
        Years; None for a document that residents are not expected to read.
    """
    if not document.standard.is_for_residents:
        return None
    return reading_age(
        one.text
        for asked, answer in document.answers()
        for one in answer.statements
        if one.mark is not Mark.MISSING and asked.name != "lawful_basis"
    )


def write_dossier(
    node: NodeHome, documents: Iterable[Document], folder: Path, decision: Decision | None
) -> Mapping[str, bytes]:
    """Writes documents to a folder, for this account alone to read; same names are replaced.

    A decision to show exact figures is in the audit log before any file is there, with the digest
    of each.

    Args:
        node: The node.
        documents: Documents that show exact figures by that decision, or show none.
        folder: Made if it is missing.
        decision: Who decided that they show exact figures; None if they show none.

    Returns:
        The files, by name.

    Raises:
        Problem: If a place is a link or cannot be written to, or libraries are missing; if name
            or reason of the decision is empty or too long.
    """
    files: dict[str, bytes] = {}
    for document in documents:
        if document.decision != decision:
            raise ValueError("a document shows figures by another decision")
        files |= files_of(document)
    require_folder(folder)
    for name in files:
        require_no_link(folder / name)
    if decision is not None:
        digests = {name: sha256(content).hexdigest() for name, content in files.items()}
        record_decision(node, digests, decision.by, decision.reason)
    for name, content in files.items():
        with writing_to(folder / name):
            write_private(folder / name, content, replace=True)
    return files
