"""Facts about back-tests: how many were made, and the figures of the one that people name.

The node keeps no figures of back-tests. A council that wants them among its facts keeps what
`folkmoot-node evaluate FILE --json` prints in a file, and names it in `scrutiny.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.facts import Fact, Provenance
from folkmoot_node.scrutiny.gather.reporting import Reporter, of_file, slug
from folkmoot_node.scrutiny.scrutiny_file import load_signed, scrutiny_path
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import read

EVALUATED = "policy evaluated"
"""Action of the audit log."""


class _Interval(BaseModel):
    low: float
    high: float


class _Figure(BaseModel):
    figure: str
    capacity: int | None
    mean: float
    mean_interval: _Interval


class _Outcome(BaseModel):
    name: str
    figures: tuple[_Figure, ...]


class _Date(BaseModel):
    date: str


class _Report(BaseModel):
    policy: str
    policy_sha256: str
    evaluation_sha256: str
    dates: tuple[_Date, ...]
    outcomes: tuple[_Outcome, ...]


def evaluation_facts(node: NodeHome) -> Iterator[Fact]:
    """What is known of back-tests.

    Raises:
        Problem: Exit code SETTINGS, if the file that people name cannot be read, or is none that
            `evaluate --json` prints.
    """
    fact = Reporter(Provenance("state.sqlite, table audit"))
    entries = list(node.audit.entries((EVALUATED,)))
    yield fact("evaluation.back_tests", "Back-tests made at this node", len(entries))
    last = to_text(entries[-1].at) if entries else None
    yield fact("evaluation.last_at", "When the last back-test began", last)
    digest = node.risk_policy().digest.hex()
    of_this = sum(one.body.get("policy_sha256") == digest for one in entries)
    yield fact("evaluation.of_this_policy", "Back-tests of the present policy", of_this)
    path = _named(node)
    if path is None:
        return
    report = _read(path)
    fact = Reporter(of_file(node.config.home, path))
    label = "Whether the named back-test judged the present policy"
    yield fact("evaluation.report.is_of_this_policy", label, report.policy_sha256 == digest)
    policy = report.policy
    yield fact("evaluation.report.policy", "Policy that the named back-test judged", policy)
    label = "SHA-256 of the evaluation file of the named back-test"
    yield fact("evaluation.report.evaluation_sha256", label, report.evaluation_sha256)
    dates = [one.date for one in report.dates]
    yield fact("evaluation.report.dates", "Dates that the named back-test judged", dates)
    yield from _figures(replace(fact, own=True), report)


def _figures(fact: Reporter, report: _Report) -> Iterator[Fact]:
    for outcome in report.outcomes:
        for one in outcome.figures:
            visits = "" if one.capacity is None else f" at {one.capacity} visits"
            key = f"evaluation.outcomes.{slug(outcome.name)}.{slug(one.figure + visits)}"
            label = f"{one.figure}{visits} for {outcome.name}, mean over dates"
            interval = one.mean_interval
            value = {
                "mean": round(one.mean, 4),
                "low": round(interval.low, 4),
                "high": round(interval.high, 4),
            }
            yield fact(key, label[:1].upper() + label[1:], value)


def _named(node: NodeHome) -> Path | None:
    if not scrutiny_path(node.config).exists():
        return None
    report = load_signed(node).document.evaluation.report
    return None if report is None else node.config.home / report


def _read(path: Path) -> _Report:
    try:
        return _Report.model_validate_json(read(path))
    except ValidationError:
        # What is wrong is not quoted: the file holds counts of households.
        raise Problem(
            "is not what a back-test prints with --json",
            where=str(path),
            remedy="Write it again: `folkmoot-node evaluate FILE --json > "
            f"{path.name}`, or take evaluation.report out of scrutiny.toml",
            exit_code=ExitCode.SETTINGS,
        ) from None
