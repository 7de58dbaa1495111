"""`score`: households are scored; the scores stay inside the council."""

from __future__ import annotations

import datetime
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.exporting import casework_log, export_households
from folkmoot_node.cli.options import HERE, AsJson, Home, OtherPolicy, Reason
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import print_json, progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from folkmoot_node.pipeline.dry_run import Trial
    from folkmoot_node.policies.risk_policy import RiskPolicy
    from folkmoot_node.settings.node_toml import NodeConfig
    from folkmoot_node.store.run_summary import RunSummary


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command()(score)


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
    from folkmoot_node.cli.run_text import print_summary, print_trial
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
        casework_log().require_export_permitted(config, reason)
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
    written = export_households(home, export, [], reason) if export is not None else None
    if as_json:
        print_json(trial.as_json() if trial else summary.as_json())
    elif trial:
        print_trial(trial)
    else:
        print_summary(summary)
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
    from folkmoot_node.answering.stopped_run import RESUME, why_rounds_wait
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
