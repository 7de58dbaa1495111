"""What pages and commands of casework work with: settings, policy, cases, openings, scores."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

from fastapi import FastAPI
from starlette.requests import Request

from folkmoot_node.casework.authority.models import AUTHORITY
from folkmoot_node.casework.authority.permissions import CaseworkPermissions
from folkmoot_node.casework.authority.policy import KnownPolicy
from folkmoot_node.casework.authority.signed_policy import load_signed_policy
from folkmoot_node.casework.cases.cases import Cases
from folkmoot_node.casework.cases.models import CASES
from folkmoot_node.casework.cohorts.cohorts import Cohorts, Reading
from folkmoot_node.casework.cohorts.models import COHORTS
from folkmoot_node.casework.cohorts.scores import ScoreTable
from folkmoot_node.casework.cohorts.subjects import factor_words
from folkmoot_node.casework.opening.exports import Exports
from folkmoot_node.casework.opening.log import Log
from folkmoot_node.casework.opening.models import OPENINGS
from folkmoot_node.casework.opening.openings import Opened, Openings
from folkmoot_node.casework.opening.restrictions import Restrictions
from folkmoot_node.casework.opening.searches import Searches
from folkmoot_node.casework.opening.sensitive import as_permitted
from folkmoot_node.casework.origin.belonging import prepare_own
from folkmoot_node.casework.origin.models import ORIGIN
from folkmoot_node.casework.referrals.models import REFERRALS
from folkmoot_node.casework.rights.models import RIGHTS
from folkmoot_node.casework.scores_in_use import scores_in_use
from folkmoot_node.casework.settings import read_key
from folkmoot_node.casework.site_settings import site_settings
from folkmoot_node.plugins.warm import WarmPlugins
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.policies.risk_policy import load_policy as load_risk_policy
from folkmoot_node.scoring.explain import Explanation, explain_household, policy_of
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins, load_plugins
from folkmoot_node.store.reader import HouseholdStore
from folkmoot_operator.moments import day
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.clock import Clock, system_clock
from folkmoot_web.errors import WebProblem
from folkmoot_web.site import State, open_state

TABLES = (ORIGIN, AUTHORITY, CASES, OPENINGS, COHORTS, REFERRALS, RIGHTS)
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
    def _plugins(self) -> WarmPlugins:
        return WarmPlugins(self.config, load_plugins, self.today)

    @property
    def plugins(self) -> Plugins:
        """Installed plugins: factors explain themselves. Their processes stay for the next look."""
        return self._plugins()

    def close(self) -> None:
        """Ends the processes of plugins, and closes the database."""
        self._plugins.close()
        self.state.database.close()

    @cached_property
    def cases(self) -> Cases:
        """Its cases."""
        return Cases(self.state)

    @cached_property
    def cohorts(self) -> Cohorts:
        """Its cohorts, with the last scores in memory."""
        table = ScoreTable(self.config, self.clock, lambda: factor_words(self.plugins.factors))
        reading = Reading(self.restrictions.hidden_from, self.log.how_often)
        return Cohorts(self.state, self.known.policy, table, reading)

    @cached_property
    def openings(self) -> Openings:
        """Opens households."""
        return Openings(self.state, self.known.policy)

    @cached_property
    def restrictions(self) -> Restrictions:
        """Households that not everybody may see."""
        return Restrictions(self.state)

    @cached_property
    def searches(self) -> Searches:
        """Finds the household of a UPRN."""
        return Searches(self.state, self.known.policy)

    @cached_property
    def exports(self) -> Exports:
        """Lists as files."""
        return Exports(self.state, self.known.policy)

    @cached_property
    def log(self) -> Log:
        """Who did what, for the auditor."""
        return Log(self.state)

    def today(self) -> datetime.date:
        """The date in UTC."""
        return day(self.clock())

    def risk_policy(self) -> RiskPolicy:
        """The risk stratification policy that node.toml names now."""
        return load_risk_policy(self.config.risk_policy)

    @contextmanager
    def store(self) -> Iterator[HouseholdStore]:
        """The last good scores; Problem if there are none, or they may not be used any more."""
        with scores_in_use(self.config, self.today()) as store:
            yield store

    def explanation(self, opened: Opened) -> Explanation:
        """Why a household has its score, as far as who has opened it may see: `as_permitted`.

        Raises:
            WebProblem: Status 404, if the household has left the frame: its case stays.
            Problem: As `explain_household`.
        """
        with self.store() as store:
            policy = policy_of(store.run, self.risk_policy())
            try:
                whole = explain_household(
                    store, self.config, self.plugins, policy, opened.uprn, today=self.today()
                )
            except Problem as problem:
                if problem.exit_code != ExitCode.DATA or store.holds(opened.uprn):
                    raise
                raise vanished() from None
        hidden = frozenset(self.known.policy.sensitive_sources) - opened.sources
        return as_permitted(whole, hidden)


def vanished() -> WebProblem:
    """The page for a household that the last run did not score."""
    return WebProblem(
        404,
        "This household is not among the scored ones any more",
        "The last scoring run had no household with its UPRN: the property may have been split, "
        "joined or taken down. The case and what was recorded in it stay.",
        "Work on in the case, or close it with the outcome that fits.",
    )


def open_desk(config: NodeConfig, *, clock: Clock = system_clock) -> Desk:
    """Opens casework without its site, as commands do; the tables are brought up to date.

    Raises:
        Problem: If casework is not set up, or its policy, key or database cannot be used.
    """
    known = load_signed_policy(config).known
    return Desk(config, known, open_casework_state(config, known, clock=clock), clock)


@contextmanager
def desk_for_command(config: NodeConfig, *, clock: Clock = system_clock) -> Iterator[Desk]:
    """Opens casework for a command, and closes it at the end.

    Raises:
        Problem: As `open_desk`; exit code REFUSED, in place of what a page would say in the block.
    """
    desk = open_desk(config, clock=clock)
    try:
        yield desk
    except WebProblem as problem:
        raise _of_command(problem) from None
    finally:
        desk.close()


def _of_command(problem: WebProblem) -> Problem:
    if problem.is_general and problem.status == HTTPStatus.NOT_FOUND:
        return Problem(
            "there is no such case, or you may not see it",
            where="CASE",
            remedy="Check the id: the address of the case's page ends with it",
            exit_code=ExitCode.DATA,
        )
    text = " ".join(part for part in (problem.title.rstrip(".") + ".", problem.problem) if part)
    return Problem(
        text[:1].lower() + text[1:].rstrip("."),
        where=problem.where or "casework",
        remedy=problem.remedy,
        exit_code=ExitCode.REFUSED,
    )


def open_casework_state(
    config: NodeConfig, known: KnownPolicy, *, clock: Clock = system_clock
) -> State:
    """Opens the database, the log and the accounts; the tables are brought up to date.

    Args:
        config: The node's settings.
        known: The policy, which says what roles there are.
        clock: The time.

    Raises:
        Problem: If key or database cannot be used.
    """
    state = open_state(
        site_settings(config),
        CaseworkPermissions(known.policy, clock),
        home=config.casework_folder,
        tables=TABLES,
        clock=clock,
        key=read_key(config),
    )
    prepare_own(config, state.database)
    return state


def desk_of(request: Request) -> Desk:
    """Casework behind the site that serves a request."""
    return desk_of_app(request.app)


def desk_of_app(app: FastAPI) -> Desk:
    """Casework behind a site."""
    found = app.state.desk
    assert isinstance(found, Desk)
    return found
