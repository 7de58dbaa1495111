"""The port for nodes that have no certificate yet: anybody may call it."""

from __future__ import annotations

from collections.abc import Callable

from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.membership.authorities import KeptAuthorities
from folkmoot_coordinator.membership.caller import Callers
from folkmoot_coordinator.membership.enrolling_again import EnrolmentAgain
from folkmoot_coordinator.membership.enrolment import Enrolment
from folkmoot_coordinator.server.enrolment_service import EnrolmentService
from folkmoot_coordinator.server.gate import ConnectionLimits
from folkmoot_coordinator.server.health_service import health
from folkmoot_coordinator.server.port import PortLimits, ServingPort
from folkmoot_coordinator.server.server_certificates import ServerCertificates
from folkmoot_coordinator.signing import SigningKey

LIMITS = PortLimits(
    workers=4,
    calls_each=8,
    call_seconds=60,
    connections=ConnectionLimits(in_all=512, per_address=32),
    idle_seconds=30,
    message_bytes=64 * 1024,
)
"""Enough for nodes, which enrol once. A request has about a kilobyte."""


def enrolment_service(
    settings: CoordinatorSettings,
    database: Database,
    authorities: KeptAuthorities,
    signing: SigningKey,
    clock: Clock,
) -> EnrolmentService:
    """Enrolment and renewal, for either port."""
    lives = settings.certificates
    enrolment = Enrolment(database, authorities, clock, node_days=lives.node_days)
    again = EnrolmentAgain(
        database,
        authorities,
        clock,
        node_days=lives.node_days,
        keep_hours=lives.invitation_hours,
    )
    return EnrolmentService(enrolment, again, authorities, signing.public)


def enrolment_port(
    service: EnrolmentService,
    certificates: ServerCertificates,
    callers: Callers,
    is_well: Callable[[], bool],
) -> ServingPort:
    """The enrolment port, which does not serve yet.

    Args:
        service: Enrolment and renewal.
        certificates: What it shows.
        callers: Who calls.
        is_well: Whether it can serve, for its health.
    """
    methods = tuple(service.methods())
    return ServingPort(
        "enrolment",
        (*methods, health(methods, is_well)),
        certificates,
        callers.authenticate,
        LIMITS,
        mutual=False,
    )
