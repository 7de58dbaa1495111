"""Two regions whose coordinators run, and a node that has enrolled in the first."""

from __future__ import annotations

import shutil
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.certificate_authority import Authority, SigningRequest
from folkmoot_coordinator.membership.councils import record_certificate
from folkmoot_coordinator.signing import SigningKey
from folkmoot_node.federation.identity import KeyFiles, create_request, keep_membership
from tests.commands import Done, run_inside
from tests.ports import free_ports
from tests.wire.coordinator.conftest import start_serve

COUNCIL = "E08000009"


@dataclass(frozen=True)
class Inviting:
    """A region whose coordinator runs."""

    home: Path

    def coordinator(self, *words: object) -> str:
        return run_inside("folkmoot-coordinator", *words, "--home", self.home).said()

    def invite(self) -> Path:
        self.coordinator("invite", COUNCIL, "--out", self.home)
        return self.home / f"invitation-{COUNCIL}.toml"

    def certify(self, home: Path, *, days_left: float) -> None:
        """Gives a node a certificate that has so much left of 30 days, as 30 days ago."""
        keys, now = KeyFiles(home / "keys"), int(time.time() + (days_left - 30) * DAY)
        region = Home(self.home)
        authority = Authority.load(region.keys)
        request = SigningRequest.parse(create_request(keys, GssCode(COUNCIL)))
        issued = authority.issue_node_certificate(request, GssCode(COUNCIL), now, 30)
        database = Database(region.database_url(region.settings()))
        with database.writing() as session:
            record_certificate(session, issued)
        database.close()
        signing_key = SigningKey.load(region.keys).public
        keep_membership(keys, issued.certificate, authority.der, signing_key)

    @property
    def addresses(self) -> dict[str, str]:
        settings = tomllib.loads((self.home / "coordinator.toml").read_text("utf-8"))
        return {
            "address": settings["collection"]["address"],
            "enrolment_address": settings["enrolment"]["address"],
        }


@contextmanager
def running(home: Path, name: str) -> Iterator[Inviting]:
    """A new region in a folder, whose coordinator runs."""
    region = Inviting(home)
    collection, enrolment = free_ports(2)
    region.coordinator(
        "init", "--name", name, "--host", "127.0.0.1",
        "--collection-port", collection, "--enrolment-port", enrolment,
    )  # fmt: skip
    process = start_serve(region.home)
    try:
        yield region
    finally:
        process.kill()
        assert process.process.stdout is not None
        process.process.stdout.close()


@pytest.fixture(scope="session")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Inviting, Inviting]]:
    """Two regions, and nothing else."""
    north, south = (tmp_path_factory.mktemp(name) for name in ("North", "South"))
    with running(north, "North") as one, running(south, "South") as other:
        yield one, other


@pytest.fixture
def member(scored_home: Path, regions: tuple[Inviting, Inviting], tmp_path: Path) -> Path:
    """A node of the first region."""
    place = tmp_path / "node"
    shutil.copytree(scored_home, place)
    enrol(place, regions[0].invite()).said()
    return place


def enrol(home: Path, invitation: Path, *options: str) -> Done:
    return run_inside("folkmoot-node", "enrol", invitation, "--home", home, *options)
