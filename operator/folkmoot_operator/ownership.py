"""Whether a home is this account's own, and nobody else can write to it.

Whoever can write to a home decides what the program does there: they replace a key, a policy or
the state. A command that another account runs there, root for one, leaves files that the home's
own account cannot use. So a program looks before it does anything.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from folkmoot_operator.accounts import ROOT, account_name
from folkmoot_operator.problems import ExitCode, Problem

_WRITABLE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a home holds that decides what its program does. What is missing is passed over.

    Attributes:
        home: The folder.
        private: Files and folders that belong to the account that runs the program: keys, state.
        public: Those that may be root's as well, who may have laid them down: settings, policies.
    """

    home: Path
    private: tuple[Path, ...] = ()
    public: tuple[Path, ...] = ()


def require_own(holdings: Holdings, *, closed: bool = True, owner: int | None = None) -> None:
    """Checks that the account which runs this program owns a home, and nobody else can write to it.

    Args:
        holdings: What is looked at.
        closed: False for a folder that is about to become a home, and is closed then.
        owner: Number of the account that has to own it, for a program that reads there under
            another one; this account if None.

    Raises:
        Problem: Exit code SETTINGS, naming the file and the command that puts it right.
    """
    home = holdings.home.resolve()
    account = os.geteuid() if owner is None else owner
    found = home.stat()
    if found.st_uid != account:
        raise _not_ours(home, found, account)
    if closed:
        _require_closed(home, found)
    _require_safe_way(home)
    for path, owners in (
        *((path, {account}) for path in holdings.private),
        *((path, {account, ROOT}) for path in holdings.public),
    ):
        _require(path, owners, home, account)


def require_own_file(path: Path) -> None:
    """Checks a key or policy that lies outside a home; it may be root's. See `require_own`.

    Raises:
        Problem: Exit code SETTINGS, naming the file and the command that puts it right.
    """
    account = os.geteuid()
    _require(path, {account, ROOT}, path.parent, account)


def is_own_file(path: Path) -> bool:
    """True of a file, and no link to one, that belongs to the account of this process."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def those_in(folder: Path) -> tuple[Path, ...]:
    """A folder and what lies in it, in order; empty if it is not there or cannot be read."""
    try:
        return (folder, *sorted(folder.iterdir()))
    except OSError:
        return ()


def with_journals(database: Path) -> tuple[Path, ...]:
    """A file of SQLite, and those that SQLite makes beside it."""
    return tuple(database.with_name(database.name + end) for end in ("", "-wal", "-shm"))


def _require(path: Path, owners: set[int], home: Path, account: int) -> None:
    try:
        found = path.stat()
    except OSError:  # it is missing, or whoever reads it will say what is wrong
        return
    if found.st_uid not in owners:
        raise Problem(
            f"belongs to {account_name(found.st_uid)}, not to {account_name(account)}, whose "
            "home this is",
            where=str(path),
            remedy="Find out who put it there, and whether it is what you think it is; then, as "
            f"root: {shlex.join(['chown', account_name(account), str(path)])}",
            exit_code=ExitCode.SETTINGS,
        )
    _require_closed(path, found)
    real = path.resolve()
    if home not in real.parents:  # a link, or a setting that names a file elsewhere
        _require_safe_way(real)


def _require_closed(path: Path, found: os.stat_result) -> None:
    if found.st_mode & _WRITABLE:
        raise Problem(
            "other accounts can write to it, and so decide what this program does",
            where=str(path),
            remedy="Make sure that nobody has changed anything; then: "
            f"{shlex.join(['chmod', 'go-w', str(path)])}",
            exit_code=ExitCode.SETTINGS,
        )


def _require_safe_way(path: Path) -> None:
    """Checks that not everybody can put something else in the place of a file or folder."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise Problem(
                f"every account can put something else in its place, since {folder} is open to "
                "all for writing",
                where=str(path),
                remedy=f"As its owner: {shlex.join(['chmod', 'o-w', str(folder)])}",
                exit_code=ExitCode.SETTINGS,
            )


def _not_ours(home: Path, found: os.stat_result, account: int) -> Problem:
    owner = account_name(found.st_uid)
    command = _this_command()
    if account == ROOT:
        remedy = f"Run it as that account: {shlex.join(_as(found, owner))} {command}"
    else:
        give = shlex.join(["chown", "-R", account_name(account), str(home)])
        remedy = (
            f"Run it as that account: {shlex.join(['sudo', '-u', _sudo_name(owner, found)])} "
            f"{command}; or, if the home is meant to be this account's, as root: {give}"
        )
    return Problem(
        f"belongs to {owner}, and this command runs as {account_name(account)}: what it leaves "
        "there, the other could not use",
        where=str(home),
        remedy=remedy,
        exit_code=ExitCode.SETTINGS,
    )


def _as(found: os.stat_result, owner: str) -> list[str]:
    if owner == str(found.st_uid):  # no account has that number
        ids = [f"--reuid={found.st_uid}", f"--regid={found.st_gid}"]
        return ["setpriv", *ids, "--clear-groups"]
    return ["runuser", "-u", owner, "--"]


def _sudo_name(owner: str, found: os.stat_result) -> str:
    return f"#{found.st_uid}" if owner == str(found.st_uid) else owner


def _this_command() -> str:
    """The command as it was typed, with what a shell needs around it."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
