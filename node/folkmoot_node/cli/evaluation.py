"""`evaluate`: how well a policy would have found need."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console, print_json, print_text, progress

if TYPE_CHECKING:
    from folkmoot_node.evaluation.back_test import BackTest
    from folkmoot_node.evaluation.evaluation_file import EvaluationFile
    from folkmoot_node.evaluation.reporting.sources_read import About
    from folkmoot_node.home import NodeHome
    from folkmoot_node.pipeline.order import Progress
    from folkmoot_node.policies.risk_policy import RiskPolicy


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command()(evaluate)


def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Evaluation file.")],
    home: Home = HERE,
    as_json: AsJson = False,
    page: Annotated[
        Path | None,
        typer.Option("--html", help="Write the report with plots: one HTML file."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every table, not the report in short alone.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(help="Seed of all that is drawn, in place of the file's.", min=0),
    ] = None,
    initialise: Annotated[
        bool,
        typer.Option("--init", help="Write an evaluation file to begin with, and do no more."),
    ] = False,
    for_rounds: Annotated[
        datetime.datetime | None,
        typer.Option(
            "--for-rounds",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="Keep the households as known on this date of the file, for rounds that ask what "
            "then happened; judge nothing.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Asks how well the policy would have found what then happened.

    Scores the households as they were known on each date of the file, without records dated
    later, and compares with the outcomes that followed: calibration, what the council's visits
    would have found, what it would have found otherwise, and all of it by protected group. The
    scores in the store stay as they are. Nothing leaves this machine; the audit log records that
    you looked, with the digests of file and policy. Exit code 0 whatever is found; 4 if the
    outcomes do not reach far enough, or no household was known on a date; 5 after the policy's
    last day, and while the node is paused. A page needs the extra `audit`.

    With --for-rounds it keeps the households of one date, encrypted, in place of those kept
    before: rounds that ask for an outcome are counted from them (docs/validation.md). Where
    `node.toml` requires an approved dossier, exit code 5 while there is none, or the node has
    changed in a way at which it stops (docs/scrutiny.md).

    With --init it writes a file from what the node's sources hold: the outcomes that they declare,
    and dates that their extracts can judge. It runs as it stands.

    Example: folkmoot-node evaluate evaluation.toml --html evaluation.html
    """
    if initialise:
        typer.echo(_initialise(file, home))
        return
    from folkmoot_node.evaluation.evaluation_file import EvaluationFile
    from folkmoot_node.evaluation.reporting.content import as_document
    from folkmoot_node.evaluation.reporting.needed import require_libraries
    from folkmoot_node.evaluation.reporting.sources_read import About
    from folkmoot_node.evidence.pauses import require_running
    from folkmoot_node.evidence.scoring_runs import NOT_SCORED
    from folkmoot_node.home import open_home
    from folkmoot_operator.settings import parse

    content = _read(file)
    evaluation = parse(EvaluationFile, content, str(file))
    if for_rounds is not None:
        if page is not None:
            raise typer.BadParameter("no page is made with --for-rounds", param_hint="--html")
        _keep_for_rounds(home, evaluation, file, content, for_rounds.date(), as_json=as_json)
        return
    require_libraries("evaluate", fits=False, with_page=page is not None)
    if page is not None:
        _require_place(page)
    if seed is not None:
        evaluation = evaluation.model_copy(update={"seed": seed})
    with open_home(home) as node:
        require_running(node, NOT_SCORED)
        policy = _policy(node, evaluation, file)
        about = About(policy.name, policy.digest.hex(), sha256(content).hexdigest())
        _record(node, about)
        done = _judge(node, policy, evaluation)
    document = as_document(done, about)
    if page is not None:
        from folkmoot_node.evaluation.reporting.as_page import write_page

        write_page(document, page)
    if as_json:
        print_json({**about.as_json(), **done.as_json()})
        return
    from folkmoot_node.evaluation.reporting.as_text import print_document

    print_document(document, console(), everything=everything)
    if page is not None:
        typer.echo(f"The page is in {page}")


def _keep_for_rounds(
    home: Path,
    evaluation: EvaluationFile,
    file: Path,
    content: bytes,
    date: datetime.date,
    *,
    as_json: bool,
) -> None:
    """Keeps the households as known on a date, for rounds; says what was kept."""
    from folkmoot_node.evaluation.for_rounds import keep_for_rounds, require_for_rounds
    from folkmoot_node.evaluation.reporting.kept_text import lines_of
    from folkmoot_node.evaluation.reporting.sources_read import About
    from folkmoot_node.evidence.pauses import require_running
    from folkmoot_node.evidence.scoring_runs import NOT_SCORED
    from folkmoot_node.home import open_home
    from folkmoot_node.scrutiny.permission import permit_run
    from folkmoot_node.settings.node_toml import load_config
    from folkmoot_node.sources.connect import load_plugins

    permit_run(load_config(home))  # rounds are counted from it, as from a scoring run
    with open_home(home) as node:
        require_running(node, NOT_SCORED)
        policy = _policy(node, evaluation, file)
        require_for_rounds(evaluation, date, policy, node.risk_policy(), file)
        about = About(policy.name, policy.digest.hex(), sha256(content).hexdigest())
        _record(node, about, "snapshot for rounds begun", date)
        with load_plugins(node.config) as plugins:
            kept = keep_for_rounds(
                node.config,
                plugins,
                policy,
                date=date,
                undated=evaluation.undated,
                today=node.today(),
                go_on=lambda: require_running(node, NOT_SCORED),
            )
        _record(node, about, "snapshot for rounds kept", date)
    if as_json:
        print_json(kept.as_json())
        return
    for line in lines_of(kept):
        print_text(line)


def _initialise(file: Path, home: Path) -> str:
    """Writes an evaluation file to begin with; says what to do with it."""
    from folkmoot_node.evaluation.draft import draft
    from folkmoot_node.evaluation.first_file import first_file, require_new, write_first
    from folkmoot_node.evidence.pauses import require_running
    from folkmoot_node.evidence.scoring_runs import NOT_SCORED
    from folkmoot_node.home import open_home
    from folkmoot_node.settings.node_toml import FILE_NAME
    from folkmoot_node.sources.connect import load_plugins

    require_new(file)
    if not (home / FILE_NAME).exists():
        write_first(file, first_file())
        return (
            f"Wrote {file}, an example: {home} is no node. Name a node's folder with --home, and "
            "the file is written for its sources."
        )
    with open_home(home) as node:
        require_running(node, NOT_SCORED)
        with load_plugins(node.config) as plugins, _advance(node) as advance:
            text = draft(
                node.config, plugins, node.risk_policy(), today=node.today(), progress=advance
            )
    write_first(file, text or first_file())
    if text is None:
        return (
            f"Wrote {file}, an example that does not run yet: no source of this node declares an "
            "outcome. Give a mapping a field with `outcome = true` (plugins/extracts/README.md), "
            "and write the file again."
        )
    return (
        f"Wrote {file} for this node's sources. Answer its question: how many households can the "
        "council visit? Then run it without --init."
    )


def _judge(node: NodeHome, policy: RiskPolicy, evaluation: EvaluationFile) -> BackTest:
    """Scores the households as of each date, one after the other, and compares."""
    from folkmoot_node.evaluation.back_test import back_test
    from folkmoot_node.sources.connect import load_plugins

    with load_plugins(node.config) as plugins, _advance(node) as advance:
        return back_test(
            node.config, plugins, policy, evaluation, today=node.today(), progress=advance
        )


@contextmanager
def _advance(node: NodeHome) -> Iterator[Progress]:
    """Shows how far it is, and stops where the node is paused meanwhile."""
    from folkmoot_node.evidence.pauses import require_running
    from folkmoot_node.evidence.scoring_runs import NOT_SCORED

    with progress() as bars:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            require_running(node, NOT_SCORED)
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield advance


def _read(file: Path) -> bytes:
    """The bytes of the evaluation file, which are parsed and digested."""
    from folkmoot_operator.problems import ExitCode, Problem
    from folkmoot_operator.settings import read

    if not file.exists():
        raise Problem(
            "there is no such evaluation file",
            where=str(file),
            remedy=f"`folkmoot-node evaluate {shlex.quote(str(file))} --init` writes one to begin "
            "with",
            exit_code=ExitCode.SETTINGS,
        )
    return read(file)


def _require_place(page: Path) -> None:
    """Raises Problem unless the page can be written, before work begins that takes long."""
    from folkmoot_operator.output_places import (
        require_no_link,
        require_place_for_file,
        require_safe_folder,
    )

    require_no_link(page, "--html")
    require_safe_folder(page, "--html")
    require_place_for_file(page)


def _policy(node: NodeHome, evaluation: EvaluationFile, file: Path) -> RiskPolicy:
    """The policy that the evaluation file names, or that of the node."""
    from folkmoot_node.policies.risk_policy import load_policy

    if evaluation.policy is None:
        return node.risk_policy()
    return load_policy(file.parent / evaluation.policy)


def _record(
    node: NodeHome,
    about: About,
    action: str = "policy evaluated",
    known_on: datetime.date | None = None,
) -> None:
    """Writes into the audit log that somebody looks, before there is anything to see."""
    body = {
        "action": action,
        "evaluation_sha256": about.evaluation_sha256,
        "policy_sha256": about.policy_sha256,
        **({"known_on": known_on.isoformat()} if known_on else {}),
        **current_operator().as_body(),
    }
    with node.state.transaction() as connection:
        node.audit.append(connection, node.clock(), body)
