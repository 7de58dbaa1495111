"""`folkmoot-node casework outcomes`: what workers found, for the source of outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import print_json


def register(app: typer.Typer) -> None:
    """Adds the command to those of casework."""
    app.command()(outcomes)


def outcomes(
    home: Home = HERE,
    out: Annotated[
        Path | None,
        typer.Option(help="The file; by default where the source of outcomes looks for it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Writes whether a need was found, by household and day, for the source of outcomes.

    The file has three columns and no room for more: UPRN, need_found (yes or no) and decided_on.
    It replaces an earlier one. Restricted households are left out. The log of casework has an
    entry first. The file is personal data: store and delete it as such. Exit code 5 if the
    casework policy does not permit it, or has ended.

    Example: folkmoot-node casework outcomes
    """
    from folkmoot_node.casework.settings import load_config_as_reader, require_casework

    require_casework()
    from folkmoot_node.casework.authority.command_line import command_user, require_noted
    from folkmoot_node.casework.authority.rights import Right
    from folkmoot_node.casework.authority.signed_policy import require_in_force
    from folkmoot_node.casework.desk import desk_for_command
    from folkmoot_node.casework.outcomes.door import outcomes_path, write_for_scoring
    from folkmoot_node.sources.outcomes import (
        MAPPING_NAME,
        SOURCE_NAME,
        outcomes_attribute,
        outcomes_mapping,
        outcomes_settings,
    )
    from folkmoot_operator.accounts import current_operator

    config = load_config_as_reader(home)
    path = out or outcomes_path(config)
    with desk_for_command(config) as desk:
        require_in_force(desk.known, desk.today())
        user = command_user(desk.known.policy, current_operator())
        if Right.MEASURE not in user.rights:
            require_noted(desk.state, user, Right.EXPORT)
        rows = write_for_scoring(desk.state, path, user.name)
    mapping = config.home / "mappings" / MAPPING_NAME
    if out is None and not mapping.exists():
        mapping.parent.mkdir(exist_ok=True)
        mapping.write_text(outcomes_mapping(), "utf-8")
    if as_json:
        print_json({"file": str(path), "rows": rows})
        return
    typer.echo(f"Wrote {path}. Rows: {rows}")
    if rows and out is None and all(one.name != SOURCE_NAME for one in config.sources):
        typer.echo("To read it, add to node.toml:\n")
        typer.echo(outcomes_settings())
        typer.echo("and to the risk stratification policy:\n")
        typer.echo(outcomes_attribute())
