"""A coordinator's state without its servers."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from folkmoot.answer_codec import decode_header, encode_release
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot.refusal import Refusal, RefusalReason
from folkmoot.release import NoisyCounts, Release
from folkmoot.rounds import Mechanism, Round
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.config import CoordinatorSettings, settings_text
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.rounds.answers import StoredReceipt
from folkmoot_coordinator.rounds.round_store import StoredRound, find_round, open_round
from folkmoot_coordinator.rounds.submissions import Intake
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.settings import parse

BOLTON, BURY, TRAFFORD = GssCode("E08000001"), GssCode("E08000002"), GssCode("E08000009")


@dataclass
class FakeClock:
    now: int = 1_800_000_000

    def __call__(self) -> int:
        return self.now


def small_round(
    councils: Iterable[GssCode] = (BOLTON, BURY),
    *,
    minimum: int = 1,
    opened_at: int = 1_800_000_000,
    rho: str = "0.5",
    workload: Workload | None = None,
) -> Round:
    """By default one marginal by band and area, one by band, and the total."""
    councils = tuple(sorted(councils))
    areas = {
        BOLTON: ("E01000001", "E01000002"),
        BURY: ("E01000003",),
        TRAFFORD: ("E01000004", "E01000005"),
    }
    return Round(
        round_id=secrets.token_hex(16),
        title="Winter support",
        purpose="winter_support",
        councils=councils,
        minimum_councils=minimum,
        policy_digest=bytes(range(32)),
        workload=workload
        or Workload(
            (
                Attribute("band", ("low", "high")),
                Attribute("lsoa", by_council={council: areas[council] for council in councils}),
            ),
            (Marginal(("band", "lsoa"), 2), Marginal(("band",)), Marginal(())),
        ),
        loss=Rho.of(rho),
        mechanism=Mechanism.DISCRETE_GAUSSIAN,
        delta=Delta.of("1e-6"),
        opened_at=opened_at,
        deadline=opened_at + 3600,
    )


@dataclass
class Office:
    """A coordinator's home, database and keys."""

    home: Home
    settings: CoordinatorSettings
    database: Database
    signing: SigningKey
    clock: FakeClock
    intake: Intake

    def open(self, round_: Round | None = None) -> StoredRound:
        return open_round(
            self.database,
            self.signing,
            round_ or replace(small_round(), opened_at=self.clock(), deadline=self.clock() + 3600),
        )

    def again(self, stored: StoredRound) -> StoredRound:
        return find_round(self.database, stored.round_.round_id)

    def release(
        self,
        stored: StoredRound,
        council: GssCode,
        values: Iterable[int] | None = None,
        as_of: date | None = None,
    ) -> StoredReceipt:
        from array import array

        cells = stored.round_.plan(council).rows
        release = Release(
            stored.round_.round_id,
            stored.digest,
            council,
            stored.round_.mechanism,
            stored.round_.loss,
            bytes(32),
            NoisyCounts(array("q", range(cells) if values is None else values)),
            as_of=as_of,
        )
        parts = encode_release(release, 1)
        return self.intake.accept_release(council, decode_header(next(parts)), parts)

    def refuse(
        self,
        stored: StoredRound,
        council: GssCode,
        reason: RefusalReason = RefusalReason.BUDGET_EXHAUSTED,
        attribute_number: int = 0,
    ) -> StoredReceipt:
        from folkmoot.answer_codec import encode_refusal

        refusal = Refusal(stored.round_.round_id, stored.digest, council, reason, attribute_number)
        return self.intake.accept_refusal(council, encode_refusal(refusal, 1))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    home = Home(tmp_path / "region")
    make_private_folder(home.path)
    make_private_folder(home.keys)
    text = settings_text("Greater Manchester", ("127.0.0.1",), "127.0.0.1", 7443, 7444)
    home.settings_file.write_text(text)
    home.settings_file.chmod(0o600)
    settings = parse(CoordinatorSettings, text.encode(), "settings")
    clock = FakeClock()
    Authority.create(home.keys, "Greater Manchester", clock())
    signing = SigningKey.create(home.keys)
    database = Database(home.database_url(settings))
    database.create()
    yield Office(home, settings, database, signing, clock, Intake(database, signing, clock))
    database.close()
