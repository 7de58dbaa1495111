"""A coordinator on loopback with real TLS, and a small client that speaks to it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID

from folkmoot.answer_codec import decode_receipt, encode_refusal, encode_release
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot.receipt import RECEIPT_SIGNATURE_DOMAIN, Receipt
from folkmoot.refusal import Refusal, RefusalReason
from folkmoot.rejection import Rejected
from folkmoot.rejection_codec import decode_rejection, encode_versions
from folkmoot.release import NoisyCounts, Release
from folkmoot.round_codec import decode_round
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN, Mechanism, Round, round_digest
from folkmoot.v1 import (
    collection_pb2,
    collection_pb2_grpc,
    enrolment_pb2,
    enrolment_pb2_grpc,
    release_pb2,
    round_pb2,
)
from folkmoot.versions import SPOKEN, VersionRange
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.config import CoordinatorSettings, settings_text
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.certificate_authority import Authority, SigningRequest
from folkmoot_coordinator.membership.councils import enrolled, record_certificate
from folkmoot_coordinator.membership.invitations import Invitation
from folkmoot_coordinator.membership.invitations import invite as make_invitation
from folkmoot_coordinator.rounds.round_store import open_round
from folkmoot_coordinator.server import server
from folkmoot_coordinator.server.server import CoordinatorServer
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.settings import parse
from tests.ports import free_ports
from tests.waiting import wait_until

BOLTON, BURY, TRAFFORD = GssCode("E08000001"), GssCode("E08000002"), GssCode("E08000009")
POLICY_DIGEST = bytes(range(32))


@dataclass
class FakeClock:
    """A clock that tests wind; it begins at the machine's time so that TLS agrees."""

    now: int

    def __call__(self) -> int:
        return self.now


def make_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def make_csr(key: ec.EllipticCurvePrivateKey, claims: str = "anything") -> bytes:
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, claims)]))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


@dataclass
class Client:
    """A council's side of the wire."""

    invitation: Invitation
    key: ec.EllipticCurvePrivateKey = field(default_factory=make_key)
    certificate: bytes | None = None
    seconds: float = 20

    @property
    def council(self) -> GssCode:
        return self.invitation.council

    def enrolment_channel(self) -> grpc.Channel:
        return grpc.secure_channel(
            self.invitation.enrolment_address,
            grpc.ssl_channel_credentials(self.invitation.authority.encode()),
        )

    def channel(self) -> grpc.Channel:
        if self.certificate is None:
            credentials = grpc.ssl_channel_credentials(self.invitation.authority.encode())
        else:
            pem = x509.load_der_x509_certificate(self.certificate).public_bytes(
                serialization.Encoding.PEM
            )
            key = self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            credentials = grpc.ssl_channel_credentials(self.invitation.authority.encode(), key, pem)
        return grpc.secure_channel(self.invitation.address, credentials)

    def enrol(
        self,
        *,
        token: bytes | None = None,
        council: str | None = None,
        csr: bytes | None = None,
        versions: VersionRange = SPOKEN,
        policy_key: bytes = b"",
    ) -> bytes:
        request = enrolment_pb2.EnrolRequest(
            versions=encode_versions(versions),
            token=self.invitation.token if token is None else token,
            council=council or self.council,
            csr=make_csr(self.key) if csr is None else csr,
            policy_key=policy_key,
        )
        with self.enrolment_channel() as channel:
            answer = enrolment_pb2_grpc.EnrolmentServiceStub(channel).Enrol(
                request, timeout=self.seconds
            )
        if answer.WhichOneof("outcome") == "rejection":
            raise Rejected(decode_rejection(answer.rejection))
        assert answer.membership.signing_key == self.invitation.signing_key
        self.certificate = answer.membership.certificate
        return answer.membership.certificate

    def renew(self, key: ec.EllipticCurvePrivateKey, protocol: int = 1) -> bytes:
        request = enrolment_pb2.RenewRequest(protocol=protocol, csr=make_csr(key))
        with self.channel() as channel:
            answer = enrolment_pb2_grpc.EnrolmentServiceStub(channel).Renew(
                request, timeout=self.seconds
            )
        if answer.WhichOneof("outcome") == "rejection":
            raise Rejected(decode_rejection(answer.rejection))
        return answer.membership.certificate

    def negotiate(self, versions: VersionRange = SPOKEN) -> int:
        with self.channel() as channel:
            answer = collection_pb2_grpc.CollectionServiceStub(channel).Negotiate(
                collection_pb2.NegotiateRequest(versions=encode_versions(versions)),
                timeout=self.seconds,
            )
        if answer.WhichOneof("outcome") == "rejection":
            raise Rejected(decode_rejection(answer.rejection))
        return answer.protocol

    def receipts(
        self, known: bytes, protocol: int = 1
    ) -> tuple[collection_pb2.AnswersHeld, list[release_pb2.SignedReceipt]]:
        """What the coordinator says it holds, and the receipts that it lists."""
        with self.channel() as channel:
            stub = collection_pb2_grpc.CollectionServiceStub(channel)
            request = collection_pb2.ListReceiptsRequest(protocol=protocol, answers_digest=known)
            first, *rest = stub.ListReceipts(request, timeout=self.seconds)
        if first.WhichOneof("outcome") == "rejection":
            raise Rejected(decode_rejection(first.rejection))
        return first.held, [answer.receipt for answer in rest]

    def rounds(self, protocol: int = 1) -> list[round_pb2.SignedRound]:
        with self.channel() as channel:
            stub = collection_pb2_grpc.CollectionServiceStub(channel)
            found = []
            for answer in stub.ListRounds(
                collection_pb2.ListRoundsRequest(protocol=protocol), timeout=self.seconds
            ):
                if answer.WhichOneof("outcome") == "rejection":
                    raise Rejected(decode_rejection(answer.rejection))
                signed = answer.round
                Ed25519PublicKey.from_public_bytes(self.invitation.signing_key).verify(
                    signed.signature, ROUND_SIGNATURE_DOMAIN + signed.round
                )
                found.append(signed)
        return found

    def release_for(
        self,
        signed: round_pb2.SignedRound,
        values: Iterable[int] | None = None,
        *,
        council: GssCode | None = None,
        loss: Rho | None = None,
        digest: bytes | None = None,
        round_id: str | None = None,
    ) -> Release:
        round_ = decode_round(signed.round)
        cells = round_.plan(self.council).rows
        return Release(
            round_id=round_id or round_.round_id,
            round_digest=digest or round_digest(signed.round),
            council=council or self.council,
            mechanism=Mechanism.DISCRETE_GAUSSIAN,
            loss=loss or round_.loss,
            ledger_entry=bytes(32),
            counts=NoisyCounts(array("q", range(cells) if values is None else values)),
        )

    def submit(self, release: Release, protocol: int = 1) -> release_pb2.SignedReceipt:
        return self.submit_parts(encode_release(release, protocol))

    def submit_parts(
        self, parts: Iterable[collection_pb2.SubmitRequest]
    ) -> release_pb2.SignedReceipt:
        with self.channel() as channel:
            answer = collection_pb2_grpc.CollectionServiceStub(channel).Submit(
                iter(parts), timeout=self.seconds
            )
        if answer.WhichOneof("outcome") == "rejection":
            raise Rejected(decode_rejection(answer.rejection))
        return answer.receipt

    def refuse(self, refusal: Refusal, protocol: int = 1) -> release_pb2.SignedReceipt:
        with self.channel() as channel:
            answer = collection_pb2_grpc.CollectionServiceStub(channel).Refuse(
                collection_pb2.RefuseRequest(refusal=encode_refusal(refusal, protocol)),
                timeout=self.seconds,
            )
        if answer.WhichOneof("outcome") == "rejection":
            raise Rejected(decode_rejection(answer.rejection))
        return answer.receipt

    def refusal_for(
        self,
        signed: round_pb2.SignedRound,
        reason: RefusalReason = RefusalReason.DECLINED,
    ) -> Refusal:
        return Refusal(
            decode_round(signed.round).round_id, round_digest(signed.round), self.council, reason
        )

    def receipt(self, signed: release_pb2.SignedReceipt) -> Receipt:
        """The receipt, its signature verified."""
        Ed25519PublicKey.from_public_bytes(self.invitation.signing_key).verify(
            signed.signature, RECEIPT_SIGNATURE_DOMAIN + signed.receipt
        )
        return decode_receipt(signed.receipt)


@dataclass
class Region:
    """A coordinator's home, and what an operator does there."""

    home: Home
    settings: CoordinatorSettings
    database: Database
    clock: FakeClock
    server: CoordinatorServer | None = None

    def start(self) -> None:
        self.server = CoordinatorServer(self.home, self.clock)
        self.server.start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    def invite(self, council: GssCode = TRAFFORD) -> Client:
        return Client(
            make_invitation(
                self.database,
                self.settings,
                council,
                authority=Authority.load(self.home.keys).pem.decode(),
                signing_key=SigningKey.load(self.home.keys).public,
                now=self.clock(),
            )
        )

    def member(self, council: GssCode = TRAFFORD) -> Client:
        client = self.invite(council)
        client.enrol()
        return client

    def certified(self, council: GssCode) -> Client:
        """A member whose certificate did not come over the wire."""
        client = self.invite(council)
        issued = Authority.load(self.home.keys).issue_node_certificate(
            SigningRequest(client.key.public_key()), council, self.clock(), 30
        )
        with self.database.writing() as session:
            record_certificate(session, issued)
        client.certificate = issued.certificate
        return client

    def open_round(
        self,
        councils: Iterable[GssCode] = (TRAFFORD,),
        *,
        minimum: int = 1,
        workload: Workload | None = None,
        rho: str = "0.5",
        seconds: int = 3600,
    ) -> Round:
        round_ = Round(
            round_id=secrets.token_hex(16),
            title="Winter support",
            purpose="winter_support",
            councils=tuple(sorted(councils)),
            minimum_councils=minimum,
            policy_digest=POLICY_DIGEST,
            workload=workload
            or Workload(
                (Attribute("band", ("none", "low", "high")),),
                (Marginal(("band",)), Marginal(())),
            ),
            loss=Rho.of(rho),
            mechanism=Mechanism.DISCRETE_GAUSSIAN,
            delta=Delta.of("1e-6"),
            opened_at=self.clock(),
            deadline=self.clock() + seconds,
        )
        open_round(self.database, SigningKey.load(self.home.keys), round_)
        return round_

    def enrolled(self) -> list[str]:
        return [council.code for council in enrolled(self.database, self.clock())]

    def stored(self) -> dict[str, int]:
        """Number of rows of each table that an answer would add to."""
        from sqlalchemy import func, select

        from folkmoot_coordinator.database.models import AnswerRow, CellsRow

        with self.database.reading() as session:
            return {
                table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
                for table in (AnswerRow, CellsRow)
            }


@dataclass
class ServeProcess:
    """`folkmoot-coordinator serve` as a process of its own."""

    process: subprocess.Popen[str]
    ready: str

    def kill(self) -> None:
        """As by `kill -9`; those that it has started keep their ports until they notice."""
        pids = self.all_pids()
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not any(map(psutil.pid_exists, pids)), "its processes to end")

    def all_pids(self) -> list[int]:
        """This process and those that it has started."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def memory(self) -> int:
        """Bytes that all of them hold."""
        page = os.sysconf("SC_PAGE_SIZE")
        return sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in self.all_pids()
        )


def start_serve(home: Path, files: int | None = None) -> ServeProcess:
    """Starts `serve`; where `files` is given, it may open no more, however much it tries."""
    command = "from folkmoot_coordinator.cli import main; main()"
    shell = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh"] if files else []
    with (home / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [*shell, sys.executable, "-c", command, "serve", "--home", str(home)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    return ServeProcess(process, process.stdout.readline())


@pytest.fixture
def serve() -> Iterator[Callable[..., ServeProcess]]:
    started: list[ServeProcess] = []

    def start(home: Path, files: int | None = None) -> ServeProcess:
        started.append(start_serve(home, files))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait()
        if each.process.stdout is not None:
            each.process.stdout.close()


@pytest.fixture
def stopped_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Region]:
    """A region whose coordinator is not running."""
    monkeypatch.setattr(server, "HOUSEKEEPING_SECONDS", 0.05)
    home = Home(tmp_path / "region")
    make_private_folder(home.path)
    make_private_folder(home.keys)
    collection, enrolment = free_ports(2)
    text = settings_text("Greater Manchester", ("127.0.0.1",), "127.0.0.1", collection, enrolment)
    home.settings_file.write_text(text)
    settings = parse(CoordinatorSettings, text.encode(), "settings")
    clock = FakeClock(int(time.time()))
    Authority.create(home.keys, "Greater Manchester", clock())
    SigningKey.create(home.keys)
    database = Database(home.database_url(settings))
    database.create()
    region = Region(home, settings, database, clock)
    yield region
    region.stop()
    database.close()


@pytest.fixture
def region(stopped_region: Region) -> Region:
    """A region whose coordinator runs, with real TLS on loopback."""
    stopped_region.start()
    return stopped_region


@pytest.fixture
def together() -> Callable[[Iterable[Callable[[], None]]], None]:
    """Runs functions at the same time and raises the first error."""

    def run(tasks: Iterable[Callable[[], None]]) -> None:
        errors: list[BaseException] = []

        def guarded(task: Callable[[], None]) -> None:
            try:
                task()
            except BaseException as error:  # reported below
                errors.append(error)

        threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    return run
