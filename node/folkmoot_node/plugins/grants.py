"""What the council grants to the processes of plugins: what they may read, reach and use.

Pure functions of settings and of what lies in the home. A source reads the files and folders that
its options in `node.toml` name, and the folder `extracts`. The home itself, keys, scores, logs and
whatever else the node keeps are never among them, whatever an option says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from folkmoot_kit.confinement import Grants, Limits
from folkmoot_node.plugins.shipped import SECRETS
from folkmoot_node.settings.node_toml import FILE_NAME, STATE_FILE, NodeConfig, SourceSettings
from folkmoot_node.settings.plugins import AllowedPlugin, PluginLimits

_SQLITE = "sqlite:///"
_NETWORK_FILES = (
    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
    "/etc/services", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/run/systemd/resolve",
)  # fmt: skip
"""What finding a host by its name, and checking its certificate, reads."""
_DATABASE_SOCKETS = ("/var/run/postgresql", "/run/postgresql", "/run/mysqld")


def for_factors(limits: PluginLimits) -> Grants:
    """What a process has that computes and reads nothing: no file, network, clock or scratch."""
    return Grants(limits=_limits(limits))


def for_shipped(config: NodeConfig | None, sources: Iterable[SourceSettings]) -> Grants:
    """What the plugins that come with the node have together: what their sources name.

    Args:
        config: The node's settings; None where there is no node, as for drafting a mapping.
        sources: The sources in `node.toml` that these plugins serve.
    """
    if config is None:
        return Grants()
    limits = _limits(config.plugins.shipped)
    return Grants(readable=readable(config, sources), limits=limits)


def for_shipped_network(config: NodeConfig, sources: Iterable[SourceSettings]) -> Grants:
    """What a shipped plugin has that reads from databases: the network, as a whole."""
    given = (*readable(config, sources), *_there(_NETWORK_FILES), *_there(_DATABASE_SOCKETS))
    limits = _limits(config.plugins.shipped)
    return Grants(readable=given, network=True, clock=True, limits=limits)


def for_sources(
    config: NodeConfig, allowed: AllowedPlugin, sources: Iterable[SourceSettings]
) -> Grants:
    """What a plugin of others has to read its sources: what its table grants, and no more."""
    given: tuple[Path, ...] = readable(config, sources) if allowed.files else ()
    if allowed.network:
        given += _there(_NETWORK_FILES)
    # Certificates are checked against the time, so that the network is of no use without a clock.
    network = bool(allowed.network)
    limits = _limits(allowed, allowed.scratch_mib)
    return Grants(readable=given, network=network, clock=network, limits=limits)


def readable(config: NodeConfig, sources: Iterable[SourceSettings]) -> tuple[Path, ...]:
    """The files and folders that sources read, without links; in order, each once.

    Args:
        config: The node's settings.
        sources: Of which every text among the options that names something that is there counts,
            and `extracts`.
    """
    found: dict[Path, None] = {}
    for source in sources:
        secrets = SECRETS.get(source.kind, frozenset())
        options = {key: value for key, value in source.options.items() if key not in secrets}
        for named in ("extracts", *_texts(options)):
            path = _named(config, named)
            if path is not None and is_grantable(config, path):
                found[path] = None
    return tuple(found)


def is_grantable(config: NodeConfig, path: Path) -> bool:
    """Whether a file or folder may be read by a plugin: nothing that the node keeps, nor above it.

    Args:
        config: The node's settings.
        path: Without links.
    """
    if path == path.parent:  # the whole machine
        return False
    kept = [one.resolve() for one in _kept(config)]
    return not any(path == one or path in one.parents or one in path.parents for one in kept)


def _kept(config: NodeConfig) -> Iterator[Path]:
    """What the node keeps for itself. The home is above each of them, and so never granted."""
    home = config.home
    yield from (home / "keys", home / "store", home / "quarantine", home / "prefect")
    yield from (home / FILE_NAME, home / "plugins")
    yield from (home / f"{STATE_FILE}{end}" for end in ("", "-wal", "-shm"))
    yield from (config.casework_folder, config.corrections_file.parent, config.review_folder)
    yield from (config.key_file, config.store_path.parent, config.runs_folder, config.review_store)
    yield from (config.quarantine_folder, config.plugin_registry, config.plugin_keys)
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


def _named(config: NodeConfig, text: str) -> Path | None:
    """What a text names, if it is there."""
    text = text.removeprefix(_SQLITE)
    if not text or "\0" in text:
        return None
    try:
        path = (config.home / text).resolve()
        return path if path.is_file() or path.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # too long for a path, or a circle of links
        return None


def _there(paths: Iterable[str]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(path.resolve() for path in map(Path, paths) if path.exists()))


def _limits(limits: PluginLimits, scratch_mib: int = 0) -> Limits:
    return Limits(memory_mib=limits.memory_mib, seconds=limits.seconds, scratch_mib=scratch_mib)
