"""The council's casework site: its pages, and what is on each of them."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from jinja2 import PackageLoader

from folkmoot_node.casework.authority.policy import load_policy
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import TABLES, Desk
from folkmoot_node.casework.pages import cases
from folkmoot_node.casework.pages.referring import REFERRING
from folkmoot_node.casework.settings import policy_path, read_key
from folkmoot_node.casework.site_settings import site_settings
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_web.clock import Clock, system_clock
from folkmoot_web.rendering import Link, Look
from folkmoot_web.site import Product, build_site

SERVICE = "Casework"
PAGES = (cases, *REFERRING)
"""Modules of pages; each has `routes()`."""
NAVIGATION = (
    Link("Cases", "/", Right.LISTS),
    Link("Referrals", "/referrals", Right.LISTS),
    Link("Services", "/services", Right.LISTS),
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
    known = load_policy(policy_path(config))
    product = Product(
        look=Look(SERVICE, navigation=NAVIGATION),
        permissions=known.policy.permissions(),
        routes=tuple(module.routes() for module in PAGES),
        templates=PackageLoader("folkmoot_node.casework"),
        static=Path(__file__).parent / "static",
        tables=TABLES,
        version=version("folkmoot-node"),
        key=read_key(config),
    )
    app = build_site(site_settings(config), product, home=config.casework_folder, clock=clock)
    app.state.desk = Desk(config, known, app.state.site, clock)
    return app
