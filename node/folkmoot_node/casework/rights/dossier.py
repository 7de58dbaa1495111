"""Everything that is held on a household, for whoever may open it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from sqlalchemy import select

from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.holdings import Fact, Item, Records, reference
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.rights.bench import Bench
from folkmoot_node.casework.scores_in_use import scores_in_use
from folkmoot_node.casework.uk_time import uk_day, uk_day_text
from folkmoot_node.corrections.sealed_file import decisions_of
from folkmoot_node.scoring.explain import Explanation, explain_household, policy_of
from folkmoot_node.scoring.held_for_rounds import held_for_rounds
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_operator.moments import to_datetime
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.errors import WebProblem

SHOWN = "subject access: household gathered"
"""What the log says of the look."""


@dataclass(frozen=True, slots=True)
class Room:
    """What one room holds.

    Attributes:
        name: Of the room, in references.
        title: For people.
        items: Its entries.
    """

    name: str
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything that is held on one household.

    Attributes:
        uprn: Unique property reference number.
        council: Who holds it.
        made_on: The day.
        purposes: For which, in words, and the lawful basis.
        kept: For how long, in words.
        rooms: Scores, what is kept for rounds about a past date, corrections, the log, and the
            rooms of casework.
        elsewhere: What the node may hold that is not in here, and where to ask for it.
    """

    uprn: int
    council: str
    made_on: datetime.date
    purposes: tuple[str, ...]
    kept: tuple[str, ...]
    rooms: tuple[Room, ...]
    elsewhere: tuple[str, ...]

    def to_review(self) -> Iterator[tuple[str, str, Item, Fact]]:
        """Texts that may name somebody else: reference, room, entry, text."""
        for room in self.rooms:
            for item in room.items:
                for fact in item.facts:
                    if fact.may_name_others:
                        yield reference(room.name, item, fact), room.title, item, fact


def gather(bench: Bench, opened: Opened, records: Sequence[Records]) -> Dossier:
    """Everything that is held on a household.

    Args:
        bench: Casework.
        opened: The household.
        records: Of every room, `holders.RECORDS`.

    Raises:
        WebProblem: Status 403, if who opened it may not see a sensitive source: the answer to a
            resident has to be whole.
    """
    unseen = sorted(frozenset(bench.known.policy.sensitive_sources) - opened.sources)
    if unseen:
        raise WebProblem(
            403,
            "You may not see everything that is held",
            f"Your role may not see: {', '.join(unseen)}. What a resident gets has to be whole.",
            "Ask somebody to do it whose role in the casework policy names these sources.",
        )
    rooms = [*_scores(bench, opened), *_for_rounds(bench, opened), *_corrections(bench, opened)]
    with bench.state.database.reading() as session:
        for one in reversed(records):  # cases first, for readers
            items = tuple(one.held_on(session, opened.household))
            rooms.append(Room(one.room, one.title, items))
    rooms = list(_sensitive_reviewed(bench, rooms))
    rooms.append(Room("log", "The log: who looked at what, and why", tuple(_log(bench, opened))))
    policy = bench.risk_policy().document
    retention = bench.known.policy.retention
    return Dossier(
        uprn=opened.uprn,
        council=bench.config.name,
        made_on=uk_day(bench.clock()),
        purposes=(f"{policy.name}: {policy.purpose}", f"Lawful basis: {policy.legal_basis}"),
        kept=(
            f"Scores, and what is kept for counts about a past date: "
            f"{policy.retention.scores_days} days",
            f"Cases: {retention.closed_cases_days} days after they are closed",
            f"Who opened a household: {retention.openings_days} days; the log stays",
            f"Objections and requests: {retention.rights_days} days after they are answered",
        ),
        rooms=tuple(room for room in rooms if room.items),
        elsewhere=_ELSEWHERE,
    )


_ELSEWHERE = (
    "The systems from which the sources come, such as council tax. Each source is named beside "
    "what it says. Whoever runs that system answers for what is in it.",
    "Copies of extracts from these systems, and records that were rejected as faulty. They are "
    "deleted after the days that the scoring policy says, and are not searched for this answer.",
    "Counts that the council sent to its region. They are numbers with random noise for whole "
    "areas, from which nobody can learn about one home.",
    "If a count over several months has counted your home, the council keeps your property's "
    "number, encrypted, until that count ends, so as not to count it twice.",
    "Backups, which are deleted by the council's own rule.",
)


def _scores(bench: Bench, opened: Opened) -> Iterator[Room]:
    try:
        today = bench.today()
        with scores_in_use(bench.config, today, subject_access=True) as store:
            finished = store.run.finished_at
            policy = policy_of(store.run, bench.risk_policy())
            given = (store, bench.config, bench.plugins, policy, opened.uprn)
            explanation = explain_household(*given, today=today)
            sources = _sources_of_inputs(store.run)
    except Problem as problem:
        if problem.exit_code not in (ExitCode.DATA, ExitCode.REFUSED):
            raise
        nothing = Fact("Score", "No score of this household is held.")
        yield Room("scores", "Score", (Item("none", "Last scoring run", (nothing,)),))
        return
    sensitive = frozenset(bench.known.policy.sensitive_sources)
    fields = {name for name, given in sources.items() if not sensitive.isdisjoint(given)}
    fields |= {known.field for known in explanation.inputs if known.source in sensitive}
    facts = tuple(_explained(explanation, fields))
    item = Item(policy.digest.hex(), f"Scoring run that ended on {uk_day_text(finished)}", facts)
    yield Room("scores", "Score, with reasons and sources", (item,))


def _for_rounds(bench: Bench, opened: Opened) -> Iterator[Room]:
    """The household as it was known on a past date, which rounds about outcomes count."""
    found = held_for_rounds(bench.config, opened.uprn, bench.today())
    if found is None:
        return
    facts = [
        Fact("Worked out on", found.made_on.isoformat()),
        Fact("Kept until at the latest", found.kept_until.isoformat()),
        *(Fact(one.words, one.code, sources=one.sources) for one in found.attributes),
    ]
    if found.withheld:
        facts.append(Fact("Left out of counts", "yes"))
    item = Item(found.known_on.isoformat(), f"As known on {found.known_on}", tuple(facts))
    yield Room("for_rounds", "Kept for counts of the region about a past date", (item,))


def _sensitive_reviewed(bench: Bench, rooms: Iterable[Room]) -> Iterator[Room]:
    """Rooms in which whatever tells of a sensitive source waits for the review, as the score does.

    Who asks may be the person of whom it is about. An input of which nobody knows the source any
    more may be from each.
    """
    sensitive = frozenset(bench.known.policy.sensitive_sources)
    if not sensitive:
        yield from rooms
        return
    sources_of = _sources_now(bench)

    def tells(fact: Fact) -> bool:
        return fact.sources is None or not sensitive.isdisjoint(
            [
                *fact.sources,
                *(one for name in fact.inputs for one in sources_of.get(name, sensitive)),
            ]
        )

    for room in rooms:
        items = (
            replace(
                item,
                facts=tuple(
                    replace(fact, may_name_others=fact.may_name_others or tells(fact))
                    for fact in item.facts
                ),
            )
            for item in room.items
        )
        yield replace(room, items=tuple(items))


def _sources_now(bench: Bench) -> dict[str, frozenset[str]]:
    """Sources of each input in the last scoring run; empty if there are no scores."""
    try:
        with scores_in_use(bench.config, bench.today(), subject_access=True) as store:
            return _sources_of_inputs(store.run)
    except Problem as problem:
        if problem.exit_code not in (ExitCode.DATA, ExitCode.REFUSED):
            raise
        return {}


def _sources_of_inputs(run: RunSummary) -> dict[str, frozenset[str]]:
    fields = {name for one in run.sources for name in one.fields}
    return {
        name: frozenset(one.name for one in run.sources if name in one.fields) for name in fields
    }


def _explained(one: Explanation, fields: Set[str]) -> Iterator[Fact]:
    """The score; what rests on a sensitive source is reviewed first.

    Who asks may be the person whom a report of domestic abuse is about, or a risk to a child.
    With such a part kept back, the sum of the others and the score would give it away.

    Args:
        one: The explanation.
        fields: Inputs from sensitive sources, those that are suppressed or corrected among them.
    """
    has = any(known.field in fields for known in one.inputs)
    yield Fact("Policy", one.policy)
    yield Fact("Worked out on", one.reference_date.isoformat())
    yield Fact("Score", f"{one.score:.1f} of {one.highest:g} points", has)
    yield Fact("Group", one.band, has)
    yield Fact("What the policy says is done", one.action, has)
    yield Fact("Known", f"{one.completeness:.0%} of what the policy weighs")
    for entry in one.contributions:
        points = "not known" if entry.points is None else f"{entry.points:.1f} points"
        words = f"{points} of {entry.weight:g}. {entry.words}"
        yield Fact(f"Why: {entry.title}", words, not fields.isdisjoint(entry.inputs))
    for known in one.inputs:
        value = "not known" if known.value is None else f"{_plain(known.value)} {known.unit}"
        supplier = f"; supplier: {known.supplier}" if known.supplier else ""
        name = known.field.replace("_", " ")
        words = f"{value.strip()} ({known.words}{supplier})"
        yield Fact(f"Information: {name}", words, known.field in fields)


def _corrections(bench: Bench, opened: Opened) -> Iterator[Room]:
    decisions = decisions_of(bench.config).households.get(opened.uprn, ())
    items = []
    for one in decisions:
        facts = [Fact("Decided on", one.decided_on.isoformat())]
        facts += [Fact("Not used", name, inputs=(name,)) for name in one.suppress]
        facts += [
            Fact("Corrected", f"{name}: {value}", inputs=(name,))
            for name, value in one.correct.items()
        ]
        if one.withhold:
            facts.append(Fact("Left out of lists and counts", "yes"))
        items.append(Item(one.objection, f"Correction of {one.decided_on}", tuple(facts)))
    yield Room("corrections", "What upheld objections change", tuple(items))


def _log(bench: Bench, opened: Opened) -> Iterator[Item]:
    """Entries that name the household, or a case of it."""
    with bench.state.database.reading() as session:
        query = select(CaseRow.case_id).where(CaseRow.household_id == opened.household)
        cases = set(session.scalars(query))
    for entry in bench.state.audit.entries():
        body = entry.body
        if body.get("household") != opened.household and body.get("case") not in cases:
            continue
        facts = [Fact("When", _moment(entry.at)), Fact("Who", str(body.get("by", "")))]
        facts += list(_said(body))
        yield Item(str(entry.sequence), str(body.get("action", "")), tuple(facts))


_TEXTS = frozenset(("reason", "why"))
_MOMENTS = frozenset(("until",))
_NAMED = frozenset(("action", "by", "household", "case"))


def _said(body: object) -> Iterable[Fact]:
    assert isinstance(body, dict)
    for name, value in body.items():
        if name not in _NAMED and value not in (None, ""):
            label = str(name).replace("_", " ").capitalize()
            text = _moment(value) if name in _MOMENTS else _plain(value)
            yield Fact(label, text, may_name_others=name in _TEXTS)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _moment(seconds: float) -> str:
    return f"{to_datetime(seconds):%-d %B %Y, %H:%M} UTC"
