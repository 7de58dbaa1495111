"""The last scores as casework uses them: who objected is left out from the moment it was upheld."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

from folkmoot_node.corrections.sealed_file import decisions_of
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.store.reader import HouseholdStore
from folkmoot_node.store.use import open_for_use


@contextmanager
def scores_in_use(
    config: NodeConfig, today: datetime.date, *, subject_access: bool = False
) -> Iterator[HouseholdStore]:
    """Opens the last good scores, without those whose objection was upheld since the run.

    Args:
        config: The node's settings.
        today: The date in UTC.
        subject_access: Whether a resident asks for their own data; see `open_for_use`.

    Raises:
        Problem: As `open_for_use`; or the corrections cannot be read.
    """
    with open_for_use(config, today, subject_access=subject_access) as store:
        store.withhold(decisions_of(config).in_force(today).withheld)
        yield store
