"""Which rounds are refused: the council's release policy against the question.

A node judges a round by the signed policy, the question and the ledger. It looks at no household, so
that a refusal says nothing about anybody. The policy of these examples permits the purpose
`winter_support`, the attributes `band` and `lsoa`, two attributes in one table, 100 cells, delta up to
one in a million, and a loss of 0.5 for one round, 1 for a year, 2 in all. It ends on 31 March 2027. The
round asks on 23 November 2026 for the purpose `winter_support`, by band and area, for a loss of 0.4; the
columns say what is different.
"""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from folkmoot.attributes import Attribute
from folkmoot.privacy import Delta, Epsilon, Rho
from folkmoot.rounds import Mechanism
from folkmoot.workload import Marginal, Workload
from folkmoot_node.release.admission import AdmissionContext, judge
from tests.spec.worked import rows, words
from tests.unit.node.privacy_half import (
    AREAS,
    BANDS,
    BURY,
    NOON,
    RISK_POLICY,
    TRAFFORD,
    policy,
    question,
)

LOSSES = ("per_round", "per_period", "lifetime")


def the_policy(cell):
    given = words(cell)
    changes = {}
    loss = {name: float(given.pop(name)) for name in LOSSES if name in given}
    for name, value in given.items():
        if name == "sunset":
            changes[name] = datetime.date.fromisoformat(value)
        elif name.startswith("maximum") and name != "maximum_delta":
            changes[name] = int(value)
        else:
            changes[name] = value if name == "maximum_delta" else value.split(",")
    return policy(**changes, **({"loss": loss} if loss else {}))


def the_round(cell):
    given = words(cell)
    changes = {}
    if "purpose" in given:
        changes["purpose"] = given["purpose"]
    if "rho" in given:
        changes["loss"] = Rho.of(given["rho"])
    if "delta" in given:
        changes["delta"] = Delta.of(given["delta"])
    if "mechanism" in given:
        changes["mechanism"] = Mechanism[given["mechanism"].upper()]
        changes["epsilon"] = Epsilon.of("0.8")
        changes["loss"] = changes["epsilon"].rho
    if "councils" in given:
        changes["councils"] = (BURY,)
        changes["workload"] = Workload((Attribute("band", BANDS),), (Marginal(("band",)),))
    if "risk_policy" in given:
        changes["policy_digest"] = b"x" * 32
    if "by" in given:
        kinds = {
            "band": Attribute("band", BANDS),
            "lsoa": Attribute("lsoa", (), AREAS),
            "tenure": Attribute("tenure", ("owned",)),
            "tint": Attribute("tint", ("red", "blue")),
        }
        names = given["by"].split(",")
        changes["workload"] = Workload(
            tuple(kinds[name] for name in names), (Marginal(tuple(names)),)
        )
    if "bands" in given:
        codes = tuple(given["bands"].split(","))
        changes["workload"] = Workload((Attribute("band", codes),), (Marginal(("band",)),))
    return question(**changes)


def judged(table):
    for row in rows(table):
        context = AdmissionContext(
            council=TRAFFORD,
            release_policy=the_policy(row.get("policy", "")),
            risk_policy_digest=RISK_POLICY,
            risk_policy_sunset=datetime.date.fromisoformat(
                row.get("scores may be used until") or "2027-03-31"
            ),
            codes={"band": BANDS, "lsoa": None, "tenure": ("owned",)},
            remaining=Rho.of(row.get("left of the budget") or "1"),
            now=NOON,
        )
        objection = judge(the_round(row.get("round", "")), context)
        answer = "answered" if objection is None else objection.reason.name.lower()
        assert answer == row["answer"], row
        if objection is not None and row.get("because"):
            assert row["because"] in objection.detail, (row, objection.detail)


def test_what_for_and_by_what():
    judged("""
    | policy                  | round           | answer    | because                |
    |-------------------------|-----------------|-----------|------------------------|
    |                         |                 | answered  |                        |
    |                         | purpose=fraud   | purpose   | permitted: winter_support |
    | purposes=winter_support,fraud | purpose=fraud | answered |                     |
    |                         | by=tenure       | attribute | permitted: band, lsoa  |
    | attributes=band,tenure  | by=tenure       | answered  |                        |
    | attributes=band,tint    | by=tint         | attribute |                        |
    |                         | bands=low,huge  | code      | published codes: none, low, high |
    |                         | bands=low,high  | answered  |                        |
    """)  # fmt: skip


def test_how_much_is_asked():
    judged("""
    | policy                | round        | answer        | because                        |
    |-----------------------|--------------|---------------|--------------------------------|
    | maximum_ways=1        |              | workload_size | up to 2 attributes             |
    | maximum_ways=1        | by=band      | answered      |                                |
    | maximum_cells=8       |              | workload_size | permitted: 8 cells             |
    |                       | delta=1e-5   | delta         | at most                        |
    |                       | delta=1e-7   | answered      |                                |
    """)  # fmt: skip


def test_what_it_costs():
    """The loss of one round has a limit of its own, beside what is left of the year and in all."""
    judged("""
    | policy                      | round    | left of the budget | answer           | because           |
    |-----------------------------|----------|--------------------|------------------|-------------------|
    |                             | rho=0.5  | 1                  | answered         |                   |
    |                             | rho=0.51 | 1                  | loss_per_round   | at most 0.5       |
    | per_round=0.6 per_period=1  | rho=0.51 | 1                  | answered         |                   |
    |                             | rho=0.4  | 0.4                | answered         |                   |
    |                             | rho=0.4  | 0.39               | budget_exhausted | 0.39 is left      |
    """)  # fmt: skip


def test_when_and_by_which_rules():
    judged("""
    | policy            | round             | scores may be used until | answer        | because              |
    |-------------------|-------------------|--------------------------|---------------|----------------------|
    | sunset=2026-11-23 |                   |                          | answered      |                      |
    | sunset=2026-11-22 |                   |                          | sunset        | the release policy ended |
    |                   |                   | 2026-11-22               | sunset        | could be used until  |
    |                   | risk_policy=other |                          | policy_digest | this node scores under |
    """)  # fmt: skip


def test_how_and_of_whom():
    judged("""
    | policy                                         | round                      | answer        | because            |
    |------------------------------------------------|----------------------------|---------------|--------------------|
    |                                                | mechanism=discrete_laplace | mechanism     | permitted: discrete_gaussian |
    |                                                | councils=E08000002         | round_invalid | does not invite E08000009 |
    """)  # fmt: skip


def test_an_answer_never_depends_on_households():
    """The judgement takes nothing from which a household could be read: no score, no count."""
    fields = AdmissionContext.__dataclass_fields__
    assert set(fields) == {
        "council", "release_policy", "risk_policy_digest", "risk_policy_sunset", "codes",
        "remaining", "now", "series", "risk_policy_text", "outcomes",  # names of attributes
    }  # fmt: skip


def test_the_first_reason_is_the_one_that_is_given():
    """A round with two faults is refused for the first: who is asked, when, what for, then how."""
    context = AdmissionContext(
        TRAFFORD, policy(), RISK_POLICY, datetime.date.max, {"band": BANDS, "lsoa": None},
        Rho.of("1"), NOON,
    )  # fmt: skip
    both = question(purpose="fraud", delta=Delta.of("1e-5"))
    assert judge(both, context).reason.name == "PURPOSE"
    assert judge(replace(both, purpose="winter_support"), context).reason.name == "DELTA"


@pytest.mark.parametrize("name", LOSSES)
def test_no_limit_of_loss_may_be_left_out(name):
    with pytest.raises(ValueError, match=name):
        policy(loss={name: None})
