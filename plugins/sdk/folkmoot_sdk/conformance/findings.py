"""What a check looks for, and what it found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any


class Severity(Enum):
    """What a finding means for whoever wants to use the plugin."""

    ERROR = "error"  # the plugin does not conform
    WARNING = "warning"  # it conforms; this may cause trouble later


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a plugin must do, as the vendor documentation lists it.

    Attributes:
        id: Stable name, such as `row-order`; reports and programs refer to it.
        about: `factor`, `source` or `plugin` (the distribution as a whole).
        title: The rule, in a few words.
        why: What goes wrong for a council if it is broken.
        remedy: What a vendor does about it.
        severity: Of its findings.
    """

    id: str
    about: str
    title: str
    why: str
    remedy: str
    severity: Severity = Severity.ERROR

    def finding(self, seen: str, subject: str = "", remedy: str = "") -> Finding:
        """A finding of this check.

        Args:
            seen: What the plugin did, in a sentence without a full stop. It may quote
                made-up data, and nothing else.
            subject: The factor or source, such as `factor energy_debt`; empty for the
                plugin as a whole.
            remedy: If it can be said more closely than the check says it.
        """
        return Finding(self, seen, subject, remedy or self.remedy)


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a plugin breaks.

    Attributes:
        check: The rule.
        seen: What the plugin did.
        subject: The factor or source; empty for the plugin as a whole.
        remedy: What the vendor can do.
    """

    check: Check
    seen: str
    subject: str
    remedy: str

    @property
    def is_error(self) -> bool:
        """True if the plugin does not conform because of it."""
        return self.check.severity is Severity.ERROR

    def __str__(self) -> str:
        return f"{self.check.id}: {self.seen}. {self.remedy}"

    def as_json(self) -> dict[str, Any]:
        """For programs and reports."""
        return {
            "id": self.check.id,
            "severity": self.check.severity.value,
            "subject": self.subject,
            "title": self.check.title,
            "seen": self.seen,
            "remedy": self.remedy,
        }


class Found(Exception):
    """Ends a check at its first finding.

    Attributes:
        finding: The finding.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def checks_in(modules: Iterable[ModuleType]) -> tuple[Check, ...]:
    """The checks that modules define, in the order in which they do."""
    found = [entry for module in modules for entry in vars(module).values()]
    return tuple(dict.fromkeys(entry for entry in found if isinstance(entry, Check)))


def said(error: BaseException) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
