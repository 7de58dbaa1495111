"""The running coordinator: two ports, rounds closed when due, fresh certificates."""

from __future__ import annotations

import logging
import threading
from concurrent import futures
from typing import Any

import grpc

from folkmoot.v1 import collection_pb2_grpc, enrolment_pb2_grpc
from folkmoot_coordinator.clock import DAY, Clock, system_clock
from folkmoot_coordinator.config import CoordinatorSettings, Home
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.membership.certificate_authority import Authority, ServerIdentity
from folkmoot_coordinator.membership.councils import LastSeen
from folkmoot_coordinator.membership.enrolment import Enrolment
from folkmoot_coordinator.rounds.closing import close_due_rounds
from folkmoot_coordinator.rounds.retention import delete_old_counts
from folkmoot_coordinator.rounds.submissions import Intake
from folkmoot_coordinator.server.call_limits import CallLimits
from folkmoot_coordinator.server.services import CollectionServicer, EnrolmentServicer, Identity
from folkmoot_coordinator.server.stalled_calls import FirstMessageDeadline
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.problems import ExitCode, Problem

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 1.0
"""How often due rounds, and counts past their time, are looked for."""
GRACE_SECONDS = 10.0
"""How long running calls may take when the coordinator stops."""
STREAMS_PER_CONNECTION = 16
"""Calls a node may have open on one connection."""
ENROLMENT_WORKERS = 4
"""Enrolments served at one time; apart from the collection port's workers, so that
callers nobody knows cannot take those."""
MIN_SUBMISSIONS = 2
"""Submissions that one council may make at one time, or a third of the workers if that is
more."""
WAITING_CALLS = 1024
"""Calls that may wait for a worker on one port; more are told to come back."""

_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]


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
                log.info("server certificate renewed")
            return self._identity

    def _issue(self) -> ServerIdentity:
        return self._authority.issue_server_identity(self._hosts, self._clock(), self._days)

    def _configuration(
        self, identity: ServerIdentity, *, mutual: bool
    ) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(identity.key, identity.certificate)], self._authority.pem if mutual else None
        )


class CoordinatorServer:
    """Both ports, and a thread that closes rounds when due."""

    def __init__(self, home: Home, clock: Clock = system_clock) -> None:
        """Reads settings and keys, and upgrades the database.

        Raises:
            Problem: If any of them cannot be used.
        """
        self.settings = home.settings()
        self._clock = clock
        authority = Authority.load(home.keys)
        signing = SigningKey.load(home.keys)
        self._database = Database(home.database_url(self.settings))
        self._database.bring_up_to_date()
        self._database.check_pages()
        self._certificates = ServerCertificates(authority, self.settings, clock)
        self._seen = LastSeen(self._database)
        self._call_limits = CallLimits()
        identity = Identity(self._database, self._seen, clock)
        enrolment = EnrolmentServicer(
            Enrolment(
                self._database,
                authority,
                clock,
                node_days=self.settings.certificates.node_days,
            ),
            authority,
            signing.public,
            identity,
        )
        limits = self.settings.limits
        self._collection = _grpc_server("collection", limits.workers, self._call_limits)
        collection_pb2_grpc.add_CollectionServiceServicer_to_server(
            CollectionServicer(
                self._database,
                Intake(self._database, signing, clock),
                identity,
                clock,
                self._call_limits,
                call_seconds=limits.call_seconds,
                submissions=max(MIN_SUBMISSIONS, limits.workers // 3),
            ),
            self._collection,
        )
        enrolment_pb2_grpc.add_EnrolmentServiceServicer_to_server(enrolment, self._collection)
        self._enrolment = _grpc_server("enrolment", ENROLMENT_WORKERS, self._call_limits)
        enrolment_pb2_grpc.add_EnrolmentServiceServicer_to_server(enrolment, self._enrolment)
        self._stopping = threading.Event()
        self._housekeeper = threading.Thread(
            target=self._keep_house, name="housekeeper", daemon=True
        )

    def start(self) -> None:
        """Listens on both ports.

        Raises:
            Problem: If a port is taken.
        """
        for server, listen, mutual in (
            (self._collection, self.settings.collection.listen, True),
            (self._enrolment, self.settings.enrolment.listen, False),
        ):
            try:
                server.add_secure_port(listen, self._certificates.credentials(mutual=mutual))
            except RuntimeError:
                raise Problem(
                    "the address cannot be listened on",
                    where=listen,
                    remedy="Stop the program that uses the port, or set another in "
                    "coordinator.toml",
                    exit_code=ExitCode.SETTINGS,
                ) from None
        self._collection.start()
        self._enrolment.start()
        self._housekeeper.start()

    def wait(self, stop: threading.Event) -> None:
        """Serves until `stop` is set, then lets running calls finish.

        Raises:
            DamagedDatabase: If the database was found to be damaged.
        """
        while not stop.wait(HOUSEKEEPING_SECONDS) and self._database.damage is None:
            pass
        self.stop()
        if self._database.damage is not None:
            raise self._database.damage

    def stop(self) -> None:
        """Takes no new calls, lets running ones finish, and closes the database."""
        self._stopping.set()
        for event in (
            self._collection.stop(GRACE_SECONDS),
            self._enrolment.stop(GRACE_SECONDS),
        ):
            event.wait()
        if self._housekeeper.is_alive():
            self._housekeeper.join()
        self._call_limits.stop()
        try:
            self._seen.write()
        except Problem as problem:
            log.error("when councils were last seen is not written problem=%s", problem)
        self._database.close()

    def _keep_house(self) -> None:
        said = ""
        while not self._stopping.wait(HOUSEKEEPING_SECONDS) and self._database.damage is None:
            try:
                self._close_due()
                self._delete_old()
                self._seen.write()
            except Exception as error:  # the next time may succeed; rounds must not hang
                if said != str(error):  # once, and not every second
                    log.error("housekeeping failed error=%s", error)
                said = str(error)
            else:
                if said:
                    log.info("housekeeping goes on")
                said = ""

    def _close_due(self) -> None:
        for round_id, state in close_due_rounds(self._database, self._clock()):
            log.info("round closed round=%s state=%s", round_id, state.name.lower())

    def _delete_old(self) -> None:
        days = self.settings.retention.counts_days
        if days is not None:
            deleted = delete_old_counts(self._database, days, self._clock())
            if deleted:
                log.info("old counts deleted releases=%d", deleted)


def _grpc_server(name: str, workers: int, limits: CallLimits) -> grpc.Server:
    return grpc.server(
        futures.ThreadPoolExecutor(workers, thread_name_prefix=name),
        interceptors=[FirstMessageDeadline(limits)],
        options=_OPTIONS,
        maximum_concurrent_rpcs=workers + WAITING_CALLS,
    )
