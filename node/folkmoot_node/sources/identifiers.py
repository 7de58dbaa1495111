"""Which identifiers a run asks of each source, and what for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig
from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import FieldType, Identifier, RecordLevel

FILE, ROW = "__file", "__row"
"""Columns of pending records: where they stand, for the person who reviews them."""
ADDRESS_IDENTIFIERS = (Identifier.ADDRESS, Identifier.POSTCODE)


@dataclass(frozen=True, slots=True)
class IdentifiersNeeded:
    """What is asked of one source.

    Attributes:
        identifiers: Those that are read; none if nothing is linked.
        homes: True for the frame, if its homes must be known: by their addresses, or only
            which ones there are.
        pending: True if its records without a UPRN are linked.
        communal: Of the frame: the field that is true for communal establishments, if it
            marks them.
        people: True if its records say where people live, with whom others are compared.
    """

    identifiers: tuple[Identifier, ...] = ()
    homes: bool = False
    pending: bool = False
    communal: str | None = None
    people: bool = False


NOTHING = IdentifiersNeeded()


def communal_field(config: NodeConfig, frame: ConnectedSource) -> str | None:
    """The field of the frame that marks communal establishments."""
    field = config.linkage.communal_field
    if config.linkage.communal_households or field not in frame.schema:
        return None
    return field if frame.schema[field].type is FieldType.BOOLEAN else None


def identifiers_needed(
    config: NodeConfig, sources: Mapping[str, ConnectedSource]
) -> dict[str, IdentifiersNeeded]:
    """What is asked of each source, as `[linkage]` says.

    Raises:
        Problem: Exit code SETTINGS, if records are to be linked by address and the frame
            has no addresses.
    """
    if config.linkage.addresses is None:
        return dict.fromkeys(sources, NOTHING)
    frame = sources[config.frame]
    if Identifier.ADDRESS not in frame.schema.identifiers:
        raise Problem(
            f"records are to be linked by address, but the frame {config.frame!r} gives none",
            where=f"{config.home / FILE_NAME}: linkage.addresses",
            remedy="Name the address columns under [identifiers] in the frame's mapping, take "
            "a gazetteer as the frame, or take the table out",
            exit_code=ExitCode.SETTINGS,
        )
    found = {}
    for name, source in sources.items():
        offered = source.schema.identifiers
        wanted = tuple(entry for entry in offered if entry in ADDRESS_IDENTIFIERS)
        if name == config.frame:
            found[name] = IdentifiersNeeded(
                wanted, homes=True, communal=communal_field(config, source)
            )
        elif Identifier.ADDRESS in offered and source.schema.level is not RecordLevel.AREA:
            found[name] = IdentifiersNeeded(wanted, pending=True)
        else:
            found[name] = NOTHING
    return found
