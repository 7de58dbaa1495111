"""One file that holds a backup: a tar archive, encrypted by age to those who may open it.

The form is that of two tools which will outlive this program: `age --decrypt -i KEY FILE | tar -x`
opens it. First in the archive is `about.json`, last `digests.json`; between them are the files
of a home, under `home/`. Nothing is held in memory but the piece that is on its way, and nothing
is written in the clear: one thread packs, the other encrypts.

Needs the extra `backups`; `pyrage` is imported where a file is written or read.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from folkmoot_operator.age_encryption import (
    PIECE,
    WHAT,
    Decrypting,
    Digested,
    damaged,
    encrypt,
    read_identities,
)
from folkmoot_operator.private_files import (
    OWNER_ONLY,
    delete_private,
    make_private_folder,
    writing_private,
)
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import unusable

SUFFIX = ".folkmoot-backup"
_ABOUT, _DIGESTS, _HOME = "about.json", "digests.json", "home/"
_MAX_ABOUT, _MAX_DIGESTS = 1 << 20, 1 << 26


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("has signs that cannot be printed")
    return value


_Text = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
_Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,40}$")]


class About(BaseModel):
    """What a backup says of itself. Holds nothing derived from residents' records.

    Anybody can have written it: what it says is checked before it is used or shown.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = 1
    """Version of the archive's form."""
    program: _Text
    """`folkmoot-node` or `folkmoot-coordinator`."""
    version: _Text
    """Its version."""
    name: _Text
    """Council or region."""
    made_at: _Text
    """ISO 8601, UTC."""
    versions: dict[_Text, _Version] = {}
    """Version of the tables of each database, by what it is called."""
    heads: dict[_Text, _Text] = {}
    """Where each hash-chained log ended."""
    store_key: _Text | None = None
    """Name in the home of the key of the store of households, if it is in the backup."""
    expires: date | None = None
    """Last day on which the store's key in it may be used."""
    left_out: tuple[str, ...] = ()
    """What of the home is not in it, and why, as sentences; names of files in them can be odd."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that goes into a backup.

    Attributes:
        name: Where it lies in the home, with `/`.
        path: Where it is read.
    """

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Written:
    """A backup that was written.

    Attributes:
        path: The file.
        sha256: Of the whole encrypted file, hexadecimal.
        size: In bytes.
        files: Number of files of the home in it.
    """

    path: Path
    sha256: str
    size: int
    files: int


@dataclass(frozen=True, slots=True)
class Read:
    """A backup that was read to its end, every digest as it was.

    Attributes:
        about: What it says of itself.
        sha256: Of the whole encrypted file, hexadecimal.
        size: In bytes.
        files: Number of files of the home in it.
    """

    about: About
    sha256: str
    size: int
    files: int


def write_backup(
    path: Path,
    about: About,
    sources: Iterable[Source],
    recipients: Sequence[str],
    packed: Callable[[Source], None] = lambda _: None,
) -> Written:
    """Writes a backup: whole and durable under its name, or not there at all.

    Args:
        path: The file, in a folder that exists; it must not exist.
        about: What it says of itself.
        sources: The files; each is opened when its turn comes.
        recipients: Public keys, `age1...`, one at least.
        packed: Told of each file when it is in.

    Raises:
        UnusableFile: If the backup cannot be written, or a source cannot be read, now.
    """
    from pyrage import x25519  # type: ignore[import-untyped]

    if not recipients:
        raise ValueError("a backup has a recipient")
    if os.path.lexists(path):
        raise Problem(
            "exists already",
            where=str(path),
            remedy="Wait a minute: the name has the time in it",
            exit_code=ExitCode.REFUSED,
        )
    keys = [x25519.Recipient.from_str(key) for key in recipients]
    try:
        with writing_private(path, replace=True) as unfinished, unfinished.open("wb") as file:
            out, packing = Digested(file), _Packing(about, sources, packed)
            encrypt(packing.into, out, keys)
            if packing.error is not None:
                raise packing.error
    except OSError as error:
        raise unusable(error, path, WHAT) from None
    return Written(path, out.hexdigest(), out.size, packing.files)


def read_backup(
    path: Path,
    identity: Path,
    begin: Callable[[About], None] = lambda _: None,
    take: Callable[[str, IO[bytes]], None] | None = None,
) -> Read:
    """Reads a backup to its end, and checks every digest and that nothing is missing.

    Args:
        path: The file.
        identity: File of a private key.
        begin: Given what the backup says of itself, before any file. May raise.
        take: Given the name of each file in the home, and its content; None to pass over them.
            It must read nothing after it returns.

    Raises:
        Problem: Exit code SETTINGS, if it was made for another key; VERIFICATION, if it is
            damaged, cut short or not what this program writes.
        UnusableFile: If it cannot be read now.
    """
    keys = read_identities(identity)
    reading, writing = (
        os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True)
    )
    unpacking = Decrypting(path, keys, writing)
    unpacking.start()
    try:
        with reading:
            try:
                about, files = _unpack(reading, begin, take)
                while reading.read(PIECE):
                    pass
            except (tarfile.TarError, _NotOurs, EOFError) as error:
                reading.close()
                unpacking.join()
                raise (unpacking.problem() or damaged(path, str(error))) from None
    finally:
        unpacking.join()
    problem = unpacking.problem()
    if problem is not None:
        raise problem
    return Read(about, unpacking.source.hexdigest(), unpacking.source.size, files)


class _NotOurs(Exception):
    """What is in an archive that this program has not written so."""


class _Packing:
    """Packs the archive into a pipe, in a thread of its own."""

    def __init__(
        self, about: About, sources: Iterable[Source], packed: Callable[[Source], None]
    ) -> None:
        self._about, self._sources, self._packed = about, sources, packed
        self.files = 0
        self.error: BaseException | None = None

    def into(self, pipe: IO[bytes]) -> None:
        try:
            with pipe, tarfile.open(fileobj=pipe, mode="w|", format=tarfile.PAX_FORMAT) as archive:
                digests: dict[str, dict[str, Any]] = {}
                _add(archive, _ABOUT, self._about.model_dump_json(indent=1).encode())
                for source in self._sources:
                    try:
                        digests[source.name] = _add_file(archive, source)
                    except FileNotFoundError:  # deleted since it was seen: so it is at that moment
                        continue
                    self.files += 1
                    self._packed(source)
                _add(archive, _DIGESTS, json.dumps(digests).encode())
        except BaseException as error:  # it is raised where the archive is encrypted
            self.error = error


def _unpack(
    pipe: IO[bytes],
    begin: Callable[[About], None],
    take: Callable[[str, IO[bytes]], None] | None,
) -> tuple[About, int]:
    found: dict[str, dict[str, Any]] = {}
    about: About | None = None
    digests: Any = None
    with tarfile.open(fileobj=pipe, mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is None or digests is not None:
                raise _NotOurs("something is in it that does not belong there")
            if about is None:
                about = _about(member, content)
                begin(about)
            elif member.name == _DIGESTS:
                digests = _digests(member, content)
            else:
                name = _name_in_home(member.name)
                if name in found:
                    raise _NotOurs("a file is in it twice")
                inside = Digested(content)
                if take is not None:
                    take(name, inside)  # type: ignore[arg-type]
                while inside.read(PIECE):
                    pass
                found[name] = {"sha256": inside.hexdigest(), "size": inside.size}
    if about is None or digests is None:
        raise _NotOurs("it ends too early")
    if digests != found:
        wrong = sorted(name for name in {*digests, *found} if digests.get(name) != found.get(name))
        raise _NotOurs(f"files that are not as they were: {len(wrong)} ({', '.join(wrong[:3])})")
    return about, len(found)


def _about(member: tarfile.TarInfo, content: IO[bytes]) -> About:
    if member.name != _ABOUT or member.size > _MAX_ABOUT:
        raise _NotOurs("it does not begin as a backup does")
    text = content.read()
    try:
        return About.model_validate_json(text)
    except ValidationError as wrong:
        fields = ", ".join(
            dict.fromkeys(str(one["loc"][0]) for one in wrong.errors() if one["loc"])
        )
    try:
        said = json.loads(text)
        form, version = int(said["format"]), str(said["version"])[:40]
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        raise _NotOurs("what it says of itself cannot be read") from None
    if form == 1:
        raise _NotOurs(f"what it says of itself is wrong: {fields}")
    raise Problem(
        f"the backup was written by version {version}, in form {form}; this program reads form 1",
        where=_ABOUT,
        remedy=f"Install version {version} or a later one",
        exit_code=ExitCode.SETTINGS,
    )


def _digests(member: tarfile.TarInfo, content: IO[bytes]) -> dict[str, Any]:
    try:
        found = json.loads(content.read()) if member.size <= _MAX_DIGESTS else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _NotOurs("its list of digests cannot be read")
    return found


def _name_in_home(name: str) -> str:
    """The name of a file in the home; what would lie outside of it is refused."""
    parts = name.split("/")[1:]
    # An empty part would make an absolute path of the rest, and "." a second name of a file.
    if not name.startswith(_HOME) or {"", ".", ".."} & {*parts} or "\0" in name:
        raise _NotOurs("a file in it lies outside the home")
    return name.removeprefix(_HOME)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), OWNER_ONLY
    archive.addfile(member, io.BytesIO(content))


def _add_file(archive: tarfile.TarFile, source: Source) -> dict[str, Any]:
    """Adds a file as long as it is when it is opened."""
    # What became a link since it was seen could lead to a key that is to stay out.
    handle = os.open(source.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        member = tarfile.TarInfo(f"{_HOME}{source.name}")
        member.size, member.mode, member.mtime = (
            found.st_size,
            found.st_mode & 0o777,
            int(found.st_mtime),
        )
        inside = Digested(file)
        archive.addfile(member, inside)
        return {"sha256": inside.hexdigest(), "size": inside.size}


@contextmanager
def emptied(folder: Path) -> Iterator[Path]:
    """A private, empty folder for copies on their way into a backup; gone afterwards.

    What a run that was killed has left there goes first.
    """
    delete_private(folder)
    make_private_folder(folder)
    try:
        yield folder
    finally:
        delete_private(folder)
