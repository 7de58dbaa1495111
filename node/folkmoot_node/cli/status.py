"""`status`: how the node is, on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import minute
from folkmoot_operator.status_screen import (
    CheckOption,
    WatchOption,
    ago,
    backup_line,
    disk_line,
    incidents_line,
    pause_line,
    show_status,
)

if TYPE_CHECKING:
    from folkmoot_node.home import NodeHome
    from folkmoot_operator.status_screen import Status


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command()(status)


def status(
    home: Home = HERE,
    as_json: AsJson = False,
    watch: WatchOption = None,
    check: CheckOption = False,
) -> None:
    """Says how the node is: scores, rounds, budget, certificate, disk; and what needs somebody.

    Only reads, asks nobody, and starts no plugin: `doctor` looks closer. What cannot be read is
    named. Exit code 0 whatever it finds; with --check 1 if something needs somebody.

    Example: folkmoot-node status --check
    """
    from folkmoot_node.operations.status import node_status

    show_status(
        lambda: node_status(home, further=_scrutiny),
        screen,
        as_json=as_json,
        watch=watch,
        check=check,
    )


def _scrutiny(found: Status, node: NodeHome) -> None:
    """Adds the section of scrutiny; a node without it loads little for that."""
    from folkmoot_node.scrutiny.scrutiny_file import scrutiny_path

    config = node.config
    is_there = config.approved_dossiers.exists() or scrutiny_path(config).exists()
    if not (is_there or config.scrutiny.require_approved):
        found.document["scrutiny"] = None
        return
    from folkmoot_node.scrutiny.standing import scrutiny_section

    found.read("scrutiny", lambda: scrutiny_section(found, node))


def screen(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Lines of the screen: title and text.

    Args:
        found: The document.
    """
    node = found.get("node")
    if node is None:
        yield "Node", "cannot be read"
        return
    yield "Node", f"{node['name']} ({node['council']}), {node['home']}"
    pause = found.get("pause")
    has_left = pause is not None and pause["final"]
    serve = found.get("serve") or {}
    running = f"process {serve.get('process')}" if serve.get("running") else "does not run"
    yield "Serve", f"{running}; version {found['version']}; at {minute(found['at'])} UTC"
    yield from pause_line(found, "Left" if has_left else "Paused")
    if not has_left:
        yield from _of_member(found)
    yield from disk_line(found)
    plugins = found.get("plugins")
    if plugins:
        others = ", ".join(plugins["others_allowed"]) or "none"
        yield "Plugins", f"{len(plugins['installed'])} installed; of others allowed: {others}"
    prefect = found.get("prefect")
    if prefect:
        yield "Prefect", prefect["mode"] + (f": {prefect['url']}" if prefect["url"] else "")
    yield from incidents_line(found)


def _of_member(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a node has that has not left its region."""
    yield "Scores", _scores(found)
    yield "Rounds", _rounds(found.get("rounds"))
    past, scrutiny = found.get("for_rounds"), found.get("scrutiny")
    if past:
        yield "Past date", _past(past)
    if scrutiny:
        yield "Scrutiny", _scrutinised(scrutiny)
    yield "Budget", _budget(found.get("budget"))
    certificates = found.get("certificates")
    if certificates is None:
        yield "Certificate", "cannot be read"
    elif not certificates:
        yield "Certificate", "the node is in no region"
    for one in certificates or ():
        left = f"{one['days_left']:.0f} days left"
        yield "Certificate", f"{one['name']}: until {minute(one['not_after'])} UTC, {left}"
    yield from backup_line(found)


def _scores(found: Mapping[str, Any]) -> str:
    scores, stopped = found.get("scores"), found.get("stopped_run")
    unreadable = {one["section"] for one in found.get("unreadable", ())}
    if scores is None:
        text = "cannot be read" if "scores" in unreadable else "none"
    else:
        text = (
            f"{ago(scores['age_seconds'])} old ({minute(scores['finished_at'])} UTC), "
            f"as of {scores['reference_date']}, usable until {scores['usable_until']}"
        )
        policies = found.get("policies")
        if policies and scores["policy_is_current"]:
            text += f"; policy {policies['risk_policy']['name']}"
        elif not scores["policy_is_current"]:
            text += "; by another policy than node.toml names"
    if stopped:
        what = "a run is going on" if stopped["going_on"] else "a run was stopped"
        text += f"; {what} (began {minute(stopped['began_at'])} UTC)"
    return text


def _rounds(rounds: Mapping[str, Any] | None) -> str:
    if rounds is None:
        return "cannot be read"
    text = (
        f"{len(rounds['open'])} open, {rounds['answered']} answered, "
        f"{rounds['not_delivered']} not delivered, {rounds['expired']} expired"
    )
    for one in rounds["open"][:3]:
        text += f"\n{one['round_id'][:12]} until {minute(one['deadline'])} UTC: {one['status']}"
    if len(rounds["open"]) > 3:
        text += f"\nand {len(rounds['open']) - 3} more"
    return text


def _past(past: Mapping[str, Any]) -> str:
    """What is kept for rounds that ask for an outcome."""
    if past["known_on"] is None:
        text = "no households kept for rounds"
    else:
        text = f"households of {past['known_on']}, for rounds until {past['usable_until']}"
    waiting = len(past["rounds_waiting"])
    return f"{text}; rounds that wait: {waiting}" if waiting else text


def _scrutinised(scrutiny: Mapping[str, Any]) -> str:
    """What was approved, and whether it still holds."""
    if scrutiny["approved_at"] is None:
        text = "nothing approved"
    else:
        text = f"approved {minute(scrutiny['approved_at'])} UTC"
        changes = scrutiny["changes"]
        if changes is not None:
            text += f"; changes since: {changes}" if changes else "; no changes since"
    if scrutiny["is_stopped"]:
        text += "; STOPPED"
    answers = scrutiny["answers"]
    return f"{text}; answers {answers}" if answers else text


def _budget(budget: Mapping[str, Any] | None) -> str:
    if budget is None:
        return "cannot be read"
    return (
        f"rho {budget['remaining']} of {budget['cap']} left until {budget['period_end'][:10]}; "
        f"{budget['lifetime_remaining']} of {budget['lifetime_cap']} for all time"
    )
