"""`households`: scored households in a file, for the officers who help them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, Home, Reason
from folkmoot_operator.accounts import current_operator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command()(households)


def households(
    out: Annotated[Path, typer.Option("--out", help="File to write: .csv or .parquet.")],
    home: Home = HERE,
    band: Annotated[list[str] | None, typer.Option(help="Only this band; may be repeated.")] = None,
    reason: Reason = None,
) -> None:
    """Writes scored households to a file on this machine, for the officers who help them.

    Columns: UPRN, score, completeness, band, the attributes of the policy, and which inputs were
    rejected, not used or corrected. Households that are withheld are left out. The export is
    recorded in the audit log. The file is personal data: store and delete it as such.
    Exit code 5 after the policy's last day, and when the scores may be kept no longer. Where
    casework is set up, its policy says who may, its log has an entry before there is a file,
    and the command needs --reason (exit code 2 without it).

    Example: folkmoot-node households --band high --out calls.csv
    """
    written = export_households(home, out, band or [], reason)
    typer.echo(f"Wrote {written:,} households to {out}.")


def export_households(home: Path, out: Path, bands: Sequence[str], reason: str | None) -> int:
    """Writes scored households; the logs say who did, before there is a file."""
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.export_households import require_writable, write_households
    from folkmoot_operator.output_places import require_place_for_file, writing_to

    require_writable(out)
    require_place_for_file(out)
    with open_home(home) as node, node.open_store_for_use() as store:
        restricted: frozenset[int] = frozenset()
        if node.config.casework is not None:
            what = {"bands": list(bands)}
            restricted = (
                casework_log()
                .note_households(node.config, reason, what, clock=node.clock)
                .restricted
            )
        with node.state.transaction() as connection:
            node.audit.append(
                connection,
                node.clock(),
                {
                    "action": "households exported",
                    **current_operator().as_body(),
                    "bands": list(bands),
                },
            )
        with writing_to(out):
            return write_households(store, out, bands, without=restricted)


def casework_log() -> ModuleType:
    """What notes readings in the log of casework.

    Raises:
        Problem: Exit code SETTINGS, if what casework needs is not installed: without its log
            nothing is shown.
    """
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework import command_reading

    return command_reading
