"""A scored node, and a coordinator that may lie to it, over real mutual TLS."""

from __future__ import annotations

import datetime
import hashlib
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "simulation"))

from region import AREAS, MAPPING, RISK_POLICY, SOURCES, TRAFFORD, household_rows

from folkmoot import answer_codec, rejection_codec
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot.receipt import RECEIPT_SIGNATURE_DOMAIN, Receipt, answers_digest
from folkmoot.refusal import refusal_digest
from folkmoot.rejection import Rejection
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN, Mechanism, Round
from folkmoot.v1 import (
    catalogue_pb2,
    collection_pb2,
    collection_pb2_grpc,
    release_pb2,
    round_pb2,
)
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.membership.certificate_authority import Authority, SigningRequest
from folkmoot_coordinator.signing import SigningKey
from folkmoot_node.federation.identity import (
    KeyFiles,
    create_request,
    keep_membership,
    load_policy_key,
)
from folkmoot_node.home import open_home
from folkmoot_node.operations.initialise import initialise, name_coordinator
from folkmoot_node.pipeline.local import score
from folkmoot_node.policies.release_policy import sign
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.sources.connect import load_plugins

COUNCIL = GssCode(TRAFFORD)


@dataclass
class LyingCoordinator(collection_pb2_grpc.CollectionServiceServicer):
    """Answers as a test tells it to; keeps what it received."""

    signing: SigningKey
    rounds: list[bytes] = field(default_factory=list)
    other_key: SigningKey | None = None
    protocol: int = 1
    rejection: Rejection | None = None
    forge: Callable[[Receipt], Receipt] = field(default=lambda receipt: receipt)
    fail_submissions: int = 0
    fail_with: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    submissions: list[bytes] = field(default_factory=list)
    refusals: list[release_pb2.Refusal] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    held: dict[str, Receipt] = field(default_factory=dict)
    padding: bytes = b""
    rejects_answers: Rejection | None = None
    clock_ahead: int = 0
    catalogues: list[catalogue_pb2.SignedCatalogue] = field(default_factory=list)
    knows_catalogues: bool = True
    rejects_catalogues: Rejection | None = None

    def Negotiate(
        self, request: collection_pb2.NegotiateRequest, context: grpc.ServicerContext
    ) -> collection_pb2.NegotiateResponse:
        self.metadata.append({key: str(value) for key, value in context.invocation_metadata()})
        if self.rejection is not None:
            return collection_pb2.NegotiateResponse(
                rejection=rejection_codec.encode_rejection(self.rejection)
            )
        return collection_pb2.NegotiateResponse(protocol=self.protocol)

    def ListReceipts(
        self, request: collection_pb2.ListReceiptsRequest, context: grpc.ServicerContext
    ) -> Iterator[collection_pb2.ListReceiptsResponse]:
        digest = answers_digest(
            (receipt.round_id, receipt.answer_digest) for receipt in self.held.values()
        )
        yield collection_pb2.ListReceiptsResponse(
            held=collection_pb2.AnswersHeld(
                answers_digest=digest, at=int(time.time()) + self.clock_ahead
            )
        )
        if digest != request.answers_digest:
            for receipt in self.held.values():
                yield collection_pb2.ListReceiptsResponse(receipt=self.signed(receipt))

    def ListRounds(
        self, request: collection_pb2.ListRoundsRequest, context: grpc.ServicerContext
    ) -> Iterator[collection_pb2.ListRoundsResponse]:
        key = self.other_key or self.signing
        for serialised in self.rounds:
            signature = key.sign(ROUND_SIGNATURE_DOMAIN, serialised)
            yield collection_pb2.ListRoundsResponse(
                round=round_pb2.SignedRound(round=serialised, signature=signature)
            )

    def Submit(
        self,
        request_iterator: Iterator[collection_pb2.SubmitRequest],
        context: grpc.ServicerContext,
    ) -> collection_pb2.SubmitResponse:
        parts = list(request_iterator)
        self.submissions.append(b"".join(part.SerializeToString() for part in parts))
        if self.fail_submissions:
            self.fail_submissions -= 1
            context.abort(self.fail_with, "try again")
        if self.rejects_answers is not None:
            return collection_pb2.SubmitResponse(
                rejection=rejection_codec.encode_rejection(self.rejects_answers)
            )
        header = parts[0].header
        receipt = Receipt(
            header.round_id,
            COUNCIL,
            header.release_digest,
            int(time.time()),
            header.round_digest,
            Rho(header.loss.rho_nano),
            header.ledger_entry,
        )
        return collection_pb2.SubmitResponse(receipt=self._receipt(receipt))

    def Refuse(
        self, request: collection_pb2.RefuseRequest, context: grpc.ServicerContext
    ) -> collection_pb2.RefuseResponse:
        self.refusals.append(request.refusal)
        if self.rejects_answers is not None:
            return collection_pb2.RefuseResponse(
                rejection=rejection_codec.encode_rejection(self.rejects_answers)
            )
        refusal = answer_codec.decode_refusal(request.refusal)
        receipt = Receipt(
            refusal.round_id,
            COUNCIL,
            refusal_digest(refusal),
            int(time.time()),
            refusal.round_digest,
            Rho(0),
            None,
        )
        return collection_pb2.RefuseResponse(receipt=self._receipt(receipt))

    def PublishCatalogue(
        self, request: collection_pb2.PublishCatalogueRequest, context: grpc.ServicerContext
    ) -> collection_pb2.PublishCatalogueResponse:
        if not self.knows_catalogues:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
        if self.rejects_catalogues is not None:
            return collection_pb2.PublishCatalogueResponse(
                rejection=rejection_codec.encode_rejection(self.rejects_catalogues)
            )
        self.catalogues.append(request.catalogue)
        return collection_pb2.PublishCatalogueResponse(stored_at=int(time.time()))

    def _receipt(self, receipt: Receipt) -> release_pb2.SignedReceipt:
        return self.signed(self.forge(self.held.setdefault(receipt.round_id, receipt)))

    def signed(self, receipt: Receipt) -> release_pb2.SignedReceipt:
        serialised = answer_codec.encode_receipt(receipt) + self.padding
        return release_pb2.SignedReceipt(
            receipt=serialised,
            signature=self.signing.sign(RECEIPT_SIGNATURE_DOMAIN, serialised),
        )


@dataclass
class Stage:
    """A node's home folder, the coordinator it speaks to, and the server."""

    home: Path
    coordinator: LyingCoordinator
    server: grpc.Server
    authority: Authority


def ask(number: int = 1, **changes: object) -> Round:
    """A round that the node of the stage answers."""
    now = int(time.time())
    values: dict[str, object] = {
        "round_id": f"{number:032x}",
        "title": "Test",
        "purpose": "winter_support",
        "councils": (COUNCIL,),
        "minimum_councils": 1,
        "policy_digest": DIGEST,
        "workload": Workload(
            (
                Attribute("band", ("none", "high")),
                Attribute("lsoa", (), {COUNCIL: AREAS[TRAFFORD]}),
            ),
            (Marginal(("band", "lsoa")),),
        ),
        "loss": Rho.of("0.1"),
        "mechanism": Mechanism.DISCRETE_GAUSSIAN,
        "delta": Delta.of("1e-6"),
        "opened_at": now - 10,
        "deadline": now + 3600,
    }
    return Round(**{**values, **changes})  # type: ignore[arg-type]


def ask_for_approval(stage: Stage) -> None:
    policy = stage.home / "release-policy.toml"
    policy.write_text(policy.read_text().replace("approval = false", "approval = true"))
    key = load_policy_key(stage.home / "keys" / "policy-signing.key")
    sign(policy, key, "Tester", 1_790_000_001)


DIGEST = hashlib.sha256(RISK_POLICY.encode()).digest()


@pytest.fixture(scope="session")
def scored_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's home folder with signed policy and scores, not enrolled."""
    home = tmp_path_factory.mktemp("nodes") / "scored"
    initialise(home, TRAFFORD, "Trafford", "0.5", "1", "2")
    (home / "mappings" / "council_tax.toml").write_text(MAPPING)
    (home / "risk-policy.toml").write_text(RISK_POLICY)
    with (home / "node.toml").open("a") as file:
        file.write(SOURCES)
    rows = ["UPRN,Arrears,Support,LSOA", *household_rows(TRAFFORD, 300)]
    (home / "extracts" / "council_tax.csv").write_text("\n".join(rows) + "\n")
    policy = home / "release-policy.toml"
    text = policy.read_text().replace("approval = true", "approval = false")
    policy.write_text(re.sub(r"(?m)^sunset = [-\d]+", "sunset = 2099-12-31", text))
    sign(policy, load_policy_key(home / "keys" / "policy-signing.key"), "Tester", 1_790_000_000)
    config = load_config(home)
    score(
        config,
        load_plugins(config),
        load_policy(config.risk_policy),
        today=datetime.date(2026, 11, 23),
    )
    return home


@pytest.fixture
def stage(scored_home: Path, tmp_path: Path) -> Iterator[Stage]:
    with set_up(scored_home, tmp_path) as made:
        yield made


@contextmanager
def set_up(scored_home: Path, folder: Path) -> Iterator[Stage]:
    """A stage whose node is a copy of a scored one.

    Args:
        scored_home: The scored node.
        folder: An empty folder, for the homes of node and coordinator.
    """
    home = folder / "home"
    shutil.copytree(scored_home, home)
    keys = folder / "coordinator"
    keys.mkdir()
    now = int(time.time())
    authority, signing = Authority.create(keys, "Test", now), SigningKey.create(keys)
    identity = authority.issue_server_identity(("127.0.0.1",), now, 30)
    coordinator = LyingCoordinator(signing)
    server = grpc.server(ThreadPoolExecutor(4))
    collection_pb2_grpc.add_CollectionServiceServicer_to_server(coordinator, server)
    credentials = grpc.ssl_server_credentials(
        [(identity.key, identity.certificate)], authority.pem, require_client_auth=True
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    files = KeyFiles(home / "keys")
    request = SigningRequest.parse(create_request(files, COUNCIL))
    granted = authority.issue_node_certificate(request, COUNCIL, now, 30)
    keep_membership(files, granted.certificate, authority.der, signing.public)
    name_coordinator(load_config(home), f"127.0.0.1:{port}", "127.0.0.1:9")
    with open_home(home):
        pass
    yield Stage(home, coordinator, server, authority)
    server.stop(None).wait()
