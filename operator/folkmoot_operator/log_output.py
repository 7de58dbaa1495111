"""Where events go: lines for people, JSON, or the journal of systemd; on standard error or a file.

Nothing else gets into the log. What a library says is written as who said it and where in its
code, never in its words: they may quote an address with its query, or a value.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from folkmoot_operator import file_lock
from folkmoot_operator.events import (
    EMITTED,
    LIBRARY_FAILED,
    LIBRARY_WARNED,
    Emitted,
    Level,
    checked,
)
from folkmoot_operator.private_files import open_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.signal_settings import LogSettings

JOURNAL = Path("/run/systemd/journal/socket")
"""Where the journal takes events with fields."""


class Lines(logging.Formatter):
    """An event as a line for people: time in UTC, how severe, what happened."""

    def __init__(
        self, prefix: str = "", words: Mapping[Level, str] | None = None, subject: str = ""
    ) -> None:
        """Formats events.

        Args:
            prefix: Stands before each message.
            words: What each level is called, if not by its name.
            subject: Field whose value goes before the message, with a colon.
        """
        super().__init__()
        self._prefix = prefix
        self._words = words or {level: level.name for level in Level}
        self._subject = subject

    def format(self, record: logging.LogRecord) -> str:
        """The line of an event."""
        emitted = emitted_by(record)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        begin = f"{at} {self._words[emitted.event.level]}"
        if self._subject:
            value = str(emitted.values.get(self._subject, ""))[:12]
            begin += f" {self._subject} {value}:" if value else ":"
        return f"{begin} {self._prefix}{emitted.message}"


class JsonLines(logging.Formatter):
    """An event as one JSON object: `time`, `level`, `event`, `message`, `program`, its fields."""

    def __init__(self, program: str) -> None:
        """Formats events.

        Args:
            program: Which process writes, for example `folkmoot-node`.
        """
        super().__init__()
        self._program = program

    def format(self, record: logging.LogRecord) -> str:
        """The line of an event."""
        emitted = emitted_by(record)
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return json.dumps(
            {
                "time": f"{seconds}.{int(record.msecs):03d}Z",
                "level": emitted.event.level.name.lower(),
                "program": self._program,
                "event": emitted.event.name,
                "message": emitted.message,
                **emitted.values,
            },
            ensure_ascii=False,
        )


def emitted_by(record: logging.LogRecord) -> Emitted:
    """The event that a record of Python's logs is; of a library's, that it said something."""
    emitted = getattr(record, EMITTED, None)
    if isinstance(emitted, Emitted):
        return emitted
    event = LIBRARY_FAILED if record.levelno >= logging.ERROR else LIBRARY_WARNED
    error = record.exc_info[0] if record.exc_info else None
    values = {
        "library": _word(record.name)[:100],
        "line": _word(f"{record.module}.{record.lineno}"),
        "error": _word(error.__name__) if error else "",
    }
    return Emitted(event, dict(checked(event, values)))


def _word(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and (sign.isalnum() or sign in "._-"))


class _Journal(logging.Handler):
    """Sends events to the journal, with their fields: `journalctl FOLKMOOT_EVENT=...`."""

    def __init__(self, program: str, place: Path) -> None:
        super().__init__()
        self._program = program
        self._place = place
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Sends an event; if the journal does not take it, writes it to standard error."""
        emitted = emitted_by(record)
        fields = {
            "MESSAGE": emitted.message,
            "PRIORITY": emitted.event.level.priority,
            "SYSLOG_IDENTIFIER": self._program,
            "FOLKMOOT_EVENT": emitted.event.name,
            **{f"FOLKMOOT_{name.upper()}": value for name, value in emitted.values.items()},
        }
        text = "".join(f"{name}={value}\n" for name, value in fields.items())
        try:
            self._socket.sendto(text.encode(), str(self._place))
        except OSError:
            # The journal reads standard error too, and the level at the beginning of a line.
            with suppress(OSError, ValueError):
                sys.stderr.write(f"<{emitted.event.level.priority}>{emitted.message}\n")


class _File(logging.Handler):
    """Writes to a file that several processes share, and that is set aside when it is large.

    Who renames the file, as logrotate does, needs to tell nobody: the next event opens another.
    """

    def __init__(self, path: Path, size: int, keep: int) -> None:
        super().__init__()
        self._path = path
        self._size = size
        self._keep = keep
        self._stream: IO[bytes] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Writes an event; a full disk loses it, and does not stop the program."""
        try:
            line = f"{self.format(record)}\n".encode()
            self._open().write(line)
            assert self._stream is not None
            self._stream.flush()
            if self._stream.tell() > self._size:
                self._set_aside()
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """What cannot be written to the file goes to standard error."""
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{self.format(record)}\n")

    def close(self) -> None:
        """Closes the file."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()
            self._stream = None
        super().close()

    def _open(self) -> IO[bytes]:
        if self._stream is not None and not self._is_current(self._stream):
            self._stream.close()
            self._stream = None
        if self._stream is None:
            self._stream = open_private(self._path, append=True)
        return self._stream

    def _is_current(self, stream: IO[bytes]) -> bool:
        try:
            there, ours = self._path.stat(), os.fstat(stream.fileno())
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def _set_aside(self) -> None:
        with file_lock.waiting_for_folder(self._path.parent):
            if not self._path.is_file() or self._path.stat().st_size <= self._size:
                return  # another process has done it
            for number in range(self._keep - 1, 0, -1):
                with suppress(FileNotFoundError):
                    self._aside(number).replace(self._aside(number + 1))
            self._path.replace(self._aside(1))

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def is_journal(stream: IO[str], variable: str | None = None) -> bool:
    """Whether systemd has connected a stream to its journal.

    Args:
        stream: Standard error.
        variable: As JOURNAL_STREAM has it: device and inode.
    """
    said = os.environ.get("JOURNAL_STREAM", "") if variable is None else variable
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return said == f"{found.st_dev}:{found.st_ino}"


def configure(
    settings: LogSettings,
    home: Path,
    program: str,
    *,
    lines: Lines | None = None,
    journal: Path = JOURNAL,
) -> None:
    """Sends all events of this process where the settings say, and nothing else anywhere.

    Args:
        settings: Table `[log]`.
        home: The product's folder, to which `file` is relative.
        program: What the process is called in the log.
        lines: How a line for people looks.
        journal: Socket of the journal.

    Raises:
        Problem: Exit code SETTINGS, if the file cannot be written.
    """
    handler = _handler(settings, home, program, journal)
    form = settings.format or "text"
    handler.setFormatter(JsonLines(program) if form == "json" else lines or Lines())
    root = logging.getLogger()
    for old in root.handlers:
        if isinstance(old, _File | _Journal):
            old.close()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for ours in ("folkmoot_operator", "folkmoot_web", "folkmoot_node", "folkmoot_coordinator"):
        logging.getLogger(ours).setLevel(logging.INFO)


def _handler(settings: LogSettings, home: Path, program: str, journal: Path) -> logging.Handler:
    if settings.file is not None:
        path = home / settings.file
        handler = _File(path, settings.size_mib * 2**20, settings.keep)
        try:
            handler._open()
        except OSError as error:
            raise Problem(
                f"the log cannot be written ({error.strerror})",
                where=str(path),
                remedy="Make its folder, let this account alone write there, or set another "
                "file in the table [log]",
                exit_code=ExitCode.SETTINGS,
            ) from None
        return handler
    under_systemd = settings.format is None and is_journal(sys.stderr)
    if settings.format == "journal" or under_systemd:
        return _Journal(program, journal)
    return logging.StreamHandler(sys.stderr)
