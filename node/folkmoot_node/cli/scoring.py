"""`score`, `households`: what stays inside the council."""

from __future__ import annotations

import datetime
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home, OtherPolicy, Reason
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console, print_json, progress
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from folkmoot_node.pipeline.dry_run import Trial
    from folkmoot_node.policies.risk_policy import RiskPolicy
    from folkmoot_node.settings.node_toml import NodeConfig
    from folkmoot_node.store.run_summary import RunSummary, SourceSummary


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command()(score)
    app.command()(households)


def score(
    home: Home = HERE,
    as_json: AsJson = False,
    reference_date: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Date on which ages and durations are computed."),
    ] = None,
    policy_file: OtherPolicy = None,
    only_try: Annotated[
        bool,
        typer.Option(
            "--try",
            help="Leave the store as it is; show how many households would change band.",
        ),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="With --policy: replace scores of another policy without asking.",
        ),
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(
            "--households",
            metavar="FILE",
            help="Then write the scored households to this file, as `households --out` does.",
        ),
    ] = None,
    reason: Reason = None,
) -> None:
    """Reads the sources, scores every household, and stores scores encrypted.

    A run that fails leaves the last good scores in place, and rounds wait until a run ends
    well or a person decides (`rounds resume`), unless a source could not be reached. Rejected
    records are listed in the quarantine folder with file, row, field and reason. Where a plugin
    of others fails, and plugins.if_one_fails in node.toml is "unknown", the run begins again
    without its factors, which are unknown for every household; rounds wait then too.

    With --policy, households are scored with another policy than the one in node.toml, which
    replaces the scores in the store. The command asks first, or needs --replace where there is
    no terminal (exit code 2). The node then answers rounds that expect the other policy; those
    that expect the one in node.toml wait until you score by it again. To see what a policy would
    do before deciding, add --try. A cohort needs no other policy: an attribute of the policy
    names it, and `households --out` and rounds can go by that.

    Exit code 5 after the policy's last day, and while the node is paused. Where `node.toml`
    requires an approved dossier, also while there is none, or the node has changed in a way at
    which it stops (docs/scrutiny.md); --try goes on.

    Example: folkmoot-node score --policy next-winter.toml --try
    """
    from folkmoot_node.evidence.acceptances import in_force
    from folkmoot_node.evidence.scoring_runs import recorded_run
    from folkmoot_node.pipeline.engine import score as run
    from folkmoot_node.pipeline.own_run import Judged, last_run
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.scoring.binding import ended_licence
    from folkmoot_node.scrutiny.permission import permit_run
    from folkmoot_node.settings.node_toml import load_config
    from folkmoot_node.signals.lines import version_here
    from folkmoot_node.sources.connect import load_plugins
    from folkmoot_operator import signal_output

    if export is not None:
        from folkmoot_node.operations.export_households import require_writable
        from folkmoot_operator.output_places import require_place_for_file

        if only_try:
            raise typer.BadParameter("--try stores nothing, so that there is nothing to write")
        require_writable(export)
        require_place_for_file(export)
    config = load_config(home)
    if export is not None and config.casework is not None:
        _casework().require_export_permitted(config, reason)
    policy = load_policy(policy_file or config.risk_policy)
    today = datetime.datetime.now(datetime.UTC).date()
    reference = reference_date.date() if reference_date else None
    if policy_file and not only_try and config.risk_policy.is_file():
        configured = load_policy(config.risk_policy)
        configured.check_sunset(today)  # its rule counts too: what is made now would go at once
        if not replace:
            _ask_to_replace(last_run(config), policy, configured)
    if not only_try:
        permit_run(config, policy_file)
    _warn_of_series(home, last_run(config), policy)
    with load_plugins(config) as plugins, progress() as bars:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        trial: Trial | None = None
        if only_try:
            from folkmoot_node.pipeline.dry_run import try_policy

            trial = try_policy(
                config,
                plugins,
                policy,
                today=today,
                reference_date=reference,
                progress=advance,
            )
            summary = trial.run
        else:
            recorded = recorded_run(config.state_path, current_operator())
            traced = signal_output.traced(
                config.metrics, config.home, "folkmoot-node", version_here()
            )
            with _says_that_rounds_wait(home), recorded as record, traced:

                def go_on(stage: str, done: int, total: int) -> None:
                    record.go_on()
                    advance(stage, done, total)

                summary = run(
                    config,
                    plugins,
                    policy,
                    today=today,
                    reference_date=reference,
                    progress=go_on,
                    judged=Judged(last_run(config), in_force(config.state_path, today)),
                )
                record.stored(whole=not summary.failed)
    for failure in summary.failed:
        typer.echo(f"Warning: {failure.in_words}.", err=True)
    if summary.failed and not only_try:
        _say_that_rounds_wait(home)
    for field, end in summary.unlicensed.items():
        problem, remedy = ended_licence(field, end)
        typer.echo(f"Warning: {problem}. {remedy}.", err=True)
    if policy_file and not only_try and policy.digest != _digest_of(config.risk_policy):
        typer.echo(
            f"Warning: households are now scored by {policy.name!r}, digest "
            f"{policy.digest.hex()[:12]}. Rounds that expect the policy in node.toml wait "
            "until you score again without --policy; rounds that expect a third one are refused. "
            "To keep this policy, name its file in node.toml as scoring.risk_policy.",
            err=True,
        )
    _warn_of_certificate(config)
    written = _export(home, export, [], reason) if export is not None else None
    if as_json:
        print_json(trial.as_json() if trial else summary.as_json())
    elif trial:
        _print_trial(trial)
    else:
        _print_summary(summary)
        if written is not None:
            typer.echo(f"Wrote {written:,} households to {export}.")


def _warn_of_certificate(config: NodeConfig) -> None:
    """Scoring does not connect; who works by hand may see nothing else for weeks."""
    import time

    from folkmoot_node.federation.checks import overdue_renewal
    from folkmoot_node.federation.identity import KeyFiles

    warning = overdue_renewal(KeyFiles(config.home / "keys"), int(time.time()))
    if warning is not None:
        typer.echo(f"Warning: {warning}.", err=True)


def _ask_to_replace(last: RunSummary | None, policy: RiskPolicy, configured: RiskPolicy) -> None:
    """Asks before scores of another policy are replaced by those of one not in node.toml.

    Raises:
        Problem: Exit code USAGE, if there is no terminal to ask at.
    """
    import sys

    from folkmoot_operator.problems import ExitCode, Problem

    if last is None or policy.digest in (configured.digest, last.policy_digest):
        return
    what = f"this replaces the scores by {last.policy_name!r} with scores by {policy.name!r}"
    if not sys.stdin.isatty():
        raise Problem(
            what,
            where="--policy",
            remedy="Add --replace if that is meant, or --try to store nothing",
            exit_code=ExitCode.USAGE,
        )
    typer.echo(f"Note: {what}. Rounds that expect the policy in node.toml will wait.", err=True)
    typer.confirm("Replace the scores?", abort=True, err=True)


def _warn_of_series(home: Path, last: RunSummary | None, policy: RiskPolicy) -> None:
    """Says which running series would end if rounds were answered from scores by a new policy."""
    if last is None or last.policy_digest == policy.digest:
        return
    from folkmoot_node.answering.running_series import ended_by, running_series
    from folkmoot_node.home import open_home
    from folkmoot_node.policies.release_policy import load_unsigned
    from folkmoot_operator.problems import Problem

    # Households are scored even where there is no state or release policy yet, and so no series.
    with suppress(Problem), open_home(home) as node:
        running = running_series(node)
        if running:
            release, _ = load_unsigned(node.config.release_policy)
            for one in ended_by(node, running, release, policy):
                typer.echo(f"Warning: with these policies this council leaves {one}", err=True)


@contextmanager
def _says_that_rounds_wait(home: Path) -> Iterator[None]:
    """Says, when a run has failed, that rounds wait now and what a person can do."""
    try:
        yield
    except BaseException:
        _say_that_rounds_wait(home)
        raise


def _say_that_rounds_wait(home: Path) -> None:
    from folkmoot_node.answering.answer import RESUME, why_rounds_wait
    from folkmoot_node.home import open_home
    from folkmoot_operator.problems import Problem

    # What cannot be opened now, for a full disk for example, hides no other failure.
    with suppress(Problem), open_home(home) as node:
        stopped = node.stopped_run()
        if stopped is not None:
            typer.echo(f"Rounds wait now: {why_rounds_wait(stopped)}. {RESUME}.", err=True)


def _digest_of(path: Path) -> bytes:
    import hashlib

    return hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""


def _print_trial(trial: Trial) -> None:
    from rich.table import Column, Table

    out = console()
    run, last = trial.run, trial.last
    if last is None:
        _print_bands(run)
        out.print(
            f"Tried {run.policy_name!r} on {run.households:,} households. There are no scores "
            "that may be compared with them, and none were stored."
        )
        return
    columns = list(dict.fromkeys([*run.band_names, *(move.now for move in trial.moves)]))
    rows = list(dict.fromkeys(move.before for move in trial.moves))
    count = {(move.before, move.now): move.households for move in trial.moves}
    table = Table(
        Column("Last run \\ tried", overflow="fold"),
        *(Column(band, justify="right") for band in columns),
        title="Households by band in the last run and by band as tried",
        title_justify="left",
    )
    for before in rows:
        table.add_row(before, *(f"{count.get((before, now), 0):,}" for now in columns))
    print_table(table, out)
    both = sum(n for (one, other), n in count.items() if "(not scored)" not in (one, other))
    out.print(
        f"{trial.changed:,} of {both:,} households would change band "
        f"({trial.changed / max(1, both):.1%}). Last run: {last.policy_name!r} "
        f"({last.policy_sha256[:12]}), at {last.reference_date}; tried: {run.policy_name!r} "
        f"({run.policy_sha256[:12]}), at {run.reference_date}. "
        "The sources were read again, so records changed since the last run count too. The "
        "stored scores have not changed.",
        markup=False,
    )


def _print_bands(summary: RunSummary) -> None:
    from rich.table import Table

    largest = max(summary.bands.values(), default=0) or 1
    bands = Table("Band", "Households", "Share", "")
    for band, number in summary.bands.items():
        share = number / max(1, summary.households)
        bands.add_row(band, f"{number:,}", f"{share:.1%}", "█" * round(30 * number / largest))
    print_table(bands)


def _print_summary(summary: RunSummary) -> None:
    from rich.table import Table

    from folkmoot_node.store.run_summary import share_in_words

    out = console()
    shown = {
        "Records": "records",
        "Not read": "rejected",
        "Linked": "linked",
        "By address": "by_address",
        "By person": "by_person",
        "By review": "by_review",
        "Communal": "communal",
        "Ambiguous": "ambiguous",
        "No UPRN": "no_uprn",
        "Not in frame": "not_in_frame",
    }
    always = {"records", "rejected", "linked", "no_uprn", "not_in_frame"}
    # Councils that link nothing see nothing of linkage.
    columns = {
        title: key
        for title, key in shown.items()
        if key in always or any(getattr(source, key) for source in summary.sources)
    }
    table = Table("Source", *columns, "Found a home")
    for source in summary.sources:
        found = "" if source.about_areas else share_in_words(source.share_linked)
        figures = (f"{getattr(source, key):,}" for key in columns.values())
        table.add_row(source.name, *figures, found)
    print_table(table, out)
    for source in summary.sources:
        by = source.accepted
        until = f" (accepted by {by.by} until {by.until}: {by.reason})" if by else ""
        for doubt in source.doubts:
            out.print(f"Note: {source.name}: {doubt}{until}", markup=False)
    if any(source.ambiguous for source in summary.sources):
        out.print("Some records wait for clerical review: see `folkmoot-node linkage review`.")
    for source in summary.sources:
        for reason, number in source.left_out.items():
            out.print(f"{source.name}: records not kept: {number:,} ({reason})", markup=False)
        for note in source.notes:
            out.print(f"{source.name}: {note}", markup=False)
    for text in summary.not_confined:
        out.print(f"Note: {text}.", markup=False)
    _print_bands(summary)
    out.print(f"Scored {summary.households:,} households. These figures stay on this machine.")
    for line in summary.corrections.in_words:
        out.print(line, markup=False)
    for source in summary.sources:
        _print_rejections(source)
    if summary.quarantine:
        out.print("Rejected records: " + ", ".join(str(path) for path in summary.quarantine))


def _print_rejections(source: SourceSummary) -> None:
    from folkmoot_node.sources.quarantine import reasons_in_words

    reasons = [(one.field, one.reason, one.values) for one in source.rejected_reasons]
    for line in reasons_in_words(reasons):
        console().print(f"{source.name}: not read: {line}", markup=False)


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
    written = _export(home, out, band or [], reason)
    typer.echo(f"Wrote {written:,} households to {out}.")


def _export(home: Path, out: Path, bands: Sequence[str], reason: str | None) -> int:
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
                _casework().note_households(node.config, reason, what, clock=node.clock).restricted
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


def _casework() -> ModuleType:
    """What notes readings in the log of casework.

    Raises:
        Problem: Exit code SETTINGS, if what casework needs is not installed: without its log
            nothing is shown.
    """
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework import command_reading

    return command_reading
