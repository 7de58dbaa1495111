"""Ready-made questions, from what councils offer: equality monitoring, and bands by an outcome."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import combinations

from folkmoot.geography import GssCode
from folkmoot_coordinator.drafts.offer import Offer, OfferedAttribute
from folkmoot_coordinator.publication.outcome_round import BAND, NO, YES
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import nearest, toml_text

RHO = Decimal("0.1")
"""Loss that is asked for, unless a council allows less."""
DELTA, DAYS = "1e-6", 14
_PROTECTED = re.compile(
    r"(^|_)(age[ds]?(_|$)|race(_|$)|disab|sex|gender|ethnic|nationalit|religio|belie|pregnan|"
    r"maternity|marriage|marital|civil_partner|orientation)"
)
"""How names of attributes begin, or parts of them, that are about a characteristic which the
Equality Act 2010 protects; sections 4 to 12."""


class Template(StrEnum):
    """Kinds of ready-made question; also names of commands and in addresses."""

    EQUALITY = "equality"
    OUTCOMES = "outcomes"


@dataclass(frozen=True, slots=True)
class ReadyMade:
    """A question that a person may change before it is asked.

    Attributes:
        template: Its kind.
        title: What the figures will be called.
        attributes: By name the codes to count.
        marginals: Tables: names of attributes.
        councils: Councils that offer all of these attributes.
        lacking: Councils that do not.
        purpose: One that most of the councils allow; empty if there is none.
        rho: Loss to ask for, which each of the councils allows for a round.
        reads: Commands that read the answer.
    """

    template: Template
    title: str
    attributes: dict[str, tuple[str, ...]]
    marginals: tuple[tuple[str, ...], ...]
    councils: tuple[GssCode, ...]
    lacking: tuple[GssCode, ...]
    purpose: str
    rho: Decimal
    reads: tuple[str, ...]

    @property
    def minimum_councils(self) -> int:
        """How many must answer before anything is published."""
        return max(1, len(self.councils) - len(self.councils) // 4)


def protected_groups(offer: Offer) -> tuple[str, ...]:
    """Attributes on offer whose name says that they are about a protected characteristic."""
    return tuple(
        one.name
        for one in offer.attributes.values()
        if one.shared_codes and one.name != BAND and _PROTECTED.search(one.name)
    )


def possible_outcomes(offer: Offer) -> tuple[str, ...]:
    """Attributes on offer that may say whether an event happened: those that are yes or no."""
    return tuple(
        one.name for one in offer.attributes.values() if {NO, YES} <= set(one.shared_codes)
    )


def equality_question(offer: Offer, groups: Sequence[str] = ()) -> ReadyMade:
    """Who is selected: households by band and each protected group.

    Args:
        offer: What councils offer.
        groups: Attributes of the groups; none for all that `protected_groups` finds.

    Raises:
        Problem: REFUSED if there is nothing of this kind on offer; USAGE if a name is not.
    """
    bands = _bands(offer)
    chosen = _unique(groups) or protected_groups(offer)
    if not chosen:
        raise Problem(
            "no council offers an attribute that is known as a protected characteristic",
            where="--by",
            remedy=f"Name one with --by. Councils offer {_listed(offer)}",
            exit_code=ExitCode.REFUSED,
        )
    codes = {BAND: bands, **{name: _attribute(offer, name).shared_codes for name in chosen}}
    marginals = tuple((name, BAND) for name in chosen)
    reads = tuple(f"folkmoot-coordinator equality latest --by {name}" for name in chosen)
    return _made(offer, Template.EQUALITY, "Who is selected, by group", codes, marginals, reads)


def outcomes_question(
    offer: Offer, outcome: str = "", groups: Sequence[str] = (), factors: Sequence[str] = ()
) -> ReadyMade:
    """How well bands found need: households by band and outcome, also by protected group.

    Args:
        offer: What councils offer.
        outcome: Attribute that says whether the event happened; empty for the only one.
        groups: Attributes of groups to judge apart; none for all that `protected_groups` finds.
        factors: Attributes of factors, to fit weights: by outcome, and in pairs.

    Raises:
        Problem: REFUSED if there is nothing of this kind on offer, or more than one; USAGE if a
            name is not on offer.
    """
    bands = _bands(offer)
    possible = possible_outcomes(offer)
    if not outcome and len(possible) != 1:
        raise Problem(
            "which of the attributes is the outcome is not said"
            if possible
            else "no council offers an attribute with the codes no and yes",
            where="--outcome",
            remedy=f"Name one with --outcome: {', '.join(possible)}"
            if possible
            else "Councils add an attribute of the outcome to their policy first",
            exit_code=ExitCode.REFUSED,
        )
    outcome = outcome or possible[0]
    if not {NO, YES} <= set(_attribute(offer, outcome).shared_codes):
        raise _usage(
            "--outcome",
            f"{outcome[:63]!r} does not have the codes {NO} and {YES} in all councils",
            f"Name one of {', '.join(possible) or 'none'}",
        )
    wanted = _unique(groups) or tuple(name for name in protected_groups(offer) if name != outcome)
    model = _unique(factors)
    wrong = [name for name in (*wanted, *model) if name in (BAND, outcome)]
    if wrong:
        raise _usage("--by or --factor", f"{wrong[0]} is in the question already", "Leave it out")
    others = tuple(dict.fromkeys([*wanted, *model]))
    # Households with an unknown outcome are in no rate, and weights cannot be fitted with them.
    codes = {BAND: bands, outcome: (NO, YES)}
    codes |= {name: _attribute(offer, name).shared_codes for name in others}
    marginals = (
        (BAND, outcome),
        *((name, BAND, outcome) for name in wanted),
        *((name, outcome) for name in model if name not in wanted),
        *combinations(model, 2),
    )
    by = [f" --by {name}" for name in wanted] or [""]
    reads = [f"folkmoot-coordinator validate latest --outcome {outcome}{one}" for one in by]
    if model:
        listed = "".join(f" --factor {name}" for name in model)
        reads.append(f"folkmoot-coordinator weights latest --outcome {outcome}{listed}")
    title = f"How well bands found {outcome.replace('_', ' ')}"
    return _made(offer, Template.OUTCOMES, title, codes, marginals, tuple(reads))


def round_text(found: ReadyMade, policy: str, purpose: str = "") -> str:
    """The file of a round, for `round plan` and `round open`.

    Args:
        found: The question.
        policy: The line that names the policy, `policy = "FILE"` or `policy_digest = "HEX"`.
        purpose: What the round is for; empty for that of the question.
    """
    lines = [
        "# A ready-made question. Change what you need; `folkmoot-coordinator round plan` says how",
        "# precise it would be, and `round open` asks it. Then read the answer:",
        *(f"#   {one}" for one in found.reads),
    ]
    if found.lacking:
        lines.append(
            f"# Not asked, because they do not offer all of it: {', '.join(found.lacking)}"
        )
    lines += [
        f"title = {toml_text(found.title)}",
        f"purpose = {toml_text(purpose or found.purpose)}",
        policy,
        f"councils = {_list(found.councils)}",
        f"minimum_councils = {found.minimum_councils}",
        f"rho = {found.rho:f}",
        f"delta = {DELTA}",
        f"deadline_hours = {24 * DAYS}",
    ]
    for name, codes in found.attributes.items():
        lines += ["", "[[attributes]]", f"name = {toml_text(name)}", f"codes = {_list(codes)}"]
    for names in found.marginals:
        lines += ["", "[[marginals]]", f"attributes = {_list(names)}"]
    return "\n".join(lines) + "\n"


def _made(
    offer: Offer,
    template: Template,
    title: str,
    codes: dict[str, tuple[str, ...]],
    marginals: tuple[tuple[str, ...], ...],
    reads: tuple[str, ...],
) -> ReadyMade:
    councils = tuple(
        sorted(
            council
            for council in offer.councils
            if all(council in offer.attributes[name].councils for name in codes)
        )
    )
    if not councils:
        raise Problem(
            f"no council offers all of {', '.join(codes)}",
            where="the question",
            remedy="Name fewer attributes",
            exit_code=ExitCode.REFUSED,
        )
    lacking = tuple(sorted(set(offer.councils) - set(councils)))
    allowing = {
        purpose: len(set(having).intersection(councils))
        for purpose, having in offer.purposes.items()
    }
    purpose = max(allowing, key=lambda one: (allowing[one], one), default="")
    allowed = min(Decimal(offer.councils[one].per_round.nano) / 10**9 for one in councils)
    rho = min(RHO, allowed)
    return ReadyMade(template, title, codes, marginals, councils, lacking, purpose, rho, reads)


def _bands(offer: Offer) -> tuple[str, ...]:
    found = offer.attributes.get(BAND)
    if found is None or len(found.shared_codes) < 2:
        raise Problem(
            "no bands are on offer that councils share"
            if offer.councils
            else "no council has said yet what it offers",
            where="the question",
            remedy="Each council says so when its node next calls the coordinator; councils share "
            "bands if they score by one policy",
            exit_code=ExitCode.REFUSED,
        )
    return found.shared_codes


def _attribute(offer: Offer, name: str) -> OfferedAttribute:
    found = offer.attributes.get(name)
    if found is None or not found.shared_codes:
        near = nearest(name, offer.attributes)
        raise _usage(
            "the question",
            f"{name[:63]!r} is no attribute with codes that councils offer",
            (f"Did you mean {near!r}? " if near else "") + f"They offer {_listed(offer)}",
        )
    return found


def _listed(offer: Offer) -> str:
    return ", ".join(one.name for one in offer.attributes.values() if one.shared_codes) or "none"


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _list(texts: Iterable[str]) -> str:
    return json.dumps(list(texts))


def _usage(where: str, problem: str, remedy: str) -> Problem:
    return Problem(problem, where=where, remedy=remedy, exit_code=ExitCode.USAGE)
