"""`sources`: what the node reads."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from folkmoot_node.settings.node_toml import NodeConfig
    from folkmoot_node.sources.connect import ConnectedSource

sources = typer.Typer()


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(sources, name="sources")


@sources.callback(invoke_without_command=True)
def show(context: typer.Context, home: Home = HERE, as_json: AsJson = False) -> None:
    """Shows the configured sources, their fields, and which the policy uses.

    Identifiers are shown too: those that linkage reads to find the households of records
    without a UPRN, and drops.

    Reads no record. Exit code 3 if a source, a field or the policy does not fit.

    Example: folkmoot-node sources
    """
    if context.invoked_subcommand is None:
        _show(home, as_json)


def _show(home: Path, as_json: bool) -> None:
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.scoring.binding import bind_for
    from folkmoot_node.settings.node_toml import load_config
    from folkmoot_node.sources.connect import load_plugins

    config = load_config(home)
    plugins = load_plugins()
    policy = load_policy(config.risk_policy)
    today = datetime.datetime.now(datetime.UTC).date()
    binding = bind_for(policy, config, plugins, today)
    connected = binding.sources
    wanted = {name: set(fields) for name, fields in binding.wanted.items()}
    inputs = {wanted.input.name for bound in binding.factors for wanted in bound.inputs}
    counted = {a.field.name for a in binding.attributes if a.field is not None}
    audited = {audit.field.name for audit in binding.audited} - inputs - counted
    rows = [
        {
            "source": source.name,
            "field": field.name,
            "level": source.schema.level.value,
            "type": field.type.value,
            "unit": field.unit,
            "category": field.category.value,
            "protected": field.protected.value if field.protected else "",
            "combine": field.combine.value,
            "read": field.name in wanted.get(source.name, set()),
            "audit_only": field.name in audited,
        }
        for source in connected
        for field in source.schema.fields
    ]
    needed = {name for name in wanted if wanted[name] or name == config.frame}
    identifiers = _identifiers(config, connected, needed)
    if as_json:
        print_json(
            {
                "sources": rows,
                "identifiers": identifiers,
                "broken_plugins": [str(fault) for fault in plugins.broken],
            }
        )
        return
    from rich.table import Column, Table

    table = Table(
        *(Column(name, overflow="fold") for name in ("Source", "Field", "Type", "Category")),
        Column("Read", no_wrap=True),
    )
    for row in rows:
        kind = f"{row['type']}, {row['unit']}" if row["unit"] else str(row["type"])
        category = str(row["category"])
        table.add_row(
            f"{row['source']} ({row['level']})",
            str(row["field"]),
            kind,
            f"{category}, protected: {row['protected']}" if row["protected"] else category,
            "audit only" if row["audit_only"] else "yes" if row["read"] else "no",
        )
    for entry in identifiers:
        read = "to link" if entry["read"] else "no"
        table.add_row(str(entry["source"]), str(entry["identifier"]), "identifier", "dropped", read)
    console().print(table)
    for fault in plugins.broken:
        typer.echo(f"Warning: {fault}", err=True)


def _identifiers(
    config: NodeConfig, connected: Sequence[ConnectedSource], needed: set[str]
) -> list[dict[str, str | bool]]:
    """The identifiers of each source, and whether linkage reads them."""
    from folkmoot_node.linkage.people_sources import people_identifiers_needed
    from folkmoot_node.sources.identifiers import identifiers_needed

    sources = {source.name: source for source in connected}
    used = {name: source for name, source in sources.items() if name in needed}
    found = people_identifiers_needed(identifiers_needed(config, used), config, sources, needed)
    return [
        {
            "source": source.name,
            "identifier": identifier.value,
            "read": identifier in found[source.name].identifiers,
        }
        for source in connected
        for identifier in source.schema.identifiers
    ]
