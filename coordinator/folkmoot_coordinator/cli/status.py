"""`folkmoot-coordinator status`: how the region is, on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption
from folkmoot_operator.console import minute
from folkmoot_operator.status_screen import ago, show_status, sized

_MOST_COUNCILS, _MOST_ROUNDS = 8, 4
WatchOption = Annotated[
    float | None,
    typer.Option("--watch", metavar="SECONDS", help="Look again and again, until Ctrl-C.", min=0.5),
]
CheckOption = Annotated[
    bool,
    typer.Option("--check", help="For monitoring: exit code 1 if something needs somebody."),
]


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("status")(status)


def status(
    home: HomeOption = Path(),
    json_: JsonOption = False,
    watch: WatchOption = None,
    check: CheckOption = False,
) -> None:
    """Say how the region is: councils, rounds, drafts, certificates, disk; and what needs somebody.

    Only reads: `doctor` looks closer. What cannot be read is named. Exit code 0 whatever it finds;
    with --check 1 if something needs somebody.

    Example: `folkmoot-coordinator status --check`
    """
    from folkmoot_coordinator.config import Home
    from folkmoot_coordinator.operations.status import coordinator_status

    place = Home(home)
    show_status(lambda: coordinator_status(place), screen, as_json=json_, watch=watch, check=check)


def screen(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Lines of the screen: title and text.

    Args:
        found: The document.
    """
    region = found.get("region")
    if region is None:
        yield "Region", "cannot be read"
        return
    yield "Region", f"{region['name']}, {region['home']}"
    serve = found.get("serve") or {}
    ports = ", ".join(
        f"{name} {port['listen']} {'open' if port['open'] else 'closed'}"
        for name, port in serve.items()
    )
    yield "Ports", ports or "cannot be read"
    yield "As of", f"{minute(found['at'])} UTC, version {found['version']}"
    pause = found.get("pause")
    if pause:
        yield "Paused", f"since {minute(pause['since'])} UTC by {pause['by']}: {pause['reason']}"
    yield "Councils", _councils(found.get("councils"))
    yield "Rounds", _rounds(found.get("rounds"))
    drafts = found.get("drafts")
    if drafts:
        yield (
            "Drafts",
            f"{drafts['waiting']} wait for a second person, {drafts['approved']} approved",
        )
    authority = found.get("authority")
    if authority:
        left = f"{authority['days_left']:.0f} days left"
        yield "Authority", f"until {minute(authority['not_after'])} UTC, {left}"
    database = found.get("database")
    yield "Database", database["address"] if database else "cannot be read"
    backup = found.get("backup")
    if backup:
        made = backup["made_at"]
        age = f"{ago(backup['age_seconds'])} old ({minute(made)} UTC)" if made else "none"
        yield "Backup", age
    disk = found.get("disk")
    if disk:
        yield "Disk", f"{sized(disk['free_bytes'])} of {sized(disk['total_bytes'])} free"
    site = found.get("site")
    if site:
        state = "" if site["open"] is None else ", open" if site["open"] else ", closed"
        yield "Site", f"{site['listen'] or 'on'}{state}" if site["enabled"] else "none"
    incidents = found.get("incidents")
    if incidents and incidents["all"]:
        yield "Incidents", f"{incidents['open']} open of {incidents['all']}"


def _councils(councils: list[dict[str, Any]] | None) -> str:
    if councils is None:
        return "cannot be read"
    if not councils:
        return "none has enrolled"
    longest = sorted(councils, key=lambda one: -(one["silent_seconds"] or 0))
    lines = [f"{len(councils)} enrolled"]
    for one in longest[:_MOST_COUNCILS]:
        silent = one["silent_seconds"]
        seen = "never called" if silent is None else f"silent for {ago(silent)}"
        until = one["certificate_until"]
        ends = f"certificate until {until[:10]}" if until else "no valid certificate"
        lines.append(f"{one['name'] or one['council']}: {seen}, {ends}")
    if len(councils) > _MOST_COUNCILS:
        lines.append(f"and {len(councils) - _MOST_COUNCILS} that called later")
    return "\n".join(lines)


def _rounds(rounds: Mapping[str, Any] | None) -> str:
    if rounds is None:
        return "cannot be read"
    lines = [f"{len(rounds['open'])} open, {rounds['closed']} closed"]
    for one in rounds["open"][:_MOST_ROUNDS]:
        lines.append(
            f"{one['round_id'][:12]}: {one['answered']} of {one['invited']} answered, until "
            f"{minute(one['deadline'])} UTC"
        )
    if len(rounds["open"]) > _MOST_ROUNDS:
        lines.append(f"and {len(rounds['open']) - _MOST_ROUNDS} that end later")
    return "\n".join(lines)
