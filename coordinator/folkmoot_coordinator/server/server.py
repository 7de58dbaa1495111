"""The running coordinator: two ports, rounds closed when due, fresh certificates."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from folkmoot_coordinator.clock import Clock, system_clock
from folkmoot_coordinator.config import LimitSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.drafts.opening import DraftOpener
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.authorities import KeptAuthorities
from folkmoot_coordinator.membership.caller import Callers
from folkmoot_coordinator.membership.councils import LastSeen, revoked_among
from folkmoot_coordinator.rounds.closing import close_due_rounds
from folkmoot_coordinator.rounds.retention import delete_old_counts
from folkmoot_coordinator.rounds.submissions import Intake
from folkmoot_coordinator.server.certificate_notices import CertificateNotices
from folkmoot_coordinator.server.collection_service import CollectionService
from folkmoot_coordinator.server.enrolment_port import enrolment_port, enrolment_service
from folkmoot_coordinator.server.enrolment_process import EnrolmentProcess
from folkmoot_coordinator.server.gate import ConnectionLimits, listen
from folkmoot_coordinator.server.health_service import health
from folkmoot_coordinator.server.port import PortLimits, ServingLoop, ServingPort
from folkmoot_coordinator.server.server_certificates import ServerCertificates
from folkmoot_coordinator.signals import events
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator import service_manager
from folkmoot_operator.events import emit
from folkmoot_operator.problems import Problem

HOUSEKEEPING_SECONDS = 1.0
"""How often due rounds, and counts past their time, are looked for."""
REVOKED_SECONDS = 1.0
"""How long a connection stays open after it was seen to be revoked, so that a council is told why
its call is rejected. Every call after the revocation is."""
MIN_CALLS = 4
"""Calls that one council may have under way, or as many as a third of the workers if that is
more. A node makes one at a time."""
IDLE_SECONDS = 600
"""After how long without a call a council's connection is closed."""
MESSAGE_BYTES = 4 * 2**20
"""Largest message of a council."""
LAST_TURN_SECONDS = 120.0
"""How long one turn of housekeeping may take until it counts as hung."""
ANSWER_SECONDS = 5.0
"""How long the ports' loop may take to answer until it counts as hung."""


class CoordinatorServer:
    """Both ports, and a thread that closes rounds when due."""

    def __init__(
        self, home: Home, clock: Clock = system_clock, *, enrolment_apart: bool = False
    ) -> None:
        """Reads settings and keys, and upgrades the database.

        Args:
            home: The coordinator's folder.
            clock: The time; that of the machine if `enrolment_apart`.
            enrolment_apart: True to serve the enrolment port in a process of its own, as
                `serve` does; False to serve it in this one.

        Raises:
            Problem: If any of them cannot be used.
        """
        self.settings = home.settings()
        self._clock = clock
        authorities = KeptAuthorities(home.keys)
        signing = SigningKey.load(home.keys)
        self._database = Database(home.database_url(self.settings))
        self._database.bring_up_to_date()
        self._database.check_pages()
        self._seen = LastSeen(self._database)
        certificates = ServerCertificates(authorities, self.settings, clock)
        self._certificates = certificates
        callers = Callers(self._database, self._seen, clock)
        enrolment = enrolment_service(self.settings, self._database, authorities, signing, clock)
        collection = CollectionService(
            self._database, Intake(self._database, signing, clock), clock
        )
        methods = (*collection.methods(), *enrolment.methods())
        self._collection = ServingPort(
            "collection",
            (*methods, health(methods, self._is_well)),
            certificates,
            callers.authenticate,
            _limits(self.settings.limits),
            mutual=True,
        )
        self._enrolment: ServingPort | EnrolmentProcess = (
            EnrolmentProcess(home)
            if enrolment_apart
            else enrolment_port(enrolment, certificates, callers, self._is_well)
        )
        self._notices = CertificateNotices(home, self._database, clock)
        self._loop = ServingLoop()
        self._stopping = threading.Event()
        self._turns: dict[str, float] = {}
        self._revoked: dict[str, float] = {}
        self._opener = DraftOpener(home, self._database, signing, clock)
        # Two threads: what the viewer wrote must not keep rounds from closing.
        self._housekeeper, self._opening = (
            threading.Thread(
                target=self._again_and_again,
                args=[name, _Attempts(name, do)],
                name=name,
                daemon=True,
            )
            for name, do in (
                ("housekeeping", self._keep_house),
                ("opening of drafts", self._opener.look),
            )
        )

    def certificate_ends(self) -> int:
        """When the certificate that the ports show ends, seconds since 1970-01-01T00:00:00Z."""
        return self._certificates.current().expires_at

    def _is_well(self) -> bool:
        return self._database.damage is None and not self._stopping.is_set()

    def start(self) -> None:
        """Listens on both ports.

        Raises:
            Problem: If a port is taken.
        """
        sockets = listen(self.settings.collection.listen)
        try:
            strangers = listen(self.settings.enrolment.listen)
        except Problem:
            for each in sockets:
                each.close()
            raise
        if isinstance(self._enrolment, EnrolmentProcess):
            self._enrolment.start(strangers)
        else:
            self._loop.run(self._enrolment.start(strangers))
        self._loop.run(self._collection.start(sockets))
        self._housekeeper.start()
        self._opening.start()

    def wait(self, stop: threading.Event, attend: Callable[[], None] = lambda: None) -> None:
        """Serves until `stop` is set, then lets running calls finish.

        Each second in which all of it goes on is a sign of life to the service manager.

        Args:
            stop: Ends it.
            attend: Called every second or so. What it raises is logged: the ports go on.

        Raises:
            DamagedDatabase: If the database was found to be damaged.
        """
        attempt = _Attempts("looking after the site and the schedule", attend)
        while not stop.wait(HOUSEKEEPING_SECONDS) and self._database.damage is None:
            attempt()
            if self.is_working():
                service_manager.works()
        service_manager.stopping()
        self.stop()
        if self._database.damage is not None:
            raise self._database.damage

    def is_working(self) -> bool:
        """Whether the ports' loop answers, and whether all that is done by itself goes on."""
        late = time.monotonic() - LAST_TURN_SECONDS
        return all(at > late for at in self._turns.values()) and self._loop.answers(ANSWER_SECONDS)

    def stop(self) -> None:
        """Takes no new calls, lets running ones finish, and closes the database."""
        self._stopping.set()
        for thread in (self._housekeeper, self._opening):
            if thread.is_alive():
                thread.join()
        self._opener.close()
        if isinstance(self._enrolment, EnrolmentProcess):
            self._enrolment.stop()
        else:
            self._loop.run(self._enrolment.stop())
        self._loop.run(self._collection.stop())
        self._loop.stop()
        try:
            self._seen.write()
        except Problem as problem:
            emit(events.SEEN_NOT_WRITTEN, problem=problem)
        self._database.close()

    def _again_and_again(self, name: str, do: Callable[[], None]) -> None:
        self._turns[name] = time.monotonic()
        while not self._stopping.wait(HOUSEKEEPING_SECONDS) and self._database.damage is None:
            do()
            self._turns[name] = time.monotonic()

    def _keep_house(self) -> None:
        if isinstance(self._enrolment, EnrolmentProcess) and self._enrolment.look_after():
            self._database.check_pages()
        self._end_revoked()
        self._close_due()
        self._delete_old()
        self._seen.write()
        self._notices.tell()

    def _end_revoked(self) -> None:
        """Ends what councils have open whose certificates were revoked since."""
        shown = self._loop.run(self._collection.serials())
        revoked = revoked_among(self._database, shown) if shown else set()
        now = time.monotonic()
        self._revoked = {one: self._revoked.get(one, now) for one in revoked}
        due = {one for one, seen in self._revoked.items() if now - seen >= REVOKED_SECONDS}
        for one in due:  # a connection that comes again, before the next look, has its time too
            del self._revoked[one]
        if due and (ended := self._loop.run(self._collection.end(due))):
            emit(events.REVOKED_ENDED, connections=ended)

    def _close_due(self) -> None:
        closed = close_due_rounds(self._database, self._clock())
        for round_id, state in closed:
            emit(events.ROUND_CLOSED, round=round_id, state=state.name.lower())

    def _delete_old(self) -> None:
        days = self.settings.retention.counts_days
        if days is not None:
            deleted = delete_old_counts(self._database, days, self._clock())
            if deleted:
                emit(events.COUNTS_DELETED, releases=deleted)


class _Attempts:
    """Something that is done every second, and ends nothing when it fails."""

    def __init__(self, what: str, do: Callable[[], object]) -> None:
        self._what = what
        self._do = do
        self._said = ""

    def __call__(self) -> None:
        try:
            self._do()
        except Exception as error:  # the next time may succeed
            if self._said != str(error):  # once, and not every second
                emit(events.ATTEMPT_FAILED, task=self._what, error=error)
            self._said = str(error)
        else:
            if self._said:
                emit(events.ATTEMPT_GOES_ON, task=self._what)
            self._said = ""


def _limits(settings: LimitSettings) -> PortLimits:
    return PortLimits(
        workers=settings.workers,
        calls_each=max(MIN_CALLS, settings.workers // 3),
        call_seconds=settings.call_seconds,
        connections=ConnectionLimits(settings.connections, settings.connections_per_address),
        idle_seconds=IDLE_SECONDS,
        message_bytes=MESSAGE_BYTES,
    )
