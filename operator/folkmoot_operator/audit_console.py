"""Prints audit logs: entries as a table or as JSON, and the head of a chain."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import typer

from folkmoot_operator.console import minute, print_json
from folkmoot_operator.hash_chain import Entry, Head
from folkmoot_operator.moments import to_text
from folkmoot_operator.tables import print_table

_WHO = ("action", "by", "uid", "login")
"""Keys of an entry that have columns of their own, or are left out."""


def show_entries(entries: Iterable[Entry], last: int, *, as_json: bool) -> None:
    """Prints the newest entries of a log, newest last.

    Args:
        entries: Oldest first.
        last: How many.
        as_json: As JSON instead of a table.
    """
    found = deque(entries, maxlen=last)
    if as_json:
        print_json([_as_json(entry) for entry in found])
        return
    if not found:
        typer.echo("There is no such entry.")
        return
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(
        Column("", justify="right"),
        Column("When (UTC)", no_wrap=True),
        *(Column(name, overflow="fold") for name in ("Action", "By", "Signed in as", "Details")),
    )
    for entry in found:
        body = entry.body
        details = (f"{key} {_words(body[key])}" for key in body if key not in _WHO)
        table.add_row(
            str(entry.sequence),
            minute(to_text(entry.at)),
            *(escape(str(body.get(key, ""))) for key in ("action", "by", "login")),
            escape("; ".join(details)),
        )
    print_table(table)
    typer.echo("--json shows digests and numbers of accounts.")


def show_head(head: Head, *, as_json: bool) -> None:
    """Prints that a log is whole, and where it ends."""
    if as_json:
        print_json({"entries": head.length, "head": str(head)})
        return
    typer.echo(f"The audit log is whole: {head.length} entries")
    typer.echo(f"Its head, to be noted elsewhere: {head}")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _as_json(entry: Entry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "at": to_text(entry.at),
        **entry.body,
        "digest": entry.digest.hex(),
    }
