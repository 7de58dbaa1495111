"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_operator.moments import to_text

if TYPE_CHECKING:
    from folkmoot_node.federation.client import CoordinatorClient

Home = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="FOLKMOOT_NODE_HOME",
        help="The node's home folder.",
        file_okay=False,
        readable=False,  # the account of casework may pass through it, and not list it
    ),
]
HOME_OPTION = typer.Option(
    Path(),
    "--home",
    envvar="FOLKMOOT_NODE_HOME",
    help="The node's home folder.",
    file_okay=False,
    show_default="current folder",
)
"""The same, for commands that both programs have."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
OtherPolicy = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        help="Risk stratification policy, instead of the one in node.toml.",
        dir_okay=False,
    ),
]
RoundId = Annotated[
    str, typer.Argument(metavar="ROUND", help="Id of the round, its beginning, or `latest`.")
]
Expected = Annotated[
    list[str] | None,
    typer.Option(
        "--expect",
        metavar="HEAD",
        help="A head that was noted earlier, on paper or in the system journal: of all logs "
        "(4.31.17:9f86...), or of one (12:9f86... or audit=12:9f86...). May be given more than "
        "once.",
    ),
]
Reason = Annotated[
    str | None,
    typer.Option(
        "--reason",
        help="Why, in a few words that name nobody. Needed where casework is set up: its log "
        "keeps it.",
    ),
]
NOT_NOTED = (
    "Whether the newest entries of a log were cut off: give a head that was noted elsewhere, with "
    "--expect"
)
HERE = Path()


def print_renewal(client: CoordinatorClient) -> None:
    """Says on standard error what became of the certificate, if it was due for renewal."""
    if client.renewal is not None:
        typer.echo(f"{'Warning: ' * client.renewal.is_problem}{client.renewal.text}", err=True)


def moment(seconds: int | None) -> str | None:
    """A time for people and programs: ISO 8601, UTC."""
    return None if seconds is None else to_text(seconds)
