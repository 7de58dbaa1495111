"""Which sources say where people live, and what is asked of them and of those that are linked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig
from folkmoot_node.settings.people import PersonSettings
from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_node.sources.identifiers import NOTHING, IdentifiersNeeded, communal_field
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import Identifier, RecordLevel

PERSON_IDENTIFIERS = (
    Identifier.FORENAME, Identifier.SURNAME, Identifier.DATE_OF_BIRTH, Identifier.POSTCODE,
)  # fmt: skip
"""Without the NHS number, which needs a legal basis."""
_NAMES = (Identifier.FORENAME, Identifier.SURNAME)


def people_identifiers_needed(
    asked: Mapping[str, IdentifiersNeeded],
    config: NodeConfig,
    sources: Mapping[str, ConnectedSource],
    needed: Collection[str],
) -> dict[str, IdentifiersNeeded]:
    """Adds what `[linkage.people]` asks; nothing, if no source has anybody to link.

    Args:
        asked: What is asked of each source otherwise.
        config: The node's configuration.
        sources: All configured sources.
        needed: Names of those that the policy needs, and of the frame.

    Raises:
        Problem: Exit code SETTINGS, if a source that is to say where people live is not
            there, or does not say who they are.
    """
    found = dict.fromkeys(sources, NOTHING) | dict(asked)
    settings = config.linkage.people
    if settings is None:
        return found
    where = f"{config.home / FILE_NAME}: linkage.people.sources"
    for name in settings.sources:
        if name not in sources:
            raise Problem(
                f"{name!r} is not among the sources",
                where=where,
                remedy=f"Valid: {', '.join(sources)}",
                exit_code=ExitCode.SETTINGS,
            )
        if not _tells_people(sources[name], settings):
            raise Problem(
                f"the source {name!r} does not say who people are",
                where=where,
                remedy="Name the columns of surname and date of birth under [identifiers] in "
                "its mapping, or take the source out",
                exit_code=ExitCode.SETTINGS,
            )
    pending = [
        name for name in needed if name != config.frame and _tells_people(sources[name], settings)
    ]
    for name in pending:
        identifiers = _with_people(found[name], sources[name], settings)
        found[name] = replace(found[name], identifiers=identifiers, pending=True)
    if pending:
        frame = sources[config.frame]
        found[frame.name] = replace(
            found[frame.name], homes=True, communal=communal_field(config, frame)
        )
        for name in settings.sources:
            identifiers = _with_people(found[name], sources[name], settings)
            found[name] = replace(found[name], identifiers=identifiers, people=True)
    return found


def _with_people(
    asked: IdentifiersNeeded, source: ConnectedSource, settings: PersonSettings
) -> tuple[Identifier, ...]:
    """What was asked, and the identifiers of people."""
    wanted = {*asked.identifiers, *_of_people(source, settings)}
    return tuple(entry for entry in Identifier if entry in wanted)


def _of_people(source: ConnectedSource, settings: PersonSettings) -> list[Identifier]:
    wanted = {*PERSON_IDENTIFIERS, *([Identifier.NHS_NUMBER] if settings.nhs_numbers else [])}
    return [entry for entry in source.schema.identifiers if entry in wanted]


def _tells_people(source: ConnectedSource, settings: PersonSettings) -> bool:
    """Whether its identifiers can name a person: never by name alone."""
    if source.schema.level is RecordLevel.AREA:
        return False
    offered = _of_people(source, settings)
    named = any(entry in offered for entry in _NAMES)
    return Identifier.NHS_NUMBER in offered or (named and Identifier.DATE_OF_BIRTH in offered)
