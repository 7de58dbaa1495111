"""What is known of where a plugin of others comes from, as the rest of the node sees it.

What compares digests and signatures, in `examining`, is imported where plugins of others are
allowed, and nowhere else: every command that scores would wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from folkmoot_operator.problems import Problem
from folkmoot_sdk.loading import Plugins
from folkmoot_sdk.schema import Schema


@dataclass(frozen=True)
class Provenance:
    """What is known of where a plugin comes from.

    Attributes:
        problems: Why it must not run, the gravest first; empty if nothing speaks against it.
        is_reviewed: Whether two people of two organisations have signed reviews of this wheel.
        words: What is known, for people, each a few words.
        kinds: Kinds of sources that its manifest names.
        has_factors: Whether its manifest names factors.
        secrets: Options of its kinds of sources that name a file with a secret.
    """

    problems: tuple[Problem, ...] = ()
    is_reviewed: bool = False
    words: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    has_factors: bool = True
    secrets: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def problem(self) -> Problem | None:
        """Why it must not run; None if it may."""
        if not self.problems:
            return None
        first, more = self.problems[0], len(self.problems) - 1
        also = f" (and {more} more: see `folkmoot-node plugins list`)" if more else ""
        return Problem(
            first.problem + also,
            where=first.where,
            remedy=first.remedy,
            exit_code=first.exit_code,
        )

    def problems_with(self, plugins: Plugins) -> tuple[Problem, ...]:
        """What the plugin does and its manifest does not say, once it has been loaded.

        Args:
            plugins: What it registers, and nothing else.
        """
        del plugins
        return ()

    def fields_not_claimed(self, kind: str, schema: Schema) -> tuple[str, ...]:
        """Fields that a source gives and its manifest does not name; a sentence each."""
        del kind, schema
        return ()

    def as_json(self) -> Mapping[str, Any]:
        """What signatures say, for programs."""
        return {"signed": False, "reported": False, "revoked": False, "notes": []}
