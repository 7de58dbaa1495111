"""Writes a policy file with other weights and bands; all else stays as its owner wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from folkmoot_node.policies.risk_policy import FactorEntry, RiskPolicy, parse_policy
from folkmoot_operator.problems import ExitCode, Problem

_HEADER = re.compile(r"^\s*\[\[?\s*([\w.\-\s\"']+?)\s*\]\]?\s*(#.*)?$")
_VALUE = re.compile(r"^(\s*(weight|from)\s*=\s*)[^#\s]+(\s*(?:#.*)?)$")


def proposed_text(
    policy: RiskPolicy,
    points: Mapping[str, int],
    bands: Sequence[float],
    evidence: Sequence[str],
) -> str:
    """The text of the proposed policy.

    Factors without points are taken out with their parameters, and attributes of their levels.

    Args:
        policy: The present policy.
        points: By factor; one that is missing has none.
        bands: Where each band begins, in points.
        evidence: Lines that say what the policy was fitted to, without `#`.

    Raises:
        Problem: Exit code SETTINGS, if the file is written so that single values cannot be
            replaced in it.
    """
    kept = [entry for entry in policy.factors if points.get(entry.factor, 0) > 0]
    text = "".join(f"# {line}".rstrip() + "\n" for line in evidence)
    text += _replaced(policy, points, bands)
    _check(policy, text, kept, points, bands)
    return text


def require_replaceable(policy: RiskPolicy) -> None:
    """Finds out whether weights and bands can be replaced, before work begins that takes long.

    Raises:
        Problem: As `proposed_text`.
    """
    # Values that are not there yet: with the same ones, a line that is passed over would not show.
    points = {entry.factor: 20 if entry.weight == 10 else 10 for entry in policy.factors}
    proposed_text(policy, points, [at / 10 for at in range(len(policy.bands))], ())


def _replaced(policy: RiskPolicy, points: Mapping[str, int], bands: Sequence[float]) -> str:
    out: list[str] = []
    between: list[str] = []  # comments after a factor that is taken out belong to what follows
    factor = band = -1
    inside, dropped = "", False
    for line in policy.text.removeprefix("\ufeff").splitlines(keepends=True):
        header = _HEADER.match(line)
        if header:
            name = re.sub(r"[\s\"']", "", header[1])
            is_next = line.lstrip().startswith("[[")
            if is_next and name == "factors":
                factor += 1
                dropped = _points(policy, factor, points) == 0
            elif name.startswith("attributes."):
                dropped = name.removeprefix("attributes.") in _without_factor(policy, points)
            elif not name.startswith("factors."):
                dropped = False
            band += is_next and name == "bands"
            inside = name
            if not dropped:
                while out and between and not out[-1].strip() and not between[0].strip():
                    del between[0]  # the empty line before what was taken out is there already
                out += between
            between = []
        elif not dropped and (value := _VALUE.match(line.rstrip("\r\n"))):
            end = line[len(line.rstrip("\r\n")) :]
            if inside == "factors" and value[2] == "weight":
                line = f"{value[1]}{_points(policy, factor, points)}{value[3]}{end}"
            elif inside == "bands" and value[2] == "from" and band < len(bands):
                line = f"{value[1]}{bands[band]:g}{value[3]}{end}"
        if not dropped:
            out.append(line)
        elif not line.strip() or line.lstrip().startswith("#"):
            between.append(line)
        else:
            between = []
    return "".join(out)


def _without_factor(policy: RiskPolicy, points: Mapping[str, int]) -> set[str]:
    """Attributes that are levels of a factor without points."""
    return {
        name
        for name, entry in policy.document.attributes.items()
        if entry.factor is not None and points.get(entry.factor, 0) == 0
    }


def _points(policy: RiskPolicy, factor: int, points: Mapping[str, int]) -> int:
    if factor >= len(policy.factors):
        return 0
    return points.get(policy.factors[factor].factor, 0)


def _check(
    policy: RiskPolicy,
    text: str,
    kept: Sequence[FactorEntry],
    points: Mapping[str, int],
    bands: Sequence[float],
) -> None:
    """Holds that the text says what it should, and nothing else has changed."""
    try:
        found = parse_policy(text.encode("utf-8"), policy.path).document
    except Problem:
        found = None
    gone = _without_factor(policy, points)
    wanted = policy.document.model_copy(
        update={
            "attributes": {
                name: one for name, one in policy.document.attributes.items() if name not in gone
            },
            "factors": tuple(
                entry.model_copy(update={"weight": float(points[entry.factor])}) for entry in kept
            ),
            "bands": tuple(
                band.model_copy(update={"minimum": float(begin)})
                for band, begin in zip(policy.bands, bands, strict=True)
            ),
        }
    )
    if found != wanted:
        raise Problem(
            "single weights cannot be replaced in this file",
            where=policy.path,
            remedy="Write each factor as a [[factors]] table and each band as a [[bands]] table, "
            "with `weight` and `from` on lines of their own",
            exit_code=ExitCode.SETTINGS,
        )
