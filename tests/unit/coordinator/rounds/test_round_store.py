"""Rounds as the coordinator keeps them."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.round_codec import decode_round
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN, RoundState
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.rounds.closing import close_due_rounds, close_round, state_after
from folkmoot_coordinator.rounds.code_names import NO_NAMES, CodeNames
from folkmoot_coordinator.rounds.objective import Objective, Planning, planned
from folkmoot_coordinator.rounds.progress import summaries
from folkmoot_coordinator.rounds.round_store import find_round, open_round, open_rounds_of
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.coordinator.conftest import small_round

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY, TRAFFORD = GssCode("E08000001"), GssCode("E08000002"), GssCode("E08000009")


def test_what_is_kept_is_what_was_signed(office: Office) -> None:
    stored = office.open()
    kept = office.again(stored)
    assert kept == stored
    assert decode_round(kept.serialised) == stored.round_
    Ed25519PublicKey.from_public_bytes(office.signing.public).verify(
        kept.signature, ROUND_SIGNATURE_DOMAIN + kept.serialised
    )


def test_rounds_are_found_by_id_beginning_or_latest(office: Office) -> None:
    first = office.open()
    office.clock.now += 10
    second = office.open()
    assert find_round(office.database, first.round_.round_id) == first
    assert find_round(office.database, second.round_.round_id[:20]) == second
    assert find_round(office.database, "latest") == second
    for reference in ("", "%", "0" * 33):
        with pytest.raises(Problem) as caught:
            find_round(office.database, reference)
        assert caught.value.exit_code is ExitCode.USAGE


def test_a_council_is_offered_its_open_rounds_oldest_first(office: Office) -> None:
    first = office.open()
    office.clock.now += 10
    second = office.open()
    now = office.clock()
    assert [one.serialised for one in open_rounds_of(office.database, BURY, now)] == [
        first.serialised,
        second.serialised,
    ]
    assert open_rounds_of(office.database, TRAFFORD, now) == []
    assert open_rounds_of(office.database, BURY, second.round_.deadline) == []
    close_round(office.database, first.round_.round_id, now)
    assert [one.serialised for one in open_rounds_of(office.database, BURY, now)] == [
        second.serialised
    ]


def test_due_rounds_close_once(office: Office) -> None:
    stored = office.open()
    round_id = stored.round_.round_id
    assert close_due_rounds(office.database, stored.round_.deadline - 1) == []
    assert close_due_rounds(office.database, stored.round_.deadline) == [
        (round_id, RoundState.VOID)
    ]
    assert close_due_rounds(office.database, stored.round_.deadline + 1) == []
    assert office.again(stored).closed_at == stored.round_.deadline


def test_closing_by_hand_counts_what_there_is_and_is_final(office: Office) -> None:
    stored = office.open()
    office.release(stored, BOLTON)
    assert close_round(office.database, stored.round_.round_id, 1_800_000_005) is (
        RoundState.PARTIAL
    )
    assert close_round(office.database, stored.round_.round_id, 1_800_000_009) is (
        RoundState.PARTIAL
    )
    assert office.again(stored).closed_at == 1_800_000_005


@pytest.mark.parametrize(
    ("released", "minimum", "state"),
    [(2, 1, "COMPLETE"), (2, 2, "COMPLETE"), (1, 1, "PARTIAL"), (1, 2, "VOID"), (0, 1, "VOID")],
)
def test_the_state_after_so_many_releases(
    office: Office, released: int, minimum: int, state: str
) -> None:
    round_ = replace(office.open().round_, minimum_councils=minimum)
    assert state_after(round_, released).name == state


def test_a_round_that_does_not_fit_in_a_message_is_refused_when_opened(office: Office) -> None:
    codes = tuple(f"{n:032d}" for n in range(120_000))
    round_ = replace(
        office.open().round_,
        round_id="0" * 32,
        workload=Workload((Attribute("band", codes),), (Marginal(("band",)),)),
    )
    with pytest.raises(Problem, match="fit in one message"):
        open_round(office.database, office.signing, round_)
    assert len(summaries(office.database)) == 1


def test_how_the_weights_came_about_is_kept_with_the_round(office: Office) -> None:
    round_ = small_round(opened_at=office.clock())
    signed, planning = planned(round_.workload, round_.councils, Objective.MAXIMUM)
    stored = open_round(office.database, office.signing, replace(round_, workload=signed), planning)
    again = office.again(stored)
    assert again.planning == stored.planning == planning
    assert again.planning.weights == (2, 1, 1)
    assert max(one.weight for one in again.round_.workload.marginals) == 2**32 - 1
    assert office.again(office.open()).planning.objective is Objective.SUM


def test_names_of_codes_are_kept_with_the_round(office: Office) -> None:
    names = CodeNames({"band": {"high": "Visit \u00e9"}}, {"lsoa": "2021"})
    round_ = office.open().round_
    written = Planning.as_written(round_.workload)
    for code_names, planning in ((names, None), (NO_NAMES, None), (names, written)):
        asked = replace(round_, round_id=secrets.token_hex(16))
        opened = open_round(office.database, office.signing, asked, planning, code_names)
        found = office.again(opened)
        assert found.code_names == opened.code_names == code_names
        assert found.planning == written
