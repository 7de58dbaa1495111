"""Registries as one file, for nodes without a connection; and how a node takes one over."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from folkmoot_kit.provenance.canonical_json import MAX_BYTES, damaged
from folkmoot_kit.provenance.newest_registry import NewestRegistry
from folkmoot_kit.provenance.registry_index import (
    INDEX,
    MAX_DOCUMENTS,
    Index,
    Registry,
    digest,
    require_key,
)
from folkmoot_kit.provenance.signed import Signed, read_bounded, read_signed
from folkmoot_kit.provenance.trusted_keys import TrustedKeys
from folkmoot_operator.output_places import writing_to
from folkmoot_operator.private_files import delete_private, make_private_folder, write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import is_known, unusable

MAX_BUNDLE_BYTES = 512 * 1024 * 1024
"""Bytes of all files of a bundle together."""
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The date of all files in it: the same registry is the same bundle, byte for byte."""

_NO_BUNDLE = (
    "is no bundle of a registry, or not all of it is there: a bundle is the file that "
    "`folkmoot-plugin registry bundle` writes"
)


def write_bundle(registry: Registry, path: Path) -> None:
    """Writes a registry as one file.

    Args:
        registry: The registry.
        path: A zip file, replaced if it is there.

    Raises:
        Problem: If one of its documents is missing or was changed.
        UnusableFile: If it cannot be written.
    """
    contents = {one: registry.read(one) for one in registry.index.body.documents}
    contents[INDEX] = read_bounded(registry.folder / INDEX, "the registry")
    with writing_to(path), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, contents[name])


def import_registry(
    source: Path, folder: Path, trusted: TrustedKeys, newest: NewestRegistry
) -> Index:
    """Takes over a registry, if it is whole, of the right key and not older than one seen before.

    Nothing is changed before all of it has been looked at. If the process ends in between, the old
    list or the new one is there, with the documents that it names.

    Args:
        source: A bundle, or a folder.
        folder: Where the node keeps its registry.
        trusted: Whose key must have signed the list.
        newest: What was seen before.

    Returns:
        The list.

    Raises:
        Problem: Exit code VERIFICATION, if it is not to be taken over.
        UnusableFile: If a file cannot be used now.
    """
    index, documents, content = _read(source)
    require_key(index, trusted)
    newest.require(index)
    with writing_to(folder):
        make_private_folder(folder)
        for path, held in documents.items():
            make_private_folder((folder / path).parent)
            write_private(folder / path, held, replace=True)
        write_private(folder / INDEX, content, replace=True)
        _delete_others(folder, index.body)
    newest.accept(index)
    return index.body


def check_registry(source: Path) -> Signed[Index]:
    """Reads a registry or a bundle, all of it, and checks that it is whole.

    Raises:
        Problem: Exit code VERIFICATION, naming the file that is missing or was changed.
    """
    return _read(source)[0]


def _read(source: Path) -> tuple[Signed[Index], dict[str, bytes], bytes]:
    if source.is_dir():
        if not (source / INDEX).exists():
            raise Problem(
                f"holds no registry: it has no {INDEX}",
                where=str(source),
                remedy="Name the folder in which the registry is, or its bundle; "
                "`folkmoot-plugin registry init` makes a new one",
                exit_code=ExitCode.SETTINGS,
            )
        content = read_bounded(source / INDEX, "the registry")
        index = read_signed(Index, content, str(source / INDEX))
        registry = Registry(source, index)
        return index, {path: registry.read(path) for path in index.body.documents}, content
    contents = dict(_unpacked(source))
    if INDEX not in contents:
        raise damaged(str(source), f"is no bundle: it has no {INDEX}")
    index = read_signed(Index, contents[INDEX], f"{source}: {INDEX}")
    return index, dict(_listed(source, index.body, contents)), contents[INDEX]


def _listed(
    source: Path, index: Index, contents: Mapping[str, bytes]
) -> Iterator[tuple[str, bytes]]:
    for path, of in index.documents.items():
        if path not in contents:
            raise damaged(f"{source}: {path}", "is missing from the bundle")
        if digest(contents[path]) != of:
            raise damaged(f"{source}: {path}", "is not the file that the registry lists")
        yield path, contents[path]


def _unpacked(source: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a bundle; bounded before they are read."""
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            if len(members) > MAX_DOCUMENTS + 1 or (
                sum(one.file_size for one in members) > MAX_BUNDLE_BYTES
            ):
                raise damaged(str(source), "is too large for a registry")
            names = [one.filename for one in members]
            if len(set(names)) != len(names):
                raise damaged(str(source), "has two files of one name")
            for one in members:
                if one.file_size > MAX_BYTES:
                    raise damaged(f"{source}: {one.filename[:80]!r}", "is too long")
                with archive.open(one) as file:
                    yield one.filename, file.read(MAX_BYTES)
    except OSError as error:
        if not is_known(error):
            raise damaged(str(source), "is no bundle, or is damaged") from None
        raise unusable(error, source, "the bundle") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise damaged(str(source), _NO_BUNDLE) from None


def _delete_others(folder: Path, index: Index) -> None:
    """Deletes documents that the list no longer names."""
    for path in sorted(folder.rglob("*.json")):
        name = path.relative_to(folder).as_posix()
        if name != INDEX and name not in index.documents:
            delete_private(path)
