"""The fit file: which back-test a policy is fitted to, and what the fitted policy must keep to."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from folkmoot_node.settings.slug import Slug
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings

Points = Annotated[int, Field(ge=1, le=1000)]


class LeastRecall(Settings):
    """One `[[recall]]` table: no group of a characteristic may be found less often than this.

    Attributes:
        field: Field of a protected characteristic that is held for audit.
        capacity: Households that are visited after each date; one of the evaluation file's.
        least: Share of the households with the event that must be among those visited.
    """

    field: Slug
    capacity: Annotated[int, Field(ge=1)]
    least: Annotated[float, Field(gt=0, le=1)]


class FitFile(Settings):
    """A fit file.

    Attributes:
        schema_: Version of the format: 1.
        evaluation: The evaluation file, relative to this one.
        outcome: Name of the outcome there; may be left out if there is only one.
        points: What the factors add up to; if left out, what they add up to now. Less where
            a limit leaves less.
        most_points: Most points of any factor.
        most: Most points of single factors.
        keep: Factors that must stay, with one point at least.
        leave_out: Factors that the fitted policy must not have.
        protected_inputs: Whether factors that read a protected characteristic may stay, where
            the policy permits the characteristic.
        recall: What no group may fall below.
    """

    schema_: Annotated[int, Field(alias="schema", ge=1, le=1)]
    evaluation: Path
    outcome: Slug | None = None
    points: Annotated[int, Field(ge=10, le=10_000)] | None = None
    most_points: Points = 1000
    most: dict[Slug, Points] = {}
    keep: tuple[Slug, ...] = ()
    leave_out: tuple[Slug, ...] = ()
    protected_inputs: bool = False
    recall: Annotated[tuple[LeastRecall, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _agrees(self) -> FitFile:
        both = sorted(set(self.keep) & set(self.leave_out))
        if both:
            raise ValueError(f"{', '.join(both)}: named in keep and in leave_out; remove one")
        return self

    def most_of(self, factor: str) -> int:
        """Most points of a factor."""
        return min(self.most_points, self.most.get(factor, self.most_points))


def check_names(
    fit: FitFile,
    path: str,
    *,
    factors: Collection[str],
    protected: Collection[str],
    capacity: Collection[int],
    held: Collection[str],
) -> None:
    """Checks what a fit file names against the policy and the evaluation file.

    Args:
        fit: The fit file.
        path: Where it was read.
        factors: Those of the present policy.
        protected: Those of them that read a protected characteristic.
        capacity: Households that can be visited, as in the evaluation file.
        held: Fields of protected characteristics that are held for audit.

    Raises:
        Problem: Exit code SETTINGS, naming the key and the remedy.
    """
    for key in ("keep", "leave_out", "most"):
        for name in getattr(fit, key):
            if name not in factors:
                known = ", ".join(factors)
                raise _wrong(
                    path, key, f"{name!r} is no factor of the policy", f"Name one of {known}"
                )
    if not fit.protected_inputs:
        for name in sorted(set(fit.keep) & set(protected)):
            raise _wrong(
                path,
                "keep",
                f"{name!r} reads a protected characteristic",
                "Take it out of keep, or say protected_inputs = true if the policy permits the "
                "characteristic",
            )
    for at, one in enumerate(fit.recall):
        if one.field not in held:
            raise _wrong(
                path,
                f"recall[{at}].field",
                f"{one.field!r} is not held for audit",
                "Name a field of an [[equality]] table of the policy that a source provides; held "
                f"are: {', '.join(held) or 'none'}",
            )
        if one.capacity not in capacity:
            raise _wrong(
                path,
                f"recall[{at}].capacity",
                f"{one.capacity} is no capacity of the evaluation file",
                f"Give one of {', '.join(map(str, sorted(capacity)))}, or add it there",
            )


def outcome_of(fit: FitFile, path: str, outcomes: Collection[str]) -> str:
    """Name of the outcome that a policy is fitted to.

    Args:
        fit: The fit file.
        path: Where it was read.
        outcomes: Names in the evaluation file.

    Raises:
        Problem: Exit code SETTINGS, if it is not there, or it is not clear which one.
    """
    if fit.outcome is None and len(outcomes) > 1:
        raise _wrong(
            path,
            "outcome",
            "the evaluation file has several outcomes",
            f"Name one of {', '.join(outcomes)}: a policy is fitted to one",
        )
    outcome = fit.outcome or next(iter(outcomes))
    if outcome not in outcomes:
        raise _wrong(
            path,
            "outcome",
            f"the evaluation file has no outcome {outcome!r}",
            f"Name one of {', '.join(outcomes)}",
        )
    return outcome


def _wrong(path: str, key: str, problem: str, remedy: str) -> Problem:
    return Problem(problem, where=f"{path}: {key}", remedy=remedy, exit_code=ExitCode.SETTINGS)
