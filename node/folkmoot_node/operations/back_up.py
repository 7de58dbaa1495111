"""A backup of a node's home, made while it is in use.

What is in it is what cannot be made again: settings, keys, policies, ledger, answers, decisions,
cases; and the scores, which nobody can read without the store's key. The key is not in it unless
somebody asks: who has both a backup and its key has the scores for as long as the backup lasts,
whatever the retention rule destroys here. Such a backup is noted before it is made, with a day on
which it ends, and `purge` and `doctor` name it until then.
"""

from __future__ import annotations

import datetime
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from folkmoot_node.evidence.backups_made import MADE, names_made
from folkmoot_node.evidence.database import SCHEMA_VERSION, StateDatabase
from folkmoot_node.evidence.joint_head import LOGS, JointHead
from folkmoot_node.home import NodeHome
from folkmoot_node.pipeline.dry_run import FOLDER as TRIAL_FOLDER
from folkmoot_node.store.encrypted_file import only_user, read_key
from folkmoot_node.store.event_history import SUFFIX as HISTORIES
from folkmoot_node.store.reader import open_store
from folkmoot_node.store.use import end_of_keeping
from folkmoot_operator.accounts import Operator, body_of_account
from folkmoot_operator.backup_file import About, Source, Written, emptied, write_backup
from folkmoot_operator.backup_folder import delete_old, file_name, prepare, those_in
from folkmoot_operator.backup_home import files_of, lies_in
from folkmoot_operator.backup_settings import BackupSettings
from folkmoot_operator.file_lock import alone
from folkmoot_operator.moments import to_text
from folkmoot_operator.private_files import delete_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sqlite_copy import IS_SQLITE, copy_database
from folkmoot_operator.unusable_files import unusable

PROGRAM = "folkmoot-node"
WITH_KEY, DELETED = "backup with the store's key", "backup deleted"
"""What the audit log says of backups."""
UNDONE = "what the retention rule destroys here can be read in it until then"
"""Why people are told of backups with the store's key."""
_LOCK, _STAGING = "backup.lock", ".backup"
_BUSY = ("another process is counting for this series", "Run `folkmoot-node backup` again")
_PATIENCE = 60.0
"""Seconds for which a series that is being counted is waited for."""


@dataclass(frozen=True, slots=True)
class EncryptedDatabase:
    """A database of SQLCipher in the home.

    Attributes:
        path: The file.
        key: 32 bytes.
        what: What it is for people.
    """

    path: Path
    key: bytes
    what: str


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made.

    Attributes:
        written: The file.
        about: What it says of itself.
        deleted: Names of older ones that were deleted after it.
    """

    written: Written
    about: About
    deleted: tuple[str, ...]


def back_up(
    home: NodeHome,
    settings: BackupSettings,
    by: Operator | str,
    *,
    store_key: bool = False,
    encrypted: Sequence[EncryptedDatabase] = (),
    left_out: Sequence[str] = (),
    packed: Callable[[Source], None] = lambda _: None,
) -> Made:
    """Makes a backup, deletes the oldest, and records both in the audit log.

    Args:
        home: The node. Others may use it meanwhile.
        settings: Recipients, folder, and how many are kept.
        by: Who asked for it.
        store_key: Whether the store's key goes in.
        encrypted: Databases of rooms above this one.
        left_out: What those rooms say is not in it.
        packed: Told of each file when it is in.

    Raises:
        Problem: Exit code REFUSED, if another backup is going on, or the key lies elsewhere;
            VERIFICATION, if a database is damaged; DATA, if a series is being counted for longer
            than a minute.
        UnusableFile: If a file or the folder cannot be used now.
    """
    config, now = home.config, home.clock()
    if store_key and not lies_in(config.home, config.key_file):
        raise Problem(
            "the store's key lies outside the home, as a credential or a file of its own",
            where=str(config.key_file),
            remedy="Back it up where it lies, by the policy's retention rule, and give it to "
            "`restore --store-key`",
            exit_code=ExitCode.REFUSED,
        )
    name, ends = str(config.council), _expiry(home) if store_key else None
    path = settings.folder / file_name(name, now, store_key=store_key)
    with alone(config.home / _LOCK, "folkmoot-node backup"):
        prepare(settings.folder, name)
        if ends is not None:  # first: what is not noted cannot be counted against retention
            _note(home, WITH_KEY, by, {"file": path.name, "folder": str(settings.folder),
                                       "expires": ends.isoformat()})  # fmt: skip
        with ExitStack() as stack:
            try:
                staging = stack.enter_context(emptied(config.home / _STAGING))
            except OSError as error:
                raise unusable(error, config.home, "the node's home") from None
            copies = dict(_copies(home, staging, encrypted))
            found = files_of(config.home, {*copies, *_without(home, settings.folder, store_key)})
            about = _about(home, copies[config.state_path], ends, (*found.left_out, *left_out))
            sources = (
                *(Source(_name(home, path), path) for path in found.files),
                *(Source(_name(home, path), copy) for path, copy in copies.items()),
            )
            written = write_backup(path, about, sources, settings.recipients, packed)
        _note(home, MADE, by, {"file": path.name, "sha256": written.sha256, "size": written.size})
        deleted = (
            *_delete_ended(home, settings.folder),
            *delete_old(settings.folder, name, settings.keep, names_made(home)),
        )
        if deleted:
            _note(home, DELETED, by, {"files": list(deleted)})
    return Made(written, about, deleted)


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A backup that holds the store's key, as the audit log has it.

    Attributes:
        file: Its name.
        folder: Where it was written.
        expires: Last day on which `restore` takes the key from it.
    """

    file: str
    folder: str
    expires: datetime.date


def with_store_key(home: NodeHome) -> tuple[KeptKey, ...]:
    """Backups with the store's key that have not been deleted by `backup` and are not past their
    end, oldest first: while one lasts, what the retention rule destroys here can be read from it.
    """
    found: dict[str, KeptKey] = {}
    for entry in home.audit.entries((WITH_KEY, DELETED)):
        if entry.body["action"] == DELETED:
            for file in entry.body["files"]:
                found.pop(str(file), None)
        else:
            file, ends = str(entry.body["file"]), datetime.date.fromisoformat(entry.body["expires"])
            found[file] = KeptKey(file, str(entry.body["folder"]), ends)
    return tuple(one for one in found.values() if one.expires >= home.today())


def delete_ended(home: NodeHome, by: Operator | str) -> tuple[str, ...]:
    """Deletes backups with the store's key that are past their end from the folder of `[backup]`.

    Returns:
        Their names.
    """
    settings = home.config.backup
    if settings is None:
        return ()
    deleted = tuple(_delete_ended(home, home.config.home / settings.folder))
    if deleted:
        _note(home, DELETED, by, {"files": list(deleted)})
    return deleted


def _delete_ended(home: NodeHome, folder: Path) -> Iterator[str]:
    lasting = {one.file for one in with_store_key(home)}
    for backup in those_in(folder, str(home.config.council)):
        if backup.store_key and backup.path.name not in lasting:
            delete_private(backup.path)
            yield backup.path.name


def _expiry(home: NodeHome) -> datetime.date:
    """The last day of a backup with the store's key: no later than what it opens may be kept."""
    config, today, policy = home.config, home.today(), home.risk_policy()
    rule = policy.retention
    ends = [today + datetime.timedelta(days=rule.scores_days)]
    if config.review_store.exists():
        ends.append(today + datetime.timedelta(days=rule.review_days))
    for path in (config.store_path, config.snapshot_path):
        if path.exists():
            with open_store(path, read_key(config.key_file, config.readers)) as store:
                ends.append(end_of_keeping(store.run, policy).last_day)
    last = min(ends)
    if last < today:
        raise Problem(
            "scores, or households as known on a past date, are past their retention since "
            f"{last}: a backup of their key is not made",
            where=str(config.store_path),
            remedy="Run `folkmoot-node purge`",
            exit_code=ExitCode.REFUSED,
        )
    return last


def _copies(
    home: NodeHome, staging: Path, encrypted: Sequence[EncryptedDatabase]
) -> Iterator[tuple[Path, Path]]:
    """Copies of what others write in place, each by the file that it is of."""
    config, histories = home.config, sorted(home.config.history_folder.glob(f"*{HISTORIES}"))
    keys = {one.path: one for one in encrypted if one.path.exists()}
    # No series is counted until all are copied: a history belongs to the answers of one moment.
    with _quiet(histories):
        for number, path in enumerate(_databases(config.home, config.state_path, keys)):
            copy, of = staging / f"{number}.sqlite", keys.get(path)
            what = "the node's state file" if path == config.state_path else path.name
            copy_database(path, copy, of.what if of else what, of.key if of else None)
            yield path, copy
        for number, path in enumerate(histories):
            copy = staging / f"{number}{HISTORIES}"
            shutil.copyfile(path, copy)
            yield path, copy
            log = path.with_name(path.name + ".wal")
            if log.exists():  # of a process that was killed; DuckDB plays it back
                shutil.copyfile(log, copy.with_name(copy.name + ".wal"))
                yield log, copy.with_name(copy.name + ".wal")


def _databases(home: Path, state: Path, keys: dict[Path, EncryptedDatabase]) -> list[Path]:
    others = [path for path in home.glob("*") if path.suffix in IS_SQLITE and path.is_file()]
    return [state, *keys, *sorted(path for path in others if path != state)]


@contextmanager
def _quiet(histories: Sequence[Path]) -> Iterator[None]:
    with ExitStack() as locks:
        until = time.monotonic() + _PATIENCE
        for path in histories:
            while True:
                try:
                    locks.enter_context(only_user(path, *_BUSY))
                    break
                except Problem as busy:
                    if busy.exit_code is not ExitCode.DATA or time.monotonic() > until:
                        raise
                    time.sleep(0.2)
        yield


def _without(home: NodeHome, folder: Path, store_key: bool) -> Iterator[Path]:
    """What is not in a backup: records that suppliers send again, and what can be made again."""
    config, store = home.config, home.config.store_path
    yield from (
        config.extracts_folder, config.quarantine_folder, config.review_folder,
        config.runs_folder, config.prefect_folder, folder,
    )  # fmt: skip
    yield from store.parent.glob(f"{TRIAL_FOLDER}*")
    for one in (store, config.snapshot_path):
        yield from store.parent.glob(f"{one.name}.unfinished*")
    if not store_key:
        yield config.own_key_file


def _about(
    home: NodeHome, state: Path, ends: datetime.date | None, left_out: tuple[str, ...]
) -> About:
    config = home.config
    with StateDatabase(state) as copy:
        heads: dict[str, str] = {name: str(copy.chain(name).head()) for name in LOGS}
        heads["all"] = str(JointHead.now(copy))
    outside = [
        f"{what} lies outside the home, in {path}"
        for what, path in (
            ("the store", config.store_path),
            ("the risk policy", config.risk_policy),
            ("the release policy", config.release_policy),
        )
        if not lies_in(config.home, path)
    ]
    if ends is None:
        outside.append(
            "the store's key: without it the scores, histories of series, decisions of clerical "
            "review and corrections cannot be read"
        )
    outside.append("extracts, quarantine and review files: records, which suppliers send again")
    return About(
        program=PROGRAM,
        version=version(PROGRAM),
        name=str(config.council),
        made_at=to_text(home.clock()),
        versions={"state": str(SCHEMA_VERSION)},
        heads=heads,
        store_key=None if ends is None else _name(home, config.key_file),
        expires=ends,
        left_out=(*outside, *left_out),
    )


def _name(home: NodeHome, path: Path) -> str:
    return path.resolve().relative_to(home.config.home).as_posix()


def _note(home: NodeHome, action: str, by: Operator | str, body: dict[str, object]) -> None:
    with home.state.transaction() as connection:
        entry = {"action": action, **body_of_account(by), **body}
        home.audit.append(connection, home.clock(), entry)
