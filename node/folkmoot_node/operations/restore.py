"""A node's home made of a backup again, and a restore tried without keeping it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from folkmoot_node.evidence.database import SCHEMA_VERSION, Clock, StateDatabase, system_clock
from folkmoot_node.evidence.joint_head import LOGS
from folkmoot_node.evidence.restored import note_restored
from folkmoot_node.evidence.verification import Verification
from folkmoot_node.federation.identity import KeyFiles, load_coordinator_key
from folkmoot_node.home import NodeHome
from folkmoot_node.operations.back_up import PROGRAM
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store
from folkmoot_operator.accounts import Operator, body_of_account
from folkmoot_operator.backup_file import About, Read
from folkmoot_operator.backup_home import Restored, lies_in, restore
from folkmoot_operator.moments import day
from folkmoot_operator.private_files import make_private_folder, write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.short_files import read_short_file
from folkmoot_operator.unusable_files import unusable

DRILLED = "backup tried by a restore"
"""What the audit log says of a drill."""


@dataclass(frozen=True, slots=True)
class RestoredNode:
    """A node's home that was restored.

    Attributes:
        restored: The folder, its backup, and how long it took.
        missing: What is not there and what to do about it, as sentences.
    """

    restored: Restored
    missing: tuple[str, ...]


def restore_node(
    backup: Path,
    identity: Path,
    into: Path,
    by: Operator,
    *,
    store_key: Path | None = None,
    drill: bool = False,
    clock: Clock = system_clock,
) -> RestoredNode:
    """Makes a new home of a backup, opens it, and checks its evidence.

    The home is marked as restored: it answers nothing until it has compared with receipts.

    Args:
        backup: The file.
        identity: File of the private key of a recipient.
        into: The new folder.
        by: Who does it.
        store_key: A key of the store that was kept apart, to be put in.
        drill: True to delete the home at the end.
        clock: Gives the time.

    Raises:
        Problem: As `backup_home.restore`; and if the home cannot be opened, its evidence does not
            hold, or it is not what the backup says.
    """
    missing: list[str] = []
    today = day(clock())

    def wanted(about: About, name: str) -> bool:
        return name != about.store_key or not _is_over(about, today)

    def finish(folder: Path, read: Read) -> None:
        if store_key is not None:
            _put_key(folder, store_key)
        missing.extend(_open(folder, read, by, clock))

    done = restore(
        backup, identity, into, begin=_require_known, wanted=wanted, finish=finish, drill=drill
    )
    about = done.read.about
    if _is_over(about, today) and store_key is None:
        missing.insert(
            0, f"the store's key in the backup ended on {about.expires}, and was left out"
        )
    return RestoredNode(done, tuple(missing))


def note_drill(home: NodeHome, by: Operator, backup: str, seconds: float) -> None:
    """Writes into the audit log that a restore was tried, and went well.

    Args:
        home: The node.
        by: Who tried it.
        backup: Name of the file.
        seconds: How long it took.
    """
    with home.state.transaction() as connection:
        body = {"action": DRILLED, **body_of_account(by), "file": backup, "seconds": round(seconds)}
        home.audit.append(connection, home.clock(), body)


def _require_known(about: About) -> None:
    """Refuses what this program does not read, before anything is written."""
    if about.program != PROGRAM:
        raise Problem(
            f"is a backup of {about.program}, not of {PROGRAM}",
            where=about.name,
            remedy=f"Run `{about.program} restore`",
            exit_code=ExitCode.SETTINGS,
        )
    state = about.versions.get("state", "0")
    # Only a later version would write something that is not a number.
    if not re.fullmatch(r"[0-9]{1,9}", state) or int(state) > SCHEMA_VERSION:
        raise Problem(
            f"was made by {PROGRAM} {about.version}, whose state file has version {state}; this "
            f"is {version(PROGRAM)}, which knows {SCHEMA_VERSION}",
            where=about.name,
            remedy=f"Install {PROGRAM} {about.version} or a later one",
            exit_code=ExitCode.SETTINGS,
        )


def _is_over(about: About, today: datetime.date) -> bool:
    return about.expires is not None and today > about.expires


def _put_key(folder: Path, key: Path) -> None:
    config = load_config(folder)
    # A backup is not signed: whoever made it would choose where this account writes.
    if not lies_in(config.home, config.own_key_file):
        raise Problem(
            "the settings in the backup name a place outside of the home for the store's key, and "
            "nothing is written there",
            where=str(config.settings.store.key_file),
            remedy="Leave out --store-key. If that is where the key of this node is kept, put it "
            "there yourself",
            exit_code=ExitCode.REFUSED,
        )
    try:
        content = read_short_file(key)
        make_private_folder(config.own_key_file.parent)
        write_private(config.own_key_file, content, replace=False)
    except FileExistsError:
        raise Problem(
            "the backup has a key of the store already",
            where=str(key),
            remedy="Leave out --store-key",
            exit_code=ExitCode.REFUSED,
        ) from None
    except OSError as error:
        raise unusable(error, key, "the key of the store") from None


def _open(folder: Path, read: Read, by: Operator, clock: Clock) -> Iterator[str]:
    """Opens the new home and marks it; yields what is missing in it."""
    config = load_config(folder)
    with StateDatabase(config.state_path) as state:
        signing_key = load_coordinator_key(KeyFiles.of(config.home))
        Verification(state, config.council, signing_key).run()
        for name in LOGS:
            if str(state.chain(name).head()) != read.about.heads.get(name):
                raise Problem(
                    f"the {name} log does not end where the backup says",
                    where=str(read.about.name),
                    remedy="Use another backup",
                    exit_code=ExitCode.VERIFICATION,
                )
        note_restored(
            state,
            clock(),
            {**body_of_account(by), "made_at": read.about.made_at, "sha256": read.sha256},
        )
    yield from _missing(config)
    yield from (f"not in the backup: {what}" for what in read.about.left_out)


def _missing(config: NodeConfig) -> Iterator[str]:
    for what, path in (("the store", config.store_path), ("its key", config.key_file)):
        if not lies_in(config.home, path):
            yield f"{what} lies outside the home, in {path}, which the old home uses as well"
    sealed = (
        config.store_path, config.snapshot_path, config.review_store, config.corrections_file
    )  # fmt: skip
    if not config.key_file.exists():
        if any(path.exists() for path in sealed):
            yield (
                f"the store's key ({config.settings.store.key_file}): put it there if "
                "you have it. Without it scores must be made again: move the folder of the store "
                "away and run `folkmoot-node score`"
            )
        if config.corrections_file.exists():
            yield (
                "the corrections that were agreed with residents cannot be read without that key, "
                "and until they can nobody is scored: see docs/backup.md"
            )
    elif not lies_in(config.home, config.store_path):
        return  # it was not restored, and nothing of another home is opened
    elif config.store_path.exists():
        try:
            with open_store(config.store_path, read_key(config.key_file)) as store:
                store.run  # noqa: B018
        except Problem as problem:
            yield f"the scores cannot be opened ({problem.problem}): run `folkmoot-node score`"
    else:
        yield "scores: run `folkmoot-node score`"
