"""The sources of a run: which it needs, and what it reads of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from folkmoot_node.linkage.people_sources import people_identifiers_needed
from folkmoot_node.pipeline.plan import RunPlan
from folkmoot_node.scoring.bound import Binding
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_node.sources.identifiers import communal_field, identifiers_needed
from folkmoot_node.sources.known_on import KnownRecords, require_dated
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import Field, RecordLevel


class RunSources:
    """The sources that a run needs.

    Attributes:
        frame: Name of the household frame.
        needed: By name: the frame, then the others; those about areas last.
        asked: Identifiers that linkage needs from each.
        communal: Boolean field of the frame that is true for communal establishments, which are
            no households; None if all are.
        events_alone: Those of which a back-test wants nothing but their events.
    """

    def __init__(self, config: NodeConfig, plan: RunPlan, binding: Binding) -> None:
        """Finds them.

        Args:
            config: The node's configuration.
            plan: What the run is.
            binding: The policy joined to all sources of the node.

        Raises:
            Problem: Exit code SETTINGS, if there is no source, the frame is about areas, or a
                back-test reads a source that does not say when its records were known.
        """
        self.frame = config.frame
        self._plan = plan
        self._binding = binding
        sources = {
            source.name: source
            for source in sorted(
                binding.sources,
                key=lambda s: (s.name != config.frame, s.schema.level is RecordLevel.AREA),
            )
        }
        _check_frame(sources, config.frame)
        read = {n for n in sources if binding.wanted[n] or n == config.frame}
        needed = read | {bound.source for bound in binding.outcomes.values()}
        asked = identifiers_needed(config, {n: s for n, s in sources.items() if n in needed})
        self.asked = people_identifiers_needed(asked, config, sources, needed)
        read |= {name for name, found in self.asked.items() if found.people}
        needed |= read
        if plan.known:
            require_dated(plan.known, {n: s for n, s in sources.items() if n in read})
        self.events_alone = needed - read
        self.needed = {n: s for n, s in sources.items() if n in needed}
        self.communal = communal_field(config, self.needed[config.frame])

    @property
    def others(self) -> tuple[str, ...]:
        """Names of those that are needed beside the frame; those about areas last."""
        return tuple(self.needed)[1:]

    def is_about_areas(self, name: str) -> bool:
        """Whether the records of a source are about areas."""
        return self.needed[name].schema.level is RecordLevel.AREA

    def known_records(self, name: str) -> KnownRecords | None:
        """How a back-test divides the records of a source; None if the run reads all."""
        known = self._plan.known
        if known is None:
            return None
        return KnownRecords(
            known.on,
            known.today,
            self.needed[name].schema.has_date,
            self._binding.outcomes_of(name),
            name in self.events_alone,
        )

    def wanted(self, name: str) -> Sequence[str]:
        """Fields to read: those of the policy, of the frame whether a home is communal, and
        outcomes.
        """
        wanted = [*self._binding.wanted[name]]
        communal = self.communal
        if name == self.frame and communal is not None and communal not in wanted:
            wanted.append(communal)
        return [*wanted, *self._binding.outcomes_of(name)]

    def fields(self, name: str) -> Sequence[Field]:
        """The fields of the policy that a source has."""
        schema = self.needed[name].schema
        return [schema[field] for field in self._binding.wanted[name]]

    def known(self, name: str, records: pl.DataFrame) -> pl.DataFrame:
        """The records of a source that were known on the date of a back-test; all of a run.

        Returns:
            Their rows, with all columns and nulls.
        """
        known = self.known_records(name)
        return records if known is None else known.known(records)


def _check_frame(sources: Mapping[str, ConnectedSource], frame: str) -> None:
    if not sources:
        raise Problem(
            "no source is configured",
            where="node.toml: sources",
            remedy="Add [[sources]], and name one of them as scoring.frame",
            exit_code=ExitCode.SETTINGS,
        )
    if sources[frame].schema.level is RecordLevel.AREA:
        raise Problem(
            "a source about areas names no households",
            where=f"source {frame}",
            remedy="Set scoring.frame to a source with UPRNs",
            exit_code=ExitCode.SETTINGS,
        )
