"""A visit to the coordinator: learn of rounds, have each answered, deliver, keep the receipts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from folkmoot.errors import ContractError
from folkmoot.versions import SPOKEN
from folkmoot_node.answering.answer import answer_round
from folkmoot_node.answering.deliver import deliver, send_again
from folkmoot_node.answering.ended_series import forget_ended_series
from folkmoot_node.answering.event import Event
from folkmoot_node.answering.reconcile import reconcile
from folkmoot_node.answering.stopped_run import RESUME, is_scoring, why_rounds_wait
from folkmoot_node.evidence.outbox import Answer, AnswerKind
from folkmoot_node.evidence.round_book import MAX_ROUNDS_A_DAY, KnownRound, RoundStatus
from folkmoot_node.federation.client import CoordinatorClient
from folkmoot_node.home import NodeHome
from folkmoot_node.signals import events
from folkmoot_node.signals.spans import ANSWER
from folkmoot_operator.problems import Problem
from folkmoot_operator.spans import span
from folkmoot_operator.sqlite_faults import DamagedDatabase, UnusableDatabase


def poll(home: NodeHome, client: CoordinatorClient) -> Iterator[Event]:
    """One visit to the coordinator: compare records, deliver what is owed, learn of rounds,
    answer them.

    Raises:
        Problem: If the coordinator cannot be reached or does not accept this node, or if this
            node's files are older than what has left it.
    """
    protocol = client.negotiate()
    comparison = reconcile(home, client, protocol)
    yield from send_again(home, client, protocol, comparison.lost_there)
    yield from deliver(home, client)
    yield from learn(home, client, protocol)
    for known in home.round_book().unanswered(home.outbox, home.clock()):
        yield from consider(home, known, protocol)
    yield from deliver(home, client)
    yield from forget_ended_series(home)


def learn(home: NodeHome, client: CoordinatorClient, protocol: int) -> Iterator[Event]:
    """Fetches open rounds and keeps those that are signed and not seen before."""
    book = home.round_book()
    for signed in islice(client.rounds(protocol), MAX_ROUNDS_A_DAY):
        try:
            book.receive(signed.round, signed.signature, home.clock())
        except (DamagedDatabase, UnusableDatabase):
            raise  # all other rounds would meet it too
        except (Problem, ContractError) as error:
            yield Event("", str(error), True, events.ROUND_UNREADABLE)


def consider(home: NodeHome, known: KnownRound, protocol: int = SPOKEN.newest) -> Iterator[Event]:
    """Answers a round if it can be answered now."""
    try:
        with span(ANSWER, round=known.round_id) as traced:
            traced.say(result="not_answered")
            answer = answer_round(home, known, protocol)
            traced.say(result="waits" if answer is None else answer.kind.value)
    except (DamagedDatabase, UnusableDatabase):
        raise
    except Problem as error:
        text = f"cannot be answered: {error}. {error.remedy}"
        yield Event(known.round_id, text, True, events.ROUND_NOT_ANSWERED)
        return
    if answer is not None:
        is_release = answer.kind is AnswerKind.RELEASE
        kind = events.ROUND_RELEASED if is_release else events.ROUND_REFUSED
        yield Event(known.round_id, _describe(home, known, answer), kind=kind)
    elif home.clock() < known.facts.deadline:
        yield _waiting(home, known)


def _waiting(home: NodeHome, known: KnownRound) -> Event:
    """What a round waits for that has no answer yet."""
    approval = home.release_policy().policy.operator_approval
    stopped = home.stopped_run()
    if stopped is None or (approval and known.decision is None):
        text = "waits for an operator: see `folkmoot-node rounds show`"
        return Event(known.round_id, text, kind=events.ROUND_WAITS_FOR_APPROVAL)
    if is_scoring(home):
        text = "waits for the scoring run that is going on"
        return Event(known.round_id, text, kind=events.ROUND_WAITS_FOR_SCORES)
    text = f"waits: {why_rounds_wait(stopped)}. {RESUME}"
    return Event(known.round_id, text, True, events.ROUND_WAITS_AFTER_RUN)


def _describe(home: NodeHome, known: KnownRound, answer: Answer) -> str:
    if answer.kind is AnswerKind.RELEASE:
        asked, head = home.round_book().question(known), home.ledger.head()
        if asked.series is not None:
            place = f"round {asked.series.position} of {asked.series.length}"
            return f"released: {place} of a series of rho {asked.loss} in all; ledger head {head}"
        return (
            f"released: rho {asked.loss}, epsilon {asked.epsilon_for():.2f} at delta "
            f"{asked.delta}; ledger head {head}"
        )
    assert answer.reason is not None
    return f"refused: {answer.reason.meaning}"


def is_open(status: RoundStatus) -> bool:
    """True while a round needs something that this node does by itself.

    What waits for a person does not: an approval, or a decision since a scoring run was stopped.
    """
    return status in {
        RoundStatus.READY,
        RoundStatus.DECLINED,
        RoundStatus.RELEASED,
        RoundStatus.REFUSED,
    }
