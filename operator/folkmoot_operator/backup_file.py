"""One file that holds a backup: a tar archive, encrypted by age to those who may open it.

The form is that of two tools which will outlive this program: `age --decrypt -i KEY FILE | tar -x`
opens it. First in the archive is `about.json`, last `digests.json`; between them are the files
of a home, under `home/`. Nothing is held in memory but the piece that is on its way, and nothing
is written in the clear: one thread packs, the other encrypts.

Needs the extra `backups`; `pyrage` is imported where a file is written or read.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from folkmoot_operator.private_files import (
    OWNER_ONLY,
    delete_private,
    is_open_to_others,
    make_private_folder,
    write_private,
    writing_private,
)
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.short_files import read_short_file
from folkmoot_operator.unusable_files import unusable

PIECE = 1 << 20
"""Bytes that are read, encrypted and written at a time."""
SUFFIX = ".folkmoot-backup"
_ABOUT, _DIGESTS, _HOME = "about.json", "digests.json", "home/"
_MAX_ABOUT = 1 << 20
_WHAT = "the backup"


class About(BaseModel):
    """What a backup says of itself. Holds nothing derived from residents' records."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = 1
    """Version of the archive's form."""
    program: str
    """`folkmoot-node` or `folkmoot-coordinator`."""
    version: str
    """Its version."""
    name: str
    """Council or region."""
    made_at: str
    """ISO 8601, UTC."""
    versions: dict[str, str] = {}
    """Version of the tables of each database, by what it is called."""
    heads: dict[str, str] = {}
    """Where each hash-chained log ended."""
    store_key: str | None = None
    """Name in the home of the key of the store of households, if it is in the backup."""
    expires: str | None = None
    """Last day on which the store's key in it may be used, ISO 8601."""
    left_out: tuple[str, ...] = ()
    """What of the home is not in it, and why, as sentences."""


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


def make_key(path: Path) -> str:
    """Writes a new private key of age, for its owner alone.

    Returns:
        The public key, `age1...`.

    Raises:
        Problem: Exit code SETTINGS, if the file exists.
    """
    from pyrage import x25519  # type: ignore[import-untyped]

    identity = x25519.Identity.generate()
    public = str(identity.to_public())
    text = f"# public key: {public}\n{identity}\n"
    try:
        write_private(path, text.encode("ascii"), replace=False)
    except FileExistsError:
        raise Problem(
            "exists already; a new key would not open the backups made for the old one",
            where=str(path),
            remedy="Name another file",
            exit_code=ExitCode.SETTINGS,
        ) from None
    except OSError as error:
        raise unusable(error, path, "the key of backups") from None
    return public


def read_identities(path: Path) -> list[Any]:
    """The private keys of age in a file, as `backup keygen` and `age-keygen` write it.

    Raises:
        Problem: Exit code SETTINGS, if there is none, or other accounts may read them.
    """
    from pyrage import IdentityError, x25519

    try:
        open_to_others = is_open_to_others(path)
        lines = read_short_file(path).decode("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise unusable(error, path, "the key of backups") from None
    if open_to_others:
        raise Problem(
            "other accounts can read the key of backups",
            where=str(path),
            remedy=f"Run: chmod 600 {path}",
            exit_code=ExitCode.SETTINGS,
        )
    wanted = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        found = [x25519.Identity.from_str(line) for line in wanted]
    except (IdentityError, ValueError):
        found = []
    if not found:
        raise Problem(
            "holds no private key of age (AGE-SECRET-KEY-1...)",
            where=str(path),
            remedy="Name the file that `backup keygen` wrote",
            exit_code=ExitCode.SETTINGS,
        )
    return found


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
    from pyrage import x25519

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
            out, packing = _Hashing(file), _Packing(about, sources, packed)
            _encrypt(packing, out, keys)
    except OSError as error:
        raise unusable(error, path, _WHAT) from None
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
    unpacking = _Decrypting(path, keys, writing)
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
                raise (unpacking.problem() or _damaged(path, str(error))) from None
    finally:
        unpacking.join()
    problem = unpacking.problem()
    if problem is not None:
        raise problem
    return Read(about, unpacking.source.hexdigest(), unpacking.source.size, files)


class _NotOurs(Exception):
    """What is in an archive that this program has not written so."""


class _Hashing(io.RawIOBase):
    """A file on its way, digested and counted; keeps the error that ended it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0
        self.error: OSError | None = None

    def hexdigest(self) -> str:
        return self._digest.hexdigest()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        try:
            self._file.write(piece)
        except OSError as error:
            self.error = error
            raise
        self._digest.update(piece)
        self.size += len(piece)
        return len(piece)

    def read(self, size: int = -1) -> bytes:
        try:
            piece = self._file.read(PIECE if size < 0 else size)
        except OSError as error:
            self.error = error
            raise
        self._digest.update(piece)
        self.size += len(piece)
        return piece

    def flush(self) -> None:
        if not self._file.closed:
            self._file.flush()


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


def _encrypt(packing: _Packing, out: _Hashing, keys: list[Any]) -> None:
    import pyrage

    reading, writing = (
        os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True)
    )
    thread = Thread(target=packing.into, args=(writing,), name="packing", daemon=True)
    thread.start()
    try:
        with reading:
            pyrage.encrypt_io(reading, out, keys)
            out.flush()
    except Exception:
        thread.join()
        if out.error is not None:
            raise out.error from None
        raise
    finally:
        thread.join()
    if packing.error is not None:
        raise packing.error


class _Decrypting(Thread):
    """Decrypts a backup into a pipe."""

    source: _Hashing

    def __init__(self, path: Path, keys: list[Any], pipe: IO[bytes]) -> None:
        super().__init__(name="decrypting", daemon=True)
        self._path, self._keys, self._pipe = path, keys, pipe
        self._error: BaseException | None = None
        try:
            self._file = path.open("rb")
        except OSError as error:
            pipe.close()
            raise unusable(error, path, _WHAT) from None
        self.source = _Hashing(self._file)

    def run(self) -> None:
        import pyrage

        try:
            with self._file, self._pipe:
                pyrage.decrypt_io(self.source, self._pipe, self._keys)
                while self.source.read(PIECE):  # what was put after its end is digested too
                    pass
        except BaseException as error:  # it is worded where the archive is read
            self._error = error

    def problem(self) -> Problem | None:
        """Why it could not be decrypted; None if it was, or if nobody read on."""
        import pyrage

        if self.source.error is not None:
            return unusable(self.source.error, self._path, _WHAT)
        if self._error is None or isinstance(self._error, BrokenPipeError):
            return None
        if isinstance(self._error, pyrage.DecryptError) and "No matching keys" in str(self._error):
            return Problem(
                "was made for other keys than this one",
                where=str(self._path),
                remedy="Name the private key of one of its recipients with --identity",
                exit_code=ExitCode.SETTINGS,
            )
        return _damaged(self._path, "it cannot be decrypted to its end")


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
                digests = _json(content)
            else:
                name = _name_in_home(member.name)
                if name in found:
                    raise _NotOurs("a file is in it twice")
                inside = _Hashing(content)
                if take is not None:
                    take(name, inside)  # type: ignore[arg-type]
                while inside.read(PIECE):
                    pass
                found[name] = {"sha256": inside.hexdigest(), "size": inside.size}
    if about is None or digests is None:
        raise _NotOurs("it ends too early")
    if digests != found:
        wrong = sorted(name for name in {*digests, *found} if digests.get(name) != found.get(name))
        raise _NotOurs(f"{len(wrong)} files are not as they were: {', '.join(wrong[:3])}")
    return about, len(found)


def _about(member: tarfile.TarInfo, content: IO[bytes]) -> About:
    if member.name != _ABOUT or member.size > _MAX_ABOUT:
        raise _NotOurs("it does not begin as a backup does")
    text = content.read()
    try:
        return About.model_validate_json(text)
    except ValidationError:
        pass
    try:
        said = json.loads(text)
        form, version = said["format"], said["version"]
    except (ValueError, KeyError, TypeError):
        raise _NotOurs("what it says of itself cannot be read") from None
    raise Problem(
        f"the backup was written by version {version}, in form {form}; this program reads form 1",
        where=_ABOUT,
        remedy=f"Install version {version} or a later one",
        exit_code=ExitCode.SETTINGS,
    )


def _json(content: IO[bytes]) -> Any:
    try:
        return json.loads(content.read())
    except ValueError:
        raise _NotOurs("its list of digests cannot be read") from None


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
    with source.path.open("rb") as file:
        found = os.fstat(file.fileno())
        member = tarfile.TarInfo(f"{_HOME}{source.name}")
        member.size, member.mode, member.mtime = (
            found.st_size,
            found.st_mode & 0o777,
            int(found.st_mtime),
        )
        inside = _Hashing(file)
        archive.addfile(member, inside)
        return {"sha256": inside.hexdigest(), "size": inside.size}


def _damaged(path: Path, how: str) -> Problem:
    return Problem(
        f"the backup is damaged or no backup of Folkmoot: {how}",
        where=str(path),
        remedy="Use another one: `backup list` shows them. Nothing was changed",
        exit_code=ExitCode.VERIFICATION,
    )


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
