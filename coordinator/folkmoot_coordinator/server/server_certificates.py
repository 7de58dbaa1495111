"""The certificate that the coordinator shows to nodes."""

from __future__ import annotations

import threading

import grpc

from folkmoot_coordinator.clock import DAY, Clock
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.membership.certificate_authority import Authority, ServerIdentity
from folkmoot_coordinator.signals import events
from folkmoot_operator.events import emit


class ServerCertificates:
    """The server's certificate, replaced while running when a third of its life is left."""

    def __init__(self, authority: Authority, settings: CoordinatorSettings, clock: Clock) -> None:
        self._authority = authority
        self._hosts = settings.hosts
        self._days = settings.certificates.server_days
        self._clock = clock
        self._lock = threading.Lock()
        self._identity = self._issue()

    def credentials(self, *, mutual: bool) -> grpc.ServerCredentials:
        """Credentials of a port; each new connection gets the certificate of the day."""
        shown = self._identity

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
            if self._identity.expires_at - self._clock() < self._days * DAY / 3:
                self._identity = self._issue()
                emit(events.CERTIFICATE_RENEWED)
            return self._identity

    def _issue(self) -> ServerIdentity:
        return self._authority.issue_server_identity(self._hosts, self._clock(), self._days)

    def _configuration(
        self, identity: ServerIdentity, *, mutual: bool
    ) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(identity.key, identity.certificate)], self._authority.pem if mutual else None
        )
