"""What a service and the service manager that has started it tell each other.

systemd learns here that a program is ready, what it does, and that it still works (sd_notify(3)).
The program finds the keys that systemd hands to it (systemd.exec(5), "Credentials"). Without a
service manager nothing is sent, and keys are files.
"""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Callable, Mapping, MutableMapping
from functools import cache
from pathlib import Path

from folkmoot_operator.problems import ExitCode, Problem

_SOCKET, _WATCHDOG, _WATCHED_PROCESS = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_CREDENTIALS = "CREDENTIALS_DIRECTORY"
_OWN = frozenset(
    {_SOCKET, _WATCHDOG, _WATCHED_PROCESS, "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}
)
"""Variables for this process alone: a child that had them could say that the service works."""
_SEND_SECONDS = 5.0
_SIGNS_IN_TIME = 4
"""Signs of life in the time within which one has to come."""


class ServiceManager:
    """The service manager of this process, or nobody."""

    def __init__(
        self, variables: MutableMapping[str, str], now: Callable[[], float] = time.monotonic
    ) -> None:
        """Takes from the variables what is for this process, so that no child inherits it.

        Args:
            variables: The environment.
            now: Seconds, for intervals.
        """
        address = variables.get(_SOCKET, "")
        usual = address.startswith(("/", "@"))
        self._address = f"\0{address[1:]}" if address.startswith("@") else address if usual else ""
        self._now = now
        self._last_sign = -float("inf")
        watched = variables.get(_WATCHED_PROCESS, str(os.getpid()))
        limit = variables.get(_WATCHDOG, "")
        is_watched = bool(self._address) and watched == str(os.getpid()) and limit.isdecimal()
        self.watchdog_interval = int(limit) / 1e6 if is_watched and int(limit) else None
        for name in _OWN & set(variables):
            del variables[name]

    def ready(self, text: str = "") -> None:
        """Says that the service can do its work, and what it does; the first sign of life."""
        self._send("READY=1", *([f"STATUS={_line(text)}"] if text else ()))
        self.works()

    def status(self, text: str) -> None:
        """Says in one line what the service does, for `systemctl status`.

        Args:
            text: Every account of the machine can read it: nothing of records.
        """
        self._send(f"STATUS={_line(text)}")

    def stopping(self) -> None:
        """Says that the service is about to end."""
        self._send("STOPPING=1", "STATUS=stopping")

    def works(self) -> None:
        """A sign of life, sent as often as is needed; to be called where the work is done."""
        if self.watchdog_interval is None:
            return
        now = self._now()
        if now - self._last_sign >= self.watchdog_interval / _SIGNS_IN_TIME:
            self._last_sign = now
            self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.settimeout(_SEND_SECONDS)
                out.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            pass  # it is restarted, and asks nothing of us meanwhile


@cache
def _manager() -> ServiceManager:
    return ServiceManager(os.environ)


def ready(text: str = "") -> None:
    """Says that the service can do its work; see `ServiceManager.ready`."""
    _manager().ready(text)


def status(text: str) -> None:
    """Says what the service does; see `ServiceManager.status`."""
    _manager().status(text)


def stopping() -> None:
    """Says that the service is about to end."""
    _manager().stopping()


def works() -> None:
    """A sign of life, to be called where the work is done and by no other thread."""
    _manager().works()


def watchdog_interval() -> float | None:
    """Seconds within which a sign of life has to come; None if nobody waits for one."""
    return _manager().watchdog_interval


def for_children(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables without those by which a process speaks for the service."""
    return {name: value for name, value in variables.items() if name not in _OWN}


def without_credentials(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables of a child that needs no key of the service."""
    return {name: value for name, value in variables.items() if name != _CREDENTIALS}


def credential(name: str) -> Path | None:
    """A file that the service manager hands to this service under a name.

    systemd gives the service's account access by an access control list, so that the file is
    root's and its mode shows a group that may read it. Nobody else can enter the folder.

    Args:
        name: As in `LoadCredential=NAME:PATH` of the unit, such as `store.key`.

    Returns:
        None if there is no service manager, or it hands over nothing of this name.

    Raises:
        Problem: Exit code SETTINGS, if other accounts could read or replace it.
    """
    folder = os.environ.get(_CREDENTIALS, "")
    if not folder or not os.path.isabs(folder):  # noqa: PTH117 - an empty one is no path
        return None
    path = Path(folder, name)
    try:
        found, around = path.lstat(), path.parent.stat()
    except OSError:
        return None
    us = {0, os.geteuid()}
    closed = stat.S_IWGRP | stat.S_IRWXO
    kept = all(
        one.st_uid in us
        and not one.st_mode & closed
        # To one's own file no list is needed: a group that may read it is a group.
        and (one.st_uid == 0 or not one.st_mode & stat.S_IRWXG)
        for one in (found, around)
    )
    if not stat.S_ISREG(found.st_mode) or not kept:
        raise Problem(
            "is no credential as systemd hands it over: other accounts could read or replace it",
            where=f"{path} ({_CREDENTIALS})",
            remedy="Let the unit name it: LoadCredential=, LoadCredentialEncrypted= or "
            "SetCredential=; or unset the variable, so that keys are files of the folder",
            exit_code=ExitCode.SETTINGS,
        )
    return path


def is_credential(path: Path) -> bool:
    """Whether a file is one that the service manager handed over, which cannot be replaced."""
    return credential(path.name) == path


def key_file(path: Path) -> Path:
    """Where a key is: the credential that has the file's name, or the file itself.

    Args:
        path: The file in the program's own folder.

    Raises:
        Problem: As `credential`.
    """
    return credential(path.name) or path


def _line(text: str) -> str:
    return " ".join(text.split())
