"""Reads a wheel without installing it, and refuses what a plugin's wheel must not hold.

A wheel is an archive that anybody may have made. Nothing in it is run, everything is bounded before
it is read, and each file must be the one that the wheel's own RECORD names.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import IO

from packaging.utils import canonicalize_name, canonicalize_version

from folkmoot_kit.provenance import wheel_contents
from folkmoot_kit.provenance.content import SHA256, counts, digest_of_files
from folkmoot_kit.provenance.wheel_contents import bad_wheel
from folkmoot_kit.provenance.words import one_line
from folkmoot_operator.unusable_files import is_known, unusable

MAX_WHEEL_BYTES = 256 * 1024 * 1024
"""Length of the largest wheel."""
MAX_CONTENT_BYTES = 1024 * 1024 * 1024
"""Bytes of all its files together."""
MAX_FILES = 10_000
"""Files of a wheel."""
_MAX_LISTED = 4 * 1024 * 1024
"""Bytes of RECORD, METADATA and other files that are read as a whole."""
_READ_WHOLE = ("RECORD", "METADATA", "entry_points.txt")
_SBOMS = "sboms/"
_MAX_SBOMS = 10
_MAX_RATIO = 200
"""How much smaller a file may be in the archive; code and tables come to a tenth."""
_PIECE = 1024 * 1024
_ENCRYPTED = 0x1
_FILE_NAME = re.compile(
    r"(?P<name>[A-Za-z0-9._]+)-(?P<version>[A-Za-z0-9._!+]+)"
    r"(-[0-9][A-Za-z0-9_.]*)?-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl"
)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that was read and is sound.

    Attributes:
        path: The file.
        name: Name of the distribution, normalised: `folkmoot-plugin-energy-debt`.
        version: Its version.
        digest: Of the file: `sha256:` and 64 hexadecimal digits.
        files: SHA-256 of each file that will be installed, hexadecimal, by its path in the folder
            of packages.
        requirements: What it requires, as `Requires-Dist` has it.
        licence: What it says of its licence; empty if nothing.
        entry_points: What it offers to others.
        sboms: Its lists of components, by path: files in `*.dist-info/sboms/`.
    """

    path: Path
    name: str
    version: str
    digest: str
    files: Mapping[str, str]
    requirements: tuple[str, ...]
    licence: str
    entry_points: EntryPoints
    sboms: Mapping[str, bytes]

    @property
    def counted(self) -> dict[str, str]:
        """The files that count for its digest; not those that installers write over."""
        return {path: of for path, of in self.files.items() if counts(path)}

    @property
    def content(self) -> str:
        """The digest of what it installs; `Installed.content` is the same once it is."""
        return digest_of_files(self.counted)

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.name} {self.version}"


def wheel_digest(path: Path) -> str:
    """SHA-256 of a wheel's file, `sha256:` and 64 hexadecimal digits.

    Raises:
        UnusableFile: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return SHA256 + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        if not is_known(error):
            raise
        raise unusable(error, path, "the wheel") from None


def read_wheel(path: Path) -> Wheel:
    """Reads a wheel, all of it.

    Args:
        path: A file whose name ends with `.whl`.

    Raises:
        Problem: Exit code VERIFICATION, naming the file in the wheel, if the wheel is damaged or
            holds what a plugin must not bring.
        UnusableFile: If it cannot be read.
    """
    named = _FILE_NAME.fullmatch(path.name)
    if named is None:
        raise bad_wheel(path, "", "its name is not the name of a wheel")
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(path.stat().st_mode) or path.stat().st_size > MAX_WHEEL_BYTES:
                raise bad_wheel(path, "", f"it is longer than {MAX_WHEEL_BYTES} bytes, or no file")
            digest = SHA256 + hashlib.file_digest(file, "sha256").hexdigest()
            return _read(path, file, digest, named["name"], named["version"])
    except OSError as error:
        if not is_known(error):
            raise bad_wheel(path, "", "it is damaged") from None
        raise unusable(error, path, "the wheel") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise bad_wheel(path, "", "it is damaged, or not all of it is there") from None


def unpack_wheel(wheel: Wheel, folder: Path) -> None:
    """Puts the files of a wheel where an installer would, to look at it without installing it.

    Args:
        wheel: A wheel that was read.
        folder: A folder for packages, of this account alone.

    Raises:
        Problem: If the wheel was changed since it was read.
    """
    about = next(path for path in wheel.files if path.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel.path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            name = wheel_contents.place_of(wheel.path, member.filename, about.partition("/")[0])
            with archive.open(member) as file:
                content = file.read(MAX_CONTENT_BYTES)
            if hashlib.sha256(content).hexdigest() != wheel.files.get(name):
                raise bad_wheel(wheel.path, name, "it was changed while it was looked at")
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def _read(path: Path, file: IO[bytes], digest: str, name: str, version: str) -> Wheel:
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        raise bad_wheel(path, "", "something else stands in front of the archive")
    with zipfile.ZipFile(file) as archive:
        members = _members(path, archive)
        about = wheel_contents.about_folder(path, members, name, version)
        digests, kept = _digests(path, archive, members, about)
    _compare_with_record(path, digests, kept[f"{about}/RECORD"], about)
    files = wheel_contents.as_installed(path, digests, about)
    metadata = message_from_bytes(kept.get(f"{about}/METADATA", b""))
    _require_same_name(path, metadata, name, version)
    points = _entry_points(path, kept.get(f"{about}/entry_points.txt", b""))
    wheel_contents.require_harmless(path, files, points, about)
    return Wheel(
        path=path,
        name=canonicalize_name(name),
        version=canonicalize_version(version, strip_trailing_zero=False),
        digest=digest,
        files=files,
        requirements=tuple(str(one) for one in metadata.get_all("Requires-Dist") or ()),
        licence=one_line(
            str(metadata.get("License-Expression") or metadata.get("License") or "")[:200]
        ),
        entry_points=points,
        sboms={one: held for one, held in kept.items() if one.startswith(f"{about}/{_SBOMS}")},
    )


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by name, once it is certain that there are not too many."""
    found = archive.infolist()
    if len(found) > MAX_FILES:
        raise bad_wheel(path, "", f"it holds more than {MAX_FILES} files")
    if sum(one.file_size for one in found) > MAX_CONTENT_BYTES:
        raise bad_wheel(path, "", f"its files are longer than {MAX_CONTENT_BYTES} bytes together")
    if archive.comment or not found or min(one.header_offset for one in found) != 0:
        raise bad_wheel(path, "", "something else stands before or after the archive")
    members: dict[str, zipfile.ZipInfo] = {}
    for one in found:
        # The name as the archive has it: Python cuts it at a null byte, other installers do not.
        name = one.orig_filename
        wheel_contents.require_plain_path(path, name)
        if name in members:
            raise bad_wheel(path, name, "there are two files of this name")
        mode = stat.S_IFMT(one.external_attr >> 16)
        if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise bad_wheel(path, name, "it is a link or a device, and no file")
        if one.flag_bits & _ENCRYPTED:
            raise bad_wheel(path, name, "it is encrypted")
        if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise bad_wheel(path, name, "it is compressed in a way that wheels do not use")
        if one.file_size > _PIECE and one.file_size > _MAX_RATIO * one.compress_size:
            raise bad_wheel(path, name, "it is compressed so much that it must be a bomb")
        members[name] = one
    wheel_contents.require_one_meaning(path, members)
    return {name: one for name, one in members.items() if not name.endswith("/")}


def _digests(
    path: Path, archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], about: str
) -> tuple[dict[str, tuple[str, int]], dict[str, bytes]]:
    """SHA-256 and length of each file, and the bytes of those that say something of the wheel."""
    digests: dict[str, tuple[str, int]] = {}
    kept: dict[str, bytes] = {}
    sboms = [name for name in members if name.startswith(f"{about}/{_SBOMS}")]
    if len(sboms) > _MAX_SBOMS:
        raise bad_wheel(path, sboms[-1], f"there are more than {_MAX_SBOMS} lists of components")
    whole = {*sboms, *(f"{about}/{name}" for name in _READ_WHOLE)}
    for name, member in members.items():
        is_kept = name in whole
        if is_kept and member.file_size > _MAX_LISTED:
            raise bad_wheel(path, name, f"it is longer than {_MAX_LISTED} bytes")
        digest, pieces, length = hashlib.sha256(), [], 0
        with archive.open(member) as file:
            while piece := file.read(_PIECE):
                length += len(piece)
                digest.update(piece)
                if is_kept:
                    pieces.append(piece)
        if length != member.file_size:
            raise bad_wheel(path, name, "it is shorter than the archive says")
        digests[name] = (digest.hexdigest(), length)
        if is_kept:
            kept[name] = b"".join(pieces)
    return digests, kept


def _compare_with_record(
    path: Path, found: Mapping[str, tuple[str, int]], record: bytes, about: str
) -> None:
    stated: dict[str, tuple[str, str]] = {}
    try:
        for name, digest, size in csv.reader(io.StringIO(record.decode("utf-8")), strict=True):
            if name in stated:
                raise bad_wheel(path, name, "RECORD names it twice")
            stated[name] = (digest, size)
    except (ValueError, csv.Error):
        raise bad_wheel(path, f"{about}/RECORD", "it is no list of files") from None
    for name in sorted(found.keys() - stated.keys()):
        raise bad_wheel(path, name, "RECORD does not name it")
    for name in sorted(stated.keys() - found.keys()):
        raise bad_wheel(path, name, "RECORD names it, and it is not there")
    for name, (digest, length) in found.items():
        if name == f"{about}/RECORD":
            continue
        coded = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
        if stated[name] != (f"sha256={coded}", str(length)):
            raise bad_wheel(path, name, "it is not the file that RECORD names: it was changed")


def _require_same_name(path: Path, metadata: Message, name: str, version: str) -> None:
    said = str(metadata.get("Name", "")), str(metadata.get("Version", ""))
    if canonicalize_name(said[0]) != canonicalize_name(name) or (
        canonicalize_version(said[1]) != canonicalize_version(version)
    ):
        raise bad_wheel(path, "METADATA", "it names another distribution than the wheel's name")


def _entry_points(path: Path, text: bytes) -> EntryPoints:
    """What `entry_points.txt` lists, read without the distribution."""
    group, found = "", []
    try:
        lines: Iterable[str] = text.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise bad_wheel(path, "entry_points.txt", "it is not UTF-8 text") from None
    for line in (one.strip() for one in lines):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif line and not line.startswith(("#", ";")):
            name, equals, value = line.partition("=")
            if not equals or not group:
                raise bad_wheel(path, "entry_points.txt", "it is no list of entry points")
            found.append(EntryPoint(name.strip(), value.strip(), group))
    return EntryPoints(found)
