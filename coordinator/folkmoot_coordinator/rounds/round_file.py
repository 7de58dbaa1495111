"""The file an operator writes to open a round: ROUND.toml."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from folkmoot.counting_rules import counting_digest
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import NO_EPSILON, Delta, Epsilon, Rho
from folkmoot.rounds import Mechanism, Round
from folkmoot.series import Series, SeriesEvent
from folkmoot.workload import OTHER, Attribute, Marginal, Workload
from folkmoot_coordinator.clock import HOUR
from folkmoot_coordinator.config import check_printable
from folkmoot_coordinator.rounds.area_file import WITHIN_COLUMN, read_areas
from folkmoot_coordinator.rounds.code_names import NO_NAMES, CodeNames
from folkmoot_coordinator.rounds.objective import Objective, Planning, planned
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings, load, nearest

_MINUTE = 60
_SHOWN = 5


CodeName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_printable)]


class AttributeEntry(Settings):
    """One attribute: a code list, or a file of areas by council.

    Attributes:
        name: Identifier.
        codes: Code list that all councils share.
        areas: CSV file of council, area, for nested areas the area each lies in, and names.
        others: Whether households with none of the codes have a cell, `(other)`; by
            default they do for areas, and are left out of the round for code lists.
        within: Attribute in whose codes these nest.
        parents: For each of `codes` the code of `within` that it lies in.
        names: What people call codes, for published tables; nodes do not receive it.
        vintage: Edition of the code list, for published tables, such as `2021`.
    """

    name: str
    codes: tuple[str, ...] | None = None
    areas: Path | None = None
    others: bool | None = None
    within: str = ""
    parents: tuple[str, ...] = ()
    names: dict[str, CodeName] = Field(default_factory=dict)
    vintage: Annotated[str, Field(max_length=60), AfterValidator(check_printable)] = ""

    @model_validator(mode="after")
    def _one_list(self) -> AttributeEntry:
        if (self.codes is None) == (self.areas is None):
            raise ValueError("give either codes or areas (a CSV file of council,area)")
        if len(self.parents) != (len(self.codes) if self.codes and self.within else 0):
            raise ValueError("give parents, one for each code, with codes within an attribute")
        return self


class MarginalEntry(Settings):
    """One marginal."""

    attributes: tuple[str, ...]
    weight: int = 1


class EventEntry(Settings):
    """What a household must satisfy to be counted in a series."""

    attribute: str
    codes: tuple[str, ...]


class SeriesEntry(Settings):
    """Table `[series]`: the round is the first of a series.

    Attributes:
        rounds: Number of rounds planned.
        until: Last day of the series (UTC).
        event: What a household must satisfy to be counted.
    """

    rounds: int
    until: date
    event: EventEntry


class RoundFile(Settings):
    """The file ROUND.toml; paths are relative to it."""

    title: str = ""
    purpose: str
    policy: Path | None = None
    policy_digest: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")
    councils: tuple[str, ...] | Literal["all"]
    minimum_councils: int
    rho: Decimal | float | str | None = None
    epsilon: Decimal | float | str | None = None
    delta: Decimal | float | str
    mechanism: Literal["discrete_gaussian", "discrete_laplace"] = "discrete_gaussian"
    objective: Objective = Objective.SUM
    deadline_hours: float | None = Field(default=None, gt=0, le=24 * 366)
    deadline_minutes: float | None = Field(default=None, gt=0, le=60 * 24 * 366)
    deadline: datetime | None = None
    attributes: tuple[AttributeEntry, ...] = ()
    marginals: tuple[MarginalEntry, ...]
    series: SeriesEntry | None = None

    @model_validator(mode="after")
    def _objective_of_mechanism(self) -> RoundFile:
        if self.mechanism == "discrete_laplace" and self.objective is not Objective.SUM:
            raise ValueError('give objective = "sum" with discrete_laplace, or none')
        return self

    @model_validator(mode="after")
    def _one_of_each(self) -> RoundFile:
        if (self.policy is None) == (self.policy_digest is None):
            raise ValueError("give either policy (a file) or policy_digest (64 hex digits)")
        given = [self.deadline_hours, self.deadline_minutes, self.deadline]
        if sum(value is not None for value in given) != 1:
            raise ValueError("give one of deadline_hours, deadline_minutes, deadline")
        pure = self.mechanism == "discrete_laplace"
        if (self.epsilon is None) == pure or (self.rho is None) != pure:
            raise ValueError(
                "give rho with the discrete Gaussian mechanism, epsilon with the discrete Laplace"
            )
        return self


@dataclass(frozen=True, slots=True)
class PlannedRound:
    """A round as it will be signed, and what is kept beside it.

    Attributes:
        round_: The question.
        planning: How its weights came about.
        code_names: What people call its codes.
        policy: The policy file that it names; None if it gives a digest.
        doubts: What in the file may not be meant, each a sentence or two for a person.
    """

    round_: Round
    planning: Planning
    code_names: CodeNames = NO_NAMES
    policy: Path | None = None
    doubts: tuple[str, ...] = ()


def names_all(path: Path) -> bool:
    """True if a round file invites all councils enrolled, so that these must be known.

    Raises:
        Problem: If the file is wrong.
    """
    return load(RoundFile, path).councils == "all"


def read_round(path: Path, enrolled: Sequence[GssCode], now: int) -> PlannedRound:
    """Reads a round file and makes a round of it, with a new id.

    Args:
        path: The file.
        enrolled: Councils that `councils = "all"` stands for.
        now: When the round opens, seconds since 1970-01-01T00:00:00Z.

    Raises:
        Problem: If the file, or a file it names, is wrong; says where and how to fix it.
    """
    file = load(RoundFile, path)
    try:
        return _make(file, path, enrolled, now)
    except ContractError as error:
        raise _problem(f"{error.where}: {error.problem}", path, error.remedy) from None


def _make(file: RoundFile, path: Path, enrolled: Sequence[GssCode], now: int) -> PlannedRound:
    councils = _councils(file, path, enrolled)
    read = [_attribute(entry, path, councils) for entry in file.attributes]
    _check_names(file, path)
    epsilon = NO_EPSILON if file.epsilon is None else Epsilon.of(file.epsilon)
    policy = _policy(file, path)
    round_ = Round(
        round_id=secrets.token_hex(16),
        title=file.title,
        purpose=file.purpose,
        councils=councils,
        minimum_councils=file.minimum_councils,
        policy_digest=policy.digest,
        workload=Workload(
            tuple(one.attribute for one in read),
            tuple(Marginal(entry.attributes, entry.weight) for entry in file.marginals),
        ),
        loss=Rho.of(file.rho, "rho") if file.rho is not None else epsilon.rho,
        mechanism=Mechanism[file.mechanism.upper()],
        epsilon=epsilon,
        delta=Delta.of(file.delta, "delta"),
        opened_at=now,
        deadline=_deadline(file, now),
        series=_series(file.series) if file.series else None,
    )
    workload, planning = planned(round_.workload, councils, file.objective)
    round_ = replace(round_, workload=workload)
    if round_.series is not None and policy.text is not None:
        digest = counting_digest(policy.text, round_.names_counted)
        round_ = replace(round_, series=replace(round_.series, counting_digest=digest))
    code_names = CodeNames(
        {one.attribute.name: one.names for one in read if one.names},
        {entry.name: entry.vintage for entry in file.attributes if entry.vintage},
    )
    return PlannedRound(
        round_,
        planning,
        code_names,
        path.parent / file.policy if file.policy else None,
        tuple(one.doubt for one in read if one.doubt),
    )


def _series(entry: SeriesEntry) -> Series:
    return Series(
        series_id=secrets.token_hex(16),
        position=1,
        length=entry.rounds,
        event=SeriesEvent(entry.event.attribute, tuple(sorted(entry.event.codes))),
        ends_at=int(datetime.combine(entry.until, time(23, 59, 59), UTC).timestamp()),
    )


def _councils(file: RoundFile, path: Path, enrolled: Sequence[GssCode]) -> tuple[GssCode, ...]:
    if file.councils == "all":
        if not enrolled:
            raise _problem(
                'councils = "all", but no council has enrolled',
                path,
                "Invite councils first, or name them",
            )
        return tuple(sorted(enrolled))
    codes = [GssCode(code, f"councils[{at}]") for at, code in enumerate(file.councils)]
    return tuple(sorted(codes))


@dataclass(frozen=True, slots=True)
class _ReadAttribute:
    """An attribute, the names of its codes, and what may not be meant of it."""

    attribute: Attribute
    names: Mapping[str, str]
    doubt: str = ""


def _attribute(entry: AttributeEntry, path: Path, councils: tuple[GssCode, ...]) -> _ReadAttribute:
    if entry.areas is None:
        codes = entry.codes or ()
        parents = dict(zip(codes, entry.parents, strict=False))
        attribute = Attribute(
            entry.name,
            codes=codes,
            others=bool(entry.others),
            within=entry.within,
            parents=parents,
        )
        return _ReadAttribute(attribute, _names(entry, {}, codes, path))
    file = path.parent / entry.areas
    areas = read_areas(file, councils, nested=bool(entry.within))
    without = [council for council in councils if council not in areas.by_council]
    if without:
        raise Problem(
            f"has no area of {', '.join(without[:_SHOWN])}"
            + (f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else "")
            + ", invited to the round",
            where=str(file),
            remedy="Add the councils' areas, or do not invite the councils",
            exit_code=ExitCode.SETTINGS,
        )
    attribute = Attribute(
        entry.name,
        by_council=areas.by_council,
        others=entry.others is not False,
        within=entry.within,
        parents=areas.within if entry.within else {},
    )
    doubt = ""
    if areas.within and not entry.within:
        doubt = (
            f"{entry.areas} has a column `{WITHIN_COLUMN}`, which is not used: the attribute "
            f"{entry.name} does not say in which attribute it nests. If it should, declare the "
            f'larger areas as an attribute and write `within = "THEIR NAME"` under {entry.name}'
        )
    listed = [code for codes in areas.by_council.values() for code in codes]
    return _ReadAttribute(attribute, _names(entry, areas.names, listed, path), doubt)


def _names(
    entry: AttributeEntry, in_file: Mapping[str, str], codes: Sequence[str], path: Path
) -> dict[str, str]:
    """Names of codes, those of the round file before those of the file of areas."""
    listed = {*codes, OTHER}
    for code in entry.names:
        # A file of areas may name councils that are not invited, and so may the names of areas.
        if code not in listed and entry.areas is None:
            near = nearest(code, listed)
            raise _problem(
                f"attribute {entry.name}: names has {code[:40]!r}, which is not one of its codes",
                path,
                (f"Did you mean {near!r}? " if near else "") + "Name codes of the attribute",
            )
    return {**in_file, **{code: name for code, name in entry.names.items() if code in listed}}


def _check_names(file: RoundFile, path: Path) -> None:
    declared = [entry.name for entry in file.attributes]
    for at, marginal in enumerate(file.marginals):
        for name in marginal.attributes:
            if name not in declared:
                near = nearest(name, declared)
                raise _problem(
                    f"marginals[{at}]: attribute {name[:63]!r} is not declared",
                    path,
                    (f"Did you mean {near!r}? " if near else "")
                    + f"Attributes declared: {', '.join(declared) or 'none'}",
                )


@dataclass(frozen=True, slots=True)
class _Policy:
    """The policy that a round names: its digest, and the file where it gives one."""

    digest: bytes
    text: str | None = None


def _policy(file: RoundFile, path: Path) -> _Policy:
    if file.policy_digest is not None:
        return _Policy(bytes.fromhex(file.policy_digest))
    assert file.policy is not None
    policy = path.parent / file.policy
    try:
        content = policy.read_bytes()
    except OSError as error:
        raise Problem(
            f"the policy cannot be read ({error.strerror})",
            where=str(policy),
            remedy="Give the policy file's path relative to the round file, or policy_digest",
            exit_code=ExitCode.SETTINGS,
        ) from None
    # What is not text is no policy; only a series has to read it.
    return _Policy(hashlib.sha256(content).digest(), content.decode("utf-8", "replace"))


def _deadline(file: RoundFile, now: int) -> int:
    if file.deadline is not None:
        moment = file.deadline
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp())
    seconds = (
        file.deadline_hours * HOUR
        if file.deadline_hours is not None
        else (file.deadline_minutes or 0) * _MINUTE
    )
    return now + max(1, round(seconds))


def _problem(problem: str, path: Path, remedy: str) -> Problem:
    return Problem(problem, where=str(path), remedy=remedy, exit_code=ExitCode.SETTINGS)
