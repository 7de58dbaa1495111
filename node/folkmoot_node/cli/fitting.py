"""`fit`: proposes a risk policy from back-tests."""

from __future__ import annotations

import shlex
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console, print_json, progress

if TYPE_CHECKING:
    import datetime

    from folkmoot_node.evaluation.fitting.known_dates import KnownDate
    from folkmoot_node.evaluation.fitting.proposal import Proposal, Question
    from folkmoot_node.evaluation.snapshot import Leak
    from folkmoot_node.home import NodeHome
    from folkmoot_node.policies.risk_policy import RiskPolicy


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command()(fit)


def fit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Fit file.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="POLICY", help="Where to write the proposed policy.")
    ] = Path("proposed-policy.toml"),
    home: Home = HERE,
    as_json: AsJson = False,
    page: Annotated[
        Path | None, typer.Option("--html", help="Write the report with a plot: one HTML file.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every table, not the report in short alone.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(help="Seed of all that is drawn, in place of the evaluation file's.", min=0),
    ] = None,
) -> None:
    """Proposes a risk policy whose points are fitted to what happened.

    Scores the households as they were known on each date of the evaluation file that the fit
    file names, and fits whole points to the outcome: never below 0, none for factors that add
    nothing, within the limits of the fit file. Judges them on later dates than they learnt from,
    beside the present policy, and says who would move, also by protected group. Writes a policy
    file with other weights and bands; all else in it stays. Nothing is put into force, and
    nothing leaves this machine: the file and the report tell of residents. The audit log records
    the run. Exit code 4 if there are too few events or a factor knows the outcome; 5 if a limit
    cannot be met. Needs the extra `audit`.

    Example: folkmoot-node fit fit.toml --out proposed-policy.toml
    """
    from folkmoot_node.evaluation.fitting.policy_file import require_replaceable
    from folkmoot_node.evaluation.fitting.report import as_document
    from folkmoot_node.evaluation.reporting.as_text import print_document
    from folkmoot_node.evaluation.reporting.needed import require_libraries
    from folkmoot_node.evidence.fitted_policies import FITTED, PROPOSED
    from folkmoot_node.evidence.pauses import require_running
    from folkmoot_node.evidence.scoring_runs import NOT_SCORED
    from folkmoot_node.home import open_home
    from folkmoot_operator.private_files import write_private

    question = _question(file, seed)
    require_libraries("fit", fits=True, with_page=page is not None)
    _require_new(out, "--out")
    if page is not None:
        _require_place(page, "--html")
        _require_two_files(out, page)
    with open_home(home) as node:
        require_running(node, NOT_SCORED)
        policy = _policy(node, question, file)
        require_replaceable(policy)
        _record(node, policy, question, FITTED)
        found = _propose(node, policy, question)
        write_private(out, found.text.encode("utf-8"), replace=False)
        _record(node, policy, question, PROPOSED, **_marks(policy, found))
    document = as_document(found)
    if page is not None:
        from folkmoot_node.evaluation.reporting.as_page import write_page

        write_page(document, page)
    if as_json:
        print_json({**found.as_json(), "file": str(out)})
        return
    print_document(document, console(), everything=everything)
    typer.echo(f"The proposed policy is in {out}")
    if page is not None:
        typer.echo(f"The page is in {page}")


def _question(file: Path, seed: int | None) -> Question:
    """What the two files ask."""
    from folkmoot_node.evaluation.evaluation_file import EvaluationFile
    from folkmoot_node.evaluation.fitting.fit_file import FitFile, outcome_of
    from folkmoot_node.evaluation.fitting.forward import check_dates
    from folkmoot_node.evaluation.fitting.proposal import Question
    from folkmoot_operator.moments import months_later
    from folkmoot_operator.settings import parse, read

    content = read(file)
    fit_file = parse(FitFile, content, str(file))
    path = file.parent / fit_file.evaluation
    asked = read(path)
    evaluation = parse(EvaluationFile, asked, str(path))
    outcome = outcome_of(fit_file, str(file), evaluation.outcomes)
    months = evaluation.outcomes[outcome].months
    check_dates([(date, months_later(date, months)) for date in evaluation.dates], str(path))
    # What else is drawn, such as the leak check's sample, is drawn from the same seed.
    if seed is not None:
        evaluation = evaluation.model_copy(update={"seed": seed})
    return Question(
        fit=fit_file,
        fit_path=str(file),
        fit_digest=sha256(content).hexdigest(),
        evaluation=evaluation.model_copy(
            update={"outcomes": {outcome: evaluation.outcomes[outcome]}}
        ),
        evaluation_path=str(path),
        evaluation_digest=sha256(asked).hexdigest(),
        outcome=outcome,
    )


def _propose(node: NodeHome, policy: RiskPolicy, question: Question) -> Proposal:
    """Scores the households as of each date, and fits."""
    from folkmoot_node.evaluation.dated_snapshots import snapshots
    from folkmoot_node.evaluation.fitting.fit_file import check_names
    from folkmoot_node.evaluation.fitting.known_dates import known_date
    from folkmoot_node.evaluation.fitting.leaks import refuse_leaks, warnings_of
    from folkmoot_node.evaluation.fitting.proposal import propose
    from folkmoot_node.evidence.pauses import require_running
    from folkmoot_node.evidence.scoring_runs import NOT_SCORED
    from folkmoot_node.scoring.binding import bind_for
    from folkmoot_node.sources.connect import load_plugins

    with load_plugins(node.config) as plugins, progress() as bars:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            require_running(node, NOT_SCORED)
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        binding = bind_for(policy, node.config, plugins, node.today())
        protected = [
            factor.name
            for factor in binding.factors
            if any(one.input.name in binding.protected_inputs for one in factor.inputs)
        ]
        check_names(
            question.fit,
            question.fit_path,
            factors=[factor.name for factor in binding.factors],
            protected=protected,
            capacity=question.evaluation.capacity,
            held=[audit.field.name for audit in binding.audited],
        )
        repeated = question.evaluation.outcomes[question.outcome].repeated
        dates: list[KnownDate] = []
        leaks: list[tuple[datetime.date, Leak]] = []
        undated: tuple[str, ...] = ()
        for one in snapshots(
            node.config,
            plugins,
            policy,
            question.evaluation,
            today=node.today(),
            progress=advance,
        ):
            dates.append(known_date(one, question.outcome, repeated=repeated))
            undated = one.undated
            leaks += [(one.date, leak) for leak in one.leaks if leak.outcome == question.outcome]
            del one  # or it would be in memory while the next date is scored
        unused = (*question.fit.leave_out, *(() if question.fit.protected_inputs else protected))
        refuse_leaks(leaks, unused, question.fit_path)
        return propose(
            dates,
            policy,
            question,
            protected=protected,
            undated=undated,
            warnings=warnings_of(leaks),
            progress=advance,
        )


def _policy(node: NodeHome, question: Question, file: Path) -> RiskPolicy:
    """The policy that the evaluation file names, or that of the node."""
    from folkmoot_node.policies.risk_policy import load_policy

    if question.evaluation.policy is None:
        return node.risk_policy()
    return load_policy((file.parent / question.fit.evaluation).parent / question.evaluation.policy)


def _record(
    node: NodeHome, policy: RiskPolicy, question: Question, action: str, **more: str
) -> None:
    """Writes into the audit log that somebody fits, before there is anything to see."""
    body = {
        "action": action,
        "run": question.run_of(policy),
        "fit_sha256": question.fit_digest,
        "evaluation_sha256": question.evaluation_digest,
        "policy_sha256": policy.digest.hex(),
        **more,
        **current_operator().as_body(),
    }
    with node.state.transaction() as connection:
        node.audit.append(connection, node.clock(), body)


def _marks(policy: RiskPolicy, found: Proposal) -> dict[str, str]:
    """By what the proposed policy is recognised when somebody scores by it."""
    from folkmoot_node.evidence.fitted_policies import weights_mark
    from folkmoot_node.policies.risk_policy import parse_policy

    marks = {"proposed_sha256": found.sha256}
    weights = weights_mark(parse_policy(found.text.encode("utf-8"), "proposed policy"))
    if weights != weights_mark(policy):  # else they were the council's before records said so
        marks["weights"] = weights
    return marks


def _require_new(path: Path, option: str) -> None:
    """Raises Problem unless a new file can be written, before work begins that takes long."""
    from folkmoot_operator.problems import ExitCode, Problem

    _require_place(path, option)
    if path.exists():
        raise Problem(
            "is there already",
            where=str(path),
            remedy=f"Give another name: --out {shlex.quote(str(path.with_stem(path.stem + '-2')))}",
            exit_code=ExitCode.USAGE,
        )


def _require_two_files(out: Path, page: Path) -> None:
    """Raises Problem if the page would take the place of the policy."""
    from folkmoot_operator.problems import ExitCode, Problem

    if page.resolve() == out.resolve():
        raise Problem(
            "is where the proposed policy goes (--out)",
            where=f"--html {page}",
            remedy="Give the page a name of its own",
            exit_code=ExitCode.USAGE,
        )


def _require_place(path: Path, option: str) -> None:
    from folkmoot_operator.output_places import (
        require_no_link,
        require_place_for_file,
        require_safe_folder,
    )

    require_no_link(path, option)
    require_safe_folder(path, option)
    require_place_for_file(path)
