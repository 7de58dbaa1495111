"""Tries a policy: scores by it without replacing the store, and compares the bands."""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.order import Progress
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.policies.risk_policy import RiskPolicy, load_policy
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.use import end_of_use
from folkmoot_operator import file_lock
from folkmoot_operator.private_files import delete_private, make_private_folder

FOLDER = "trial-"
"""How the name of the folder begins in which a trial keeps its encrypted scores."""
NOT_SCORED = "(not scored)"
"""Band of a household that is in one of the two runs only."""


@dataclass(frozen=True, slots=True)
class Move:
    """Households that were in one band and would be in another, or the same.

    Attributes:
        before: Band in the last run.
        now: Band by the policy that is tried.
        households: How many.
    """

    before: str
    now: str
    households: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a policy would do.

    Attributes:
        run: The trial's run; nothing is kept of its scores.
        last: The last run; None if there is none whose scores may be used.
        moves: By band before, then band now; empty if there is no last run.
    """

    run: RunSummary
    last: RunSummary | None
    moves: tuple[Move, ...]

    @property
    def changed(self) -> int:
        """Households of both runs whose band would be another.

        Bands are compared by name.
        """
        return sum(
            move.households
            for move in self.moves
            if move.before != move.now and NOT_SCORED not in (move.before, move.now)
        )

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "run": self.run.as_json(),
            "last": None
            if self.last is None
            else {
                "run_id": self.last.run_id,
                "policy_name": self.last.policy_name,
                "policy_sha256": self.last.policy_sha256,
                "reference_date": self.last.reference_date.isoformat(),
            },
            "changed": self.changed,
            "moves": [
                {"before": move.before, "now": move.now, "households": move.households}
                for move in self.moves
            ],
        }


def try_policy(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    *,
    today: datetime.date,
    reference_date: datetime.date | None,
    progress: Progress,
) -> Trial:
    """Scores by a policy beside the store, compares, and deletes the scores again.

    Args:
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The policy to try.
        today: As for `score`.
        reference_date: As for `score`; that of the last run if None, so that the policy
            makes the difference and not the days between.
        progress: Told how far it is.

    Raises:
        Problem: As `score`.
    """
    key = read_key(config.key_file, config.readers)
    with ExitStack() as stack:
        last = None
        if config.store_path.exists():
            stored = stack.enter_context(open_store(config.store_path, key))
            reference_date = reference_date or stored.run.reference_date
            # When a policy has ended the next one may be tried, and nobody's old band is used.
            if today <= end_of_use(stored.run, load_policy(config.risk_policy)).last_day:
                last = stored
        own = stack.enter_context(aside(config))
        run = score(
            own,
            plugins,
            policy,
            today=today,
            reference_date=reference_date,
            progress=progress,
            judged=Judged(last.run if last else None, stops=False),
        )
        if last is None:
            return Trial(run, None, ())
        with open_store(own.store_path, key) as tried:
            return Trial(run, last.run, _moves(last.bands(), last.run, tried.bands(), run))


@contextmanager
def aside(config: NodeConfig) -> Iterator[NodeConfig]:
    """The same node with store and reviews elsewhere in its folder, deleted afterwards.

    What a trial left whose process was killed is deleted first.
    """
    folder = config.store_path.parent
    make_private_folder(folder)
    for left in left_by_trials(folder):
        delete_private(left)
    with ExitStack() as stack:
        with file_lock.waiting_for_folder(folder):
            trial = Path(tempfile.mkdtemp(prefix=FOLDER, dir=folder))
            stack.enter_context(file_lock.waiting_for_folder(trial))
        stack.callback(delete_private, trial)
        # Clerical review goes on as it was: the trial works on copies.
        if config.review_store.exists():
            shutil.copy(config.review_store, trial)
        if config.review_folder.is_dir():
            shutil.copytree(config.review_folder, trial / "review")
        settings = config.settings
        changes = {
            "store": settings.store.model_copy(update={"path": trial / config.store_path.name}),
            "linkage": settings.linkage.model_copy(update={"review_folder": trial / "review"}),
        }
        yield replace(config, settings=settings.model_copy(update=changes))


def left_by_trials(folder: Path) -> Iterator[Path]:
    """Folders of trials in the store's folder that no process uses, or will."""
    if not folder.is_dir():
        return
    # Between making its folder and locking it, a trial that begins would be taken for a leftover.
    with file_lock.waiting_for_folder(folder):
        for left in sorted(folder.glob(f"{FOLDER}*")):
            try:
                lock = file_lock.acquire_folder(left)
            except FileNotFoundError:
                continue  # its trial has just ended
            if lock is not None:
                file_lock.release(lock)
                yield left


def _moves(
    before: pl.DataFrame, last: RunSummary, now: pl.DataFrame, run: RunSummary
) -> tuple[Move, ...]:
    found = (
        before.join(now, on="uprn", how="full", suffix="_now")
        .group_by("band", "band_now")
        .agg(pl.len())
        .sort("band", "band_now", nulls_last=True)
    )
    return tuple(
        Move(
            NOT_SCORED if one is None else last.band_names[one],
            NOT_SCORED if other is None else run.band_names[other],
            households,
        )
        for one, other, households in found.iter_rows()
    )
