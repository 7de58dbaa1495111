"""The census sample released: band by age group by region, over the real path.

Ten councils, one a region, enrol over TLS, answer a round over mutual TLS, and the
coordinator's export is compared with counts made by hand from the published file. Then
many rounds are answered, to see that the published intervals cover as often as they say.
"""

from __future__ import annotations

import csv
import json
import sys
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "simulation"))

from region import Region

from folkmoot import answer_codec, round_codec
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN, Mechanism, Round
from folkmoot.v1 import collection_pb2
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.aggregate import aggregate
from folkmoot_coordinator.aggregation.statistic import GeographicLevel
from folkmoot_coordinator.signing import SigningKey
from folkmoot_node.answering.answer import answer_round
from folkmoot_node.answering.visit import poll
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.outbox import Answer
from folkmoot_node.federation.enrolment import enrol, read_invitation
from folkmoot_node.federation.identity import create_policy_key, load_policy_key
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.operations.initialise import name_coordinator
from folkmoot_node.policies.release_policy import sign
from folkmoot_node.store.encrypted_file import StoreKey, read_key
from folkmoot_node.store.reader import HouseholdStore, open_store
from tests.council_files import release_policy

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

REPEATS = 60
ROUNDS_A_NODE = 10
BANDS = ("none", "low", "medium", "high")


@pytest.fixture(scope="module")
def ages(census_councils: Any) -> tuple[str, ...]:
    codes: tuple[str, ...] = census_councils[0].summary.attributes["age_group"]
    return codes


@pytest.fixture(scope="module")
def region(census_councils: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """A coordinator at which all ten councils are enrolled."""
    region = Region(tmp_path_factory.mktemp("census-region"))
    region.start()
    for council in census_councils:
        home = council.config.home
        StateDatabase(council.config.state_path, create=True).close()
        policy = home / "release-policy.toml"
        policy.write_text(
            release_policy(
                council.code,
                attributes=["band", "age_group"],
                purpose="census_test",
                approval=False,
                losses=(0.5, 10, 10),
                since="2020-01-01",
                months=120,
                people=1,
            )
        )
        with open_home(home) as node:
            create_policy_key(node.keys)
            sign(policy, load_policy_key(node.keys.policy_key), "Tester", node.clock())
            invitation = read_invitation(region.invite(council.code), node.config.council)
            enrol(invitation, node.keys, node.egress)
            name_coordinator(node.config, invitation.address, invitation.enrolment_address)
    yield region
    region.stop()


@contextmanager
def opened(census_councils: Any) -> Iterator[dict[GssCode, NodeHome]]:
    """The nodes of all councils."""
    with ExitStack() as stack:
        nodes = {
            GssCode(council.code): stack.enter_context(open_home(council.config.home))
            for council in census_councils
        }
        for node in nodes.values():  # nobody cuts the power: hundreds of answers need not wait
            node.state.reader.execute("PRAGMA synchronous = OFF")
        yield nodes


@contextmanager
def begun_again(census_councils: Any) -> Iterator[None]:
    """Puts the nodes' evidence back at the end: what is verified for each answer grows with it."""
    paths = [council.config.state_path for council in census_councils]
    kept = [path.read_bytes() for path in paths]
    yield
    for path, content in zip(paths, kept, strict=True):
        for beside in path.parent.glob(f"{path.name}-*"):
            beside.unlink()
        path.write_bytes(content)


@pytest.fixture
def open_stores(census_councils: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each council's scores are opened once: opening takes longer than the rest of an answer."""
    with ExitStack() as stack:
        stores = {
            council.config.store_path: stack.enter_context(
                open_store(council.config.store_path, read_key(council.config.key_file))
            )
            for council in census_councils
        }

        @contextmanager
        def open_again(path: Path, key: StoreKey, *, threads: int = 2) -> Iterator[HouseholdStore]:
            yield stores[path]

        monkeypatch.setattr("folkmoot_node.store.use.open_store", open_again)
        yield


def visited(census_councils: Any) -> Iterator[tuple[int, dict[GssCode, NodeHome]]]:
    """The number of each repeat, and the nodes that answer."""
    for first in range(0, REPEATS, ROUNDS_A_NODE):
        with begun_again(census_councils), opened(census_councils) as nodes:
            for repeat in range(first, min(first + ROUNDS_A_NODE, REPEATS)):
                yield repeat, nodes


def exact_counts(council: Any, ages: tuple[str, ...]) -> list[int]:
    return [council.exact.get((band, age), 0) for band in BANDS for age in ages]


def values_of(answer: Answer) -> np.ndarray[Any, np.dtype[np.int64]]:
    parts = [collection_pb2.SubmitRequest.FromString(frame) for frame in answer.frames]
    header = answer_codec.decode_header(parts[0])
    release = answer_codec.decode_release(header, parts[1:], header.cells)
    return np.array(array("q", release.counts.values), dtype=np.int64)


def test_one_round_from_published_file_to_published_statistic(
    region: Region,
    census_councils: Any,
    ages: tuple[str, ...],
) -> None:
    policy = census_councils[0].config.risk_policy
    councils = json.dumps(sorted(council.code for council in census_councils))
    question = region.folder / "census.toml"
    question.write_text(
        f'title = "Band by age group"\npurpose = "census_test"\npolicy = "{policy}"\n'
        f"councils = {councils}\nminimum_councils = 10\nrho = 0.1\n"
        "delta = 1e-6\ndeadline_hours = 1\n"
        f'[[attributes]]\nname = "band"\ncodes = {json.dumps(BANDS)}\n'
        f'[[attributes]]\nname = "age_group"\ncodes = {json.dumps(ages)}\n'
        '[[marginals]]\nattributes = ["band", "age_group"]\n'
    )
    region.run("round", "open", question)
    with opened(census_councils) as nodes:
        for node in nodes.values():
            with node.connect() as client:
                assert not [event for event in poll(node, client) if event.is_problem]
    out = region.folder / "published"
    region.run("export", "latest", "--out", out)
    (file,) = out.glob("*.csv")
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    exact = {
        (council.code, band, age): council.exact.get((band, age), 0)
        for council in census_councils
        for band in BANDS
        for age in ages
    }
    assert len(rows) == 11 * len(BANDS) * len(ages)
    inside = far = 0
    for row in rows:
        truth = (
            exact[row["place"], row["band"], row["age_group"]]
            if row["level"] == "council"
            else sum(exact[c.code, row["band"], row["age_group"]] for c in census_councils)
        )
        inside += float(row["lower"]) <= truth <= float(row["upper"])
        far += abs(float(row["value"]) - truth) > 6 * float(row["standard_error"])
    # 396 cells: fewer than 88 % inside, or one beyond six standard errors, has a chance
    # below one in a million.
    assert inside / len(rows) > 0.88
    assert far == 0
    (document,) = out.glob("*.json")
    assert "zero-concentrated" in document.read_text()


@pytest.mark.usefixtures("open_stores")
def test_intervals_cover_as_often_as_they_say(
    region: Region,
    census_councils: Any,
    ages: tuple[str, ...],
) -> None:
    """Coverage over repeated draws is between 93 % and 97 %, for councils and the region.

    With 60 rounds there are 21,600 cells of councils and 2,160 of the region. Expected
    coverage is 96.0 % and 95.3 % (intervals are whole numbers, so a little above 95 %); the
    chance of a false alarm is below one in ten thousand.
    """
    workload = Workload(
        (Attribute("band", BANDS), Attribute("age_group", ages)),
        (Marginal(("band", "age_group")),),
    )
    exact = {
        GssCode(council.code): np.array(exact_counts(council, ages)) for council in census_councils
    }
    covered: dict[GeographicLevel, list[float]] = {
        GeographicLevel.COUNCIL: [],
        GeographicLevel.REGION: [],
    }
    errors = []
    signing = SigningKey.load(region.home / "keys")
    for repeat, nodes in visited(census_councils):
        now = next(iter(nodes.values())).clock()
        round_ = Round(
            round_id=f"{repeat + 1:032x}",
            title="",
            purpose="census_test",
            councils=tuple(sorted(nodes)),
            minimum_councils=10,
            policy_digest=census_councils[0].policy.digest,
            workload=workload,
            loss=Rho.of("0.01"),
            mechanism=Mechanism.DISCRETE_GAUSSIAN,
            delta=Delta.of("1e-6"),
            opened_at=now,
            deadline=now + 3600,
        )
        serialised = round_codec.encode_round(round_)
        signature = signing.sign(ROUND_SIGNATURE_DOMAIN, serialised)
        counts = {}
        for council, node in nodes.items():
            answer = answer_round(node, node.round_book().receive(serialised, signature, now))
            assert answer is not None
            counts[council] = values_of(answer)
        for statistic in aggregate(round_, "Great Britain", counts):
            truth = (
                exact[GssCode(statistic.place)]
                if statistic.level is GeographicLevel.COUNCIL
                else np.sum(list(exact.values()), axis=0)
            )
            inside = (statistic.lower <= truth) & (truth <= statistic.upper)
            covered[statistic.level].append(float(inside.mean()))
            errors.append((statistic.value - truth) / statistic.standard_error)
    shares = {level: float(np.mean(values)) for level, values in covered.items()}

    for share in shares.values():
        assert 0.93 < share < 0.97
    standardised = np.concatenate(errors)
    assert abs(standardised.mean()) < 0.05
    assert abs(standardised.std() - 1) < 0.03
