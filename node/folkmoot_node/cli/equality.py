"""`equality`: how the scores treat protected groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console, print_json, progress
from folkmoot_operator.tables import print_table


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command()(equality)


def equality(
    home: Home = HERE,
    as_json: AsJson = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Write the shares by group and band: .svg .png .html"),
    ] = None,
    smallest: Annotated[
        int, typer.Option(help="Groups of fewer households are shown together.", min=3)
    ] = 10,
    sample: Annotated[
        int,
        typer.Option(help="Households that the proxy check looks at, at most.", min=500),
    ] = 50_000,
    fail_above: Annotated[
        float | None,
        typer.Option(
            metavar="AUC",
            help="Exit code 5 if the inputs predict any group better than this, with 95 % "
            "confidence.",
            min=0.5,
            max=1,
        ),
    ] = None,
) -> None:
    """Audits the last scores by the protected characteristics that the policy names.

    Compares each group with all others: households, mean score, share in each band, mean
    contribution of each factor. Also shows how accurately the scoring inputs predict the
    group, since a score may then stand for it as a proxy. Nothing leaves this machine; the
    audit log records that you looked. Exit code 0 whatever is found, unless --fail-above is
    given; 5 after the policy's last day, and when the scores may be kept no longer. Needs
    the extra `audit`.

    Example: folkmoot-node equality --plot equality.svg
    """
    from rich.table import Table

    from folkmoot_node.equality.chart import write_chart
    from folkmoot_node.equality.report import as_renderables, audit_equality
    from folkmoot_node.home import open_home
    from folkmoot_operator.pictures import check_suffix
    from folkmoot_operator.problems import ExitCode, Problem

    if plot:
        check_suffix(plot)
    with open_home(home) as node, node.open_store_for_use() as store:
        with node.state.transaction() as connection:
            body = {"action": "equality audited", **current_operator().as_body()}
            node.audit.append(connection, node.clock(), body)
        with progress() as bars:
            tasks: dict[str, Any] = {}

            def advance(stage: str, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(stage, total=total)
                bars.update(tasks[stage], completed=done, total=total)

            report = audit_equality(store, smallest=smallest, most=sample, progress=advance)
    if plot:
        write_chart(report, plot)
    if as_json:
        print_json(report.as_json())
    else:
        out = console()
        for item in as_renderables(report):
            if isinstance(item, Table):
                print_table(item, out)
            else:
                out.print(item, markup=False)
        if plot:
            typer.echo(f"The plot is in {plot}")
    if fail_above is not None and report.exceeding(fail_above):
        raise Problem(
            "the scoring inputs predict a group better than --fail-above permits: "
            + ", ".join(report.exceeding(fail_above)),
            where="folkmoot-node equality",
            remedy="See which inputs are responsible; remove the factor, or have the policy's "
            "owner record why need explains it",
            exit_code=ExitCode.REFUSED,
        )
