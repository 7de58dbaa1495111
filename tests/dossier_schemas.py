"""JSON schemas of documents, in `docs/schemas`: `python -m tests.dossier_schemas` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from folkmoot_coordinator.scrutiny.public_facts import public_facts_schema
from folkmoot_node.scrutiny.documents.dossier import STANDARDS
from folkmoot_node.scrutiny.documents.standard import schema_of

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schemas"


def path_of(name: str) -> Path:
    """Where the schema of a document is."""
    return FOLDER / f"{name}.schema.json"


def text_of(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, standard in STANDARDS.items():
        path_of(name).write_text(text_of(schema_of(standard)), "utf-8")
    path_of("public-facts").write_text(text_of(public_facts_schema()), "utf-8")


if __name__ == "__main__":
    main()
