"""Letting a plugin of others run, or no more; and taking over what the region knows of plugins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from folkmoot_kit.confinement import unmet
from folkmoot_kit.provenance import (
    Installation,
    NewestRegistry,
    Pin,
    Privileges,
    load_trusted_keys,
    make_pin,
    read_wheel,
)
from folkmoot_kit.provenance.bundle import import_registry
from folkmoot_kit.provenance.pinned_settings import with_pin, without_pin
from folkmoot_kit.provenance.registry_index import Index
from folkmoot_node.home import NodeHome
from folkmoot_node.plugins.examining import NEWEST
from folkmoot_node.plugins.opening import places
from folkmoot_node.plugins.placement import Placement
from folkmoot_node.plugins.shipped import is_shipped
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig, load_config
from folkmoot_node.settings.plugins import normal
from folkmoot_operator.accounts import Operator
from folkmoot_operator.private_files import make_private_folder, write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.parameters import nearest

ALLOWED, FORGOTTEN = "plugin allowed", "plugin forgotten"
IMPORTED = "plugin registry imported"
"""Entries of the audit log."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What somebody grants on a command line; None leaves what was granted before.

    Attributes:
        network: Hosts.
        files: Whether sources read files.
        memory_mib: Memory.
        seconds: Wall clock of one call.
    """

    network: tuple[str, ...] | None = None
    files: bool | None = None
    memory_mib: int | None = None
    seconds: int | None = None


def allow(
    node: NodeHome, wheel: Path, folders: Sequence[Path], granted: Granted, *, by: Operator
) -> Placement:
    """Pins a wheel that is installed, and writes its table into the settings.

    Args:
        node: The node.
        wheel: The wheel file.
        folders: Folders from which confined processes import.
        granted: What it may do. What is not said stays as it was, and is nothing at first.
        by: Who decides, for the audit log.

    Returns:
        How the plugin runs from now on, or what is still in the way.

    Raises:
        Problem: If it is not what is installed, comes with the node, or the settings cannot be
            changed. Nothing is changed then.
    """
    read = read_wheel(wheel)
    name = normal(read.name)
    if is_shipped(name):
        raise Problem(
            "comes with the node, and is allowed without being named",
            where=name,
            remedy="Nothing needs doing",
            exit_code=ExitCode.USAGE,
        )
    pin = make_pin(read, Installation(folders), _privileges(node.config, name, granted))
    text = with_pin(_settings(node.config), _written(node.config, name), pin)
    _keep(node, text, {"action": ALLOWED, "plugin": name, **_noted(pin)}, by)
    config = load_config(node.config.home)
    return next(
        one for one in places(config, node.today(), unmet()) if one.plugin.distribution == name
    )


def forget(node: NodeHome, distribution: str, *, by: Operator) -> None:
    """Takes the table of a plugin out of the settings: nothing of it is imported any more.

    Args:
        node: The node.
        distribution: The distribution.
        by: Who decides, for the audit log.

    Raises:
        Problem: If it is not allowed now, or the settings cannot be changed.
    """
    allowed = node.config.plugins.allowed
    if node.config.plugins.of(distribution) is None:
        raise Problem(
            f"{distribution!r} is not allowed now",
            where=f"{node.config.home / FILE_NAME}: plugins.allowed",
            remedy=nearest(distribution, allowed) if allowed else "Nothing needs doing",
            exit_code=ExitCode.USAGE,
        )
    text = without_pin(_settings(node.config), _written(node.config, distribution))
    _keep(node, text, {"action": FORGOTTEN, "plugin": normal(distribution)}, by)


def take_over_registry(node: NodeHome, source: Path, *, by: Operator) -> Index:
    """Takes over the registry of plugins, if it is whole, of the trusted key and not an older one.

    Args:
        node: The node.
        source: A bundle or a folder.
        by: Who does, for the audit log.

    Returns:
        Its list: what is signed about plugins, and what was revoked.

    Raises:
        Problem: If it is not to be taken over, or the settings name no trusted keys. Nothing is
            changed then.
    """
    keys, folder = node.config.plugin_keys, node.config.plugin_registry
    if not keys.exists():
        raise Problem(
            "there is no file of trusted keys, so that nobody's registry can be believed",
            where=str(keys),
            remedy="Write the keys there that the region has told you by another way; or name the "
            "file in node.toml as plugins.trusted_keys",
            exit_code=ExitCode.SETTINGS,
        )
    newest = node.config.home / NEWEST
    make_private_folder(newest.parent)
    index = import_registry(source, folder, load_trusted_keys(keys), NewestRegistry(newest))
    body = {"action": IMPORTED, "registry": index.name, "number": index.number, **by.as_body()}
    with node.state.transaction() as connection:
        node.audit.append(connection, node.clock(), body)
    return index


def _privileges(config: NodeConfig, name: str, granted: Granted) -> Privileges:
    before = config.plugins.of(name)
    known = Privileges()
    if before is not None:
        known = Privileges(
            network=before.network,
            files=before.files,
            memory_mib=before.memory_mib,
            seconds=before.seconds,
        )
    changes = {
        key: value
        for key in ("network", "files", "memory_mib", "seconds")
        if (value := getattr(granted, key)) is not None
    }
    return Privileges.model_validate({**known.model_dump(), **changes})


def _noted(pin: Pin) -> dict[str, object]:
    return {
        "version": pin.version,
        "wheel": pin.wheel,
        "content": pin.content,
        "network": list(pin.granted.network),
        "files": pin.granted.files,
    }


def _settings(config: NodeConfig) -> str:
    return (config.home / FILE_NAME).read_text("utf-8")


def _written(config: NodeConfig, distribution: str) -> str:
    """A distribution's name as the settings write it."""
    name = normal(distribution)
    return next((one for one in config.plugins.allowed if normal(one) == name), name)


def _keep(node: NodeHome, text: str | None, body: dict[str, object], by: Operator) -> None:
    """Writes the settings, and who decided: the log first, which may say what did not happen."""
    if text is None:
        raise Problem(
            "writes what it allows of plugins in a way that a command cannot change",
            where=f"{node.config.home / FILE_NAME}: plugins.allowed",
            remedy=f"Change the table [plugins.allowed.{body['plugin']}] by hand; "
            "`folkmoot-plugin pin` prints one",
            exit_code=ExitCode.SETTINGS,
        )
    with node.state.transaction() as connection:
        node.audit.append(connection, node.clock(), {**body, **by.as_body()})
    path = node.config.home / FILE_NAME
    write_private(path, text.encode(), replace=True, readers=node.config.readers)
