"""The signed report: what the checks of a wheel came to."""

from __future__ import annotations

import datetime
from importlib.metadata import version
from pathlib import Path

from folkmoot_kit import confinement
from folkmoot_kit.channel.words import cut
from folkmoot_kit.checks.plugin import Result
from folkmoot_kit.provenance.signed import load_key, sign
from folkmoot_kit.provenance.statements import Outcome, Report
from folkmoot_kit.provenance.wheel_file import read_wheel
from folkmoot_sdk.conformance import Check, Finding

DAYS = 365
"""For how long a report counts, unless another was asked for."""
_LINE = 1000


def make_report(result: Result, wheel: Path, today: datetime.date, days: int = DAYS) -> Report:
    """What was found, bound to a wheel by its digest.

    Args:
        result: Of the checks.
        wheel: The file that was checked.
        today: First day on which the report counts.
        days: How many days it counts.

    Raises:
        Problem: Exit code VERIFICATION, if the file is no sound wheel.
    """
    read = read_wheel(wheel)
    return Report(
        distribution=read.name,
        version=read.version,
        wheel=read.digest,
        content=read.content,
        valid_from=today,
        valid_until=today + datetime.timedelta(days=days),
        kit=version("folkmoot-kit"),
        sdk=version("folkmoot-sdk"),
        outcomes=tuple(_outcome(check, result.findings) for check in result.checks),
        layers=tuple(layer.name for layer in confinement.self_test() if layer.works),
    )


def _outcome(check: Check, findings: list[Finding]) -> Outcome:
    """How one rule ended; a warning is told, and does not fail it."""
    found = [finding for finding in findings if finding.check.id == check.id]
    return Outcome(
        check=check.id,
        passed=not any(finding.is_error for finding in found),
        finding=cut("; ".join(_seen(finding) for finding in found), _LINE),
        remedy=cut(found[0].remedy, _LINE) if found else "",
    )


def _seen(finding: Finding) -> str:
    """What was seen; of a source only that it was, since it may have been read on real records."""
    if finding.check.about == "source" or finding.subject.startswith("source "):
        return f"{finding.subject}: it is not so that {finding.check.title}"
    return f"{finding.subject}: {finding.seen}" if finding.subject else finding.seen


def signed_report(result: Result, wheel: Path, key: Path, today: datetime.date) -> bytes:
    """The report as a file, signed.

    Raises:
        Problem: Exit code SETTINGS or VERIFICATION, if the key or the wheel will not do.
    """
    return sign(make_report(result, wheel, today), load_key(key))
