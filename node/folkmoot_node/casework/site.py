"""The council's casework site: its pages, and what is on each of them."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from jinja2 import PackageLoader

from folkmoot_node.casework.authority.permissions import CaseworkPermissions
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.authority.signed_policy import load_signed_policy
from folkmoot_node.casework.desk import TABLES, Desk
from folkmoot_node.casework.opening.door import HouseholdDoor
from folkmoot_node.casework.origin.belonging import prepare_own
from folkmoot_node.casework.pages import (
    audit,
    case_record,
    case_steps,
    cases,
    cohort_builder,
    cohort_members,
    cohorts,
    exports,
    first_look,
    notices,
    objections,
    opening,
    outcomes,
    restrictions,
    rights,
    search,
    start,
    then_and_now,
    work_lists,
)
from folkmoot_node.casework.pages.doors import HOUSEHOLD_OF
from folkmoot_node.casework.pages.referring import REFERRING
from folkmoot_node.casework.pages.template_helpers import add_helpers
from folkmoot_node.casework.settings import read_key
from folkmoot_node.casework.site_settings import site_settings
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.store.pause_note import noted_pause
from folkmoot_web.clock import Clock, system_clock
from folkmoot_web.rendering import Link, Look
from folkmoot_web.site import Product, State, build_site

SERVICE = "Casework"
PAGES = (
    *(start, work_lists, cases, case_steps, case_record, first_look, then_and_now),
    *(opening, search, exports, restrictions, audit),
    *(cohort_builder, cohorts, cohort_members),
    *(notices, objections, rights),
    outcomes,
    *REFERRING,
)
"""Modules of pages; each has `routes()`."""
NAVIGATION = (
    Link("Audit", audit.PATH, Right.AUDIT),
    Link("Cases", "/", Right.LISTS),
    Link("Cohorts", "/cohorts", Right.LISTS),
    Link("Referrals", "/referrals", Right.LISTS),
    Link("Services", "/services", Right.LISTS),
    Link("Outcomes", outcomes.PATH, Right.MEASURE),
    Link("Find", search.PATH, Right.LISTS),
    Link("Exports", exports.PATH, Right.EXPORT),
    Link("Restrictions", restrictions.PATH, Right.RESTRICT),
    Link("Residents' rights", "/rights", Right.RIGHTS),
)
"""Links under the masthead, for those who may follow them."""


def build_casework(config: NodeConfig, *, clock: Clock = system_clock) -> FastAPI:
    """Builds the casework site; nothing listens yet.

    Args:
        config: The node's settings.
        clock: The time.

    Raises:
        Problem: If settings, policy or key are wrong, or something is not installed.
    """
    known = load_signed_policy(config).known
    product = Product(
        look=Look(SERVICE, navigation=NAVIGATION, home=start.PATH),
        start=start.PATH,
        permissions=CaseworkPermissions(known.policy, clock),
        routes=tuple(module.routes() for module in PAGES),
        templates=PackageLoader("folkmoot_node.casework"),
        static=Path(__file__).parent / "static",
        tables=TABLES,
        closed=lambda: noted_pause(config.store_path),
        version=version("folkmoot-node"),
        key=read_key(config),
    )
    app = build_site(site_settings(config), product, home=config.casework_folder, clock=clock)
    add_helpers(app.state.renderer.environment)
    state: State = app.state.site
    prepare_own(config, state.database)
    desk = app.state.desk = Desk(config, known, state, clock)
    app.state.guard = HouseholdDoor(app.state.guard, desk.openings, desk.restrictions, HOUSEHOLD_OF)
    opening.ask_for_reasons(app)
    return app
