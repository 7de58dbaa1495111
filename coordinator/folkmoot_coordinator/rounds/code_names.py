"""What people call the codes of a round, and which edition of a code list they are from.

Neither is part of the question, so nodes do not receive it: it is kept beside the round, for
those who read the published tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CodeNames:
    """Names and editions of the code lists of a round, as far as its file says them.

    Attributes:
        names: By attribute, for each code its name.
        vintages: By attribute the edition of its code list, for example `2021`.
    """

    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    vintages: Mapping[str, str] = field(default_factory=dict)

    def of(self, attribute: str) -> Mapping[str, str]:
        """For each code of an attribute its name; empty if none is known."""
        return self.names.get(attribute, {})

    def to_dict(self) -> dict[str, Any]:
        """For keeping with a round, as JSON; empty if there is nothing to keep."""
        found = {"names": dict(self.names), "vintages": dict(self.vintages)}
        return {key: value for key, value in found.items() if value}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> CodeNames:
        """What `to_dict` gave, among other keys."""
        return cls(kept.get("names", {}), kept.get("vintages", {}))


NO_NAMES = CodeNames()
"""Of a round whose file names nothing."""
