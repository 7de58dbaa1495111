"""What a year of rounds costs: the ledger, entry by entry.

The policy permits a loss (zCDP rho) of 0.5 for one round, 1 in a year that begins on 1 April, and 2 in
all. Each answer is paid for before noise is drawn. Nothing is rounded: losses are whole billionths.
"""

from __future__ import annotations

import datetime

import pytest

from folkmoot.privacy import Rho
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.ledger import BudgetExhausted, Ledger
from tests.spec.worked import rows
from tests.unit.node.privacy_half import RELEASE_POLICY, policy

LOSS = policy().loss


@pytest.fixture
def ledger(tmp_path):
    with StateDatabase(tmp_path / "state.sqlite", create=True) as state:
        yield Ledger(state)


def noon(text):
    day = datetime.datetime.fromisoformat(text).replace(hour=12, tzinfo=datetime.UTC)
    return int(day.timestamp())


def pay(ledger, table):
    names = {}
    for row in rows(table):
        number = names.setdefault(row["round"], len(names) + 1)
        moment = noon(row["day"])
        try:
            ledger.debit(
                f"{number:032x}", b"d" * 32, Rho.of(row["rho"]), LOSS, RELEASE_POLICY, moment
            )
            answer = "paid"
        except BudgetExhausted:
            answer = "refused"
        balance = ledger.balance(LOSS, moment)
        assert answer == row["answer"], row
        assert balance.period_remaining == Rho.of(row["left of the year"]), row
        assert balance.lifetime_remaining == Rho.of(row["left in all"]), row
    ledger.verify()


def test_from_april_to_april(ledger):
    """The year ends, what was spent in all does not come back."""
    pay(ledger, """
    | day        | round   | rho  | answer  | left of the year | left in all |
    |------------|---------|------|---------|------------------|---------------|
    | 2026-04-20 | spring  | 0.3  | paid    | 0.7              | 1.7           |
    | 2026-07-06 | summer  | 0.2  | paid    | 0.5              | 1.5           |
    | 2026-10-12 | autumn  | 0.4  | paid    | 0.1              | 1.1           |
    | 2027-01-11 | winter  | 0.2  | refused | 0.1              | 1.1           |
    | 2027-01-18 | smaller | 0.1  | paid    | 0                | 1             |
    | 2027-03-31 | last    | 0.01 | refused | 0                | 1             |
    | 2027-04-01 | spring again | 0.5 | paid | 0.5             | 0.5           |
    | 2027-09-01 | autumn again | 0.5 | paid | 0               | 0             |
    | 2028-04-03 | third year | 0.1 | refused | 1             | 0             |
    """)  # fmt: skip


def test_a_round_is_paid_for_once(ledger):
    """A node that was stopped after paying answers again, and does not pay again."""
    pay(ledger, """
    | day        | round  | rho | answer | left of the year | left in all |
    |------------|--------|-----|--------|------------------|---------------|
    | 2026-04-20 | spring | 0.3 | paid   | 0.7              | 1.7           |
    | 2026-04-20 | spring | 0.3 | paid   | 0.7              | 1.7           |
    """)  # fmt: skip


def test_a_billionth_too_much_is_too_much(ledger):
    pay(ledger, """
    | day        | round | rho         | answer  | left of the year | left in all |
    |------------|-------|-------------|---------|------------------|---------------|
    | 2026-04-20 | one   | 0.9         | paid    | 0.1              | 1.1           |
    | 2026-04-21 | two   | 0.100000001 | refused | 0.1              | 1.1           |
    | 2026-04-22 | three | 0.1         | paid    | 0                | 1             |
    """)  # fmt: skip


def test_a_person_in_two_households_bears_four_times_the_loss():
    """The loss is a household's. `households_per_person` m says in how many one person may be; their
    loss is m squared times rho."""
    for row in rows("""
    | households of a person | rho of a household | rho of the person |
    |------------------------|--------------------|-------------------|
    | 1                      | 0.4                | 0.4               |
    | 2                      | 0.4                | 1.6               |
    | 3                      | 0.4                | 3.6               |
    """):  # fmt: skip
        found = Rho.of(row["rho of a household"]).nano * int(row["households of a person"]) ** 2
        assert Rho(found) == Rho.of(row["rho of the person"])
