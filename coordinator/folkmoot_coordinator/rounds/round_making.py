"""A round made of a question: its file, and the files that this names."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path

from folkmoot.attributes import OTHER, Attribute
from folkmoot.counting_rules import counting_digest
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import NO_EPSILON, Delta, Epsilon, Rho
from folkmoot.rounds import Mechanism, Round
from folkmoot.series import Series, SeriesEvent
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.clock import HOUR
from folkmoot_coordinator.rounds.area_file import WITHIN_COLUMN, read_areas
from folkmoot_coordinator.rounds.code_names import NO_NAMES, CodeNames
from folkmoot_coordinator.rounds.objective import Planning, planned
from folkmoot_coordinator.rounds.question import Question
from folkmoot_coordinator.rounds.round_file import AttributeEntry, RoundFile, SeriesEntry
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import nearest

_MINUTE = 60
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """The policy that a round file names.

    Attributes:
        name: Its path, as the file has it.
        content: Its bytes.
    """

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PlannedRound:
    """A round as it will be signed, and what is kept beside it.

    Attributes:
        round_: The question.
        planning: How its weights came about.
        code_names: What people call its codes.
        policy: The policy that its file names; None if that gives a digest.
        doubts: What in the file may not be meant, each a sentence or two for a person.
    """

    round_: Round
    planning: Planning
    code_names: CodeNames = NO_NAMES
    policy: PolicyFile | None = None
    doubts: tuple[str, ...] = ()


def make_round(question: Question, enrolled: Sequence[GssCode], now: int) -> PlannedRound:
    """Makes a round of a question, with a new id.

    Args:
        question: A round file, and the files that it names.
        enrolled: Councils that `councils = "all"` stands for.
        now: When the round opens, seconds since 1970-01-01T00:00:00Z.

    Raises:
        Problem: If the file, or a file it names, is wrong; says where and how to fix it.
    """
    try:
        return _make(question, enrolled, now)
    except ContractError as error:
        where = f"{error.where}: {error.problem}"
        raise _problem(where, question.path, error.remedy) from None


def _make(question: Question, enrolled: Sequence[GssCode], now: int) -> PlannedRound:
    file, path = question.file, question.path
    councils = _councils(file, path, enrolled)
    read = [_attribute(entry, question, councils) for entry in file.attributes]
    _check_names(file, path)
    epsilon = NO_EPSILON if file.epsilon is None else Epsilon.of(file.epsilon)
    policy = _policy(question)
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
    if round_.series is not None and policy.file is not None:
        # What is not text is no policy; only a series has to read it.
        text = policy.file.content.decode("utf-8", "replace")
        digest = counting_digest(text, round_.names_counted)
        round_ = replace(round_, series=replace(round_.series, counting_digest=digest))
    code_names = CodeNames(
        {one.attribute.name: one.names for one in read if one.names},
        {entry.name: entry.vintage for entry in file.attributes if entry.vintage},
    )
    return PlannedRound(
        round_,
        planning,
        code_names,
        policy.file,
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
                "Invite them first: `folkmoot-coordinator invite CODE`; a council belongs to the "
                "region once its node has enrolled",
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


def _attribute(
    entry: AttributeEntry, question: Question, councils: tuple[GssCode, ...]
) -> _ReadAttribute:
    path = question.path
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
    content = question.content(entry.areas)
    areas = read_areas(content, str(file), councils, nested=bool(entry.within))
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
    file: PolicyFile | None = None


def _policy(question: Question) -> _Policy:
    file = question.file
    if file.policy_digest is not None:
        return _Policy(bytes.fromhex(file.policy_digest))
    assert file.policy is not None
    content = question.content(file.policy)
    return _Policy(hashlib.sha256(content).digest(), PolicyFile(str(file.policy), content))


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
