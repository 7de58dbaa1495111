"""A node's privacy half on a real state file, with a clock that tests can set."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import numpy as np

from folkmoot import round_codec
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot.rounds import Mechanism, Round, round_digest
from folkmoot.workload import Marginal, Workload
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.ledger import Ledger
from folkmoot_node.evidence.outbox import Answer, Outbox
from folkmoot_node.policies.release_policy import ReleasePolicy
from folkmoot_node.release.admission import AdmissionContext
from folkmoot_node.release.exact_counts import ExactCounts
from folkmoot_node.release.mechanism import release
from folkmoot_node.release.office import Office, Question
from folkmoot_node.release.steps import Observer, ignore

TRAFFORD = GssCode("E08000009")
BURY = GssCode("E08000002")
RISK_POLICY = b"p" * 32
RELEASE_POLICY = b"q" * 32
BANDS = ("none", "low", "high")
AREAS = {TRAFFORD: ("E01000001", "E01000002"), BURY: ("E01000003",)}
NOON = int(datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC).timestamp())


def policy(**changes: object) -> ReleasePolicy:
    values: dict[str, object] = {
        "schema": 1,
        "council": TRAFFORD,
        "sunset": datetime.date(2027, 3, 31),
        "purposes": ["winter_support"],
        "attributes": ["band", "lsoa"],
        "maximum_ways": 2,
        "maximum_cells": 100,
        "operator_approval": False,
        "maximum_delta": "1e-6",
        "loss": {
            "per_round": 0.5,
            "per_period": 1.0,
            "lifetime": 2.0,
            "period_start": datetime.date(2026, 4, 1),
            "period_months": 12,
            "households_per_person": 2,
        },
    }
    loss = {**values["loss"], **changes.pop("loss", {})}  # type: ignore[dict-item]
    return ReleasePolicy.model_validate({**values, **changes, "loss": loss})


def question(number: int = 1, **changes: object) -> Round:
    values: dict[str, object] = {
        "round_id": f"{number:032x}",
        "title": "A question",
        "purpose": "winter_support",
        "councils": (BURY, TRAFFORD),
        "minimum_councils": 1,
        "policy_digest": RISK_POLICY,
        "workload": Workload(
            (Attribute("band", BANDS), Attribute("lsoa", (), AREAS)),
            (Marginal(("band", "lsoa"), 2), Marginal(("band",)), Marginal(())),
        ),
        "loss": Rho.of("0.4"),
        "mechanism": Mechanism.DISCRETE_GAUSSIAN,
        "delta": Delta.of("1e-6"),
        "opened_at": NOON - 60,
        "deadline": NOON + 3600,
    }
    return Round(**{**values, **changes})  # type: ignore[arg-type]


@dataclass
class PrivacyHalf:
    """Ledger, outbox and release of one node."""

    state: StateDatabase
    policy: ReleasePolicy = field(default_factory=policy)
    now: int = NOON
    tabulated: int = 0
    risk_policy_sunset: datetime.date = datetime.date.max

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.state)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.state)

    def context(self, round_id: str) -> AdmissionContext:
        return AdmissionContext(
            council=TRAFFORD,
            release_policy=self.policy,
            risk_policy_digest=RISK_POLICY,
            risk_policy_sunset=self.risk_policy_sunset,
            codes={"band": BANDS, "lsoa": None, "tenure": ("owned",)},
            remaining=self.ledger.balance(
                self.policy.loss, self.now, apart_from=round_id
            ).remaining,
            now=self.now,
        )

    def counts(self) -> ExactCounts:
        self.tabulated += 1
        return ExactCounts([(1, 1)], [np.array([5, 0, 7, 1, 0, 2])])

    def answer(self, round_: Round, observe: Observer = ignore) -> Answer:
        digest = round_digest(round_codec.encode_round(round_))
        answer = release(
            Question(round_, digest, self.context(round_.round_id), RELEASE_POLICY),
            Office(self.ledger, self.outbox, lambda: self.now, observe),
            self.counts,
        )
        assert answer is not None
        return answer
