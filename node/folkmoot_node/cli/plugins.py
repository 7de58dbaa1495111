"""`plugins`: which are installed, which may run, and what is signed about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console, print_json
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from folkmoot_node.plugins.placement import Placement
    from folkmoot_node.settings.node_toml import NodeConfig
    from folkmoot_operator.problems import Problem


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(help="The plugins that may run here.", no_args_is_help=True)
    group.command("list")(show)
    group.command()(allow)
    group.command()(forget)
    group.command("import-registry")(import_registry)
    app.add_typer(group, name="plugins")


def show(home: Home = HERE, as_json: AsJson = False) -> None:
    """Shows each installed plugin: how it runs and what it is granted, or why it does not run.

    Imports nothing of any plugin. Exit code 7 if one that is allowed is refused: it was changed,
    revoked, or is not signed.

    Example: folkmoot-node plugins list
    """
    import datetime

    from folkmoot_kit.confinement import unmet
    from folkmoot_node.plugins.installed import installed_plugins
    from folkmoot_node.plugins.opening import places
    from folkmoot_node.plugins.placement import Way, missing
    from folkmoot_node.settings.node_toml import load_config
    from folkmoot_operator.problems import ExitCode

    config = load_config(home)
    found = places(config, datetime.datetime.now(datetime.UTC).date(), unmet())
    absent = missing(config, installed_plugins())
    if as_json:
        print_json(
            {
                "plugins": [_as_json(config, one) for one in found],
                "not_installed": [str(problem) for problem in absent],
            }
        )
    else:
        _print(config, found, absent)
    if any(one.way is Way.REFUSED for one in found):
        raise typer.Exit(ExitCode.VERIFICATION)


def _as_json(config: NodeConfig, one: Placement) -> dict[str, Any]:
    from folkmoot_node.plugins.provenance import Provenance
    from folkmoot_node.plugins.words import granted

    allowed, known = one.allowed, one.provenance
    signed = dict((known or Provenance()).as_json())
    if one.is_shipped:  # what is signed about it is signed about the node
        signed.update(signed=None, reviewed=None)
    return {
        "distribution": one.plugin.distribution,
        "version": one.plugin.version,
        "runs": one.way.name.lower(),
        "shipped": one.is_shipped,
        "reason": one.reason,
        "granted": granted(config, one) if one.runs else "",
        "network": list(allowed.network) if allowed else [],
        "files": bool(allowed and allowed.files),
        "memory_mib": allowed.memory_mib if allowed else None,
        "seconds": allowed.seconds if allowed else None,
        "reviewed": bool(known and known.is_reviewed),
        **signed,
        "problems": [_problem_json(problem) for problem in _problems(one)],
    }


def _problem_json(problem: Problem) -> dict[str, str]:
    return {"problem": problem.problem, "where": problem.where, "remedy": problem.remedy}


def _problems(one: Placement) -> tuple[Problem, ...]:
    if one.provenance is not None and one.provenance.problems:
        return one.provenance.problems
    return (one.problem,) if one.problem is not None else ()


def _print(config: NodeConfig, found: tuple[Placement, ...], absent: tuple[Problem, ...]) -> None:
    from rich.table import Column, Table

    from folkmoot_node.plugins.words import granted

    out = console()
    table = Table(
        Column("Plugin", overflow="fold"), Column("Version", overflow="fold"), "From", "Runs"
    )
    for one in found:
        whose = "the node" if one.is_shipped else "others"
        table.add_row(one.plugin.distribution, one.plugin.version, whose, one.way.value)
    print_table(table, out)
    shared = [one for one in found if one.is_shipped and one.runs]
    if shared:
        out.print(f"Those that come with the node: {granted(config, shared[0])}.", markup=False)
    for one in found:
        if not one.is_shipped and one.runs:
            words = "; ".join(one.provenance.words) if one.provenance else ""
            out.print(f"{one.plugin}: {words}; {granted(config, one)}.", markup=False)
        for problem in _problems(one):
            out.print(
                f"{one.plugin}: {problem.problem}. {problem.remedy.rstrip('.')}.", markup=False
            )
    for problem in absent:
        out.print(f"{problem}. {problem.remedy.rstrip('.')}.", markup=False)


def allow(
    wheel: Annotated[
        Path,
        typer.Argument(
            metavar="WHEEL",
            help="The file of the wheel that is installed.",
            exists=True,
            dir_okay=False,
        ),
    ],
    home: Home = HERE,
    network: Annotated[
        list[str] | None,
        typer.Option(
            "--network",
            metavar="HOST",
            help="A host that its sources reach; may be repeated. The network is granted as a "
            "whole: the kernel cannot hold a process to a host.",
        ),
    ] = None,
    files: Annotated[
        bool | None,
        typer.Option(
            "--files/--no-files",
            help="Its sources may read the files and folders that their options name, and "
            "extracts.",
        ),
    ] = None,
    memory: Annotated[
        int | None, typer.Option("--memory-mib", min=64, help="Memory of its process, MiB.")
    ] = None,
    seconds: Annotated[
        int | None, typer.Option("--seconds", min=1, help="Time of one call, seconds.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Lets a plugin of others run: pins the wheel, and grants what is named.

    Writes the table [plugins.allowed.NAME] into node.toml, with version and digests. At each start
    the installed files are compared with them. What a plugin was granted before stays, unless it
    is named here. The audit log records who decided.

    Example: folkmoot-node plugins allow folkmoot_plugin_energy_debt-1.2.0-py3-none-any.whl
    """
    from folkmoot_kit.confinement import import_folders
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.allow_plugin import Granted
    from folkmoot_node.operations.allow_plugin import allow as decide

    granted = Granted(tuple(network) if network is not None else None, files, memory, seconds)
    with open_home(home) as node:
        one = decide(node, wheel, import_folders(), granted, by=current_operator())
        config = node.config
    if as_json:
        print_json(_as_json(config, one))
        return
    typer.echo(f"Allowed {one.plugin}, as node.toml says from now on.")
    for problem in _problems(one):
        typer.echo(f"It does not run yet: {problem}. {problem.remedy.rstrip('.')}.", err=True)


def forget(
    distribution: Annotated[str, typer.Argument(metavar="NAME", help="Name of the distribution.")],
    home: Home = HERE,
) -> None:
    """Lets a plugin of others run no more: takes its table out of node.toml.

    It stays installed, and nothing of it is imported. The audit log records who decided.

    Example: folkmoot-node plugins forget folkmoot-plugin-energy-debt
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.allow_plugin import forget as decide

    with open_home(home) as node:
        decide(node, distribution, by=current_operator())
    typer.echo(f"{distribution} does not run any more. To remove it: pip uninstall {distribution}")


def import_registry(
    source: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="A bundle, or a folder.", exists=True)
    ],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Takes over what is signed about plugins, and what was revoked.

    The list must be signed by the registry that the trusted keys name, whole, and not older than
    one seen before. Exit code 7 if it is not; nothing is changed then.

    Example: folkmoot-node plugins import-registry registry-42.zip
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.allow_plugin import take_over_registry

    with open_home(home) as node:
        index = take_over_registry(node, source, by=current_operator())
    if as_json:
        print_json(
            {
                "registry": index.name,
                "number": index.number,
                "fresh_until": index.fresh_until,
                "documents": len(index.documents),
                "revoked": len(index.revoked),
            }
        )
        return
    typer.echo(
        f"Took over number {index.number} of {index.name}. Documents: {len(index.documents)}, "
        f"revoked: {len(index.revoked)}. It counts until {index.fresh_until}."
    )
