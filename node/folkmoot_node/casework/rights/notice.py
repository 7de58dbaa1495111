"""The notice: what a household is told about its score, in plain English."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from folkmoot_node.casework.authority.retention import RightsPolicy
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.rights.bench import Bench
from folkmoot_node.casework.rights.kinds import ObjectionState
from folkmoot_node.casework.rights.objections import Objections
from folkmoot_node.casework.rights.texts import Texts
from folkmoot_node.casework.uk_time import uk_day
from folkmoot_node.corrections.sealed_file import decisions_of
from folkmoot_node.scoring.explain import Contribution, Explanation, policy_of
from folkmoot_node.scoring.known_inputs import InputValue, Standing
from folkmoot_node.scoring.rescore import rescored
from folkmoot_operator.problems import Problem

REGULATOR = (
    "Information Commissioner's Office",
    "Wycliffe House, Water Lane, Wilmslow, Cheshire SK9 5AF",
    "0303 123 1113",
    "ico.org.uk/make-a-complaint",
)
"""To whom residents can complain about the council."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the notice.

    Attributes:
        heading: Its heading.
        paragraphs: Texts below it.
        points: A list below those.
        address: Lines of an address below those.
    """

    heading: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    address: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """What a household is told.

    Attributes:
        title: Its title.
        council: Who writes.
        written_on: The day, in words.
        language: Code of the language.
        sections: In order.
        hidden: Sources that may not be shown to who asked for it: the notice is not complete, and
            must not be given to anybody.
        untranslated: How many of its texts are in English for lack of a translation.
    """

    title: str
    council: str
    written_on: str
    language: str
    sections: tuple[Section, ...]
    hidden: tuple[str, ...]
    untranslated: int

    @property
    def texts(self) -> Iterator[str]:
        """Everything it says, for checks."""
        for section in self.sections:
            yield section.heading
            yield from (*section.paragraphs, *section.points, *section.address)


@dataclass(frozen=True, slots=True)
class _Change:
    """What one input does to the score."""

    name: str
    score: float
    band: str


def make_notice(bench: Bench, opened: Opened, language: str = "en") -> Notice:
    """The notice of a household.

    Args:
        bench: Casework.
        opened: The household.
        language: Code of the language.

    Raises:
        Problem: If it has no score that may be used: there is nothing to tell then.
    """
    texts = Texts(language)
    explanation = bench.explanation(opened)
    sensitive = frozenset(bench.known.policy.sensitive_sources) - opened.sources
    hidden = {
        one.field
        for one in explanation.inputs
        if one.source in sensitive or one.standing.name == "NOT_SHOWN"
    }
    shown = [one for one in explanation.inputs if one.field not in hidden]
    factors = [one for one in explanation.contributions if not hidden & {*one.inputs}]
    rights = bench.known.policy.rights
    sections = (
        _result(texts, explanation, bench.config.name, is_whole=not hidden),
        _counted(texts, factors),
        _used(texts, shown),
        _not_known(texts, factors, shown),
        # With a part hidden, scores without the others would give it away.
        *(() if hidden else (_changes(texts, explanation, _effects(bench, opened, shown)),)),
        *_decided(texts, bench, opened),
        _who_decides(texts, rights),
        _objecting(texts, rights),
        _complaining(texts),
    )
    return Notice(
        texts.say("How the council scored your home"),
        bench.config.name,
        texts.day(uk_day(bench.clock())),
        texts.language,
        sections,
        tuple(sorted(sensitive)) if hidden else (),
        len(texts.missing),
    )


def _result(texts: Texts, one: Explanation, council: str, *, is_whole: bool) -> Section:
    say = texts.say
    result = (
        (
            say(
                "Your home has {score} points out of {highest}. That puts it in the group "
                "“{band}”. We worked this out on {day}.",
                score=_number(one.score),
                highest=_number(one.highest),
                band=one.band,
                day=texts.day(one.reference_date),
            ),
            say("For homes in this group the scheme says: {action}.", action=_bare(one.action)),
            say(
                "We knew {share}% of what the scheme looks at.",
                share=round(100 * one.completeness),
            ),
        )
        if is_whole
        else ()
    )
    return Section(
        say("What this is about"),
        (
            say(
                "{council} uses information it holds to find homes that may need help. This "
                "letter is about your home. It says what we worked out, and how.",
                council=council,
            ),
            say("The scheme is called {policy}.", policy=one.policy),
            *result,
        ),
    )


def _counted(texts: Texts, factors: Iterable[Contribution]) -> Section:
    say = texts.say
    points = tuple(
        say(
            "{title}: {points} points out of {weight}. {words}",
            title=one.title,
            points=_number(one.points),
            weight=_number(one.weight),
            words=one.words,
        )
        for one in factors
        if one.points is not None
    )
    return Section(
        say("What counted"),
        () if points else (say("Nothing counted, because we did not know enough."),),
        points,
    )


def _used(texts: Texts, inputs: Iterable[InputValue]) -> Section:
    say = texts.say
    return Section(
        say("The information we used"),
        (say("Tell us if any of this is wrong."),),
        tuple(_input(texts, one) for one in inputs if one.value is not None)
        or (say("We had no information about your home."),),
    )


def _input(texts: Texts, one: InputValue) -> str:
    say = texts.say
    name, value = _name(one), _value(texts, one)
    source = one.supplier or one.source
    if one.standing is Standing.CORRECTED and one.decided_on:
        return say(
            "{name}: {value}. You told us, and we changed it on {day}.",
            name=name,
            value=value,
            day=texts.day(one.decided_on),
        )
    if one.standing is Standing.BY_ABSENCE:
        return say(
            "{name}: {value}. {source} has no record of your home, which counts as this.",
            name=name,
            value=value,
            source=source,
        )
    if one.standing is Standing.BY_AREA:
        return say(
            "{name}: {value}. This is about your area, not your home. It comes from {source}.",
            name=name,
            value=value,
            source=source,
        )
    if one.as_at is None:
        return say(
            "{name}: {value}. It comes from {source}. It has no date.",
            name=name,
            value=value,
            source=source,
        )
    return say(
        "{name}: {value}. It comes from {source}, {day}.",
        name=name,
        value=value,
        source=source,
        day=texts.day(one.as_at),
    )


def _not_known(
    texts: Texts, factors: Iterable[Contribution], inputs: Iterable[InputValue]
) -> Section:
    say = texts.say
    unknown = [one for one in inputs if one.value is None]
    points = [
        say(
            "{name}: you objected, and we agreed not to use it.",
            name=_name(one),
        )
        if one.standing is Standing.SUPPRESSED
        else say("{name}.", name=_name(one))
        for one in unknown
    ]
    points += [
        say(
            "Because of this, “{title}” did not count. It can be up to {weight} points.",
            title=one.title,
            weight=_number(one.weight),
        )
        for one in factors
        if one.points is None
    ]
    nothing = say("We knew everything that the scheme looks at.")
    note = say("What we do not know does not count against you or for you.")
    return Section(say("What we did not know"), (note if points else nothing,), tuple(points))


def _changes(texts: Texts, one: Explanation, changes: Iterable[_Change]) -> Section:
    say = texts.say
    points = [
        say(
            "Without “{name}” your home would have {score} points, in the group “{band}”.",
            name=change.name,
            score=_number(change.score),
            band=change.band,
        )
        for change in changes
        if abs(change.score - one.score) >= 0.05 or change.band != one.band
    ]
    return Section(
        say("What would change the result"),
        (
            say("The result changes when the information changes. We work it out again each time."),
            *(() if points else (say("None of the information changes the result by itself."),)),
        ),
        tuple(points),
    )


def _decided(texts: Texts, bench: Bench, opened: Opened) -> Iterator[Section]:
    """What the household has objected to, and what came of it."""
    say = texts.say
    points = []
    for one in Objections(bench).listed(household=opened.household):
        received = texts.day(one.received_on)
        if one.state is ObjectionState.OPEN:
            due = texts.day(one.due_on)
            points.append(say("On {day} you objected. We answer by {due}.", day=received, due=due))
        elif one.state is ObjectionState.UPHELD:
            points.append(say("On {day} you objected. We agreed with you.", day=received))
        elif one.state is ObjectionState.REFUSED:
            points.append(say("On {day} you objected. We did not agree.", day=received))
    withheld = opened.uprn in decisions_of(bench.config).in_force(bench.today()).withheld
    paragraphs: tuple[str, ...] = ()
    if withheld:
        paragraphs = (
            say("We leave your home out of lists and counts that are made from the scores."),
            say(
                "A count that had begun before may still include your home until it ends. It is "
                "a number for the whole area, and does not say which homes are in it."
            ),
        )
    if points or paragraphs:
        yield Section(say("What you have told us"), paragraphs, tuple(points))


def _who_decides(texts: Texts, rights: RightsPolicy) -> Section:
    say = texts.say
    return Section(
        say("Who decides"),
        (
            say("A person decides, and not the score. This is {who}.", who=rights.decides),
            say(
                "They can decide otherwise than the score says. Nothing is done because of a score "
                "alone."
            ),
        ),
    )


def _objecting(texts: Texts, rights: RightsPolicy) -> Section:
    say = texts.say
    contact = rights.contact or (say("The council's data protection officer"),)
    within = (
        say("We answer within one month.")
        if rights.answer_days is None
        else say("We answer within {days} days.", days=rights.answer_days)
    )
    return Section(
        say("If you do not agree"),
        (say("You can say so at any time. It costs nothing, and you need no form. You can:"),),
        (
            say("object to your home being scored"),
            say("say that information is wrong, and ask us to correct it"),
            say("ask a person to look at the result again"),
            say("ask for everything that we hold about you"),
            say("ask us to delete what we hold about you"),
        ),
        (*contact, within),
    )


def _complaining(texts: Texts) -> Section:
    say = texts.say
    return Section(
        say("If you want to complain"),
        (
            say("Complain to us first, at the address above. We reply within 30 days."),
            say("You can also complain to the office that watches over data protection:"),
        ),
        (),
        REGULATOR,
    )


def _effects(bench: Bench, opened: Opened, inputs: Iterable[InputValue]) -> Iterator[_Change]:
    """The score without each input in turn."""
    with bench.store() as store:
        policy = policy_of(store.run, bench.risk_policy())
        for one in inputs:
            if one.value is None or not one.source:
                continue
            try:
                other = rescored(
                    store,
                    bench.config,
                    bench.plugins,
                    policy,
                    opened.uprn,
                    without=(one.field,),
                    today=bench.today(),
                )
            except Problem:
                continue
            yield _Change(_name(one), other.score, other.band)


def _name(one: InputValue) -> str:
    text = one.description or one.field.replace("_", " ")
    return text[:1].upper() + _bare(text[1:])


def _bare(text: str) -> str:
    return text.rstrip(". ")


def _value(texts: Texts, one: InputValue) -> str:
    if isinstance(one.value, bool):
        return texts.say("yes") if one.value else texts.say("no")
    if isinstance(one.value, datetime.date):
        return texts.day(one.value)
    if isinstance(one.value, int | float):
        if one.unit == "GBP":
            return f"£{one.value:,.2f}".removesuffix(".00")
        return f"{_number(one.value)} {one.unit}".strip()
    return str(one.value)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}".removesuffix(".0")
