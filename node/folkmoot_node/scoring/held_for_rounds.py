"""What is held on one household for rounds that ask what happened after a past date.

It is personal data as the score is: a resident who asks is told of it, also when there are no
scores any more.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass, replace
from typing import Any

from folkmoot_node.corrections.sealed_file import decisions_of
from folkmoot_node.policies.risk_policy import RiskPolicy, load_policy, parse_policy
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.use import end_of_keeping, open_snapshot
from folkmoot_operator.moments import day

NOT_SHOWN = "not shown: it may rest on a source that is sensitive"
"""In place of a code that somebody may not see."""


@dataclass(frozen=True, slots=True)
class HeldAttribute:
    """What is held of a household under one attribute of the policy.

    Attributes:
        name: Of the attribute.
        code: As rounds count it, such as a band, a level, `yes`.
        words: What it says, for people.
        sources: Sources in `node.toml` of which it tells something; None if it may be any.
    """

    name: str
    code: str
    words: str
    sources: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class HeldForRounds:
    """What is held of one household.

    Attributes:
        known_on: The past date.
        made_on: Day on which it was worked out.
        kept_until: The last day on which it may be kept.
        attributes: In the order of the policy.
        withheld: Whether the household is in no count, since its objection was upheld.
    """

    known_on: datetime.date
    made_on: datetime.date
    kept_until: datetime.date
    attributes: tuple[HeldAttribute, ...]
    withheld: bool

    def as_json(self) -> dict[str, Any]:
        """Plain values, dates as ISO 8601."""
        days = "known_on", "made_on", "kept_until"
        return {**asdict(self), **{name: getattr(self, name).isoformat() for name in days}}

    def as_permitted(self, hidden: Set[str]) -> HeldForRounds:
        """The same without what may rest on some sources.

        Args:
            hidden: Names of sources that may not be shown.
        """
        return replace(
            self,
            attributes=tuple(
                replace(one, code=NOT_SHOWN)
                if hidden and (one.sources is None or not hidden.isdisjoint(one.sources))
                else one
                for one in self.attributes
            ),
        )

    def as_text(self) -> str:
        """For people, line by line."""
        lines = [
            "Kept for counts of the region:",
            f"  As known on {self.known_on.isoformat()}, worked out on "
            f"{self.made_on.isoformat()}, kept until {self.kept_until.isoformat()} at the latest",
            *(f"  {one.words}: {one.code}" for one in self.attributes),
        ]
        if self.withheld:
            lines.append("  Withheld: you objected, and it is in no count")
        return "\n".join(lines)


def held_for_rounds(config: NodeConfig, uprn: int, today: datetime.date) -> HeldForRounds | None:
    """What is held on a household as it was known on a past date.

    Args:
        config: The node's settings.
        uprn: Unique property reference number.
        today: The date in UTC.

    Returns:
        None if nothing is kept, or nothing of this household.

    Raises:
        Problem: Exit code DATA or SETTINGS, if it cannot be read.
    """
    if not config.snapshot_path.exists():
        return None
    with open_snapshot(config) as snapshot:
        codes, run = snapshot.codes(uprn), snapshot.run
    if codes is None:
        return None
    policy = parse_policy(run.policy_text.encode("utf-8"), run.policy_path)
    return HeldForRounds(
        known_on=run.reference_date,
        made_on=day(run.finished_at),
        kept_until=end_of_keeping(run, load_policy(config.risk_policy)).last_day,
        attributes=tuple(_attributes(codes, run, policy)),
        withheld=uprn in decisions_of(config).in_force(today).withheld,
    )


def _attributes(
    codes: dict[str, str], run: RunSummary, policy: RiskPolicy
) -> Iterator[HeldAttribute]:
    for name, code in codes.items():
        entry = policy.document.attributes.get(name)
        fields = () if entry is None else (*entry.fields, *entry.events)
        words = name.replace("_", " ").capitalize()
        if entry is not None and entry.outcome is not None:
            words += f", within {entry.months} months after that date"
        elif entry is not None and entry.factor is not None:
            words += f", level of {entry.factor.replace('_', ' ')}"
        named = {field for field, _ in fields}
        sources = tuple(one.name for one in run.sources if not named.isdisjoint(one.fields))
        yield HeldAttribute(name, code, words, sources if fields else None)
