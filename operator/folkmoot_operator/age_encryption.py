"""Encryption by age: its keys in files, and streams that are encrypted or decrypted on their way.

Nothing is held in memory but the piece that is on its way: one thread writes or reads, the other
encrypts or decrypts. Needs the extra `backups`; `pyrage` is imported where it is used.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import IO, Any

from folkmoot_operator.private_files import is_open_to_others, write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.short_files import read_short_file
from folkmoot_operator.unusable_files import unusable

PIECE = 1 << 20
"""Bytes that are read, encrypted and written at a time."""
WHAT = "the backup"
"""What messages call the encrypted file."""


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


class Digested(io.RawIOBase):
    """A file on its way, digested and counted; keeps the error that ended it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0
        self.error: OSError | None = None

    def hexdigest(self) -> str:
        """SHA-256 of what has passed."""
        return self._digest.hexdigest()

    def readable(self) -> bool:
        """As any stream."""
        return True

    def writable(self) -> bool:
        """As any stream."""
        return True

    def write(self, piece: Any) -> int:
        """Writes and digests."""
        try:
            self._file.write(piece)
        except OSError as error:
            self.error = error
            raise
        self._digest.update(piece)
        self.size += len(piece)
        return len(piece)

    def read(self, size: int = -1) -> bytes:
        """Reads and digests; a piece where no size is given."""
        try:
            piece = self._file.read(PIECE if size < 0 else size)
        except OSError as error:
            self.error = error
            raise
        self._digest.update(piece)
        self.size += len(piece)
        return piece

    def flush(self) -> None:
        """Flushes the file, unless it is closed."""
        if not self._file.closed:
            self._file.flush()


def encrypt(pack: Callable[[IO[bytes]], None], out: Digested, keys: list[Any]) -> None:
    """Encrypts what is written into a pipe, while it is written.

    Args:
        pack: Writes into the pipe and closes it, in a thread of its own; raises nothing.
        out: Where the encrypted bytes go.
        keys: Recipients.

    Raises:
        OSError: That of `out`.
    """
    import pyrage

    reading, writing = (
        os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True)
    )
    thread = Thread(target=pack, args=(writing,), name="packing", daemon=True)
    thread.start()
    try:
        with reading:
            pyrage.encrypt_io(reading, out, keys)
            out.flush()
    except pyrage.EncryptError:  # it has the words of what `out` raised, and not the kind
        if out.error is not None:
            raise out.error from None
        raise
    finally:
        thread.join()


class Decrypting(Thread):
    """Decrypts a backup into a pipe."""

    source: Digested

    def __init__(self, path: Path, keys: list[Any], pipe: IO[bytes]) -> None:
        super().__init__(name="decrypting", daemon=True)
        self._path, self._keys, self._pipe = path, keys, pipe
        self._error: BaseException | None = None
        try:
            self._file = path.open("rb")
        except OSError as error:
            pipe.close()
            raise unusable(error, path, WHAT) from None
        self.source = Digested(self._file)

    def run(self) -> None:
        """Decrypts to the end of the file, and closes the pipe."""
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
            return unusable(self.source.error, self._path, WHAT)
        if self._error is None or isinstance(self._error, BrokenPipeError):
            return None
        if isinstance(self._error, pyrage.DecryptError) and "No matching keys" in str(self._error):
            return Problem(
                "was made for other keys than this one",
                where=str(self._path),
                remedy="Name the private key of one of its recipients with --identity",
                exit_code=ExitCode.SETTINGS,
            )
        return damaged(self._path, "it cannot be decrypted to its end")


def damaged(path: Path, how: str) -> Problem:
    """The problem that a backup is not what this program wrote."""
    return Problem(
        f"the backup is damaged or no backup of Folkmoot: {how}",
        where=str(path),
        remedy="Use another one: `backup list` shows them. Nothing was changed",
        exit_code=ExitCode.VERIFICATION,
    )
