"""A proposal of a risk stratification policy, with weights fitted from a round.

It is made from the policy of the round: only the points of the factors that were fitted change,
and, if the round's tables tell scores, where bands start (`proposed_bands`). The factors share out
the points that they have there, in proportion to their effect on the log odds, so that the range
of scores stays. A factor without a positive effect is left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from folkmoot_coordinator.inference.federated_weights import Coefficient
from folkmoot_coordinator.publication.outcome_weights import RegionalWeights
from folkmoot_coordinator.publication.proposed_bands import ProposedBands, propose_bands
from folkmoot_coordinator.rounds.policy_structure import PolicyShown
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import nearest

_TABLE = re.compile(r"\s*\[")
_FACTORS = re.compile(r"\s*\[\[\s*factors\s*\]\]")
_OF_FACTOR = re.compile(r"\s*\[\s*factors\s*\.")
# Possessive, or a line of nothing but spaces costs the square of its length.
_ATTRIBUTE = re.compile(r"""\s*\[\s*attributes\s*\.\s*+["']?([^"'\]\s]*+)["']?\s*\]""")
_WEIGHT = re.compile(r"(\s*weight\s*=\s*)[0-9_.+eE]+(.*)", re.DOTALL)
_BANDS = re.compile(r"\s*\[\[\s*bands\s*\]\]")
_FROM = re.compile(r"(\s*from\s*=\s*)[0-9_.+eE]+(.*)", re.DOTALL)
_BAND_NAME = re.compile(r"""\s*name\s*=\s*["']([^"']*)["']""")
_NAME = re.compile(r"""\s*factor\s*=\s*["']([^"']*)["']""")
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ProposedPoints:
    """What is proposed for one factor.

    Attributes:
        factor: Name in the policy.
        attribute: The attribute of the round that stood for it.
        effect: Log odds between its first and its last level.
        lower: Lower end of its 95 % interval, by noise and chance.
        upper: Upper end of it.
        before: Points in the policy.
        points: Points proposed, whole; 0 to leave it out.
    """

    factor: str
    attribute: str
    effect: float
    lower: float
    upper: float
    before: float
    points: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy file that nobody has put in force.

    Attributes:
        text: The file.
        points: What it changes.
        kept: Factors of the policy that were not fitted, and keep their points.
        bands: Where bands start, or why they stay.
    """

    text: str
    points: tuple[ProposedPoints, ...]
    kept: tuple[str, ...]
    bands: ProposedBands

    def facts(self) -> dict[str, Any]:
        """For `--json`, without the text."""
        return {
            "points": {one.factor: one.points for one in self.points},
            "kept": list(self.kept),
            "bands": [asdict(one) for one in self.bands.bands],
            "bands_not_fitted": self.bands.why_not or None,
        }


def propose(fitted: RegionalWeights, policy: PolicyShown, stand_for: Mapping[str, str]) -> Proposal:
    """Proposes points.

    Args:
        fitted: The weights.
        policy: The policy that the round names.
        stand_for: By factor of the policy the attribute of the round that stands for it.

    Raises:
        Problem: USAGE if an attribute stands for a factor that the policy does not have; REFUSED
            if no factor of the policy was fitted with a positive effect; SETTINGS if the file is
            written in a way that cannot be edited.
    """
    present = {one.name: one.weight for one in policy.factors if one.weight is not None}
    _check_names(present, stand_for)
    effects: dict[str, Coefficient] = {}
    for factor, attribute in stand_for.items():
        effect = _effect(fitted, attribute)
        if factor in present and effect is not None:
            effects[factor] = effect
    unclear = [name for name in stand_for if name in present and name not in effects]
    if unclear and not effects:
        raise Problem(
            f"of {', '.join(unclear)} nothing is known from the lowest level to the highest",
            where=fitted.asked.where,
            remedy="Open a round that lists the levels ascending, and joins those with few "
            "households",
            exit_code=ExitCode.REFUSED,
        )
    rising = {name: one.value or 0.0 for name, one in effects.items() if (one.value or 0.0) > 0}
    if not rising:
        raise Problem(
            "no factor of the policy has a positive effect in the fitted weights"
            if effects
            else "no fitted attribute stands for a factor of the policy",
            where=fitted.asked.where,
            remedy="Say which attribute stands for which factor: --factor FACTOR=ATTRIBUTE. The "
            f"policy has {', '.join(present) or 'no factors'}",
            exit_code=ExitCode.REFUSED,
        )
    shared = round(sum(present[name] for name in effects))
    points = _whole_points(rising, max(shared, len(rising)))
    quantile = fitted.region.quantile
    proposed = tuple(
        ProposedPoints(
            name,
            stand_for[name],
            one.value or 0.0,
            (one.value or 0.0) - quantile * one.error,
            (one.value or 0.0) + quantile * one.error,
            present[name],
            points.get(name, 0),
        )
        for name, one in effects.items()
    )
    kept = tuple(name for name in present if name not in effects)
    of_factors = {one.factor: one.points for one in proposed}
    bands = propose_bands(fitted, policy, stand_for, of_factors)
    body = _edited(policy, of_factors, {one.band: one.start for one in bands.bands})
    lines = [*_head(fitted, policy, proposed, kept), *bands.says()]
    # A name of the policy may hold a line break, and would go on outside of the comment.
    head = "".join(f"# {_on_one_line(line)}\n" for line in lines)
    return Proposal(f"{head}\n{body}", proposed, kept, bands)


def _check_names(present: Mapping[str, float], stand_for: Mapping[str, str]) -> None:
    """Checks factors that were named; an attribute may be in the model that is none."""
    for factor, attribute in stand_for.items():
        if factor != attribute and factor not in present:
            near = nearest(factor, present)
            raise Problem(
                f"the policy has no factor {factor[:63]!r}",
                where="--factor",
                remedy=(f"Did you mean {near!r}? " if near else "")
                + f"It has {', '.join(present) or 'none'}",
                exit_code=ExitCode.USAGE,
            )


def _effect(fitted: RegionalWeights, attribute: str) -> Coefficient | None:
    """The last known level of an attribute against the first; None if one is not estimated."""
    found = [one for one in fitted.region.of(attribute) if one.level != _UNKNOWN]
    known = [one for one in found if one.value is not None]
    if len(known) == 2:  # the one that is not the reference is the higher, however they are listed
        known.sort(key=lambda one: one.error > 0)
    if len(known) < 2 or known[0].value != 0.0:
        return None
    return known[-1]


def _whole_points(effects: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole points in proportion to effects, by largest remainders; each factor gets one at least.

    Returns:
        Points by factor.
    """
    spare = total - len(effects)
    exact = {name: spare * effect / sum(effects.values()) for name, effect in effects.items()}
    found = {name: int(share) for name, share in exact.items()}
    behind = sorted(exact, key=lambda name: (found[name] - exact[name], name))
    for name in behind[: spare - sum(found.values())]:
        found[name] += 1
    return {name: 1 + points for name, points in found.items()}


def _on_one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _head(
    fitted: RegionalWeights,
    policy: PolicyShown,
    proposed: tuple[ProposedPoints, ...],
    kept: tuple[str, ...],
) -> list[str]:
    round_ = fitted.asked.stored.round_
    lines = [
        "PROPOSAL. Not in force: back-test it on your own records before its owner decides.",
        f"Weights fitted from differentially private counts of round {round_.round_id},",
        f"{fitted.asked.coverage}, outcome {fitted.asked.outcome.name}: about "
        f"{fitted.region.events:.0f} events among {fitted.region.households:.0f} households.",
        f"Made from the policy with SHA-256 {policy.digest.hex()}.",
        "Log odds from the first to the last level, with 95 % intervals by noise and chance:",
    ]
    for one in proposed:
        change = f"{one.before:g} -> {one.points} points" if one.points else "left out"
        lines.append(
            f"  {one.factor} (by {one.attribute}): {one.effect:.2f} "
            f"({one.lower:.2f} to {one.upper:.2f}), {change}"
        )
    if kept:
        lines.append(f"Not fitted, points kept: {', '.join(kept)}.")
    return lines


def _edited(policy: PolicyShown, points: Mapping[str, int], bands: Mapping[str, float]) -> str:
    """The policy's text with other points and bands; checked to differ in nothing else."""
    lines: list[str] = []
    proposed: int | None = None
    gone = _levels_left_out(tomllib.loads(policy.text), points)
    for block in _blocks(policy.text.splitlines(keepends=True)):
        is_of_the_factor_above = any(_OF_FACTOR.match(line) for line in block)
        start = bands.get(_named_in(block, _BANDS, _BAND_NAME))
        if not is_of_the_factor_above:
            proposed = points.get(_named_in(block, _FACTORS, _NAME))
        if any((found := _ATTRIBUTE.match(line)) and found[1] in gone for line in block):
            continue
        if start is not None:
            lines += [_with_number(line, _FROM, start) for line in block]
        elif proposed is None or (proposed and is_of_the_factor_above):
            lines += block
        elif proposed:
            lines += [_with_number(line, _WEIGHT, proposed) for line in block]
    made = "".join(lines)
    if _parsed(made) != _wanted(policy.text, points, bands):
        raise Problem(
            "its factors or bands are written in a way that cannot be edited",
            where=f"policy {policy.digest.hex()[:12]}",
            remedy="Write each factor as a table [[factors]] with a line for `factor` and one for "
            "`weight`, each band as a table [[bands]] with a line for `name` and one for `from`",
            exit_code=ExitCode.SETTINGS,
        )
    return made


def _levels_left_out(document: Mapping[str, Any], points: Mapping[str, int]) -> set[str]:
    """Attributes that are levels of a factor that is left out."""
    return {
        name
        for name, one in document.get("attributes", {}).items()
        if isinstance(one, dict) and points.get(one.get("factor", ""), 1) == 0
    }


def _blocks(lines: list[str]) -> list[list[str]]:
    """Lines in blocks, each of which begins with the head of a table and the comments above it."""
    found: list[list[str]] = [[]]
    for line in lines:
        if _TABLE.match(line):
            above: list[str] = []
            while found[-1] and found[-1][-1].lstrip().startswith("#"):
                above.append(found[-1].pop())
            found.append([*reversed(above), line])
        else:
            found[-1].append(line)
    return found


def _named_in(block: list[str], head: re.Pattern[str], name: re.Pattern[str]) -> str:
    """What the table of a block is about, if it has this head; empty if it is something else."""
    if not any(head.match(line) for line in block):
        return ""
    return next((found[1] for line in block if (found := name.match(line))), "")


def _with_number(line: str, key: re.Pattern[str], number: float) -> str:
    found = key.fullmatch(line)
    return f"{found[1]}{number:g}{found[2]}" if found else line


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _wanted(text: str, points: Mapping[str, int], bands: Mapping[str, float]) -> dict[str, Any]:
    document = tomllib.loads(text)
    for name in _levels_left_out(document, points):
        del document["attributes"][name]
    if document.get("attributes") == {}:
        del document["attributes"]
    document["factors"] = [
        one | {"weight": points.get(one["factor"], one["weight"])}
        for one in document["factors"]
        if points.get(one["factor"], 1)
    ]
    if bands:
        document["bands"] = [
            one | {"from": bands.get(one["name"], one["from"])} for one in document["bands"]
        ]
    return document
