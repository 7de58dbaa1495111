"""Until when scores may be used, and until when they may be kept.

Two rules count, and of each date the earlier: the rule of the policy that made the scores, which
they carry with them, and that of the policy which `node.toml` names now. So a later policy may
shorten either, and extends neither.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from folkmoot_node.policies.risk_policy import RENEWAL, RiskPolicy, load_policy
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import HouseholdStore, absence, open_store
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_operator.moments import day
from folkmoot_operator.problems import ExitCode, Problem

_SUBJECT_ACCESS = (
    "Until the scores are deleted, `folkmoot-node explain UPRN --subject-access` answers a "
    "resident who asks for their own data"
)


KEEP_SNAPSHOT = "Run `folkmoot-node evaluate FILE --for-rounds DATE`, which keeps them"
"""What a person can do about rounds that ask what happened after a past date."""


@dataclass(frozen=True, slots=True)
class End:
    """When something ends.

    Attributes:
        last_day: The last day before it.
        why: The rule, in the words of the day after: `the policy ended on 2027-03-31`.
    """

    last_day: datetime.date
    why: str


def end_of_retention(run: RunSummary, policy: RiskPolicy) -> End:
    """The end of the days for which scores are kept after their run."""
    days = min(run.retention.scores_days, policy.retention.scores_days)
    last = day(run.finished_at) + datetime.timedelta(days=days)
    return End(last, f"kept for {days} days, until {last}")


def sunset_of(run: RunSummary, policy: RiskPolicy) -> End:
    """The last day of the policy that made the scores, or of the present one if it is earlier."""
    last = min(run.policy_sunset, policy.sunset)
    return End(last, f"the policy ended on {last}")


def end_of_use(run: RunSummary, policy: RiskPolicy) -> End:
    """When the council's own use of scores ends.

    Args:
        run: The run that made them.
        policy: The policy that `node.toml` names now.
    """
    ends = sunset_of(run, policy), end_of_retention(run, policy), *_ends_of_licences(run)
    return min(ends, key=lambda end: end.last_day)


def end_of_keeping(run: RunSummary, policy: RiskPolicy) -> End:
    """When scores must be deleted.

    Args:
        run: The run that made them.
        policy: The policy that `node.toml` names now.
    """
    sunset = sunset_of(run, policy)
    after = min(run.retention.after_sunset_days, policy.retention.after_sunset_days)
    return min(
        end_of_retention(run, policy),
        End(sunset.last_day + datetime.timedelta(days=after), sunset.why),
        *_ends_of_licences(run),
        key=lambda end: end.last_day,
    )


def _ends_of_licences(run: RunSummary) -> Iterator[End]:
    for name, last in run.licences.items():
        yield End(last, f"the licence of {name} ended on {last}")


def require_in_use(run: RunSummary, policy: RiskPolicy, today: datetime.date) -> None:
    """Refuses scores that may not be used any more.

    Args:
        run: The run that made them.
        policy: The policy that `node.toml` names now.
        today: The date in UTC.

    Raises:
        Problem: Exit code REFUSED, with the date and a remedy that is not refused itself.
    """
    for end in (sunset_of(run, policy), end_of_retention(run, policy)):
        if today > end.last_day:
            over = today > policy.sunset
            again = RENEWAL if over else "Run `folkmoot-node score`, which makes new ones"
            raise Problem(
                f"the scores may not be used any more: {end.why}",
                where="the last scoring run",
                remedy=f"{again}. {_SUBJECT_ACCESS}",
                exit_code=ExitCode.REFUSED,
            )
    run.check_licences(today)


@contextmanager
def open_scores(config: NodeConfig, today: datetime.date) -> Iterator[HouseholdStore]:
    """Opens the last scores, whether or not they may still be used.

    Args:
        config: The node's settings.
        today: The date in UTC.

    Raises:
        Problem: Exit code REFUSED, if there are none and the policy has ended, so that none can be
            made; DATA if there are none yet, or the file cannot be read.
    """
    missing = absence(config.store_path)
    if missing:
        policy = load_policy(config.risk_policy)
        if today > policy.sunset:
            raise Problem(
                f"{missing}; the policy ended on {policy.sunset}, and nobody is scored under it "
                "any more",
                where=str(config.store_path),
                remedy=RENEWAL,
                exit_code=ExitCode.REFUSED,
            )
    with open_store(config.store_path, read_key(config.key_file, config.readers)) as store:
        yield store


@contextmanager
def open_snapshot(config: NodeConfig) -> Iterator[HouseholdStore]:
    """Opens the households as they were known on a past date, for rounds that ask what happened.

    Raises:
        Problem: Exit code DATA, if none are kept, or the file cannot be read.
    """
    if not config.snapshot_path.exists():
        raise Problem(
            "it asks what happened after a past date, and the households as they were known on "
            "one are not kept, or no longer",
            where=str(config.snapshot_path),
            remedy=f"The round waits. {KEEP_SNAPSHOT}",
            exit_code=ExitCode.DATA,
        )
    key = read_key(config.key_file, config.readers)
    with open_store(config.snapshot_path, key) as snapshot:
        if snapshot.run.known_on is None:  # the scores, under another name
            raise Problem(
                "holds households as they are known today, and a round asks what happened after a "
                "past date",
                where=str(config.snapshot_path),
                remedy=f"The round waits. {KEEP_SNAPSHOT}",
                exit_code=ExitCode.DATA,
            )
        yield snapshot


@contextmanager
def open_for_use(
    config: NodeConfig, today: datetime.date, *, subject_access: bool = False
) -> Iterator[HouseholdStore]:
    """Opens the last scores for the council's own use of them.

    Args:
        config: The node's settings.
        today: The date in UTC.
        subject_access: Whether a resident has asked for their own data; that is answered as long
            as there are scores.

    Raises:
        Problem: As `open_scores`, and REFUSED if the scores may not be used any more.
    """
    with open_scores(config, today) as store:
        if not subject_access:
            require_in_use(store.run, load_policy(config.risk_policy), today)
        yield store


def require_review_in_use(config: NodeConfig, today: datetime.date) -> None:
    """Refuses the files of clerical review after the policy's end, and that of their retention.

    Args:
        config: The node's settings.
        today: The date in UTC.

    Raises:
        Problem: Exit code REFUSED.
    """
    policy = load_policy(config.risk_policy)
    over = today > policy.sunset
    why, remedy = f"the policy ended on {policy.sunset}", RENEWAL
    if not over and config.review_store.exists():
        days = policy.retention.review_days
        last = day(config.review_store.stat().st_mtime) + datetime.timedelta(days=days)
        over = today > last
        why = f"kept for {days} days, until {last}"
        remedy = "Run `folkmoot-node score`, and decide about what it asks then"
    if over:
        raise Problem(
            f"what waits for review may not be used any more: {why}",
            where=str(config.review_folder),
            remedy=remedy,
            exit_code=ExitCode.REFUSED,
        )
