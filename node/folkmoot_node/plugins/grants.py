"""What the council grants to the processes of plugins: what they may read, reach and use.

Pure functions of settings and of what lies in the home. A source reads the files and folders that
its options in `node.toml` name, and the folder `extracts`. The home itself, keys, scores, logs and
whatever else the node keeps are never among them, whatever an option says. Sources have the clock,
without which libraries that read files do not work; factors have not, nor anything else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from folkmoot_kit.confinement import Grants, Limits
from folkmoot_node.plugins.shipped import SECRETS
from folkmoot_node.settings.node_toml import FILE_NAME, STATE_FILE, NodeConfig
from folkmoot_node.settings.plugins import AllowedPlugin, PluginLimits, ShippedLimits
from folkmoot_node.settings.sources import SourceSettings

_SQLITE = "sqlite:///"
_WILD = re.compile(r"[*?\[]")
_MACHINE = ("/proc", "/sys", "/dev", "/run/user")
"""Never granted, and nothing in them."""
_MOST_LINKS = 1000
_DATABASE_SOCKETS = ("/var/run/postgresql", "/run/postgresql", "/run/mysqld")


def for_factors(limits: PluginLimits) -> Grants:
    """What a process has that computes and reads nothing: no file, network, clock or scratch."""
    return Grants(limits=_limits(limits))


def for_shipped_sources(
    config: NodeConfig | None, sources: Iterable[SourceSettings], reading: Iterable[Path] = ()
) -> Grants:
    """What the sources that come with the node have together: what the settings name for them.

    Args:
        config: The node's settings; None where there is no node, as for drafting a mapping.
        sources: The sources in `node.toml` that these plugins serve.
        reading: Files and folders that somebody has named on a command line.
    """
    named = tuple(path.absolute() for path in reading if path.is_file() or path.is_dir())
    if config is None:
        return Grants(readable=named, clock=True, limits=_limits(ShippedLimits()))
    limits = _limits(config.plugins.shipped)
    return Grants(readable=(*readable(config, sources), *named), clock=True, limits=limits)


def for_shipped_network(config: NodeConfig, sources: Iterable[SourceSettings]) -> Grants:
    """What a shipped plugin has that reads from databases: the network, as a whole."""
    given = (*readable(config, sources), *_there(_DATABASE_SOCKETS))
    limits = _limits(config.plugins.shipped)
    return Grants(readable=given, network=True, clock=True, limits=limits)


def for_sources(
    config: NodeConfig,
    allowed: AllowedPlugin,
    sources: Iterable[SourceSettings],
    secrets: Mapping[str, Collection[str]],
) -> Grants:
    """What a plugin of others has to read its sources: what its table grants, and no more.

    Args:
        config: The node's settings.
        allowed: Its table there.
        sources: The sources that it serves.
        secrets: Options, by kind of source, that name a file with a secret.
    """
    given: tuple[Path, ...] = readable(config, sources, secrets) if allowed.files else ()
    limits = _limits(allowed, allowed.scratch_mib)
    return Grants(readable=given, network=bool(allowed.network), clock=True, limits=limits)


def readable(
    config: NodeConfig,
    sources: Iterable[SourceSettings],
    secrets: Mapping[str, Collection[str]] = SECRETS,
) -> tuple[Path, ...]:
    """The files and folders that sources read; in order, each once.

    Args:
        config: The node's settings.
        sources: Of which every text among the options that names something that is there counts,
            and `extracts`. A pattern such as `addresses/*.csv` names the folder before it.
        secrets: Options, by kind of source, that name a file with a secret: the node reads it.
    """
    found: dict[Path, None] = {}
    for source in sources:
        hidden = secrets.get(source.kind, ())
        options = {key: value for key, value in source.options.items() if key not in hidden}
        for text in (config.extracts_folder.name, *_texts(options)):
            for path in _named(config, text):
                found.update(dict.fromkeys(_granted(config, path)))
    return tuple(found)


def is_grantable(config: NodeConfig, path: Path) -> bool:
    """Whether a plugin may read a file or folder: nothing that the node keeps, nor what holds it.

    Args:
        config: The node's settings.
        path: The file or folder; where it is a link, both it and what it leads to count.
    """
    both = (path, path.resolve())
    outcomes = config.casework_folder / "outcomes"  # casework writes them for sources to read
    if all(one == outcomes or outcomes in one.parents for one in both):
        return True
    never = [*map(Path, _MACHINE), *_kept(config)]
    never += [one.resolve() for one in never]
    return not any(
        one == other or one in other.parents or other in one.parents
        for one in both
        for other in never
    )


def _granted(config: NodeConfig, path: Path) -> Iterator[Path]:
    """A path under its name and as it is, and what links in it lead to; nothing if it may not."""
    if not is_grantable(config, path) or _is_led_by_others(path):
        return
    yield path
    if path.resolve() != path:
        yield path.resolve()
    if path.is_dir():
        for link in islice(_links_in(path), _MOST_LINKS):
            target = link.resolve()
            if target.exists() and is_grantable(config, target) and not _is_led_by_others(link):
                yield target


def _links_in(folder: Path) -> Iterator[Path]:
    """Links in a folder that this account or root has made; those of others are not followed."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if path.is_symlink() and _is_own(path):
                yield path


def _is_own(path: Path) -> bool:
    return path.lstat().st_uid in (0, os.geteuid())


def _is_led_by_others(path: Path) -> bool:
    """Whether a link on the way is neither this account's nor root's: nobody else widens a grant.

    Where a link leads is looked at too, so that none of others is reached by way of an own one.
    """
    waiting, seen = [path], set[Path]()
    while waiting:
        path = waiting.pop()
        for place in (*reversed(path.parents), path):
            if place in seen:
                continue
            seen.add(place)
            if place.is_symlink():
                if not _is_own(place):
                    return True
                rest = path.relative_to(place)
                waiting.append(Path(os.path.normpath(place.parent / place.readlink() / rest)))
                break
    return False


def _kept(config: NodeConfig) -> Iterator[Path]:
    """What the node keeps for itself. The home is above each of them, and so never granted."""
    home = config.home
    yield from (home / "keys", home / "store", home / "quarantine", home / "prefect")
    yield from (home / FILE_NAME, home / "plugins")
    yield from (home / f"{STATE_FILE}{end}" for end in ("", "-wal", "-shm"))
    yield from (config.casework_folder, config.corrections_file.parent, config.review_folder)
    yield from (config.key_file, config.store_path, config.runs_folder, config.review_store)
    yield from (
        config.history_folder,
        config.snapshot_path,
        config.plugin_registry,
        config.plugin_keys,
    )
    # Folders that the settings name: one that is the home would keep all that is in it.
    named = (config.store_path.parent, config.quarantine_folder)
    yield from (one for one in named if one != home and one not in home.parents)
    dask = config.dask
    yield from (home / one for one in (dask.certificate, dask.key) if one is not None)
    mail = config.casework.mail if config.casework else None
    if mail is not None and mail.smtp is not None and mail.smtp.password_file is not None:
        yield home / mail.smtp.password_file


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value of a settings file, keys of tables left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _named(config: NodeConfig, text: str) -> Iterator[Path]:
    """What a text names, if it is there."""
    text = text.removeprefix(_SQLITE)
    if not text or "\0" in text:
        return
    wild = _WILD.search(text)
    before = text[: wild.start()].rpartition("/")[0] if wild else text
    try:
        path = Path(os.path.normpath(config.home / before))
        if path.is_file() or path.is_dir():
            yield path
        if wild and path == config.home:  # a pattern in the home itself names files alone
            yield from (one for one in sorted(config.home.glob(text)) if one.is_file())
    except (OSError, ValueError, RuntimeError, NotImplementedError):
        return  # too long for a path, a circle of links, or no pattern


def _there(paths: Iterable[str]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(path.resolve() for path in map(Path, paths) if path.exists()))


def _limits(limits: PluginLimits, scratch_mib: int = 0) -> Limits:
    return Limits(memory_mib=limits.memory_mib, seconds=limits.seconds, scratch_mib=scratch_mib)
