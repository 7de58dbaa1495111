"""`folkmoot-coordinator keys`: what programs show to read the region's statistics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_site
from folkmoot_operator.console import application, minute, print_json
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from folkmoot_coordinator.viewer.keys.api_keys import ApiKey, ApiKeys
    from folkmoot_web.clock import Clock

keys_app = application("keys", "API keys, with which programs read the region's statistics.")


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(keys_app, name="keys")


@keys_app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which program uses the key.")],
    account: Annotated[
        str | None,
        typer.Option(
            help="Whose key it is: it reads what they may read, and ends with their account. By "
            "default it belongs to nobody, and reads what the role `reader` does.",
            show_default=False,
        ),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What it may be used for; by default `read:statistics`, the only one."),
    ] = None,
    purpose: Annotated[
        list[str] | None,
        typer.Option(help="Only rounds of this purpose; may be repeated. By default all."),
    ] = None,
    round_: Annotated[
        list[str] | None,
        typer.Option(
            "--round",
            metavar="ROUND",
            help="Only this round: its id, its beginning, or `latest`; may be repeated. By "
            "default all.",
        ),
    ] = None,
    days: Annotated[int, typer.Option(help="How long it works, at most 366.")] = 90,
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Make a key, and print it: it is not kept, and cannot be shown again.

    Example: `folkmoot-coordinator keys add "Public health dashboard" --purpose winter_support`
    """
    from folkmoot_coordinator.viewer.keys.api_keys import Scope
    from folkmoot_operator.accounts import current_operator

    keys, _ = _keys(home)
    key, made = keys.add(
        name,
        account=account,
        by=f"command of {current_operator()}",
        days=days,
        scopes=scope or list(Scope),
        purposes=purpose or (),
        rounds=_round_ids(home, round_ or []),
    )
    if json_:
        print_json({"key": key, **_facts(made, "active")})
        return
    from folkmoot_operator.moments import day_text

    typer.echo(f"Key {made.key_id} works until {day_text(made.expires_at)}. It is not kept:")
    typer.echo(f"  {key}")
    typer.echo("Whoever has it reads the statistics: keep it where passwords are kept.")


@keys_app.command("list")
def list_(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """List all keys, newest first; the keys themselves are not kept.

    Example: `folkmoot-coordinator keys list --json`
    """
    from folkmoot_operator.moments import to_text

    keys, clock = _keys(home)
    found = [(one, one.state(clock())) for one in keys.list()]
    if json_:
        print_json([_facts(one, state) for one, state in found])
        return
    if not found:
        typer.echo("No key yet. Make one: `folkmoot-coordinator keys add NAME`")
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("Key", "Name", "Account", "Reads", "State", "Expires (UTC)", "Last use (UTC)")
    for one, state in found:
        reads = [*one.purposes, *(round_id[:12] for round_id in one.rounds)]
        used = minute(to_text(one.used_at) if one.used_at else None, "never")
        cells = (
            one.key_id, one.name, one.account or "nobody's", ", ".join(reads) or "all rounds",
            state, minute(to_text(one.expires_at), ""), used,
        )  # fmt: skip
        table.add_row(*map(escape, cells))
    print_table(table)


@keys_app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="Its id, as `keys list` shows it.")],
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """End a key now.

    Example: `folkmoot-coordinator keys revoke 1f8b02c4`
    """
    from folkmoot_operator.accounts import current_operator

    keys, clock = _keys(home)
    ended = keys.revoke(key_id, by=f"command of {current_operator()}")
    if json_:
        print_json(_facts(ended, ended.state(clock())))
        return
    typer.echo(f"Key {ended.key_id} ({ended.name}) does not work any more.")


def _keys(path: Path) -> tuple[ApiKeys, Clock]:
    from folkmoot_coordinator.viewer.keys.api_keys import ApiKeys

    state = open_site(path)
    return ApiKeys(state), state.clock


def _round_ids(home: Path, references: list[str]) -> list[str]:
    """Whole ids of rounds."""
    if not references:
        return []
    from folkmoot_coordinator.cli.options import open_home
    from folkmoot_coordinator.rounds.round_store import find_round

    _, database = open_home(home)
    return [find_round(database, one).round_.round_id for one in references]


def _facts(key: ApiKey, state: str) -> dict[str, Any]:
    from folkmoot_operator.moments import to_text

    return {
        "key_id": key.key_id,
        "name": key.name,
        "account": key.account,
        "scopes": list(key.scopes),
        "purposes": list(key.purposes),
        "rounds": list(key.rounds),
        "state": state,
        "made_by": key.made_by,
        "made_at": to_text(key.made_at),
        "expires_at": to_text(key.expires_at),
        "used_at": to_text(key.used_at) if key.used_at else None,
        "revoked_at": to_text(key.revoked_at) if key.revoked_at else None,
    }
