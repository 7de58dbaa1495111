"""`folkmoot-coordinator status`: how the region is, on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption
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

_MOST_COUNCILS, _MOST_ROUNDS = 8, 4


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
    from folkmoot_coordinator.home import Home
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
    ports = ", ".join(f"{name} {port['listen']} {_port(port)}" for name, port in serve.items())
    yield "Ports", ports or "cannot be read"
    yield "As of", f"{minute(found['at'])} UTC, version {found['version']}"
    yield from pause_line(found)
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
    yield from backup_line(found)
    yield from disk_line(found)
    site = found.get("site")
    if site:
        state = "" if site["open"] is None else ", open" if site["open"] else ", closed"
        yield "Site", f"{site['listen'] or 'on'}{state}" if site["enabled"] else "none"
    yield from incidents_line(found)


def _port(port: Mapping[str, Any]) -> str:
    if not port["open"]:
        return "closed"
    shown = port["certificate"]
    return f"open (certificate until {minute(shown['not_after'])} UTC)" if shown else "open"


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
