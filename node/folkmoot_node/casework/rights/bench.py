"""What this room needs from `Desk`, which knows all rooms."""

from __future__ import annotations

import datetime
from contextlib import AbstractContextManager
from typing import Protocol

from folkmoot_node.casework.authority.policy import KnownPolicy
from folkmoot_node.casework.cases.cases import Cases
from folkmoot_node.casework.opening.openings import Opened, Openings
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.explain import Explanation
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.store.reader import HouseholdStore
from folkmoot_web.clock import Clock
from folkmoot_web.site import State


class Bench(Protocol):
    """A `Desk`, as this room sees it."""

    @property
    def config(self) -> NodeConfig:
        """The node's settings."""

    @property
    def known(self) -> KnownPolicy:
        """The casework policy."""

    @property
    def state(self) -> State:
        """The site's database and log."""

    @property
    def clock(self) -> Clock:
        """Seconds since 1970-01-01T00:00:00Z."""

    @property
    def plugins(self) -> Plugins:
        """Installed plugins."""

    @property
    def cases(self) -> Cases:
        """Its cases."""

    @property
    def openings(self) -> Openings:
        """Opens households."""

    def today(self) -> datetime.date:
        """The date in UTC."""

    def risk_policy(self) -> RiskPolicy:
        """The risk stratification policy."""

    def store(self) -> AbstractContextManager[HouseholdStore]:
        """The last good scores."""

    def explanation(self, opened: Opened) -> Explanation:
        """Why a household has its score."""
