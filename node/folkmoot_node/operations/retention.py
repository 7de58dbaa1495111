"""What the retention rule no longer permits to keep, and its deletion.

The ledger, the outbox with its receipts, and the egress and audit logs are evidence of what
the node did; they hold nothing about any household and are never deleted.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from folkmoot_node.answering.ended_series import ended_series
from folkmoot_node.corrections.sealed_file import decisions_of, open_corrections
from folkmoot_node.home import NodeHome
from folkmoot_node.pipeline.dry_run import FOLDER as TRIAL_FOLDER
from folkmoot_node.pipeline.dry_run import left_by_trials
from folkmoot_node.policies.risk_policy import Retention, RiskPolicy, load_policy
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.store.encrypted_file import (
    is_in_use,
    note_deletion,
    only_user,
    read_key,
    replace_key,
)
from folkmoot_node.store.event_history import SUFFIX, forget
from folkmoot_node.store.extracts_read import is_as_read, last_judged, last_read
from folkmoot_node.store.reader import open_store
from folkmoot_node.store.use import end_of_keeping
from folkmoot_operator.accounts import Operator, body_of_account
from folkmoot_operator.moments import day
from folkmoot_operator.private_files import delete_private, make_private_folder
from folkmoot_operator.problems import Problem
from folkmoot_operator.service_manager import is_credential

KEY_TO_REPLACE = (
    "nothing is left that the store's key could open. It is a credential of the service, which "
    "this program cannot destroy: put a new one in its place, and delete every copy of the old one"
)
_BUSY = ("another run is scoring now", "Run `folkmoot-node purge` again when it has ended")


class Kind(Enum):
    """What may be past its retention."""

    SCORES = "scores"
    SNAPSHOT = "households as known on a past date"
    QUARANTINE = "quarantine files"
    REVIEW = "review files"
    DECISIONS = "decisions of clerical review"
    EXTRACTS = "extracts that a good run has read"
    OUTCOMES = "extracts of outcomes that a back-test has read"
    LEFTOVERS = "leftovers of stopped runs"
    SERIES = "histories of ended series"
    CORRECTIONS = "decisions about objections"
    ENDED_CORRECTIONS = "decisions about objections that have ended"


@dataclass(frozen=True, slots=True)
class Expired:
    """Something to delete.

    Attributes:
        kind: What it is.
        path: File or folder.
        why: The rule that it is past.
    """

    kind: Kind
    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file with a rule of its own.

    Attributes:
        kind: What it is.
        path: The file.
        since: The day from which it is kept.
        days: For how many days.
    """

    kind: Kind
    path: Path
    since: datetime.date
    days: int


@dataclass(frozen=True, slots=True)
class Purged:
    """What was deleted.

    Attributes:
        deleted: In order.
        key_replaced: True if the store's key was destroyed and a new one made.
        key_to_replace: True if that is left to a person, since the key is a credential of the
            service.
    """

    deleted: tuple[Expired, ...]
    key_replaced: bool
    key_to_replace: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Number of files and folders by kind."""
        return dict(Counter(item.kind.value for item in self.deleted))


def expired(home: NodeHome) -> tuple[Expired, ...]:
    """What is past its retention now; what a run in progress uses is left out.

    Raises:
        Problem: If the policy cannot be read.
    """
    path = home.config.store_path
    in_use = path.parent.is_dir() and is_in_use(path)
    return tuple(_expired(home, in_use=in_use))


def purge(home: NodeHome, found: tuple[Expired, ...], by: Operator | str) -> Purged:
    """Deletes what was found, as far as it is still past its retention, and records it.

    When nothing is left that the store's key could open, the key is destroyed and replaced:
    copies of the deleted files in backups or in unused blocks of a disk cannot be read then. One
    that the service manager hands over is not ours to destroy: the result says so.

    Args:
        home: The node.
        found: As `expired` gave it, and a person confirmed it.
        by: Who confirmed it, for the audit log.

    Raises:
        Problem: Exit code DATA, if a run is in progress.
    """
    config = home.config
    make_private_folder(config.store_path.parent)
    with only_user(config.store_path, *_BUSY):
        now = {item.path for item in _expired(home, in_use=False)}
        deleted = tuple(item for item in found if item.path in now and _delete(item, home))
        encrypted = any(item.kind in _ENCRYPTED for item in deleted)
        useless = encrypted and not _needs_key(home)
        handed_over = is_credential(config.key_file)
        replaced = useless and not handed_over
        if replaced:
            replace_key(config.key_file)
        result = Purged(deleted, replaced, key_to_replace=useless and handed_over)
        if deleted:
            body = {
                "action": "purged",
                **body_of_account(by),
                "deleted": result.counts,
                "key_replaced": replaced,
            }
            with home.state.transaction() as connection:
                home.audit.append(connection, home.clock(), body)
    return result


_ENCRYPTED = {
    Kind.SCORES, Kind.SNAPSHOT, Kind.LEFTOVERS, Kind.SERIES, Kind.DECISIONS, Kind.CORRECTIONS,
    Kind.ENDED_CORRECTIONS,
}  # fmt: skip


def _expired(home: NodeHome, *, in_use: bool) -> Iterator[Expired]:
    config, today = home.config, home.today()
    policy = load_policy(config.risk_policy)
    rule = policy.retention
    for kind, path in ((Kind.SCORES, config.store_path), (Kind.SNAPSHOT, config.snapshot_path)):
        why = _scores_expired(config, path, policy, today) if path.exists() else ""
        if why:
            yield Expired(kind, path, why)
    over = policy.sunset + datetime.timedelta(days=rule.after_sunset_days)
    extracts = () if in_use else _extracts(config, rule)  # a run may be reading them now
    for one in (*_changed(config, rule), *extracts):
        last = one.since + datetime.timedelta(days=one.days)
        if today <= min(last, over):
            continue
        is_judged = one.kind is Kind.OUTCOMES
        is_extract = is_judged or one.kind is Kind.EXTRACTS
        if is_extract and not is_as_read(config, one.path, judged=is_judged):
            continue
        ended = f"the policy ended on {policy.sunset}" if over < last else ""
        yield Expired(one.kind, one.path, ended or f"kept for {one.days} days, until {last}")
    if not in_use:
        for path in _leftovers(config):
            yield Expired(Kind.LEFTOVERS, path, "a run was stopped before its end")
    yield from _corrections(config, today, policy.sunset, over)
    over_series = ended_series(home)
    for path in sorted(config.history_folder.glob(f"*{SUFFIX}")):
        if path.stem in over_series:
            yield Expired(Kind.SERIES, path, "the series has ended")


def _corrections(
    config: NodeConfig, today: datetime.date, sunset: datetime.date, over: datetime.date
) -> Iterator[Expired]:
    """Decisions about objections: all when nobody is scored any more, else those that ended."""
    path = config.corrections_file
    if today > over:
        if path.exists():
            yield Expired(Kind.CORRECTIONS, path, f"the policy ended on {sunset}")
        return
    with suppress(Problem):  # what cannot be read waits for a person, and stops no purge
        if any(one.until and one.until < today for one in decisions_of(config).all):
            yield Expired(Kind.ENDED_CORRECTIONS, path, "their last day is over")


def _changed(config: NodeConfig, rule: Retention) -> Iterator[_Kept]:
    """Files that are kept from their last change."""
    for kind, paths, days in (
        (Kind.QUARANTINE, _files(config.quarantine_folder), rule.quarantine_days),
        (Kind.REVIEW, _files(config.review_folder), rule.review_days),
        (Kind.DECISIONS, [config.review_store], rule.review_days),
    ):
        for path in paths:
            if path.exists():
                yield _Kept(kind, path, day(path.stat().st_mtime), days)


def _extracts(config: NodeConfig, rule: Retention) -> Iterator[_Kept]:
    """Extracts that a good run has read, and those of outcomes that a back-test has."""
    for path, read in last_read(config).items():
        if read is not None:
            yield _Kept(Kind.EXTRACTS, path, read, rule.extracts_days)
    for path, judged in last_judged(config).items():
        yield _Kept(Kind.OUTCOMES, path, judged, rule.outcomes_days)


def _scores_expired(
    config: NodeConfig, path: Path, policy: RiskPolicy, today: datetime.date
) -> str:
    """Why scores must go; empty if they may stay."""
    rule = policy.retention
    try:
        with open_store(path, read_key(config.key_file, config.readers)) as store:
            run = store.run
    except Problem:
        last = day(path.stat().st_mtime) + datetime.timedelta(days=rule.scores_days)
        return f"kept for {rule.scores_days} days, until {last}" if today > last else ""
    end = end_of_keeping(run, policy)
    return end.why if today > end.last_day else ""


def _leftovers(config: NodeConfig) -> Iterator[Path]:
    """What a run that was killed has left beside the store."""
    store = config.store_path
    yield from sorted(store.parent.glob(f"{store.name}.unfinished*"))
    if not is_in_use(config.snapshot_path):
        yield from sorted(store.parent.glob(f"{config.snapshot_path.name}.unfinished*"))
    yield from sorted(store.parent.glob("runs/*"))
    yield from left_by_trials(store.parent)


def _delete(item: Expired, home: NodeHome) -> bool:
    if item.kind is Kind.ENDED_CORRECTIONS:
        open_corrections(home.config).drop_ended(home.today())
    elif item.kind is Kind.SERIES:
        try:
            forget(item.path)
        except Problem:  # in use: next time
            return False
    else:
        delete_private(item.path)
    if item.kind is Kind.SNAPSHOT:
        delete_private(item.path.with_name(item.path.name + ".wal"))
    if item.kind is Kind.SCORES:
        note_deletion(item.path, home.today(), item.why, home.config.readers)
        delete_private(item.path.with_name(item.path.name + ".wal"))
    return True


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _needs_key(home: NodeHome) -> bool:
    """Whether anything is left that the key opens, also what is in use."""
    store, histories = home.config.store_path, home.config.history_folder
    trials = store.parent.glob(f"{TRIAL_FOLDER}*")
    kept = [
        store.exists(),
        home.config.snapshot_path.exists(),
        is_in_use(home.config.snapshot_path),  # being made: encrypted with this key
        home.config.review_store.exists(),
        home.config.corrections_file.exists(),
        *_leftovers(home.config),
        *histories.glob(f"*{SUFFIX}"),
        *trials,
    ]
    return any(kept)
