"""`ledger head` and `ledger witness`: what others keep of a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot_node.evidence.witnessed_head import WitnessedHead
    from folkmoot_node.home import NodeHome

Witness = Annotated[
    list[Path] | None,
    typer.Option(
        "--witness",
        metavar="FILE",
        help="A signed head of this node that a witness kept, or a folder of them. May be given "
        "more than once.",
    ),
]


def head(home: Home = HERE) -> None:
    """Prints the head of the ledger as a small signed text, for another council to keep.

    It says where the logs end and how much was spent: nothing about any household. Give it to
    another council, which stores it with `ledger witness`.

    Example: folkmoot-node ledger head > E08000009.head
    """
    from folkmoot_node.answering.witnesses import signed_head
    from folkmoot_node.home import open_home

    with open_home(home) as node:
        typer.echo(str(signed_head(node)), nl=False)


def store(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A signed head of another council.", dir_okay=False),
    ] = None,
    council: Annotated[
        str | None,
        typer.Option(help="Print what is stored of this council, to give it back; stores nothing."),
    ] = None,
    home: Home = HERE,
) -> None:
    """Keeps the signed head of another council, so that its ledger cannot go back unnoticed.

    Exit code 7 if the text was changed, or that council's ledger went back.

    Example: folkmoot-node ledger witness E08000009.head
    """
    from folkmoot_node.answering.witnesses import store_head, stored_head
    from folkmoot_node.evidence.witnessed_head import WitnessedHead
    from folkmoot_node.home import open_home
    from folkmoot_operator.short_files import read_short_file
    from folkmoot_operator.unusable_files import unusable

    if (file is None) == (council is None):
        raise typer.BadParameter("name a file, or --council")
    with open_home(home) as node:
        if council is not None:
            kept = stored_head(node, _code(council))
            if kept is None:
                raise Problem(
                    f"no head of {council} is stored here", where="--council",
                    remedy="Ask that council for one", exit_code=ExitCode.DATA,
                )  # fmt: skip
            typer.echo(str(kept), nl=False)
            return
        assert file is not None  # one of the two
        try:
            text = read_short_file(file).decode("utf-8", errors="replace")
        except OSError as error:
            raise unusable(error, file, "the signed head") from None
        found = WitnessedHead.parse(text, str(file))
        store_head(node, found, current_operator())
    typer.echo(f"Kept: {found.council}, {found.at}, ledger head {found.ledger}")


def require_heads(node: NodeHome, given: Sequence[Path]) -> list[WitnessedHead]:
    """Checks the ledger against signed heads, given as files or as folders that hold some.

    Raises:
        Problem: Exit code VERIFICATION, if something is missing here; DATA, if a folder has none.
    """
    from folkmoot_node.answering.witnesses import newest_head
    from folkmoot_node.evidence.witnessed_head import WitnessedHead
    from folkmoot_operator.short_files import read_short_file
    from folkmoot_operator.unusable_files import unusable

    found: list[WitnessedHead] = []
    for path in given:
        if path.is_dir():
            newest = newest_head(path, str(node.config.council))
            if newest is None:
                raise Problem(
                    "holds no head of this council", where=str(path),
                    remedy="Name another folder", exit_code=ExitCode.DATA,
                )  # fmt: skip
            found.append(newest)
            continue
        try:
            text = read_short_file(path).decode("utf-8", errors="replace")
        except OSError as error:
            raise unusable(error, path, "the signed head") from None
        found.append(WitnessedHead.parse(text, str(path)))
    for one in found:
        one.require(node.state, node.keys.folder)
    return found


def _code(council: str) -> str:
    from folkmoot.errors import ContractError
    from folkmoot.geography import GssCode

    try:
        return str(GssCode(council))
    except ContractError as error:
        raise Problem(
            error.problem, where="--council", remedy=error.remedy, exit_code=ExitCode.USAGE
        ) from None
