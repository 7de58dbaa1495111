"""What one scoring run did. For the operator's eyes on the node."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from folkmoot_node.policies.risk_policy import Retention
from folkmoot_node.store.source_summary import SourceSummary, SummaryPart
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import FieldType


class FactorSummary(SummaryPart):
    """One factor of the run.

    Attributes:
        name: Identifier.
        weight: Points at a factor score of 1.
        plugin: Distribution, version and entry point.
    """

    name: str
    weight: float
    plugin: str


class FailedPlugin(SummaryPart):
    """A plugin that failed in a run, which went on without its factors.

    Attributes:
        distribution: Name of its distribution.
        problem: How it failed: factor, distribution, version, hook and kind of failure.
        factors: Those that are unknown for every household of the run.
    """

    distribution: str
    problem: str
    factors: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """For the operator, in one sentence without full stop."""
        which = ", ".join(self.factors)
        return (
            f"{which}: unknown for every household in this run, since its plugin failed "
            f"({self.problem})"
        )


class StoredAttribute(SummaryPart):
    """How an attribute is stored.

    Attributes:
        column: Column of the table `households`: an index into `stored_codes`.
        released: Column that rounds count; `column`, unless the run linked people.
        stored_codes: Codes by index; the last stands for unknown.
        codes: Public codes, in order; None for an area.
    """

    column: str
    released: str = ""
    stored_codes: tuple[str, ...]
    codes: tuple[str, ...] | None

    @property
    def counted(self) -> str:
        """Column that rounds count."""
        return self.released or self.column


class StoredField(SummaryPart):
    """How an input of factors is stored in the details.

    Attributes:
        type: Type of a household's value; a category is stored as an index into `codes`.
        codes: Codes of a category, in order; empty for other types.
        unit: Unit of the value.
        description: What it is.
        source: Source in `node.toml`.
    """

    type: FieldType
    codes: tuple[str, ...] = ()
    unit: str = ""
    description: str = ""
    source: str = ""


class StoredAudit(SummaryPart):
    """How an audited field is stored.

    Attributes:
        column: Column of the table `households`: an index into `groups`; one more stands for
            a value that is not known.
        groups: Groups in order.
        characteristic: The protected characteristic that the field states.
        description: What the field is.
        source: Source in `node.toml`.
        rule: In words, how a household of several records gets its group.
    """

    column: str
    groups: tuple[str, ...]
    characteristic: str
    description: str
    source: str
    rule: str


class CorrectionsSummary(SummaryPart):
    """What decisions about upheld objections changed, in a run or a part of it. Counts alone.

    Attributes:
        suppressed: Values of households that were not used.
        corrected: Values of households that were corrected.
        withheld: Households that are left out of cohorts and new counts.
        without_effect: Decisions in force, field by field, that changed nothing: their household
            is not in the frame any more, or the policy does not use the field any more. Known
            of a whole run alone.
    """

    suppressed: int = 0
    corrected: int = 0
    withheld: int = 0
    without_effect: int = 0

    def __add__(self, other: CorrectionsSummary) -> CorrectionsSummary:
        return CorrectionsSummary(
            suppressed=self.suppressed + other.suppressed,
            corrected=self.corrected + other.corrected,
            withheld=self.withheld + other.withheld,
        )

    def of(self, decided: int) -> CorrectionsSummary:
        """The same of a whole run, in which so many things were decided."""
        changed = self.suppressed + self.corrected + self.withheld
        return self.model_copy(update={"without_effect": decided - changed})

    @property
    def in_words(self) -> tuple[str, ...]:
        """For the operator, line by line; none if there is nothing to say."""
        lines = []
        if self.suppressed or self.corrected or self.withheld:
            lines.append(
                f"After objections: {self.suppressed:,} values not used, {self.corrected:,} "
                f"corrected, {self.withheld:,} households withheld."
            )
        if self.without_effect:
            lines.append(
                f"After objections: {self.without_effect:,} decisions changed nothing, since the "
                "household or the field is not there any more (`folkmoot-node corrections list`)."
            )
        return tuple(lines)


class RunSummary(SummaryPart):
    """One scoring run.

    Attributes:
        run_id: 32 hexadecimal digits.
        policy_name: Name of the risk stratification policy.
        policy_sha256: Digest of its file, hexadecimal.
        policy_sunset: Its last day; kept here so that editing the file does not move it.
        policy_path: Where the file was read.
        reference_date: Date on which ages and durations were computed.
        known_on: Past date as of which a back-test scored; None for a run of today.
        started_at: Seconds since 1970-01-01T00:00:00Z.
        finished_at: Seconds since 1970-01-01T00:00:00Z.
        households: Households scored.
        bands: Households by band, ascending.
        incomplete: Households of which some factor is unknown.
        factors: In the order of the policy.
        sources: In the order of `node.toml`.
        stored: How attributes are stored, by name.
        licences: Bought fields that were read, and the last day on which they may be used.
        unlicensed: Bought fields that the policy uses and that were not read, since their
            licence had ended, and its last day.
        audited: How the fields of the equality audit are stored, by name.
        not_held: Fields that the policy would audit and that no source provides.
        protected_inputs: Scored fields that state a protected characteristic, and which.
        retention: The policy's retention rule; kept here so that a later one does not extend it.
        corrections: What decisions about upheld objections changed.
        fields: How the inputs of factors are stored, by name; empty in runs of earlier versions.
        policy_text: The policy's file, by which the scores can be explained when it has been
            changed; empty in runs of earlier versions.
        failed: Plugins that failed, and whose factors are unknown; rounds wait then for a
            person's decision.
        not_confined: Which plugins ran in the node's own process and why, a sentence each; none
            if all ran apart, and in runs of earlier versions.
    """

    run_id: str
    policy_name: str
    policy_sha256: str
    policy_sunset: datetime.date
    policy_path: str = ""
    reference_date: datetime.date
    known_on: datetime.date | None = None
    started_at: int
    finished_at: int
    households: int
    bands: dict[str, int]
    incomplete: int
    factors: tuple[FactorSummary, ...]
    sources: tuple[SourceSummary, ...]
    stored: dict[str, StoredAttribute]
    licences: dict[str, datetime.date] = {}
    unlicensed: dict[str, datetime.date] = {}
    audited: dict[str, StoredAudit] = {}
    not_held: tuple[str, ...] = ()
    protected_inputs: dict[str, str] = {}
    retention: Retention = Retention()
    fields: dict[str, StoredField] = {}
    corrections: CorrectionsSummary = CorrectionsSummary()
    policy_text: str = ""
    failed: tuple[FailedPlugin, ...] = ()
    not_confined: tuple[str, ...] = ()

    @property
    def left_out(self) -> frozenset[str]:
        """Factors that are unknown for every household, since their plugin failed."""
        return frozenset(factor for one in self.failed for factor in one.factors)

    @property
    def last_day(self) -> datetime.date:
        """Last day on which the scores may be used: of the policy and of what was read."""
        return min([self.policy_sunset, *self.licences.values()])

    def check_licences(self, today: datetime.date) -> None:
        """Refuses scores that rest on bought data whose licence has ended since.

        Raises:
            Problem: Exit code REFUSED.
        """
        for field, end in self.licences.items():
            if today > end:
                raise Problem(
                    f"the scores rest on {field!r}, whose licence ended on {end.isoformat()}",
                    where="the last scoring run",
                    remedy="Run `folkmoot-node score` again: it no longer reads the field",
                    exit_code=ExitCode.REFUSED,
                )

    def check_counted(self) -> None:
        """Refuses to count rows in which people were linked, as earlier versions stored them.

        Raises:
            Problem: Exit code DATA.
        """
        if any(one.released for one in self.stored.values()):
            return
        if any(source.by_person or source.by_review for source in self.sources):
            raise Problem(
                "these scores do not say what rounds may count: people were linked",
                where="the last scoring run",
                remedy="Run `folkmoot-node score` again",
                exit_code=ExitCode.DATA,
            )

    @property
    def policy_digest(self) -> bytes:
        """SHA-256 of the policy file, 32 bytes."""
        return bytes.fromhex(self.policy_sha256)

    @property
    def attributes(self) -> dict[str, tuple[str, ...] | None]:
        """Public codes by attribute; None for an area, whose codes come from the round."""
        return {name: attribute.codes for name, attribute in self.stored.items()}

    @property
    def band_names(self) -> tuple[str, ...]:
        """Bands, ascending."""
        return tuple(self.bands)

    @property
    def quarantine(self) -> tuple[Path, ...]:
        """Files that list the rejected records."""
        return tuple(Path(source.quarantine) for source in self.sources if source.quarantine)

    def as_json(self) -> dict[str, Any]:
        """For `--json`; leaves out how attributes are stored, counts by area, and the policy."""
        by_area = {"linked_areas", "unlinked_sectors"}
        return self.model_dump(
            mode="json",
            exclude={
                "stored": True,
                "known_on": True,
                "fields": True,
                "audited": True,
                "policy_text": True,
                "sources": {"__all__": by_area},
            },
        )
