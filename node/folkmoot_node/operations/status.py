"""How a node is, and what needs somebody. Only reads; starts no plugin, and asks nobody.

It is asked by people who wait, and by monitoring every minute. So it takes no lock that `serve`
needs, imports little, and goes on past a part that cannot be read.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from folkmoot_node.evidence.backups_made import names_made
from folkmoot_node.evidence.database import Clock, system_clock
from folkmoot_node.evidence.fitted_policies import fitted_file, publish_command
from folkmoot_node.evidence.joint_head import JointHead
from folkmoot_node.evidence.restored import last_restore
from folkmoot_node.evidence.round_book import RoundStatus
from folkmoot_node.federation.certificate_lives import certificates
from folkmoot_node.federation.identity import KeyFiles
from folkmoot_node.home import SERVE_LOCK, NodeHome, open_home
from folkmoot_node.operations import past_households
from folkmoot_node.plugins.installed import installed_plugins
from folkmoot_node.policies.release_policy import load_unsigned
from folkmoot_node.policies.risk_policy import WARN_DAYS, load_policy
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.store.checks import MIN_FREE_BYTES
from folkmoot_node.store.encrypted_file import is_in_use
from folkmoot_node.store.use import end_of_keeping, end_of_use, open_scores
from folkmoot_operator.backup_status import newest_backup
from folkmoot_operator.certificate_lives import Standing
from folkmoot_operator.checks import sized
from folkmoot_operator.file_lock import holder
from folkmoot_operator.incidents import ACTIONS, incidents_of, needs_of
from folkmoot_operator.moments import day, to_text
from folkmoot_operator.problems import Problem
from folkmoot_operator.status_screen import Status

SCHEMA = 1
"""Of the document: keys are added without a new number, and never change their meaning."""
_OF_MEMBERS = (
    "evidence", "stopped_run", "rounds", "budget", "fitted_policy", "for_rounds", "scrutiny",
    "policies", "scores", "certificates", "backup", "serve",
)  # fmt: skip
"""Sections that do not apply to a node that has left: its keys and scores are destroyed."""
BUDGET_SHARE = 0.1
"""Below this share of a cap that is left, somebody should know."""


def node_status(
    folder: Path,
    clock: Clock = system_clock,
    further: Callable[[Status, NodeHome], None] = lambda status, home: None,
) -> Status:
    """Looks at everything once.

    Args:
        folder: The node's folder.
        clock: Gives the time.
        further: Adds sections of rooms above this one, of a node that has not left.
    """
    now = clock()
    status = Status({"schema": SCHEMA, "at": to_text(now), "version": version("folkmoot-node")})
    try:
        config = load_config(folder)
    except Problem as problem:
        status.document["node"] = None
        status.unreadable("node", str(problem), problem.remedy)
        return status.finished()
    status.document["node"] = {
        "council": config.council,
        "name": config.name,
        "home": str(config.home),
    }
    with ExitStack() as stack:
        try:
            home = stack.enter_context(open_home(folder, clock=clock))
        except Problem as problem:
            status.unreadable("state", str(problem), problem.remedy)
        else:
            _of_state(status, home, now, further)
        pause = status.document.get("pause")
        if pause is not None and pause["final"]:
            status.document.update(dict.fromkeys(_OF_MEMBERS))
        else:
            _of_members(status, config, now)
        _of_files(status, config, now)
    return status.finished()


def _of_state(
    status: Status, home: NodeHome, now: int, further: Callable[[Status, NodeHome], None]
) -> None:
    status.read("pause", lambda: _pause(status, home))
    status.read("incidents", lambda: _incidents(status, home, now))
    if status.document["pause"] is not None and status.document["pause"]["final"]:
        return
    status.read("evidence", lambda: _evidence(status, home))
    status.read("stopped_run", lambda: _stopped_run(status, home))
    status.read("rounds", lambda: _rounds(status, home, now))
    status.read("budget", lambda: _budget(status, home))
    status.read("fitted_policy", lambda: _fitted_policy(status, home))
    status.read("for_rounds", lambda: past_households.section(status, home))
    further(status, home)
    status.read("backup", lambda: _backup(status, home, now))


def _of_members(status: Status, config: NodeConfig, now: int) -> None:
    status.read("policies", lambda: _policies(status, config, now))
    status.read("scores", lambda: _scores(status, config, now))
    status.read("certificates", lambda: _certificates(status, config, now))
    status.read("serve", lambda: _serve(status, config))


def _of_files(status: Status, config: NodeConfig, now: int) -> None:
    status.read("disk", lambda: _disk(status, config))
    status.read("plugins", lambda: _plugins(config))
    status.read("prefect", lambda: _prefect(config))


def _pause(status: Status, home: NodeHome) -> dict[str, Any] | None:
    pause = home.pause()
    if pause is None:
        return None
    if not pause.is_final:
        status.need(f"the node is {pause}", "folkmoot-node resume --reason TEXT", 5)
    return pause.as_json()


def _evidence(status: Status, home: NodeHome) -> dict[str, Any]:
    lost = len(home.lost_answers.outstanding())
    if lost:
        what = (
            f"answers that have left and are not in this node's files: {lost}; nothing is answered"
        )
        status.need(what, "folkmoot-node ledger recover", 1)
    restored = last_restore(home.state)
    if restored is not None and not restored.is_compared:
        what = f"restored from a backup of {restored.made_at}; nothing is answered yet"
        status.need(what, "folkmoot-node ledger recover", 1)
    return {"lost_answers": lost, "head_of_all_logs": str(JointHead.now(home.state))}


def _stopped_run(status: Status, home: NodeHome) -> dict[str, Any] | None:
    stopped = home.stopped_run()
    if stopped is None:
        return None
    began = to_text(stopped.began_at)
    path = home.config.store_path
    going_on = path.parent.is_dir() and is_in_use(path)
    if not going_on:
        what = f"rounds wait: the scoring run that began at {began} did not come to a good end"
        status.need(what, "folkmoot-node score", 10)
    return {"began_at": began, "going_on": going_on, "incomplete": stopped.is_incomplete}


def _rounds(status: Status, home: NodeHome, now: int) -> dict[str, Any]:
    if not home.keys.certificate.exists():
        return {"open": [], "answered": 0, "not_delivered": 0, "expired": 0}
    try:
        approval = home.release_policy().policy.operator_approval
    except Problem:
        approval = True  # the policy's own section says what is wrong
    stopped = home.stopped_run() is not None
    found: list[tuple[Any, RoundStatus]] = []
    for known in home.round_book().rounds():
        answer = home.outbox.find(known.round_id)
        found.append((known, known.status(answer, approval=approval, now=now, stopped=stopped)))
    return _counted_rounds(status, found)


def _counted_rounds(status: Status, found: list[tuple[Any, RoundStatus]]) -> dict[str, Any]:
    unanswered = {
        RoundStatus.WAITING_FOR_APPROVAL, RoundStatus.WAITING_FOR_SCORES, RoundStatus.READY,
        RoundStatus.DECLINED,
    }  # fmt: skip
    not_delivered = {RoundStatus.RELEASED, RoundStatus.REFUSED}
    waiting = sorted(
        ((known, state) for known, state in found if state in unanswered),
        key=lambda pair: int(pair[0].facts.deadline),
    )
    for known, state in waiting:
        if state is RoundStatus.WAITING_FOR_APPROVAL:
            what = f"round {known.round_id[:12]} waits for a decision until "
            what += to_text(known.facts.deadline)
            status.need(what, f"folkmoot-node rounds show {known.round_id[:12]}", 15)
    refused = sum(state is RoundStatus.UNDELIVERABLE for _, state in found)
    if refused:
        what = f"answers that the coordinator did not accept: {refused}"
        status.need(what, "folkmoot-node rounds list", 40)
    done = unanswered | not_delivered | {RoundStatus.EXPIRED}
    return {
        "open": [
            {
                "round_id": known.round_id,
                "deadline": to_text(known.facts.deadline),
                "status": state.value,
            }
            for known, state in waiting
        ],
        "answered": sum(state not in done for _, state in found),
        "not_delivered": sum(state in not_delivered for _, state in found),
        "expired": sum(state is RoundStatus.EXPIRED for _, state in found),
    }


def _budget(status: Status, home: NodeHome) -> dict[str, Any]:
    balance = home.balance()
    for what, left, cap in (
        ("the accounting period", balance.period_remaining, balance.cap),
        ("all time", balance.lifetime_remaining, balance.lifetime_cap),
    ):
        if left.nano < BUDGET_SHARE * cap.nano:
            text = f"rho {left} of {cap} is left for {what}"
            status.need(text, "folkmoot-node ledger show", 45)
    return {
        "period_start": to_text(balance.period_start),
        "period_end": to_text(balance.period_end),
        "cap": str(balance.cap),
        "spent": str(balance.spent),
        "remaining": str(balance.period_remaining),
        "lifetime_cap": str(balance.lifetime_cap),
        "lifetime_spent": str(balance.lifetime),
        "lifetime_remaining": str(balance.lifetime_remaining),
    }


def _fitted_policy(status: Status, home: NodeHome) -> dict[str, Any] | None:
    known = fitted_file(home, home.config.risk_policy)
    if known is None:
        return None
    found, policy = known
    if not found.is_published:
        status.need(found.what, publish_command(policy), 28)
    return found.as_json()


def _incidents(status: Status, home: NodeHome, now: int) -> dict[str, Any]:
    found = list(incidents_of(home.audit.entries(ACTIONS)))
    for need in needs_of(found, now, "folkmoot-node"):
        status.needs.append(need)
    return {"open": sum(one.closed_at is None for one in found), "all": len(found)}


def _policies(status: Status, config: NodeConfig, now: int) -> dict[str, Any]:
    risk = load_policy(config.risk_policy)
    release = load_unsigned(config.release_policy)[0]
    today = day(now)
    remedies = (
        ("risk policy", risk.sunset, f"decide on a new date in {config.risk_policy.name}"),
        ("release policy", release.sunset, "folkmoot-node policy sign --signer NAME"),
    )
    for name, sunset, remedy in remedies:
        left = (sunset - today).days
        if left < 0:
            status.need(f"the {name} ended on {sunset}", remedy, 8)
        elif left <= WARN_DAYS:
            status.need(f"the {name} ends on {sunset}", remedy, 30)
    return {
        "risk_policy": {"name": risk.name, "sunset": risk.sunset.isoformat()},
        "release_policy": {"sunset": release.sunset.isoformat()},
    }


def _scores(status: Status, config: NodeConfig, now: int) -> dict[str, Any] | None:
    if not config.store_path.exists():
        status.need("no household has been scored yet", "folkmoot-node score", 20)
        return None
    with open_scores(config, day(now)) as store:
        run = store.run
    policy = load_policy(config.risk_policy)
    use, keep = end_of_use(run, policy), end_of_keeping(run, policy)
    if day(now) > keep.last_day:
        status.need(f"the scores must be deleted: {keep.why}", "folkmoot-node purge", 7)
    elif day(now) > use.last_day:
        status.need(f"the scores may not be used any more: {use.why}", "folkmoot-node score", 9)
    if run.failed:
        what = "factors of a plugin that failed are unknown in the scores"
        status.need(what, "folkmoot-node score", 12)
    if run.policy_digest != policy.digest:
        what = "the scores are by another policy than the one in node.toml"
        status.need(what, "folkmoot-node score", 35)
    return {
        "run_id": run.run_id,
        "finished_at": to_text(run.finished_at),
        "age_seconds": max(0, int(now - run.finished_at)),
        "reference_date": run.reference_date.isoformat(),
        "policy_digest": run.policy_digest.hex(),
        "policy_is_current": run.policy_digest == policy.digest,
        "whole": not run.failed,
        "usable_until": use.last_day.isoformat(),
        "kept_until": keep.last_day.isoformat(),
    }


def _certificates(status: Status, config: NodeConfig, now: int) -> list[dict[str, Any]]:
    found = certificates(KeyFiles.of(config.home), now)
    for one in found:
        if one.standing is not Standing.FINE:
            urgency = 3 if one.standing is Standing.ENDED else 25
            status.need(f"certificate of {one.name}: {one}", one.remedy, urgency)
    return [one.as_json() for one in found]


def _backup(status: Status, home: NodeHome, now: int) -> dict[str, Any] | None:
    config = home.config
    if config.backup is None:
        return None
    folder = config.home / config.backup.folder
    return newest_backup(status, folder, config.council, names_made(home), now, "folkmoot-node")


def _disk(status: Status, config: NodeConfig) -> dict[str, Any]:
    usage = shutil.disk_usage(config.home)
    if usage.free < MIN_FREE_BYTES:
        what = f"{sized(usage.free)} of disk are free"
        status.need(what, "free at least 2 GiB for a scoring run", 18)
    return {"free_bytes": usage.free, "total_bytes": usage.total}


def _plugins(config: NodeConfig) -> dict[str, Any]:
    return {
        "installed": [
            {"name": one.distribution, "version": one.version} for one in installed_plugins()
        ],
        "others_allowed": sorted(config.plugins.allowed),
    }


def _prefect(config: NodeConfig) -> dict[str, Any]:
    prefect = config.prefect
    if not prefect.enabled:
        return {"mode": "off", "url": None}
    mode = "run by serve" if prefect.url is None else "named in node.toml"
    return {"mode": mode, "url": prefect.url}


def _serve(status: Status, config: NodeConfig) -> dict[str, Any]:
    process = _alive(config.home / SERVE_LOCK)
    if config.coordinator is not None and process is None:
        status.need(
            "no `folkmoot-node serve` runs: rounds are not answered", "folkmoot-node serve", 22
        )
    return {"running": process is not None, "process": process}


def _alive(lock: Path) -> int | None:
    """The process that the file names, if it is still there. Takes no lock: `serve` may start."""
    process = holder(lock)
    if process is None:
        return None
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass  # another account's
    return process
