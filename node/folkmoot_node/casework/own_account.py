"""Casework under an account of its own: what its group may read and write in the node's folder.

The node's account keeps all it had: keys, ledger, answers, extracts, clerical review. The group
may read the scores with their key, settings and policies; it may write where casework and the node
both do: cases with their log, and the decisions about objections.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from folkmoot_node.casework.origin.belonging import id_path
from folkmoot_node.casework.settings import casework_of, database_path, key_path, policy_path
from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.policies.signed_document import signature_path
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig, load_config
from folkmoot_node.store.pause_note import note_path
from folkmoot_operator.accounts import account_name
from folkmoot_operator.groups import group_number, is_member
from folkmoot_operator.ownership import is_own_file, with_journals
from folkmoot_operator.private_files import (
    GROUP_ENTERS,
    GROUP_FILLS,
    GROUP_LISTS,
    GROUP_READS,
    GROUP_WRITES,
    make_private_folder,
    open_private,
    share,
    share_within,
)
from folkmoot_operator.problems import ExitCode, Problem

_MODE = 0o7777


@dataclass(frozen=True, slots=True)
class Shared:
    """A file or folder that the group may use.

    Attributes:
        path: What it is.
        mode: Its permissions.
    """

    path: Path
    mode: int


def shared_places(config: NodeConfig) -> Iterator[Shared]:
    """What the group may use, and how; of what is there now, from the folder down."""
    for one in _places(config):
        if one.path.exists():
            yield one


def _plugin_registry(config: NodeConfig) -> Iterator[Shared]:
    """What is signed about plugins: they explain scores on pages too."""
    registry = config.plugin_registry
    for folder in registry.parents:
        if config.home in folder.parents:
            yield Shared(folder, GROUP_ENTERS)
    yield Shared(registry, GROUP_LISTS)
    for path in sorted(registry.rglob("*")):
        yield Shared(path, GROUP_LISTS if path.is_dir() else GROUP_READS)


def _places(config: NodeConfig) -> Iterator[Shared]:
    home, keys, policy = config.home, KeyFiles.of(config.home), policy_path(config)
    corrections = config.corrections_file
    yield Shared(home, GROUP_ENTERS)
    yield Shared(keys.folder, GROUP_ENTERS)
    yield Shared(config.own_key_file, GROUP_READS)
    yield Shared(keys.policy_public_key, GROUP_READS)
    for path in (home / FILE_NAME, config.risk_policy, policy, signature_path(policy)):
        yield Shared(path, GROUP_READS)
    release = config.release_policy
    for path in (release, signature_path(release), config.plugin_keys):
        yield Shared(path, GROUP_READS)
    yield from _plugin_registry(config)
    if config.council_list is not None:
        yield Shared(config.council_list, GROUP_READS)
    yield Shared(home / "mappings", GROUP_LISTS)
    for path in _files(home / "mappings"):
        yield Shared(path, GROUP_READS)
    yield Shared(config.store_path.parent, GROUP_LISTS)
    yield Shared(config.store_path, GROUP_READS)
    yield Shared(config.snapshot_path, GROUP_READS)
    yield Shared(_deleted(config), GROUP_READS)
    yield Shared(note_path(config.store_path), GROUP_READS)
    yield Shared(config.casework_folder, GROUP_FILLS)
    yield Shared(key_path(config), GROUP_READS)
    yield Shared(id_path(config), GROUP_READS)
    for path in with_journals(database_path(config)):
        yield Shared(path, GROUP_WRITES)
    outcomes = config.casework_folder / "outcomes"
    yield Shared(outcomes, GROUP_FILLS)
    for path in _files(outcomes):
        yield Shared(path, GROUP_WRITES)
    yield Shared(corrections.parent, GROUP_FILLS)
    yield Shared(corrections, GROUP_WRITES)


def how_to_join(group: str) -> str:
    """How this account becomes a member of a group, for whoever reads an error."""
    join = shlex.join(["usermod", "-aG", group, account_name(os.geteuid())])
    return f"As root: `{join}`; then sign in again, and restart services of this account"


def share_with_group(home: Path, name: str) -> NodeConfig:
    """Names the group in node.toml and lets it use what casework needs; safe to repeat.

    Args:
        home: The node's folder.
        name: The group.

    Returns:
        The settings as they are then.

    Raises:
        Problem: Exit code SETTINGS, if casework is not set up, there is no such group, or this
            account is not in it.
    """
    config = load_config(home)
    casework_of(config)
    group = group_number(name, "--group")
    if not is_member(group) and os.geteuid() != 0:
        account = account_name(os.geteuid())
        raise Problem(
            f"the node's account, {account}, is not in the group {name}: it could not use the log "
            "that casework writes",
            where="--group",
            remedy=how_to_join(name),
            exit_code=ExitCode.SETTINGS,
        )
    if config.casework is not None and config.casework.group != name:
        _write_group(config.home / FILE_NAME, config.casework.group, name)
        config = load_config(home)
    if config.casework is not None and config.casework.database is None:
        open_private(database_path(config), append=True).close()  # SQLite's own would be closed
    make_private_folder(config.corrections_file.parent)
    make_private_folder(config.casework_folder / "outcomes")
    filled = (config.casework_folder, config.corrections_file.parent)
    for one in shared_places(config):
        if one.path.is_dir() or is_own_file(one.path):
            folder = next((folder for folder in filled if folder in one.path.parents), None)
            if folder is None:
                share(one.path, group, one.mode)
            else:
                _share_within(folder, one, group)
    return config


def _share_within(folder: Path, one: Shared, group: int) -> None:
    try:
        share_within(folder, one.path, group, one.mode)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        raise Problem(
            "there is a link where the group may write: it could lead to the node's keys",
            where=str(one.path),
            remedy="Find out who made it, and delete it; then run this again",
            exit_code=ExitCode.REFUSED,
        ) from None


def not_shared(config: NodeConfig) -> list[Shared]:
    """What the group could not use, or could use more than it should; empty without a group."""
    group = config.readers
    if group is None:
        return []
    found = []
    for one in shared_places(config):
        at = one.path.stat()
        is_public = bool(at.st_mode & stat.S_IROTH)  # laid down by root for everybody
        if (at.st_gid, at.st_mode & _MODE) != (group, one.mode) and not is_public:
            found.append(one)
    return found


def _write_group(settings: Path, before: str | None, name: str) -> None:
    text = settings.read_text("utf-8")
    if before is not None:
        text = text.replace(f'group = "{before}"', f'group = "{name}"')
    else:
        text = text.replace("[casework]\n", f'[casework]\ngroup = "{name}"\n', 1)
    settings.write_text(text, "utf-8")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file())


def _deleted(config: NodeConfig) -> Path:
    return config.store_path.with_name(config.store_path.name + ".deleted")
