"""What in a question will not be answered, told before it is asked.

Councils publish a catalogue, signed with their policies: what they can count by, for which
purposes, at what loss. Where one is not there yet, the risk stratification policy that the
round's file names says which attributes and bands there are. Nothing here is an error of the
file: a council may sign a change until the round opens.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from folkmoot.attributes import Attribute
from folkmoot.catalogue import Catalogue
from folkmoot.council_codes import CouncilList
from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot_coordinator.membership.known_councils import doubts_about_invited
from folkmoot_coordinator.rounds.round_making import PlannedRound
from folkmoot_operator import moments
from folkmoot_operator.settings import is_too_deep, nearest

BAND = "band"
"""The attribute that every policy defines."""
_SHOWN = 5


def doubts_of_question(
    asked: PlannedRound, known: CouncilList, catalogues: Mapping[GssCode, Catalogue]
) -> tuple[str, ...]:
    """What in a question may not be meant, or will not be answered.

    Args:
        asked: The question, and what else its file says.
        known: The list of councils.
        catalogues: What councils offer, as far as that is known.

    Returns:
        Sentences for a person, each with what to do and without its full stop.

    Raises:
        Problem: If it invites what is no council, or two that have the same homes.
    """
    round_, policy = asked.round_, asked.policy
    return (
        *doubts_about_invited(known, round_.councils, moments.day(round_.opened_at), "councils"),
        *asked.doubts,
        *doubts_of_catalogues(round_, catalogues),
        *(doubts_of_policy(round_, policy.content, Path(policy.name).name) if policy else ()),
    )


def doubts_of_catalogues(round_: Round, catalogues: Mapping[GssCode, Catalogue]) -> tuple[str, ...]:
    """What the invited councils' catalogues say against a question.

    Args:
        round_: The question.
        catalogues: Those that are known; councils without one are passed over.

    Returns:
        Sentences for a person, each with what to do; none if nothing stands against it.
    """
    known = [catalogues[council] for council in round_.councils if council in catalogues]
    if not known:
        return ()
    return tuple(
        text
        for found in (
            _purpose(round_, known),
            _mechanism(round_, known),
            _loss(round_, known),
            *(_attribute(one, known) for one in _counted(round_)),
        )
        for text in found
    )


def _purpose(round_: Round, known: Sequence[Catalogue]) -> Iterator[str]:
    without = [one.council for one in known if round_.purpose not in one.purposes]
    if without:
        allowed = sorted({purpose for one in known for purpose in one.purposes})
        yield (
            f"{_do_not(without, known, 'allow')} the purpose {round_.purpose}, so would refuse. "
            f"{_near(round_.purpose, allowed)}Purposes allowed: {', '.join(allowed) or 'none'}"
        )


def _mechanism(round_: Round, known: Sequence[Catalogue]) -> Iterator[str]:
    without = [one.council for one in known if round_.mechanism not in one.mechanisms]
    if without:
        yield (
            f"{_do_not(without, known, 'allow')} the mechanism {round_.mechanism.name.lower()}, so "
            "would refuse. Ask with another mechanism"
        )


def _loss(round_: Round, known: Sequence[Catalogue]) -> Iterator[str]:
    in_series = round_.series is not None
    caps = {one.council: one.per_series if in_series else one.per_round for one in known}
    without = [council for council, cap in caps.items() if cap is None or cap < round_.loss]
    if not without:
        return
    asked = f"a {'series' if in_series else 'round'} of rho {round_.loss}"
    highest = max((cap for cap in caps.values() if cap is not None), default=None)
    remedy = f"The highest cap is rho {highest}" if highest else "None allows any series"
    yield f"{_do_not(without, known, 'allow')} {asked}, so would refuse. {remedy}"


def _attribute(attribute: Attribute, known: Sequence[Catalogue]) -> Iterator[str]:
    without = [one.council for one in known if attribute.name not in one.attributes]
    if without:
        offered = sorted({name for one in known for name in one.attributes})
        yield (
            f"{_do_not(without, known, 'offer')} the attribute {attribute.name}, so would refuse. "
            f"{_near(attribute.name, offered)}Attributes offered: {', '.join(offered) or 'none'}"
        )
    for code in attribute.codes:
        lists = {
            one.council: one.attributes[attribute.name]
            for one in known
            if one.attributes.get(attribute.name)
        }
        lacking = [council for council, codes in lists.items() if code not in codes]
        if lacking:
            codes = sorted({one for codes in lists.values() for one in codes})
            having = [one for one in known if one.council in lists]
            yield (
                f"{_do_not(lacking, having, 'have')} the code {code} of {attribute.name}, so "
                f"would refuse. {_near(code, codes)}Codes: {', '.join(codes)}"
            )


def doubts_of_policy(round_: Round, content: bytes, name: str) -> tuple[str, ...]:
    """What the risk stratification policy that a round's file names says against the question.

    Args:
        round_: The question.
        content: Of the policy. What is not as expected in it is passed over: nodes judge it.
        name: Of its file.

    Returns:
        Sentences for a person, each with what to do; none if nothing stands against it.
    """
    try:
        text = content.decode("utf-8-sig")
        if is_too_deep(text):
            raise RecursionError
        policy = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return (f"{name} is not a policy ({error}). Name the file that the councils sign",)
    except RecursionError:
        return (f"{name} is nested too deeply. Name the file that the councils sign",)
    return tuple(_of_policy(round_, policy, name))


def _of_policy(round_: Round, policy: Mapping[str, Any], name: str) -> Iterator[str]:
    purpose = policy.get("purpose")
    if isinstance(purpose, str) and purpose != round_.purpose:
        yield (
            f"{name} is for the purpose {purpose}, the round for {round_.purpose}. "
            "Make them agree, if they are meant to"
        )
    sunset = policy.get("sunset")
    closes = moments.day(round_.series.ends_at if round_.series else round_.deadline)
    if hasattr(sunset, "isoformat") and str(sunset) < closes.isoformat():
        yield (
            f"{name} ends on {sunset}, and answers may be given until {closes}. Nothing "
            "is answered after its end: ask for an earlier deadline"
        )
    defined = policy.get("attributes")
    bands = policy.get("bands")
    if isinstance(defined, dict):
        offered = sorted({BAND, *defined})
        for attribute in _counted(round_):
            if attribute.name not in offered:
                yield (
                    f"{name} does not define the attribute {attribute.name}, so nobody "
                    f"offers it. {_near(attribute.name, offered)}It defines {', '.join(offered)}"
                )
    if isinstance(bands, list):
        codes = [one["name"] for one in bands if isinstance(one, dict) and "name" in one]
        for attribute in round_.workload.attributes:
            wrong = [code for code in attribute.codes if code not in codes]
            if attribute.name == BAND and wrong:
                yield (
                    f"{name} has no band {', '.join(wrong[:_SHOWN])}, so nobody answers. "
                    f"{_near(wrong[0], codes)}Its bands: {', '.join(map(str, codes))}"
                )


def _counted(round_: Round) -> tuple[Attribute, ...]:
    """The attributes that a household must have; those in which they lie are public."""
    return round_.workload.counted_by


def _do_not(without: Sequence[GssCode], known: Sequence[Catalogue], verb: str) -> str:
    """Begins a sentence about councils that do not, of those whose catalogue is known."""
    third = {"have": "has"}.get(verb, f"{verb}s")
    if len(without) == len(known):
        return f"Nobody whose catalogue is known {third}"
    more = f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else ""
    does = "does" if len(without) == 1 else "do"
    return f"{', '.join(without[:_SHOWN])}{more} {does} not {verb}"


def _near(word: str, valid: Sequence[str]) -> str:
    near = nearest(word, valid)
    return f"Did you mean {near}? " if near else ""
