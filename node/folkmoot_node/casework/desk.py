"""What pages and commands of casework work with: settings, policy, cases, openings, scores."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from fastapi import FastAPI
from starlette.requests import Request

from folkmoot_node.casework.authority.models import AUTHORITY
from folkmoot_node.casework.authority.policy import KnownPolicy, load_policy
from folkmoot_node.casework.cases.cases import Cases
from folkmoot_node.casework.cases.models import CASES
from folkmoot_node.casework.opening.models import OPENINGS
from folkmoot_node.casework.opening.openings import Opened, Openings
from folkmoot_node.casework.referrals.models import REFERRALS
from folkmoot_node.casework.settings import policy_path, read_key
from folkmoot_node.casework.site_settings import site_settings
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.policies.risk_policy import load_policy as load_risk_policy
from folkmoot_node.scoring.explain import Explanation, explain_household, policy_of
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins, load_plugins
from folkmoot_node.store.reader import HouseholdStore
from folkmoot_node.store.use import open_for_use
from folkmoot_operator.moments import day
from folkmoot_web.clock import Clock, system_clock
from folkmoot_web.site import State, open_state

TABLES = (AUTHORITY, CASES, OPENINGS, REFERRALS)
"""Of casework, in the site's database: each room has its own."""


@dataclass
class Desk:
    """Casework at one council.

    Attributes:
        config: The node's settings.
        known: The casework policy.
        state: The site's database, log and accounts.
        clock: The time, seconds since 1970-01-01T00:00:00Z.
    """

    config: NodeConfig
    known: KnownPolicy
    state: State
    clock: Clock

    @cached_property
    def plugins(self) -> Plugins:
        """Installed plugins: factors explain themselves."""
        return load_plugins()

    @cached_property
    def cases(self) -> Cases:
        """Its cases."""
        return Cases(self.state)

    @cached_property
    def openings(self) -> Openings:
        """Opens households."""
        return Openings(self.state, self.known.policy)

    def today(self) -> datetime.date:
        """The date in UTC."""
        return day(self.clock())

    def risk_policy(self) -> RiskPolicy:
        """The risk stratification policy that node.toml names now."""
        return load_risk_policy(self.config.risk_policy)

    @contextmanager
    def store(self) -> Iterator[HouseholdStore]:
        """The last good scores; Problem if there are none, or they may not be used any more."""
        with open_for_use(self.config, self.today()) as store:
            yield store

    def explanation(self, opened: Opened) -> Explanation:
        """Why a household has its score, for who has opened it.

        Raises:
            Problem: As `explain_household`: the household may have left the frame.
        """
        with self.store() as store:
            policy = policy_of(store.run, self.risk_policy())
            return explain_household(
                store, self.config, self.plugins, policy, opened.uprn, today=self.today()
            )


def open_desk(config: NodeConfig, *, clock: Clock = system_clock) -> Desk:
    """Opens casework without its site, as commands do; the tables are brought up to date.

    Raises:
        Problem: If casework is not set up, or its policy, key or database cannot be used.
    """
    known = load_policy(policy_path(config))
    state = open_state(
        site_settings(config),
        known.policy.permissions(),
        home=config.casework_folder,
        tables=TABLES,
        clock=clock,
        key=read_key(config),
    )
    state.database.prepare()
    return Desk(config, known, state, clock)


def desk_of(request: Request) -> Desk:
    """Casework behind the site that serves a request."""
    return desk_of_app(request.app)


def desk_of_app(app: FastAPI) -> Desk:
    """Casework behind a site."""
    found = app.state.desk
    assert isinstance(found, Desk)
    return found
