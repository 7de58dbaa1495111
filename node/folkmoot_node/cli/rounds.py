"""`rounds`, `approve`, `decline`, `release`: what the region asks, and the answer."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home, RoundId, moment, print_renewal
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import minute, print_json, print_text
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from folkmoot_node.evidence.outbox import Answer
    from folkmoot_node.evidence.round_book import Decision, KnownRound
    from folkmoot_node.home import NodeHome


_WAITING = "waiting for approval"


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(help="Rounds the region has opened.", no_args_is_help=True)
    group.command("list")(list_)
    group.command()(show)
    group.command()(resume)
    app.add_typer(group, name="rounds")
    app.command()(approve)
    app.command()(decline)
    app.command()(release)


def list_(
    home: Home = HERE,
    as_json: AsJson = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the coordinator for new rounds.")
    ] = False,
) -> None:
    """Lists rounds, after asking the coordinator for new ones.

    Exit code 7, after the list, if this node's files are older than what has left it.

    Example: folkmoot-node rounds list
    """
    from folkmoot_node.answering.briefing import fitted_store
    from folkmoot_node.answering.catalogue import publish_catalogue
    from folkmoot_node.answering.reconcile import compare, require_complete
    from folkmoot_node.answering.visit import learn
    from folkmoot_node.home import open_home

    with open_home(home) as node:
        if not offline:
            with node.connect() as client:
                print_renewal(client)
                protocol = client.negotiate()
                compare(node, client, protocol)
                for event in learn(node, client, protocol):
                    typer.echo(f"Warning: {event.text}", err=True)
                for event in publish_catalogue(node, client, protocol):
                    typer.echo(event.text, err=True)
        rows = [_summary(node, known) for known in node.round_book().rounds()]
        if as_json:
            print_json(rows)
        else:
            _print_rounds(rows)
            _print_waiting(node)
        fitted = fitted_store(node)
        if fitted is not None and not fitted.is_published:
            typer.echo(f"Warning: {fitted.what}. See `folkmoot-node doctor`.", err=True)
        require_complete(node)


def _print_rounds(rows: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    if not rows:
        typer.echo("The region has not opened a round for this council.")
        return
    table = Table(Column("Round", no_wrap=True), "Title", "rho")
    table.add_column("Deadline (UTC)", no_wrap=True)
    table.add_column("Status")
    for row in rows:
        table.add_row(
            row["round_id"][:12],
            escape(row["title"]),
            row["rho"],
            minute(row["deadline"]),
            row["status"],
        )
    print_table(table)


def _print_waiting(node: NodeHome) -> None:
    """Says that rounds wait since a scoring run was stopped, and what to do."""
    from folkmoot_node.answering.stopped_run import RESUME, is_scoring, why_rounds_wait

    stopped = node.stopped_run()
    if stopped is None:
        return
    began = minute(moment(stopped.began_at))
    if is_scoring(node):
        print_text(f"Rounds wait for a scoring run that is going on (since {began} UTC).")
    else:
        why = why_rounds_wait(stopped)
        print_text(f"Rounds wait: {why} (the run that began at {began} UTC). {RESUME}.")


def _summary(node: NodeHome, known: KnownRound) -> dict[str, Any]:
    from folkmoot_node.answering.briefing import describe
    from folkmoot_node.evidence.round_book import RoundStatus

    answer = node.outbox.find(known.round_id)
    approval = node.release_policy().policy.operator_approval
    stopped = node.stopped_run() is not None
    status = known.status(answer, approval=approval, now=node.clock(), stopped=stopped)
    undecided = status.is_for_a_person or status is RoundStatus.READY
    refuses = undecided and describe(node, known).objection is not None
    lost = {lost.receipt.round_id for lost in node.lost_answers.outstanding()}
    text = (
        "answered, but the answer is not in this node's files"
        if known.round_id in lost
        else "refused by the release policy, not sent yet"
        if refuses
        else status.value
    )
    return {
        "round_id": known.round_id,
        "title": known.facts.title,
        "purpose": known.facts.purpose,
        "rho": str(known.facts.loss),
        "deadline": moment(known.facts.deadline),
        "status": text,
        "reason": answer.reason.name if answer and answer.reason else None,
    }


def show(round_id: RoundId = "latest", home: Home = HERE, as_json: AsJson = False) -> None:
    """Says in plain English what a round asks, and what answering it would cost.

    Example: folkmoot-node rounds show latest
    """
    from folkmoot_node.answering.briefing import describe
    from folkmoot_node.home import open_home

    with open_home(home) as node:
        known = node.round_book().resolve(round_id)
        description = describe(node, known)
        summary = _summary(node, known)
        if not as_json:
            print_text(description.as_text())
            typer.echo(f"Status: {summary['status']}.")
            if not description.answered:
                _print_waiting(node)
    if as_json:
        print_json({**summary, **description.as_json()})
    else:
        if not description.objection and summary["status"] == _WAITING:
            short = summary["round_id"][:12]
            typer.echo(f"Decide: `folkmoot-node approve {short}` or `decline {short}`.")


def resume(
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")],
    home: Home = HERE,
) -> None:
    """Lets rounds be answered from the scores there are, after a scoring run was stopped.

    Rounds wait then, as they do for approval: a record may have stopped the run, and which
    scores are counted must be a person's choice. A later run that ends well lets them go on
    too. What else a round waits for, such as approval, it waits for as before. Exit code 5 if
    rounds do not wait for a run, or a run is going on.

    Example: folkmoot-node rounds resume --reason "the extract of tenancies comes on Friday"
    """
    from folkmoot_node.answering.stopped_run import is_scoring
    from folkmoot_node.evidence.scoring_runs import RESUMED
    from folkmoot_node.home import open_home
    from folkmoot_operator.problems import ExitCode, Problem

    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    with open_home(home) as node:
        stopped = node.stopped_run()
        if stopped is None or is_scoring(node):
            raise Problem(
                "a scoring run is going on" if stopped else "no round waits for a scoring run",
                remedy="Wait until it ends" if stopped else "See `folkmoot-node rounds list`",
                exit_code=ExitCode.REFUSED,
            )
        with node.state.transaction() as connection:
            body = {"action": RESUMED, **current_operator().as_body(), "reason": reason}
            node.audit.append(connection, node.clock(), body)
        scores = _scores_there_are(node)
    typer.echo(f"Rounds go on, with {scores}.")


def _scores_there_are(node: NodeHome) -> str:
    from folkmoot_operator.problems import Problem

    try:
        with node.open_store() as store:
            return f"the scores of {store.run.reference_date.isoformat()}"
    except Problem:
        return "the next scores: there are none"


def approve(
    round_id: RoundId,
    home: Home = HERE,
    undo: Annotated[bool, typer.Option("--undo", help="Take an approval back.")] = False,
) -> None:
    """Approves a round; it is answered at the next visit to the coordinator.

    Example: folkmoot-node approve latest
    """
    from folkmoot_node.evidence.round_book import Decision

    _decide(home, round_id, None if undo else Decision.APPROVED)


def decline(
    round_id: RoundId,
    home: Home = HERE,
    undo: Annotated[bool, typer.Option("--undo", help="Take a decision back.")] = False,
) -> None:
    """Declines a round. The region only learns that an operator declined.

    Example: folkmoot-node decline 3f2a
    """
    from folkmoot_node.evidence.round_book import Decision

    _decide(home, round_id, None if undo else Decision.DECLINED)


def _decide(home: Any, round_id: str, decision: Decision | None) -> None:
    from folkmoot_node.answering.briefing import describe
    from folkmoot_node.answering.reconcile import require_complete
    from folkmoot_node.evidence.round_book import TAKEN_BACK
    from folkmoot_node.home import open_home
    from folkmoot_operator.problems import ExitCode, Problem

    with open_home(home) as node:
        if decision is not None:
            require_complete(node)
        book = node.round_book()
        known = book.resolve(round_id)
        waiting = book.undecided(node.outbox, node.clock())
        if round_id == "latest" and decision is not None and len(waiting) > 1:
            # Another round may have come since the operator looked.
            raise Problem(
                f"{len(waiting)} rounds wait for a decision, and `latest` may have changed",
                remedy="Name the round that you have read by the beginning of its id",
                exit_code=ExitCode.USAGE,
            )
        who = current_operator()
        if decision is not None and node.outbox.find(known.round_id) is None:
            _require_open(node, known)
        if decision is None:
            book.undecide(known, who, node.clock(), node.outbox)
        else:
            book.decide(known, decision, who, node.clock(), node.outbox)
        description, waits = describe(node, known), node.stopped_run() is not None
    done = decision.value if decision else TAKEN_BACK
    typer.echo(f"Round {known.round_id}: {done}.")
    if decision is None:
        return
    if decision.value == "approved":
        if description.objection:
            print_text(f"The release policy still refuses it: {description.objection}.")
        if description.obstacle:
            print_text(f"It cannot be answered yet: {description.obstacle}")
        elif waits:
            typer.echo("It waits all the same: see `folkmoot-node rounds list`.")
    short = known.round_id[:12]
    typer.echo(f"Next: `folkmoot-node serve`, or at once `folkmoot-node release {short}`.")


def _require_open(node: NodeHome, known: KnownRound) -> None:
    """Raises Problem if a round without an answer is past its deadline."""
    from folkmoot_operator.problems import ExitCode, Problem

    if node.clock() >= known.facts.deadline:
        raise Problem(
            "the round is past its deadline",
            where=known.round_id,
            remedy="It is not answered any more. If its figures are needed, ask the region to open "
            "another round",
            exit_code=ExitCode.REFUSED,
        )


def release(round_id: RoundId = "latest", home: Home = HERE, as_json: AsJson = False) -> None:
    """Answers one round now and delivers the answer.

    A round is answered once: running the command again sends the same bytes. Exit code 5
    if the policy refuses or the coordinator does not accept the answer, 6 if the coordinator
    cannot be reached (the answer is kept), 7 if this node's files are older than what has left
    it.

    Example: folkmoot-node release latest
    """
    from folkmoot_node.answering.answer import answer_round
    from folkmoot_node.answering.briefing import describe
    from folkmoot_node.answering.deliver import deliver, send_again
    from folkmoot_node.answering.ended_series import forget_ended_series
    from folkmoot_node.answering.reconcile import reconcile
    from folkmoot_node.answering.stopped_run import RESUME, why_rounds_wait
    from folkmoot_node.answering.visit import learn
    from folkmoot_node.evidence.outbox import AnswerKind
    from folkmoot_node.home import open_home
    from folkmoot_node.scrutiny.permission import permit_release
    from folkmoot_operator.problems import ExitCode, Problem

    with open_home(home, permit=permit_release) as node, node.connect() as client:
        print_renewal(client)
        protocol = client.negotiate()
        comparison = reconcile(node, client, protocol)
        for event in chain(
            learn(node, client, protocol),
            send_again(node, client, protocol, comparison.lost_there),
        ):
            typer.echo(f"Warning: {event.text}", err=True)
        for event in deliver(node, client):  # a round of a series waits for those before it
            typer.echo(f"{event.round_id[:12]}: {event.text}", err=True)
        known = node.round_book().resolve(round_id)
        answer = answer_round(node, known, protocol)
        if answer is None:
            stopped = node.stopped_run()
            if node.clock() < known.facts.deadline and stopped is not None:
                raise Problem(
                    f"the round waits: {why_rounds_wait(stopped)}",
                    where=known.round_id,
                    remedy=RESUME,
                    exit_code=ExitCode.REFUSED,
                )
            _require_open(node, known)
            raise Problem(
                "the round waits for an operator",
                where=known.round_id,
                remedy="See `folkmoot-node rounds show`; approve with `folkmoot-node approve`",
                exit_code=ExitCode.REFUSED,
            )
        for event in deliver(node, client):
            typer.echo(f"{event.round_id[:12]}: {event.text}", err=True)
        for event in forget_ended_series(node):
            typer.echo(event.text, err=True)
        summary = _summary(node, known)
        description = describe(node, known)
        head = node.ledger.head()
        delivered = node.outbox.find(known.round_id) or answer
    if as_json:
        print_json({**summary, **description.as_json(), "ledger_head": str(head)})
    else:
        typer.echo(f"Round {summary['round_id']}: {summary['status']}.")
        if answer.kind is AnswerKind.RELEASE:
            print_text(description.privacy_text)
            print_text(
                f"Left in this accounting period: rho {description.balance.period_remaining}; "
                f"for all time: rho {description.balance.lifetime_remaining}."
            )
            typer.echo(f"Ledger head {head}")
    _require_accepted(delivered)
    if answer.reason is not None:
        raise Problem(
            answer.reason.meaning,
            where=known.round_id,
            remedy=f"The region is told so, with this advice: {answer.reason.next_step}",
            exit_code=ExitCode.REFUSED,
        )


def _require_accepted(answer: Answer) -> None:
    """Checks that the coordinator has not turned an answer down.

    Raises:
        Problem: Exit code REFUSED, if it has, now or earlier.
    """
    from folkmoot_operator.problems import ExitCode, Problem

    if answer.closed is None:
        return
    raise Problem(
        f"the coordinator did not accept the answer: {answer.closed.lower().replace('_', ' ')}",
        where=answer.round_id,
        remedy="It is not sent again, and what it cost stays spent. Ask the region why",
        exit_code=ExitCode.REFUSED,
    )
