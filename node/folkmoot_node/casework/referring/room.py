"""Everything that has to do with referrals at one council."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from folkmoot_node.casework.desk import Desk, desk_of
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.referrals.consents import Consents
from folkmoot_node.casework.referrals.content import Item, records_of
from folkmoot_node.casework.referrals.links import LinkKey, Links
from folkmoot_node.casework.referrals.notify import by_notify
from folkmoot_node.casework.referrals.overrides import Overrides
from folkmoot_node.casework.referrals.postbox import Message, Postbox
from folkmoot_node.casework.referrals.referrals import Referrals
from folkmoot_node.casework.referrals.services import Services
from folkmoot_node.casework.referrals.smtp import by_smtp
from folkmoot_node.casework.settings import casework_of
from folkmoot_node.casework.site_settings import site_settings
from folkmoot_node.policies.risk_policy import Band
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.problems import Problem
from folkmoot_web.errors import WebProblem

KEY_FILE = "links.key"
"""In the folder of casework."""


@dataclass(frozen=True)
class Room:
    """What pages and commands about referrals work with.

    Attributes:
        desk: Casework at the council.
        services: Its directory of services.
        consents: Consents.
        overrides: Legal grounds.
        links: Links.
        referrals: Referrals.
        postbox: Messages.
        origin: Under which services reach the pages for them.
    """

    desk: Desk
    services: Services
    consents: Consents
    overrides: Overrides
    links: Links
    referrals: Referrals
    postbox: Postbox
    origin: str

    def records(self, opened: Opened) -> list[Item]:
        """What the council's records say of a household, and could be handed over."""
        try:
            explanation = self.desk.explanation(opened)
        except (Problem, WebProblem):  # it has left the frame, or scores may not be used now
            explanation = None
        return records_of(opened, explanation)


def open_room(desk: Desk) -> Room:
    """Opens the room of referrals.

    Raises:
        Problem: If the settings of mail or the key of links cannot be used.
    """
    settings = casework_of(desk.config)
    key = LinkKey.read(desk.config.casework_folder / KEY_FILE)
    links = Links(desk.state, key, settings.hand_over.days)
    origin = settings.hand_over.address or site_settings(desk.config).origin
    return Room(
        desk=desk,
        services=Services(desk.state),
        consents=Consents(desk.state),
        overrides=Overrides(desk.state),
        links=links,
        referrals=Referrals(
            desk.state,
            links,
            lambda: [one.name for one in sorted(desk.risk_policy().bands, key=_from)],
            mails=casework_of(desk.config).mail is not None,
        ),
        postbox=Postbox(
            desk.state,
            desk.config.name,
            sender_of(desk.config),
            lambda link: origin + links.path(link),
        ),
        origin=origin,
    )


def _from(band: Band) -> float:
    return band.minimum


def room_of(request: Request) -> Room:
    """The room behind the site that serves a request; opened with the first."""
    found = getattr(request.app.state, "referrals", None)
    if not isinstance(found, Room):
        found = request.app.state.referrals = open_room(desk_of(request))
    return found


def sender_of(config: NodeConfig) -> Callable[[Message], None] | None:
    """What sends messages; None where mail is off.

    Raises:
        Problem: Exit code SETTINGS, if a password or key cannot be read.
    """
    mail = casework_of(config).mail
    if mail is None:
        return None
    if mail.smtp is not None:
        return by_smtp(mail.smtp, config.home)
    assert mail.notify is not None
    return by_notify(mail.notify, config.home)
