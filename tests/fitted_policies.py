"""Fits to households whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from folkmoot_node.evaluation.fitting.fit_file import FitFile
from folkmoot_node.evaluation.fitting.known_dates import KnownDate, known_date
from folkmoot_node.evaluation.fitting.proposal import Proposal, Question, propose
from folkmoot_node.evaluation.snapshot import Snapshot
from folkmoot_node.policies.risk_policy import RiskPolicy, parse_policy
from tests.evaluation_snapshots import evaluation_of

HEAD = """schema = 1
name = "Homelessness"
purpose = "homelessness"
legal_basis = "Localism Act 2011, s.1"
owner = "Head of Housing"
sunset = 2027-03-31
"""


def policy_text(snapshot: Snapshot) -> str:
    """The policy that would have given a snapshot, with a comment before each factor."""
    factors = "".join(
        f'\n# About {name}.\n[[factors]]\nfactor = "{name}"\nweight = {weight:g}  # points\n'
        for name, weight in zip(snapshot.factors, snapshot.weights, strict=True)
    )
    bands = "".join(
        f'\n[[bands]]\nname = "{name}"\nfrom = {begin:g}\naction = "As the owner says"\n'
        for name, begin in zip(snapshot.bands, snapshot.band_from, strict=True)
    )
    return HEAD + factors + bands


def policy_of(snapshot: Snapshot) -> RiskPolicy:
    """The same, read."""
    return parse_policy(policy_text(snapshot).encode(), "risk-policy.toml")


def known_dates(snapshots: Sequence[Snapshot], *, repeated: bool = True) -> list[KnownDate]:
    """What a fit keeps of each."""
    return [known_date(one, next(iter(one.happened)), repeated=repeated) for one in snapshots]


def question_of(
    snapshots: Sequence[Snapshot], evaluation: dict[str, Any] | None = None, **fit: Any
) -> Question:
    """A question about these snapshots.

    Args:
        snapshots: At least one.
        evaluation: Keys of the evaluation file, instead of the usual.
        **fit: Keys of the fit file.
    """
    return Question(
        fit=FitFile.model_validate({"schema": 1, "evaluation": Path("evaluation.toml"), **fit}),
        fit_path="fit.toml",
        fit_digest="f" * 64,
        evaluation=evaluation_of(snapshots, **{"resamples": 100, **(evaluation or {})}),
        evaluation_path="evaluation.toml",
        evaluation_digest="e" * 64,
        outcome=next(iter(snapshots[0].happened)),
    )


def proposed(
    snapshots: Sequence[Snapshot],
    *,
    protected: Sequence[str] = (),
    evaluation: dict[str, Any] | None = None,
    **fit: Any,
) -> Proposal:
    """A proposal; see `question_of`."""
    return propose(
        known_dates(snapshots),
        policy_of(snapshots[0]),
        question_of(snapshots, evaluation, **fit),
        protected=protected,
        undated=snapshots[0].undated,
        progress=lambda *_: None,
    )


def points_of(found: Proposal) -> dict[str, int]:
    """Points by factor."""
    return {one.factor: one.points for one in found.factors}
