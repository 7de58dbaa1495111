"""The command `folkmoot-rehearse`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from folkmoot_operator.console import (
    application,
    console,
    print_json,
    progress,
    run,
    version_option,
)
from folkmoot_rehearsal.outcomes.mechanism import Mechanism, Plant

if TYPE_CHECKING:
    from folkmoot_rehearsal.alone import Nodes
    from folkmoot_rehearsal.councils import Council
    from folkmoot_rehearsal.launcher import Advance, Outcome
    from folkmoot_rehearsal.layout import Layout
    from folkmoot_rehearsal.synthesis import Recipe

app = application(
    "folkmoot-rehearse",
    "A whole region on this machine: synthetic councils, real nodes, a real coordinator.",
)
_HOUSEHOLDS = 20_000
_VERSION = version_option("folkmoot-rehearse", "folkmoot-rehearsal")


@app.command()
def rehearse(
    out: Annotated[Path, typer.Option("--out", help="Folder to work in; new or empty.")],
    councils: Annotated[
        str,
        typer.Option(
            metavar="NUMBER|CODES",
            help="How many, 1 to 40, of which the first ten are Greater Manchester's; or GSS codes "
            "with commas between them, such as E09000002.",
        ),
    ] = "10",
    households: Annotated[
        int | None,
        typer.Option(
            help="Households of each council.", min=50, max=1_000_000, show_default="20000"
        ),
    ] = None,
    census_size: Annotated[
        bool,
        typer.Option(
            "--census-size", help="As many households as Census 2021 counted; with --marginals."
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="The same seed and date give the same extracts.", min=0)
    ] = 7,
    marginals: Annotated[
        Path | None,
        typer.Option(
            help="Folder of published Census 2021 tables to match by LSOA; without it, "
            "approximate shares.",
            file_okay=False,
            exists=True,
        ),
    ] = None,
    date: Annotated[
        datetime.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Day on which the residents are described.",
            show_default="today",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove an earlier rehearsal in the folder.")
    ] = False,
    files_only: Annotated[
        bool, typer.Option("--files-only", help="Write the councils' extracts and run nothing.")
    ] = False,
    node_alone: Annotated[
        bool,
        typer.Option(
            "--node-alone",
            help="Make and score the councils' nodes, without a region: no coordinator, no rounds.",
        ),
    ] = False,
    link: Annotated[
        bool,
        typer.Option(
            "--link",
            help="Let the nodes find the homes of records without a UPRN, by address or person; "
            "slower.",
        ),
    ] = False,
    outcomes: Annotated[
        bool,
        typer.Option(
            "--outcomes",
            help="Write what happened in two years too, by a known mechanism, and for each council "
            "files to judge its policy by and to fit one by.",
        ),
    ] = False,
    plant: Annotated[
        list[Plant] | None,
        typer.Option(
            "--plant",
            help="With --outcomes: record the events of one group seldom (bias), or let an input "
            "of the policy follow from the outcome (leak). May be given twice.",
        ),
    ] = None,
    view: Annotated[
        bool,
        typer.Option(
            "--view",
            help="Open the site of the region that was rehearsed in the folder, with accounts made "
            "for it; runs no rehearsal.",
        ),
    ] = False,
    casework: Annotated[
        bool,
        typer.Option(
            "--casework",
            help="Open the casework site of the first node that was rehearsed in the folder, with "
            "accounts made for it; runs no rehearsal.",
        ),
    ] = False,
    listen: Annotated[
        str,
        typer.Option(help="With --casework, the first time: where its site listens."),
    ] = "127.0.0.1:8444",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    version: bool = _VERSION,
) -> None:
    """Makes synthetic councils and runs a region of them through the public commands.

    Nodes and coordinator are separate processes with mutual TLS, signed policies, ledgers
    and noise, as in production. A second round exceeds one council's budget. Everything is
    left in the folder, with a README.txt that says how to look further. --view then opens the
    region's web site. With --node-alone there are nodes and nothing else, of which --casework opens
    the first one's casework site.

    Example: folkmoot-rehearse --councils 10 --households 20000 --seed 7 --out region
    """
    if view:
        _view(out, as_json=as_json)
        return
    if casework:
        _casework(out, listen, as_json=as_json)
        return
    from folkmoot_operator.output_places import writing_to
    from folkmoot_rehearsal.census import Census
    from folkmoot_rehearsal.councils import named
    from folkmoot_rehearsal.layout import Layout
    from folkmoot_rehearsal.synthesis import Recipe

    layout = Layout(out.resolve())
    if plant and not outcomes:
        _refuse_plant()
    if census_size and (marginals is None or households is not None):
        _refuse_census_size("--households" if marginals else "")
    recipe = Recipe(
        households=None if census_size else households or _HOUSEHOLDS,
        seed=seed,
        today=date.date() if date else datetime.datetime.now(datetime.UTC).date(),
        census=Census(marginals) if marginals else None,
        outcomes=Mechanism.planted(*(plant or ())) if outcomes else None,
    )
    chosen = named(councils)
    if recipe.census:
        for council in chosen:  # a council without tables is refused before anything is made
            recipe.census.margins(council, recipe.households)
            if not recipe.census.has_council_tables(council):
                typer.echo(
                    f"{council.name}: composition, sizes and ages are approximate, since "
                    f"{marginals} has only tables by LSOA for it",
                    err=True,
                )
    with writing_to(out):
        layout.prepare(replace=replace)
    with progress() as bars:
        tasks: dict[str, int] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done)  # type: ignore[arg-type]
            if done == total and not bars.console.is_terminal:
                typer.echo(f"{stage}: {done} of {total}", err=True)

        outcome, nodes = None, None
        if files_only:
            _write_files(chosen, recipe, layout, advance)
        elif node_alone:
            nodes = _make_nodes(chosen, recipe, layout, advance, link=link)
        else:
            outcome = _run(chosen, recipe, layout, advance, link=link)
    if nodes is not None:
        _report_nodes(nodes, layout, chosen, as_json=as_json)
        return
    if outcome is None:
        typer.echo(f"Wrote the extracts of {len(chosen)} councils to {layout.root / 'councils'}")
        return
    _report(outcome, layout, chosen, as_json=as_json)


def _view(out: Path, *, as_json: bool) -> None:
    """Serves the site of an earlier rehearsal until it is stopped."""
    from folkmoot_rehearsal import report
    from folkmoot_rehearsal.layout import Layout
    from folkmoot_rehearsal.viewing import opened, wait_for_the_end

    with opened(Layout(out.resolve())) as site:
        if as_json:
            print_json(report.site_json(site))
        else:
            report.show_site(site, console())
        wait_for_the_end(site)


def _casework(out: Path, listen: str, *, as_json: bool) -> None:
    """Serves the casework site of an earlier rehearsal until it is stopped."""
    from folkmoot_rehearsal import report
    from folkmoot_rehearsal.casework import casework_opened
    from folkmoot_rehearsal.layout import Layout
    from folkmoot_rehearsal.viewing import wait_for_the_end

    with casework_opened(Layout(out.resolve()), listen) as site:
        if as_json:
            print_json(report.site_json(site))
        else:
            report.show_site(site, console(), "The council's casework site")
        wait_for_the_end(site)


def _write_files(
    councils: tuple[Council, ...], recipe: Recipe, layout: Layout, advance: Advance
) -> None:
    from folkmoot_rehearsal.synthesis import write

    for done, council in enumerate(councils, start=1):
        write(council, recipe, layout.home(council), layout.truth(council))
        advance("Residents", done, len(councils))


def _make_nodes(
    councils: tuple[Council, ...],
    recipe: Recipe,
    layout: Layout,
    advance: Advance,
    *,
    link: bool,
) -> Nodes:
    from folkmoot_rehearsal.alone import make_nodes
    from folkmoot_rehearsal.processes import children

    with children(layout.logs) as kept:
        return make_nodes(councils, recipe, layout, kept, advance, link=link)


def _report_nodes(
    nodes: Nodes, layout: Layout, councils: tuple[Council, ...], *, as_json: bool
) -> None:
    import json

    from folkmoot_rehearsal import report

    result = report.nodes_json(nodes)
    layout.results.write_text(json.dumps(result, indent=2, default=str) + "\n", "utf-8")
    layout.write_readme(councils[0], nodes_alone=True)
    if as_json:
        print_json(result)
    else:
        report.show_nodes(nodes, layout, console())


def _refuse_census_size(other: str) -> NoReturn:
    from folkmoot_operator.problems import ExitCode, Problem

    raise Problem(
        f"says how many households there are, and so does {other}"
        if other
        else "needs the tables of the census",
        where="--census-size",
        remedy="Leave one of them out" if other else "Give their folder to --marginals",
        exit_code=ExitCode.USAGE,
    )


def _refuse_plant() -> NoReturn:
    from folkmoot_operator.problems import ExitCode, Problem

    raise Problem(
        "there is nothing to plant it in",
        where="--plant",
        remedy="Add --outcomes",
        exit_code=ExitCode.USAGE,
    )


def _run(
    councils: tuple[Council, ...],
    recipe: Recipe,
    layout: Layout,
    advance: Advance,
    *,
    link: bool,
) -> Outcome:
    from folkmoot_rehearsal.launcher import Region
    from folkmoot_rehearsal.processes import children

    with children(layout.logs) as kept:
        return Region(councils, recipe, layout, kept, advance, link=link).run()


def _report(
    outcome: Outcome, layout: Layout, councils: tuple[Council, ...], *, as_json: bool
) -> None:
    import json

    from folkmoot_rehearsal import report

    result = report.as_json(outcome)
    layout.results.write_text(json.dumps(result, indent=2, default=str) + "\n", "utf-8")
    layout.write_readme(councils[0])
    if as_json:
        print_json(result)
    else:
        report.show(outcome, layout, console())


def main() -> NoReturn:
    """Entry point of the console script."""
    run(app)


if __name__ == "__main__":
    main()
