"""Linkage in a scoring run: what its stages keep for it, and what it gives back.

Identifiers are in the run's spool from the reading of a source until its records are linked.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Mapping
from contextlib import ExitStack

import polars as pl

from folkmoot_node.faults import work_fault
from folkmoot_node.linkage.link import BY_PERSON, Linkage, Linked, distinct_homes
from folkmoot_node.linkage.people_stage import SOURCE, PeopleStage, known_people
from folkmoot_node.linkage.review_decisions import ReviewDecisions
from folkmoot_node.pipeline.partition import split
from folkmoot_node.pipeline.read_source import LinkageInputs
from folkmoot_node.pipeline.spool import Spool, SpoolWriter
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.identifiers import IdentifiersNeeded
from folkmoot_node.store.encrypted_file import StoreKey
from folkmoot_operator.problems import Problem
from folkmoot_sdk.schema import UPRN_COLUMN

_HOMES = "@homes"
"""Name in the spool of the addresses of the frame; no source can have it."""


class RunLinkage:
    """The linkage of one run. May be used from several threads.

    Args:
        config: The node's configuration.
        asked: What is asked of each source.
        spool: The run's spool.
        key: Key of the store.
        reference_date: Records of known people that are younger do not count.
    """

    def __init__(
        self,
        config: NodeConfig,
        asked: Mapping[str, IdentifiersNeeded],
        spool: Spool,
        key: StoreKey,
        reference_date: datetime.date,
    ) -> None:
        self._config = config
        self._asked = asked
        self._spool = spool
        self._key = key
        self._reference_date = reference_date
        self._lock = threading.Lock()
        self._linkage: Linkage | None = None

    def links(self, source: str) -> bool:
        """Whether records of a source are linked that have no UPRN."""
        return self._asked[source].pending

    def linkage_inputs(self, source: str, stack: ExitStack) -> LinkageInputs:
        """Opens spool writers for the identifiers that linkage needs from a source.

        Args:
            source: Its name.
            stack: Closes the writers.
        """
        asked = self._asked[source]

        def writer(wanted: bool, spooled: str) -> SpoolWriter | None:
            return stack.enter_context(self._spool.writer(spooled)) if wanted else None

        return LinkageInputs(
            writer(asked.homes, _HOMES),
            writer(asked.people, _people(source)),
            writer(asked.pending, _pending(source)),
        )

    def link(self, source: str, partitions: int) -> None:
        """Finds the households of a source's records without a UPRN.

        Args:
            source: Its name.
            partitions: Number of partitions, among which the records are divided.

        Raises:
            Problem: As `Linkage.link`; FAULT without the text of the error behind it.
        """
        pending = self._spool.read(_pending(source), 0)
        with self._spool.writer(_linked(source)) as writer:
            found = Linked()
            if pending is not None:
                records, found = self._found(source, pending)
                for partition, some in split(records, partitions):
                    writer.append(partition, some)
            writer.document = found.model_dump_json()
        # Identifiers are dropped as soon as the households are known.
        self._spool.drop([_pending(source)], 0)

    def _found(self, source: str, pending: pl.DataFrame) -> tuple[pl.DataFrame, Linked]:
        try:
            return self._linking().link(source, pending)
        except Problem as problem:
            known = problem
        except Exception as error:
            # The text of a library's error may quote an address.
            known = work_fault(f"linkage of source {source}", error)
        raise known

    def records(self, source: str, partition: int, *, by_person: bool = True) -> list[pl.DataFrame]:
        """The rows of a partition that were linked, with the columns and nulls of their source.

        Args:
            source: Its name.
            partition: The partition.
            by_person: Whether also those that were linked by person.
        """
        found = self._spool.read(_linked(source), partition) if self.links(source) else None
        if found is None:
            return []
        if not by_person:
            found = found.filter(~pl.col(BY_PERSON))
        return [found.drop(BY_PERSON)]

    def found_people(self, partition: int) -> bool:
        """Whether any row of a partition was linked by person."""
        linked = (
            self._spool.read(_linked(name), partition) for name in self._asked if self.links(name)
        )
        return any(found is not None and found[BY_PERSON].any() for found in linked)

    def found(self, source: str) -> Linked:
        """What became of a source's records without a UPRN."""
        if not self.links(source):
            return Linked()
        return Linked.model_validate_json(self._spool.document(_linked(source)))

    def free(self, partition: int) -> None:
        """Frees the memory of the linked records of a partition."""
        self._spool.drop([_linked(name) for name in self._asked if self.links(name)], partition)

    def end(self) -> None:
        """Frees what linkage has taken, once all sources are linked."""
        with self._lock:
            if self._linkage is not None:
                self._linkage.close()
                self._linkage = None
        people = self._config.linkage.people
        self._spool.drop([_HOMES, *map(_people, people.sources if people else ())], 0)

    def _linking(self) -> Linkage:
        with self._lock:
            if self._linkage is None:
                homes = distinct_homes(self._spool.read(_HOMES, 0))
                decisions = ReviewDecisions(self._config.review_store, self._key)
                people = self._people_stage(homes, decisions)
                self._linkage = Linkage(self._config, homes, decisions, people)
            return self._linkage

    def _people_stage(self, homes: pl.DataFrame, decisions: ReviewDecisions) -> PeopleStage | None:
        settings = self._config.linkage.people
        if settings is None:
            return None
        known = [
            found.with_columns(pl.lit(place, pl.Int32).alias(SOURCE))
            for place, name in enumerate(settings.sources)
            if (found := self._spool.read(_people(name), 0)) is not None
        ]
        return PeopleStage(
            settings,
            known_people(known),
            homes.select(UPRN_COLUMN, "communal"),
            decisions,
            self._reference_date,
            self._config.threads,
        )


def _pending(source: str) -> str:
    return f"@pending-{source}"


def _people(source: str) -> str:
    return f"@people-{source}"


def _linked(source: str) -> str:
    return f"@linked-{source}"
