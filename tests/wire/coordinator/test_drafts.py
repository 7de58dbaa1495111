"""What two people have agreed on is offered to councils by the running coordinator."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from folkmoot.round_codec import decode_round
from folkmoot_coordinator.clock import system_clock
from folkmoot_coordinator.drafts.decisions import approve, submit_draft
from folkmoot_coordinator.drafts.drafts import DraftState, list_drafts, save_draft
from folkmoot_coordinator.drafts.opening import open_drafts
from folkmoot_coordinator.drafts.people import AccountKind, Person
from folkmoot_coordinator.rounds.progress import summaries
from folkmoot_coordinator.rounds.question import read_question
from tests.night import by_night
from tests.waiting import wait_until

if TYPE_CHECKING:
    from folkmoot_coordinator.database.connection import Database
    from tests.wire.coordinator.conftest import Region, ServeProcess

ANN, BEN = Person("ann", AccountKind.WEB), Person("ben", AccountKind.WEB)
ROUND = f"""\
title = "Winter"
purpose = "winter_support"
policy_digest = "{"0" * 64}"
councils = ["E08000009"]
minimum_councils = 1
rho = 0.2
delta = 1e-6
deadline_hours = 1
marginals = [{{ attributes = [] }}]
"""


def write(drafts: Database, folder: Path, now: int) -> None:
    """A draft that two people have agreed on."""
    file = folder / "winter.toml"
    file.write_text(ROUND)
    draft = save_draft(drafts, read_question(file), ANN, now)
    submit_draft(drafts, draft.draft_id, ANN, now, second_person=True)
    approve(drafts, draft.draft_id, BEN, draft.digest, now)


def test_a_council_gets_a_round_that_two_people_agreed_on(region: Region, tmp_path: Path) -> None:
    client = region.member()
    assert client.rounds() == []
    drafts = open_drafts(region.home, region.settings)
    write(drafts, tmp_path, region.clock())
    wait_until(lambda: bool(list_drafts(drafts, [DraftState.OPENED])), "the round to open")
    [signed] = client.rounds()
    [draft] = list_drafts(drafts)
    assert decode_round(signed.round).round_id == draft.round_id
    # The round is one like any other: the council answers it.
    client.submit(client.release_for(signed))
    drafts.close()


def test_a_damaged_database_of_drafts_keeps_no_round_from_closing(
    region: Region, tmp_path: Path
) -> None:
    region.home.viewer_file.write_bytes(b"not a database" * 1000)
    region.home.viewer_file.chmod(0o600)
    client = region.member()
    round_ = region.open_round(seconds=60)
    [signed] = client.rounds()
    client.submit(client.release_for(signed))
    region.open_round(seconds=60)
    region.clock.now += 61
    wait_until(
        lambda: all(one.closed_at is not None for one in summaries(region.database)),
        "rounds to close",
    )
    assert round_.round_id in {one.round_id for one in summaries(region.database)}


@pytest.mark.slow
@pytest.mark.parametrize("kills", by_night([2, 4]))
def test_killed_at_any_moment_it_opens_each_draft_once(
    stopped_region: Region, serve: Callable[..., ServeProcess], tmp_path: Path, kills: int
) -> None:
    drafts = open_drafts(stopped_region.home, stopped_region.settings)
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for _ in range(kills):
        for _ in range(5):
            write(drafts, tmp_path, system_clock())
        process = serve(stopped_region.home.path)
        assert process.ready, (stopped_region.home.path / "serve.log").read_text()
        time.sleep(chance.uniform(0.9, 1.3))  # the first look is a second after the start
        process.kill()
    serve(stopped_region.home.path)
    wait_until(lambda: len(list_drafts(drafts, [DraftState.OPENED])) == 5 * kills, f"seed {seed}")
    found = {draft.round_id for draft in list_drafts(drafts)}
    assert found == {one.round_id for one in summaries(stopped_region.database)}
    assert len(found) == 5 * kills
    drafts.close()
