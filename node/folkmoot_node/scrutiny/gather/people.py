"""What people say of the node in `scrutiny.toml`, and what they have not said yet."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.facts import Fact, Mark, Provenance
from folkmoot_node.scrutiny.gather.reporting import Reporter, of_file, slug
from folkmoot_node.scrutiny.scrutiny_file import (
    FILE_NAME,
    ScrutinyDocument,
    SourceAnswers,
    load_signed,
    scrutiny_path,
)
from folkmoot_operator.settings import Settings
from folkmoot_sdk.schema import ProtectedCharacteristic

ANSWERS = "scrutiny"


def answer_facts(node: NodeHome) -> Iterator[Fact]:
    """Every answer that is wanted: given, or missing. Without the file, all are missing.

    Raises:
        Problem: Exit code SETTINGS, if the file is wrong, or not signed as it stands.
    """
    config = node.config
    path = scrutiny_path(config)
    if not path.exists():
        nobody = ScrutinyDocument.model_validate(
            {"schema": 1, "council": config.council, "version": 1}
        )
        yield from _answers(
            Reporter(Provenance(FILE_NAME), Mark.PERSON, configuration=True), node, nobody
        )
        return
    signed = load_signed(node)
    when = datetime.datetime.fromisoformat(signed.signed_at)
    fact = Reporter(of_file(config.home, path, when), Mark.PERSON, configuration=True)
    yield fact(f"{ANSWERS}.version", "Version of the answers", signed.document.version)
    yield fact(f"{ANSWERS}.sha256", "SHA-256 of the answers", signed.digest)
    yield fact(f"{ANSWERS}.signer", "Who signed the answers", signed.signer)
    yield fact(f"{ANSWERS}.signed_at", "When the answers were signed", signed.signed_at)
    yield from _answers(fact, node, signed.document)


def _answers(fact: Reporter, node: NodeHome, document: ScrutinyDocument) -> Iterator[Fact]:
    for table in type(document).model_fields:
        answers = getattr(document, table)
        if isinstance(answers, Settings):
            yield from _table(fact, f"{ANSWERS}.{table}", answers)
    risks = document.risks or None
    yield fact(f"{ANSWERS}.risks", "Risks for residents, and what is done about each", risks)
    for characteristic in ProtectedCharacteristic:
        impact = document.equality.impacts.get(characteristic)
        key = f"{ANSWERS}.equality.impacts.{characteristic.value}"
        words = characteristic.value.replace("_", " ")
        yield fact(key, f"What the tool means for people by {words}", impact)
    for source in node.config.sources:
        answers = document.sources.get(source.name, SourceAnswers())
        yield from _table(fact, f"sources.{slug(source.name)}", answers, source.name)


def _table(fact: Reporter, key: str, answers: Settings, name: str = "") -> Iterator[Fact]:
    for field, about in type(answers).model_fields.items():
        if about.description:
            label = f"{about.description}: {name}" if name else about.description
            yield fact(f"{key}.{field}", label, getattr(answers, field))
