"""`purge`: deletes what the retention rule no longer lets the council keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console, print_json
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from folkmoot_node.operations.back_up import KeptKey
    from folkmoot_node.operations.retention import Expired
    from folkmoot_node.settings.node_toml import NodeConfig


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command()(purge)


def purge(
    home: Home = HERE,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be deleted, and why.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Deletes what is past the policy's retention rule: scores, households as known on a past date,
    quarantine and review files, extracts that a good run has read, leftovers of stopped runs,
    histories of ended series. Where casework is set up, also what is past the casework policy's:
    closed cases, openings, answers to residents.

    `serve` does the same by itself, unless the rule says `purge = "manual"`. Never the ledger,
    answers, receipts or logs: they are evidence, and hold nothing about any household. When
    nothing is left that the store's key could open, the key is replaced, so that copies in
    backups cannot be read with it. What was deleted is recorded in the audit log, by number.
    Exit code 0 also if there is nothing to delete, 1 if you decline, 4 if a scoring run is in
    progress.

    Example: folkmoot-node purge --dry-run
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.back_up import delete_ended, with_store_key
    from folkmoot_node.operations.retention import KEY_TO_REPLACE, expired
    from folkmoot_node.operations.retention import purge as delete

    with open_home(home) as node:
        found, kept = expired(node), with_store_key(node)
        casework = _Casework(node.config)
        waiting = casework.expired()
        if dry_run or not (found or waiting):
            if as_json:
                result = {"would_delete": _rows(found)} if dry_run else _result((), False)
                print_json({**result, **casework.as_json(waiting)})
            elif found or waiting:
                _print(found, waiting)
                number = len(found) + sum(waiting.values())
                typer.echo(f"{number} would be deleted. Nothing was.")
            else:
                typer.echo("Nothing is past its retention.")
            if not dry_run:
                delete_ended(node, current_operator())
            _name_kept_keys(kept)
            return
        if not yes:
            _print(found, waiting)
            typer.confirm("Delete these permanently?", abort=True, err=True)
        purged = delete(node, found, current_operator())
        delete_ended(node, current_operator())
        kept, entries = with_store_key(node), casework.purge()
    if as_json:
        result = _result(purged.deleted, purged.key_replaced)
        print_json({**result, **casework.as_json(entries)})
        return
    for kind, number in {**purged.counts, **entries}.items():
        typer.echo(f"Deleted: {kind} ({number}).")
    if purged.key_replaced:
        typer.echo(
            "The key of the store was destroyed and replaced: encrypted copies elsewhere can be "
            "read only where a copy of the old key is kept. Delete it from your backups."
        )
    elif purged.key_to_replace:
        typer.echo(f"Attention: {KEY_TO_REPLACE}.")
    elif purged.deleted:
        typer.echo("The key of the store stays: something is left that needs it.")
    _name_kept_keys(kept)


def _name_kept_keys(kept: Sequence[KeptKey]) -> None:
    """Names the backups in which scores that are deleted here can be read."""
    from folkmoot_node.operations.back_up import UNDONE

    for one in kept:
        typer.echo(
            f"Backup {one.file} in {one.folder} holds the store's key until {one.expires}: "
            f"{UNDONE}.",
            err=True,
        )


class _Casework:
    """Casework's part of a purge; nothing where it is not set up.

    Its policy is its own, and so is its log: it notes the number of entries by kind.
    """

    def __init__(self, config: NodeConfig) -> None:
        self._config = config

    def expired(self) -> dict[str, int]:
        if self._config.casework is None:
            return {}
        from folkmoot_node.casework.settings import require_casework

        require_casework()
        from folkmoot_node.casework.desk import open_desk
        from folkmoot_node.casework.holders import RECORDS
        from folkmoot_node.casework.rights.retention import expired_casework

        desk = open_desk(self._config)
        try:
            return expired_casework(desk, RECORDS)
        finally:
            desk.state.database.close()

    def purge(self) -> dict[str, int]:
        if self._config.casework is None:
            return {}
        from folkmoot_node.casework.desk import open_desk
        from folkmoot_node.casework.holders import RECORDS
        from folkmoot_node.casework.rights.retention import purge_casework

        desk = open_desk(self._config)
        try:
            return purge_casework(desk, RECORDS, f"command of {current_operator()}")
        finally:
            desk.state.database.close()

    def as_json(self, counts: dict[str, int]) -> dict[str, Any]:
        return {} if self._config.casework is None else {"casework": counts}


def _rows(found: tuple[Expired, ...]) -> list[dict[str, str]]:
    return [{"kind": i.kind.value, "path": str(i.path), "why": i.why} for i in found]


def _result(deleted: tuple[Expired, ...], key_replaced: bool) -> dict[str, Any]:
    return {"deleted": _rows(deleted), "key_replaced": key_replaced}


def _print(found: tuple[Expired, ...], casework: dict[str, int]) -> None:
    from rich.table import Column, Table

    table = Table("What", Column("Where", overflow="fold"), Column("Why", overflow="fold"))
    for item in found:
        table.add_row(item.kind.value, str(item.path), item.why)
    for kind, number in casework.items():
        table.add_row(kind, f"casework: {number}", "past the casework policy's retention")
    print_table(table, console(stderr=True))
