"""The certificate that the coordinator shows to nodes."""

from __future__ import annotations

import threading

import grpc

from folkmoot_coordinator.clock import DAY, Clock
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.membership.authorities import Authorities, KeptAuthorities
from folkmoot_coordinator.membership.certificate_authority import ServerIdentity
from folkmoot_coordinator.signals import events
from folkmoot_operator.certificate_lives import RENEW_AT
from folkmoot_operator.events import emit


class ServerCertificates:
    """The server's certificate, replaced while running when a third of its life is left.

    So it is when a command has changed the authority.
    """

    def __init__(
        self, authorities: KeptAuthorities, settings: CoordinatorSettings, clock: Clock
    ) -> None:
        self._authorities = authorities
        self._hosts = settings.hosts
        self._days = settings.certificates.server_days
        self._clock = clock
        self._lock = threading.Lock()
        self._signs = authorities.current()
        self._identity = self._issue()

    def credentials(self, *, mutual: bool) -> grpc.ServerCredentials:
        """Credentials of a port; each new connection gets the certificate of the day."""
        shown = self.current()

        def fresh() -> grpc.ServerCertificateConfiguration | None:
            nonlocal shown
            current = self.current()
            if current is shown:
                return None
            shown = current
            return self._configuration(current, mutual=mutual)

        return grpc.dynamic_ssl_server_credentials(
            self._configuration(shown, mutual=mutual),
            fresh,  # type: ignore[arg-type]  # None means no change; the stubs do not know
            require_client_authentication=mutual,
        )

    def current(self) -> ServerIdentity:
        """The certificate to show now."""
        with self._lock:
            signs = self._authorities.current()
            due = self._identity.expires_at - self._clock() < self._days * DAY * RENEW_AT
            if due or signs is not self._signs:
                self._signs = signs
                self._identity = self._issue()
                emit(events.CERTIFICATE_RENEWED)
            return self._identity

    def _issue(self) -> ServerIdentity:
        present = self._signs.present
        return present.issue_server_identity(self._hosts, self._clock(), self._days)

    def _configuration(
        self, identity: ServerIdentity, *, mutual: bool
    ) -> grpc.ServerCertificateConfiguration:
        signs: Authorities = self._signs
        return grpc.ssl_server_certificate_configuration(
            [(identity.key, identity.certificate + signs.bridge)], signs.trusted if mutual else None
        )
