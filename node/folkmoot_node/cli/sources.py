"""`sources`: what the node reads, whether it can be believed, and what a person accepts."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console, print_json, print_text, progress
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from folkmoot_node.settings.node_toml import NodeConfig
    from folkmoot_node.sources.connect import ConnectedSource
    from folkmoot_node.store.run_summary import RunSummary
    from folkmoot_node.store.source_summary import SourceSummary

sources = typer.Typer()


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    sources.command()(check)
    sources.command()(accept)
    sources.command()(withdraw)
    sources.command()(draft)
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
    from folkmoot_node.plugins.words import not_confined
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.scoring.binding import bind_for
    from folkmoot_node.settings.node_toml import load_config
    from folkmoot_node.sources.connect import load_plugins

    config = load_config(home)
    policy = load_policy(config.risk_policy)
    today = datetime.datetime.now(datetime.UTC).date()
    with load_plugins(config) as plugins:
        binding = bind_for(policy, config, plugins, today)
    connected = binding.sources
    wanted = {name: set(fields) for name, fields in binding.wanted.items()}
    inputs = {wanted.input.name for bound in binding.factors for wanted in bound.inputs}
    counted = {field.name for a in binding.attributes for field in a.fields}
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
            "outcome": field.outcome,
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
                "plugins_in_process": [str(one.plugin) for one in plugins.in_process],
            }
        )
        return
    from rich.table import Column, Table

    for source in connected:
        table = Table(
            *(Column(name, overflow="fold") for name in ("Field", "Type", "Category")),
            Column("Read", no_wrap=True),
        )
        for row in (row for row in rows if row["source"] == source.name):
            kind = f"{row['type']}, {row['unit']}" if row["unit"] else str(row["type"])
            category = str(row["category"])
            table.add_row(
                str(row["field"]),
                kind,
                f"{category}, protected: {row['protected']}" if row["protected"] else category,
                _when_read(row),
            )
        for entry in (entry for entry in identifiers if entry["source"] == source.name):
            read = "to link" if entry["read"] else "no"
            table.add_row(str(entry["identifier"]), "identifier", "dropped", read)
        typer.echo(f"{source.name} (a record is about one {source.schema.level.value}):")
        print_table(table)
    for fault in plugins.broken:
        typer.echo(f"Warning: {fault}", err=True)
    for text in not_confined(plugins.placements):
        typer.echo(f"Note: {text}.", err=True)


def _when_read(row: Mapping[str, object]) -> str:
    if row["outcome"]:
        return "to evaluate"
    if row["audit_only"]:
        return "audit only"
    return "yes" if row["read"] else "no"


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


def check(home: Home = HERE, as_json: AsJson = False) -> None:
    """Reads the sources that the policy uses, and shows whether they can be believed.

    Stores no scores; what could not be read is listed in quarantine/, as by a scoring run.
    For each source: records, how many could not be read or were left out, the share that has
    found a household, the most records of one household, homes without an area, and what has
    changed since the last run. The figures stay on this machine.

    Exit code 4 if a scoring run would stop, and nobody has accepted that.

    Example: folkmoot-node sources check
    """
    from folkmoot_node.evidence.acceptances import in_force
    from folkmoot_node.pipeline.dry_run import try_policy
    from folkmoot_node.pipeline.source_health import require_accepted, source_findings
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.settings.node_toml import load_config
    from folkmoot_node.sources.connect import load_plugins

    config = load_config(home)
    today = datetime.datetime.now(datetime.UTC).date()
    policy = load_policy(config.risk_policy)
    with load_plugins(config) as plugins, progress() as bars:
        task = bars.add_task("sources", total=None)
        trial = try_policy(
            config,
            plugins,
            policy,
            today=today,
            reference_date=None,
            progress=lambda _, done, total: bars.update(task, completed=done, total=total),
        )
    findings = source_findings(config, trial.run, trial.last)
    accepted = in_force(config.state_path, today)
    if as_json:
        print_json(
            {
                "sources": trial.run.as_json()["sources"],
                "findings": [
                    {
                        "source": one.source,
                        "doubt": one.doubt.value,
                        "figures": one.figures,
                        "remedy": one.remedy,
                        "stops": one.stops,
                        "accepted": one.source in accepted,
                    }
                    for one in findings
                ],
            }
        )
    else:
        _print_health(trial.run, trial.last)
        for one in findings:
            # What stops a run is said by the error at the end.
            if one.source in accepted or not one.stops:
                mark = "Accepted" if one.stops else "Note"
                console().print(f"{mark}: {one.source}: {one.figures}", markup=False)
        read = {one.name for one in trial.run.sources}
        unread = [one.name for one in config.sources if one.name not in read]
        if unread:
            print_text(f"Not read, since the policy uses nothing of them: {', '.join(unread)}")
        if not findings:
            typer.echo("Nothing speaks against these sources.")
    require_accepted(findings, accepted)


def _print_health(run: RunSummary, last: RunSummary | None) -> None:
    from rich.table import Column, Table

    titles = ("Records", "Not read", "Left out", "Home", "Most", "No area", "Before")
    columns = [Column(title, justify="right") for title in titles]
    table = Table(Column("Source", overflow="fold", min_width=14), *columns)
    before = {source.name: source for source in last.sources} if last else {}
    for source in run.sources:
        table.add_row(
            source.name,
            f"{source.records:,}",
            f"{source.rejected:,}",
            f"{sum(source.left_out.values()):,}",
            _home(source),
            f"{source.most_at_one_home:,}" if source.most_at_one_home else "",
            ", ".join(f"{n:,}" for n in source.homes_without_area.values() if n),
            _since(source, before.get(source.name)),
        )
    print_table(table)
    console().print(
        "Home: share of the records that have found a household. Most: records of the household "
        "that has the most. Before: records in the last run."
    )
    for source in run.sources:
        for reason, number in source.left_out.items():
            console().print(f"{source.name}: records not kept: {number:,} ({reason})", markup=False)
        for note in source.notes:
            console().print(f"{source.name}: {note}", markup=False)


def _home(source: SourceSummary) -> str:
    from folkmoot_node.store.source_summary import share_in_words

    has_some = source.records + source.lost and not source.about_areas
    return share_in_words(source.share_linked) if has_some else ""


def _since(now: SourceSummary, before: SourceSummary | None) -> str:
    """Records in the last run; empty if the source was not in it."""
    return "" if before is None else f"{before.records:,}"


def accept(
    source: Annotated[list[str], typer.Argument(metavar="NAME...", help="Sources in node.toml.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")],
    until: Annotated[
        datetime.datetime,
        typer.Option(formats=["%Y-%m-%d"], help="Last day on which runs go on by this."),
    ],
    home: Home = HERE,
) -> None:
    """Accepts what `sources check` finds about sources, so that runs go on until a date.

    The audit log records who accepted what, why and until when. `sources withdraw` ends it.

    Example: folkmoot-node sources accept housing --reason "new estate" --until 2027-01-31
    """
    from folkmoot_node.evidence.acceptances import body_of
    from folkmoot_node.home import open_home
    from folkmoot_node.policies.acceptance import Acceptance

    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    with open_home(home) as node:
        _require_sources(node.config, source)
        if until.date() < node.today():
            raise typer.BadParameter("the day has passed", param_hint="--until")
        with node.state.transaction() as connection:
            who = current_operator()
            for name in dict.fromkeys(source):
                accepted = Acceptance(source=name, reason=reason, until=until.date(), by=str(who))
                body = {**body_of(accepted), **who.as_body()}
                node.audit.append(connection, node.clock(), body)
    typer.echo(f"Accepted {', '.join(source)} until {until.date().isoformat()}.")


def withdraw(
    source: Annotated[list[str], typer.Argument(metavar="NAME...", help="Sources in node.toml.")],
    home: Home = HERE,
) -> None:
    """Withdraws what `sources accept` has accepted.

    Example: folkmoot-node sources withdraw housing
    """
    from folkmoot_node.evidence.acceptances import WITHDRAWN
    from folkmoot_node.home import open_home

    with open_home(home) as node:
        _require_sources(node.config, source)
        with node.state.transaction() as connection:
            for name in dict.fromkeys(source):
                body = {"action": WITHDRAWN, "source": name, **current_operator().as_body()}
                node.audit.append(connection, node.clock(), body)
    typer.echo(f"Withdrawn for {', '.join(source)}.")


def draft(
    file: Annotated[Path, typer.Argument(help="An extract: .csv, .txt, .xlsx, .parquet ...")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Mapping file to write; else it is printed.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the mapping file.")] = False,
    kind: Annotated[str, typer.Option(help="Kind of source that will read it.")] = "extracts",
    home: Home = HERE,
) -> None:
    """Writes a first mapping for an extract, with questions as comments.

    It names the columns, and how dates, amounts and codes are written. Of the values it quotes
    only short code lists that many rows hold. Answer the questions before you use it.

    Example: folkmoot-node sources draft extracts/council_tax.csv --out mappings/council_tax.toml
    """
    from folkmoot_node.settings.node_toml import FILE_NAME, load_config
    from folkmoot_node.sources.connect import load_plugins
    from folkmoot_operator.output_places import (
        require_folder,
        require_no_link,
        require_place_for_file,
        writing_to,
    )
    from folkmoot_operator.private_files import write_private
    from folkmoot_operator.problems import ExitCode, Problem
    from folkmoot_sdk.parameters import nearest

    if out is not None:
        require_folder(out.parent)
        require_place_for_file(out)
        if out.exists() and not force:
            raise Problem(
                "is there already",
                where=str(out),
                remedy="Give another name, or --force to replace it",
                exit_code=ExitCode.USAGE,
            )
    # A mapping may be drafted where there is no node yet: with the plugins that come with it.
    config = load_config(home) if (home / FILE_NAME).exists() else None
    with load_plugins(config, reading=(file,)) as plugins:
        if kind not in plugins.sources:
            raise typer.BadParameter(nearest(kind, plugins.sources), param_hint="--kind")
        text = plugins.sources[kind].draft(file)
    if out is None:
        typer.echo(text, nl=False)
        return
    require_no_link(out)
    with writing_to(out):
        write_private(out, text.encode(), replace=True)
    questions = text.count("QUESTION:")
    typer.echo(f"Wrote {out}. Questions in it: {questions}; look for QUESTION.")


def _require_sources(config: NodeConfig, names: Sequence[str]) -> None:
    from folkmoot_operator.problems import ExitCode, Problem
    from folkmoot_sdk.parameters import nearest

    known = [one.name for one in config.sources]
    for name in names:
        if name not in known:
            raise Problem(
                f"there is no source {name!r}",
                where="node.toml: sources",
                remedy=nearest(name, known),
                exit_code=ExitCode.USAGE,
            )
