"""A series of rounds at the node of the stage, month by month."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import numpy as np
from region import AREAS, TRAFFORD
from stage import COUNCIL, Stage, ask

from folkmoot import answer_codec, round_codec
from folkmoot.privacy import Rho
from folkmoot.release import Release
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN, Round
from folkmoot.series import Series, SeriesEvent
from folkmoot.v1 import collection_pb2
from folkmoot_coordinator.aggregation.cumulative import StoredRelease, monthly_statistics
from folkmoot_node.answering.answer import answer_round
from folkmoot_node.answering.deliver import deliver
from folkmoot_node.evidence.outbox import Answer
from folkmoot_node.federation.identity import load_policy_key
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.policies.release_policy import sign
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.sources.connect import load_plugins

NOON = int(time.time())
TOTAL = Rho.of("500")  # so much that noise is small beside one household
FIRST, SECOND, THIRD = set(range(40)), set(range(30, 70)), set(range(5, 100, 5))


def in_series(position: int, **changes: object) -> Round:
    series = Series("5" * 32, position, 3, SeriesEvent("band", ("high",)), NOON + 90 * 86_400)
    values: dict[str, object] = {
        "loss": TOTAL,
        "series": series,
        "opened_at": NOON - 10,
        "deadline": NOON + 86_400,  # all tests may take more than an hour
        **changes,
    }
    return ask(100 + position, **values)


def score_with(home: Path, owing: set[int]) -> None:
    """Scores 300 households of which those in `owing` are in the band `high`."""
    areas = AREAS[TRAFFORD]
    rows = [
        f"{10_000_000 + number},{5000 if number in owing else 0}.00,"
        f"{'Y' if number in owing else 'N'},{areas[number % len(areas)]}"
        for number in range(300)
    ]
    text = "\n".join(["UPRN,Arrears,Support,LSOA", *rows]) + "\n"
    (home / "extracts" / "council_tax.csv").write_text(text)
    with open_home(home) as node:
        policy = load_policy(node.config.risk_policy)
        # Months differ by more than a council would believe.
        score(
            node.config,
            load_plugins(node.config),
            policy,
            today=datetime.date(2026, 11, 23),
            judged=Judged(),
        )


def permit(home: Path, per_series: str | None = "500", per_period: str = "2000") -> None:
    policy = home / "release-policy.toml"
    lines = [
        line
        for line in policy.read_text().splitlines()
        if not line.startswith(("per_round", "per_period", "per_series", "lifetime"))
    ]
    at = lines.index("[loss]") + 1
    limits = [f"{name} = {per_period}" for name in ("per_round", "per_period", "lifetime")]
    if per_series:
        limits.append(f"per_series = {per_series}")
    policy.write_text("\n".join([*lines[:at], *limits, *lines[at:]]) + "\n")
    sign(policy, load_policy_key(home / "keys" / "policy-signing.key"), "Tester", 1_790_000_000)


def learn(stage: Stage, home: NodeHome, round_: Round) -> None:
    serialised = round_codec.encode_round(round_)
    stage.coordinator.rounds.append(serialised)
    signature = stage.coordinator.signing.sign(ROUND_SIGNATURE_DOMAIN, serialised)
    home.round_book().receive(serialised, signature, home.clock())


def answer(stage: Stage, home: NodeHome, round_: Round, *, send: bool = True) -> Answer:
    learn(stage, home, round_)
    found = answer_round(home, home.round_book().resolve(round_.round_id))
    assert found is not None
    if send:
        with home.connect() as client:
            list(deliver(home, client))
    return found


def read(found: Answer) -> Release:
    assert found.reason is None, found.reason
    parts = [collection_pb2.SubmitRequest.FromString(frame) for frame in found.frames]
    header = answer_codec.decode_header(parts[0])
    return answer_codec.decode_release(header, parts[1:], header.cells)


def stored(release: Release) -> StoredRelease:
    return StoredRelease(np.array(release.counts.values), release.row)


def by_area(round_: Round, releases: dict[int, Release]) -> dict[tuple[int, str], list[int]]:
    """Households in band high by area, for each month and measure, to the nearest number."""
    months = monthly_statistics(
        round_, "R", {position: {COUNCIL: stored(one)} for position, one in releases.items()}
    )
    found = {}
    for month in months:
        of_council = next(one for one in month.statistics if one.place == COUNCIL)
        high = [
            round(value)
            for value, band in zip(of_council.value, of_council.codes[0], strict=True)
            if band == "high"
        ]
        found[month.position, str(month.measure)] = high
    return found


def expected(*households: set[int]) -> list[int]:
    together = set().union(*households)
    return [sum(number % 3 == area for number in together) for area in range(3)]
