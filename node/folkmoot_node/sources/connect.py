"""Connects the configured sources to the installed plugins."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

from folkmoot_kit.hosting import ConfinedSource, make_source
from folkmoot_node.plugins.failures import after_broken, code_without, plugin_fault
from folkmoot_node.plugins.grants import is_grantable
from folkmoot_node.plugins.loaded import placement_in
from folkmoot_node.plugins.opening import load_plugins
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig
from folkmoot_node.settings.sources import SourceSettings
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.loading import Origin, Plugins
from folkmoot_sdk.parameters import nearest
from folkmoot_sdk.schema import RecordLevel, Schema
from folkmoot_sdk.source import DataSource

__all__ = ["ConnectedSource", "Origin", "Plugins", "connect", "load_plugins"]


@dataclass(frozen=True, slots=True)
class ConnectedSource:
    """A configured source, ready to read.

    Attributes:
        name: Its name in `node.toml`.
        source: The plugin's object.
        schema: What it holds.
        origin: Distribution, version and entry point of the plugin.
        area_field: For a source about areas: the household field by which it is joined.
    """

    name: str
    source: DataSource
    schema: Schema
    origin: Origin
    area_field: str | None = None


def connect(config: NodeConfig, plugins: Plugins) -> tuple[ConnectedSource, ...]:
    """Makes the object of each configured source. Reads no record.

    Raises:
        Problem: Exit code SETTINGS, if a kind of source is not installed or refuses its
            options.
    """
    return tuple(_connect_one(config, plugins, settings) for settings in config.sources)


def _connect_one(config: NodeConfig, plugins: Plugins, settings: SourceSettings) -> ConnectedSource:
    where = f"{config.home / FILE_NAME}: sources.{settings.name}"
    plugin = plugins.sources.get(settings.kind)
    if plugin is None:
        broken = "; ".join(str(entry) for entry in plugins.broken)
        raise Problem(
            f"no plugin provides the kind of source {settings.kind!r}"
            + (f" ({broken})" if broken else ""),
            where=f"{where}.kind",
            remedy=after_broken(plugins.broken, nearest(settings.kind, plugins.sources)),
            exit_code=code_without(plugins),
        )
    origin = plugins.source_origins[settings.kind]
    if "base" in settings.options:
        raise Problem(
            "is set by the node",
            where=f"{where}.options.base",
            remedy="Remove the key",
            exit_code=ExitCode.SETTINGS,
        )
    try:
        source = make_source(plugin, settings.options, f"{where}.options", config.home)
        schema = source.schema
    except PluginError as error:
        raise Problem(
            error.problem, where=error.where, remedy=error.remedy, exit_code=ExitCode.SETTINGS
        ) from None
    except Exception as error:
        raise plugin_fault(origin, "connect", where, error) from error
    _require_claimed(plugins, origin, settings.kind, schema, where)
    _require_grantable(config, source, f"{where}.options")
    if (schema.level is RecordLevel.AREA) != (settings.area_field is not None):
        raise Problem(
            "a source about areas needs it, and no other does",
            where=f"{where}.area_field",
            remedy="Name the household field that holds the area, for example lsoa",
            exit_code=ExitCode.SETTINGS,
        )
    return ConnectedSource(settings.name, source, schema, origin, settings.area_field)


def _require_claimed(
    plugins: Plugins, origin: Origin, kind: str, schema: Schema, where: str
) -> None:
    """Checks that a source of others gives no field that its signed manifest does not name."""
    placement = placement_in(plugins, origin)
    provenance = placement.provenance if placement else None
    more = provenance.fields_not_claimed(kind, schema) if provenance else ()
    if more:
        raise Problem(
            f"the manifest of plugin {origin} claims less than it does: {'; '.join(more)}",
            where=where,
            remedy=f"Do not use {origin.distribution} {origin.version}; ask its vendor for a "
            "manifest that says what the plugin does",
            exit_code=ExitCode.VERIFICATION,
        )


def _require_grantable(config: NodeConfig, source: DataSource, where: str) -> None:
    """Checks that no option of a source that runs apart names what no plugin may read.

    It would find nothing there, and could not say why.
    """
    if not isinstance(source, ConfinedSource):
        return
    for option in dataclasses.fields(source.options):
        named = getattr(source.options, option.name)
        if option.name == "base" or not isinstance(named, Path):
            continue
        path = Path(os.path.normpath(config.home / named))
        if path.exists() and not is_grantable(config, path):
            raise Problem(
                f"{named} is where the node keeps what is its own, which no plugin may read",
                where=f"{where}.{option.metadata.get('name') or option.name}",
                remedy="Put the files for this source into a folder of their own, such as "
                f"{config.extracts_folder.name}, and name that",
                exit_code=ExitCode.SETTINGS,
            )
