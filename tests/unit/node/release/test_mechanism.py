"""The one door: debit before noise, one answer for ever, the policy always."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import json
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest

from folkmoot import answer_codec, round_codec
from folkmoot.attributes import Attribute
from folkmoot.privacy import Delta, Epsilon, Rho
from folkmoot.refusal import RefusalReason
from folkmoot.release import Release
from folkmoot.rounds import Mechanism
from folkmoot.series import Series, SeriesEvent
from folkmoot.v1 import collection_pb2
from folkmoot.workload import Marginal, Workload
from folkmoot_node.evidence.outbox import Answer, AnswerKind
from folkmoot_node.release.admission import AdmissionContext
from folkmoot_node.release.exact_counts import ExactCounts
from folkmoot_node.release.mechanism import _gaussian, _laplace
from folkmoot_node.release.series import SeriesProgress
from folkmoot_node.release.steps import AnswerStage
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.privacy_half import (
    AREAS,
    BANDS,
    BURY,
    NOON,
    TRAFFORD,
    PrivacyHalf,
    policy,
    question,
)


def read(answer: Answer) -> Release:
    parts = [collection_pb2.SubmitRequest.FromString(frame) for frame in answer.frames]
    header = answer_codec.decode_header(parts[0])
    return answer_codec.decode_release(header, parts[1:], header.cells)


def test_a_release_is_paid_for_and_has_every_public_cell(half: PrivacyHalf) -> None:
    answer = half.answer(question())
    assert answer.kind is AnswerKind.RELEASE
    release = read(answer)
    (debit,) = half.ledger.debits()
    assert len(release.counts) == 1 + 3 + 1 + 3  # total, band, lsoa (a pair), both
    assert release.loss == debit.rho == Rho.of("0.4")
    assert release.ledger_entry == debit.entry


def test_the_same_round_gives_the_same_bytes_for_ever(half: PrivacyHalf) -> None:
    first = half.answer(question())
    half.policy = policy(purposes=["something_else"])  # even if the policy changed since
    assert half.answer(question()) == first
    assert len(half.ledger.debits()) == 1
    assert half.tabulated == 1


def test_events_come_in_the_promised_order(half: PrivacyHalf) -> None:
    seen: list[tuple[AnswerStage, int, bool]] = []

    def observe(step: AnswerStage) -> None:
        seen.append((step, len(half.ledger.debits()), bool(half.outbox.find(f"{1:032x}"))))

    half.answer(question(), observe)
    assert seen == [
        (AnswerStage.TABULATED, 0, False),
        (AnswerStage.DEBITED, 1, False),
        (AnswerStage.SAMPLED, 1, False),
        (AnswerStage.STORED, 1, True),
    ]


def test_a_fault_after_the_debit_uses_the_same_debit_again(half: PrivacyHalf) -> None:
    def fail(step: AnswerStage) -> None:
        if step is AnswerStage.SAMPLED:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        half.answer(question(), fail)
    half.policy = policy(loss={"per_round": 0.4, "per_period": 0.4})  # it is what was paid
    assert half.answer(question()).kind is AnswerKind.RELEASE
    assert len(half.ledger.debits()) == 1
    assert half.ledger.balance(half.policy.loss, NOON).spent == Rho.of("0.4")


@pytest.mark.parametrize(
    "changed, reason",
    [
        ({"loss": {"per_round": 0.3, "per_period": 1.0}}, RefusalReason.LOSS_PER_ROUND),
        ({"loss": {"per_round": 0.3, "per_period": 0.3}}, RefusalReason.LOSS_PER_ROUND),
        ({"purposes": ["flood"]}, RefusalReason.PURPOSE),
        ({"sunset": datetime.date(2026, 11, 22)}, RefusalReason.SUNSET),
    ],
)
def test_what_was_paid_for_is_not_released_if_the_policy_forbids_it_by_now(
    half: PrivacyHalf, changed: dict[str, object], reason: RefusalReason
) -> None:
    def fail(step: AnswerStage) -> None:
        if step is AnswerStage.DEBITED:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        half.answer(question(), fail)
    half.policy = policy(**changed)
    assert half.answer(question()).reason is reason


def test_another_round_under_an_answered_id_is_not_answered(half: PrivacyHalf) -> None:
    first = half.answer(question())
    with pytest.raises(Problem) as caught:
        half.answer(question(title="Another question"))
    assert caught.value.exit_code is ExitCode.REFUSED
    assert half.outbox.answers() == (first,)


def test_the_period_cap_holds_and_the_next_period_begins_afresh(half: PrivacyHalf) -> None:
    kinds = [half.answer(question(number)).reason for number in (1, 2, 3)]
    assert kinds == [None, None, RefusalReason.BUDGET_EXHAUSTED]
    assert half.ledger.balance(half.policy.loss, NOON).remaining == Rho.of("0.2")
    half.now = int(datetime.datetime(2027, 4, 1, tzinfo=datetime.UTC).timestamp())
    half.policy = policy(sunset=datetime.date(2028, 1, 1))
    late = question(4, deadline=half.now + 60)
    assert half.answer(late).kind is AnswerKind.RELEASE
    assert half.ledger.balance(half.policy.loss, half.now).spent == Rho.of("0.4")
    assert half.ledger.balance(half.policy.loss, half.now).lifetime == Rho.of("1.2")


def test_a_charge_of_a_series_is_not_debited_in_another_period(
    half: PrivacyHalf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The charges begin again in each period, with the largest."""
    half.policy = policy(loss={"per_series": 1.0}, sunset=datetime.date(2028, 1, 1))
    next_period = int(datetime.datetime(2027, 4, 1, tzinfo=datetime.UTC).timestamp())
    series = Series("5" * 32, 2, 3, SeriesEvent("band", ("high",)), next_period + 86_400)
    round_ = question(series=series)
    judged = half.context

    def context(round_id: str) -> AdmissionContext:
        charge = round_.charges[1 if half.now == NOON else 0]
        progress = SeriesProgress(2, 3, round_codec.series_digest(round_), (), charge)
        return dataclasses.replace(judged(round_id), series=progress)

    def midnight(step: AnswerStage) -> None:
        half.now = next_period

    monkeypatch.setattr(half, "context", context)
    with pytest.raises(Problem, match="another accounting period") as caught:
        half.answer(round_, midnight)
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert half.ledger.debits() == half.outbox.answers() == ()
    assert half.answer(round_).kind is AnswerKind.RELEASE
    (debit,) = half.ledger.debits()
    assert debit.rho == round_.charges[0]


def test_the_lifetime_cap_refuses_while_the_period_has_budget(half: PrivacyHalf) -> None:
    half.policy = policy(loss={"lifetime": 1.0}, sunset=datetime.date(2028, 1, 1))
    assert [half.answer(question(number)).reason for number in (1, 2)] == [None, None]
    half.now = int(datetime.datetime(2027, 4, 1, tzinfo=datetime.UTC).timestamp())
    assert half.answer(question(3, deadline=half.now + 60)).reason is (
        RefusalReason.BUDGET_EXHAUSTED
    )
    assert half.ledger.balance(half.policy.loss, half.now).period_remaining == Rho.of("1")


def workload(*marginals: tuple[str, ...], **codes: tuple[str, ...]) -> Workload:
    attributes = [Attribute(name, values) for name, values in codes.items()]
    return Workload(tuple(attributes), tuple(map(Marginal, marginals)))


REFUSED = {
    RefusalReason.LOSS_PER_ROUND: {"loss": Rho.of("0.500000001")},
    RefusalReason.PURPOSE: {"purpose": "debt_collection"},
    RefusalReason.ATTRIBUTE: {"workload": workload(("ethnicity",), ethnicity=("a", "b"))},
    RefusalReason.CODE: {"workload": workload(("band",), band=("none", "secret"))},
    RefusalReason.WORKLOAD_SIZE: {
        "councils": (TRAFFORD,),
        "workload": Workload(
            (Attribute("lsoa", (), {TRAFFORD: tuple(f"E01{i:06}" for i in range(101))}),),
            (Marginal(("lsoa",)), Marginal(())),
        ),
    },
    RefusalReason.POLICY_DIGEST: {"policy_digest": b"x" * 32},
    RefusalReason.DELTA: {"delta": Delta.of("1e-5")},
    RefusalReason.ROUND_INVALID: {
        "councils": (BURY,),
        "workload": Workload((Attribute("lsoa", (), {BURY: AREAS[BURY]}),), (Marginal(("lsoa",)),)),
    },
}


@pytest.mark.parametrize("reason", REFUSED, ids=lambda reason: reason.name)
def test_what_the_policy_does_not_allow_is_refused_and_costs_nothing(
    half: PrivacyHalf, reason: RefusalReason
) -> None:
    answer = half.answer(question(**REFUSED[reason]))
    assert (answer.kind, answer.reason) == (AnswerKind.REFUSAL, reason)
    assert half.ledger.debits() == ()
    assert half.tabulated == 0


def test_a_permitted_attribute_that_this_node_lacks_is_refused(half: PrivacyHalf) -> None:
    half.policy = policy(attributes=["band", "age_group"])
    answer = half.answer(question(workload=workload(("age_group",), age_group=("old",))))
    assert answer.reason is RefusalReason.ATTRIBUTE


def test_pure_differential_privacy_needs_the_policys_permission(half: PrivacyHalf) -> None:
    epsilon = Epsilon.of("0.5")
    pure = {"mechanism": Mechanism.DISCRETE_LAPLACE, "epsilon": epsilon, "loss": epsilon.rho}
    assert half.answer(question(1, **pure)).reason is RefusalReason.MECHANISM
    half.policy = policy(mechanisms=["discrete_gaussian", "discrete_laplace"])
    answer = half.answer(question(2, **pure))
    assert answer.kind is AnswerKind.RELEASE
    release = read(answer)
    assert release.mechanism is Mechanism.DISCRETE_LAPLACE
    assert release.loss == Rho.of("0.125")
    assert len(release.counts) == 6 + 3 + 1  # the marginals themselves


@pytest.mark.parametrize("nano", [1, 3, 10**6, 333_333_333, 10**9, 10**11])
def test_opendps_own_map_stays_within_the_planned_epsilon(nano: int) -> None:
    measured = Fraction(_laplace(Epsilon(nano)).map(1))
    assert Fraction(nano, 10**9) * Fraction(1 - 10**-12) <= measured <= Fraction(nano, 10**9)


def test_an_attribute_the_policy_leaves_out_is_refused(half: PrivacyHalf) -> None:
    answer = half.answer(question(workload=workload(("tenure",), tenure=("owned",))))
    assert answer.reason is RefusalReason.ATTRIBUTE


def test_three_ways_are_too_many(half: PrivacyHalf) -> None:
    half.policy = policy(attributes=["band", "lsoa", "tenure"])
    both = (Attribute("band", BANDS), Attribute("lsoa", (), AREAS), Attribute("tenure", ("owned",)))
    answer = half.answer(question(workload=Workload(both, (Marginal(("band", "lsoa", "tenure")),))))
    assert answer.reason is RefusalReason.WORKLOAD_SIZE


def test_after_sunset_nothing_is_released(half: PrivacyHalf) -> None:
    half.policy = policy(sunset=datetime.date(2026, 11, 22))
    assert half.answer(question()).reason is RefusalReason.SUNSET


def test_after_the_risk_policys_sunset_nothing_is_released(half: PrivacyHalf) -> None:
    half.risk_policy_sunset = datetime.date(2026, 11, 22)
    assert half.answer(question()).reason is RefusalReason.SUNSET
    half.risk_policy_sunset = datetime.date(2026, 11, 23)
    assert half.answer(question(2)).kind is AnswerKind.RELEASE


def test_counts_of_the_wrong_shape_are_never_released(half: PrivacyHalf) -> None:
    half.counts = lambda: ExactCounts([(1, 1)], [np.array([1, 2, 3])])  # type: ignore[method-assign]
    with pytest.raises(AssertionError):
        half.answer(question())
    assert half.ledger.debits() == ()


def test_exact_counts_do_not_get_out() -> None:
    counts = ExactCounts([()], [np.array([424242])])
    assert "424242" not in f"{counts} {counts!r} {counts:>10} {[counts]}"
    for leak in (
        lambda: pickle.dumps(counts),
        lambda: copy.copy(counts),
        lambda: copy.deepcopy(counts),
        lambda: json.dumps(counts, default=list),
        lambda: bytes(counts),
        lambda: np.asarray(counts),
        lambda: list(counts),  # type: ignore[call-overload]
        lambda: counts[0],  # type: ignore[index]
        lambda: counts == counts,
    ):
        with pytest.raises(TypeError):
            leak()


@pytest.mark.parametrize("cell", [-1, 2**37])
def test_implausible_counts_are_refused(cell: int) -> None:
    with pytest.raises(OverflowError):
        ExactCounts([()], [np.array([cell])])


@pytest.mark.parametrize("squared_sensitivity", [1, 2, 6, 12, 999_000, 2**50 + 1])
@pytest.mark.parametrize("nano", [1, 3, 7, 10**6, 123_456_789, 333_333_333, 10**9, 10**11])
def test_opendps_own_map_stays_within_the_planned_loss(nano: int, squared_sensitivity: int) -> None:
    sensitivity = math.sqrt(squared_sensitivity)
    if Fraction(sensitivity) ** 2 < squared_sensitivity:
        sensitivity = math.nextafter(sensitivity, math.inf)
    measured = Fraction(_gaussian(Rho(nano), squared_sensitivity).map(sensitivity))
    assert Fraction(nano, 10**9) * Fraction(1 - 10**-12) <= measured <= Fraction(nano, 10**9)
