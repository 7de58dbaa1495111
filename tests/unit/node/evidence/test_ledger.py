"""The ledger: exact, durable, and impossible to change unnoticed."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.privacy import Rho
from folkmoot.receipt import Receipt
from folkmoot_node.evidence import ledger_clock
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.ledger import BudgetExhausted, Debit, Ledger
from folkmoot_node.policies.release_policy import LossPolicy
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.hash_chain import Head
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.privacy_half import NOON, RELEASE_POLICY, TRAFFORD, PrivacyHalf, policy

LOSS = policy().loss
YEAR = 365 * 86_400


def debit(
    ledger: Ledger, number: int, rho: str = "0.1", at: int = NOON, loss: LossPolicy = LOSS
) -> Debit:
    return ledger.debit(f"{number:032x}", b"d" * 32, Rho.of(rho), loss, RELEASE_POLICY, at)


def test_a_debit_is_recorded_once(half: PrivacyHalf) -> None:
    assert debit(half.ledger, 1) == debit(half.ledger, 1)
    assert half.ledger.balance(LOSS, NOON).spent == Rho.of("0.1")


def test_two_ledgers_that_pay_for_the_same_do_not_make_the_same_entry(tmp_path: Path) -> None:
    """Else a restored ledger could pay again unnoticed, within the second."""
    entries = set()
    for name in ("one", "two"):
        with StateDatabase(tmp_path / f"{name}.sqlite", create=True) as state:
            entries.add(debit(Ledger(state), 1).entry)
    assert len(entries) == 2


def test_a_debit_under_the_same_id_with_other_content_stops(half: PrivacyHalf) -> None:
    debit(half.ledger, 1)
    with pytest.raises(Problem) as caught:
        debit(half.ledger, 1, "0.2")
    assert caught.value.exit_code is ExitCode.VERIFICATION


def test_what_is_refused_is_not_recorded(half: PrivacyHalf) -> None:
    debit(half.ledger, 1, "0.9")
    with pytest.raises(BudgetExhausted) as caught:
        debit(half.ledger, 2, "0.100000001")
    assert caught.value.remaining == Rho.of("0.1")
    assert len(half.ledger.debits()) == 1
    debit(half.ledger, 3, "0.1")  # exactly what is left


def test_the_lifetime_cap_holds_over_all_periods(half: PrivacyHalf) -> None:
    debit(half.ledger, 1, "1")
    debit(half.ledger, 2, "0.7", NOON + YEAR)
    with pytest.raises(BudgetExhausted) as caught:
        debit(half.ledger, 3, "0.300000001", NOON + 2 * YEAR)
    assert caught.value.remaining == Rho.of("0.3")
    balance = half.ledger.balance(LOSS, NOON + 2 * YEAR)
    assert (balance.spent, balance.period_remaining) == (Rho.of("0"), Rho.of("1"))
    assert balance.lifetime_remaining == balance.remaining == Rho.of("0.3")
    debit(half.ledger, 4, "0.3", NOON + 2 * YEAR)
    assert half.ledger.balance(LOSS, NOON + 3 * YEAR).remaining == Rho.of("0")


def test_a_clock_set_forward_opens_no_more_than_the_lifetime(half: PrivacyHalf) -> None:
    granted = 0
    for number in range(10):
        try:
            debit(half.ledger, number, "1", NOON + number * YEAR)
        except BudgetExhausted:
            continue
        granted += 1
    assert granted == 2


def test_a_policy_signed_anew_does_not_forget_a_period_that_is_not_over(
    half: PrivacyHalf,
) -> None:
    debit(half.ledger, 1, "0.9")
    anew = policy(loss={"period_start": datetime.date(2026, 11, 24)}).loss
    with pytest.raises(BudgetExhausted) as caught:
        debit(half.ledger, 2, "0.2", NOON + 86_400, anew)
    assert caught.value.remaining == Rho.of("0.1")
    # Until the new period is over: half of the old one lay in it.
    assert half.ledger.balance(anew, NOON + 200 * 86_400).spent == Rho.of("0.9")
    assert half.ledger.balance(anew, NOON + YEAR + 86_400).spent == Rho.of("0")


CHANGES = st.tuples(
    st.integers(0, 200),  # days until the policy is signed anew
    st.integers(0, 500),  # days ago when its first period began
    st.integers(1, 24),  # months of its periods
    st.integers(1, 5),  # tenths of rho that are asked for
)


@settings(deadline=None, max_examples=50)
@given(st.lists(CHANGES, min_size=2, max_size=12))
def test_no_order_of_policies_spends_more_than_the_cap_in_any_period(
    changes: list[tuple[int, int, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.sqlite"
        with StateDatabase(path, create=True) as state:
            ledger, now = Ledger(state), NOON
            for number, (wait, ago, months, tenths) in enumerate(changes):
                now += wait * 86_400
                start = datetime.datetime.fromtimestamp(now, datetime.UTC).date()
                start -= datetime.timedelta(days=ago)
                loss = policy(
                    loss={"period_start": start, "period_months": months, "lifetime": 100}
                ).loss
                with contextlib.suppress(BudgetExhausted):
                    debit(ledger, number, f"0.{tenths}", now, loss)
            debits = ledger.debits()
            assert debits[0].rho.nano > 0
            for first, end in {entry.period for entry in debits}:
                within = [entry.rho.nano for entry in debits if first <= entry.at < end]
                assert sum(within) <= LOSS.per_period.nano


def lost(number: int, rho: str = "0.4", at: int = NOON) -> Receipt:
    """The receipt of a release whose ledger entry is not here."""
    return Receipt(
        f"{number:032x}", TRAFFORD, b"a" * 32, at, b"d" * 32, Rho.of(rho), b"lost entry".ljust(32)
    )


def recover(ledger: Ledger, receipt: Receipt, at: int = NOON) -> Rho:
    return ledger.recover(receipt, LOSS, RELEASE_POLICY, at)


def test_a_recovered_loss_counts_once_now_and_whatever_the_caps(half: PrivacyHalf) -> None:
    debit(half.ledger, 1, "0.9")
    long_ago = lost(2, at=NOON - 3 * YEAR)
    assert recover(half.ledger, long_ago) == Rho.of("0.4")
    assert recover(half.ledger, long_ago) == Rho.of("0")
    balance = half.ledger.balance(LOSS, NOON)
    assert balance.spent == balance.lifetime == Rho.of("1.3")
    assert balance.remaining == Rho.of("0")
    assert [entry.recovered for entry in half.ledger.debits()] == [False, True]
    half.ledger.verify()


def test_receipts_of_absurd_losses_leave_nothing_and_break_nothing(half: PrivacyHalf) -> None:
    for number in (1, 2):
        recover(half.ledger, dataclasses.replace(lost(number), loss=Rho(2**63 - 1)))
    assert half.ledger.balance(LOSS, NOON).remaining == Rho(0)
    with pytest.raises(BudgetExhausted):
        debit(half.ledger, 3)


def test_a_recovered_round_is_never_debited_again(half: PrivacyHalf) -> None:
    recover(half.ledger, lost(1, "0.1"))
    with pytest.raises(Problem) as caught:
        debit(half.ledger, 1)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert half.ledger.balance(LOSS, NOON).spent == Rho.of("0.1")


def test_what_is_in_the_ledger_already_is_not_counted_twice(half: PrivacyHalf) -> None:
    paid = debit(half.ledger, 1)
    known = dataclasses.replace(lost(1, "0.1"), ledger_entry=paid.entry)
    refusal = dataclasses.replace(lost(2), loss=Rho(0), ledger_entry=None)
    for receipt in (known, refusal):
        assert recover(half.ledger, receipt) == Rho.of("0")
    assert half.ledger.balance(LOSS, NOON).spent == Rho.of("0.1")
    assert len(half.ledger.debits()) == 1
    assert len(half.ledger.recovered()) == 2


def test_nothing_is_recovered_by_a_clock_that_went_back(half: PrivacyHalf) -> None:
    debit(half.ledger, 1)
    with pytest.raises(Problem, match="clock"):
        recover(half.ledger, lost(2), NOON - 1)
    recover(half.ledger, lost(2))
    with pytest.raises(Problem, match="clock"):
        debit(half.ledger, 3, at=NOON - 1)


def test_a_head_noted_earlier_is_found_unless_entries_are_missing(tmp_path: Path) -> None:
    path, backup = tmp_path / "state.sqlite", tmp_path / "backup.sqlite"
    with StateDatabase(path, create=True) as state:
        heads = [Ledger(state).head()]
        for number in (1, 2, 3):
            debit(Ledger(state), number)
            heads.append(Ledger(state).head())
            if number == 2:
                with contextlib.closing(sqlite3.connect(backup)) as copy:
                    state.reader.backup(copy)
        assert [head.length for head in heads] == [0, 1, 2, 3]
        for head in heads:
            assert Head.parse(str(head)) == head
            Ledger(state).require(head)
    with StateDatabase(backup) as state:
        ledger = Ledger(state)
        for head in heads[:3]:
            ledger.require(head)
        debit(ledger, 4)  # another third entry, so that the length alone tells nothing
        for head in (heads[3], Head(3, b"x" * 32), Head(9, heads[1].digest)):
            with pytest.raises(Problem) as caught:
                ledger.require(head)
            assert caught.value.exit_code is ExitCode.VERIFICATION


def test_ten_processes_cannot_spend_the_same_budget(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    StateDatabase(path, create=True).close()

    def spend(number: int) -> bool:
        with StateDatabase(path) as state:
            try:
                debit(Ledger(state), number, "0.3")
            except BudgetExhausted:
                return False
            return True

    with ThreadPoolExecutor(10) as pool:
        granted = sum(pool.map(spend, range(10)))
    assert granted == 3


def accept_clock(half: PrivacyHalf, at: int) -> None:
    body = ledger_clock.decision(half.ledger.head(), current_operator(), "the clock was fast")
    with half.state.transaction() as connection:
        half.state.chain("audit").append(connection, at, body)


def test_an_entry_of_a_clock_that_was_fast_says_when_it_ends(half: PrivacyHalf) -> None:
    debit(half.ledger, 1, at=NOON + 86_400)
    with pytest.raises(Problem) as caught:
        debit(half.ledger, 2)
    ends = to_text(NOON + 86_400)
    assert ends in caught.value.problem
    assert f"from {ends} on" in caught.value.remedy
    assert "accept-clock" in caught.value.remedy
    debit(half.ledger, 2, at=NOON + 86_400)


def test_a_person_may_decide_that_the_clock_is_right_now(half: PrivacyHalf) -> None:
    debit(half.ledger, 1, at=NOON + 86_400)
    accept_clock(half, NOON)
    with pytest.raises(Problem, match="clock"):
        debit(half.ledger, 2, at=NOON - 1)  # behind the decision
    debit(half.ledger, 2, at=NOON + 60)
    with pytest.raises(Problem, match="clock"):
        debit(half.ledger, 3, at=NOON + 59)
    assert half.ledger.balance(LOSS, NOON + 60).spent == Rho.of("0.2"), "both are spent"
    debit(half.ledger, 3, at=NOON + 2 * 86_400)
    with pytest.raises(Problem, match="clock"):
        debit(half.ledger, 4, at=NOON + 86_400)  # later entries are not excused


def test_a_decision_about_another_ledger_excuses_nothing(half: PrivacyHalf) -> None:
    accept_clock(half, NOON)  # of a ledger that was empty
    debit(half.ledger, 1, at=NOON + 86_400)
    other = ledger_clock.decision(Head(1, b"x" * 32), current_operator(), "another ledger")
    with half.state.transaction() as connection:
        half.state.chain("audit").append(connection, NOON, other)
    with pytest.raises(Problem, match="clock"):
        debit(half.ledger, 2)


def test_a_clock_that_went_back_stops(half: PrivacyHalf) -> None:
    debit(half.ledger, 1)
    with pytest.raises(Problem) as caught:
        debit(half.ledger, 2, at=NOON - 1)
    assert "clock" in caught.value.problem


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger SET at = 0", "DELETE FROM ledger", "UPDATE egress SET at = 0"],
)
def test_the_file_itself_refuses_changes(half: PrivacyHalf, statement: str) -> None:
    debit(half.ledger, 1)
    with half.state.transaction() as connection:
        node_egress = "INSERT INTO egress VALUES (1, 1, '{}', x'00', x'01')"
        connection.execute(node_egress)
    with pytest.raises(sqlite3.IntegrityError), half.state.transaction() as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ledger SET body = replace(body, '100000000', '1') WHERE sequence = 2",
        "UPDATE ledger SET at = at + 1 WHERE sequence = 1",
        "DELETE FROM ledger WHERE sequence = 2",
        "UPDATE ledger SET previous = zeroblob(32) WHERE sequence = 3",
    ],
)
def test_a_change_by_other_means_is_found(half: PrivacyHalf, tampering: str) -> None:
    for number in (1, 2, 3):
        debit(half.ledger, number)
    assert half.ledger.verify().length == 3
    with half.state.transaction() as connection:
        connection.execute("DROP TRIGGER ledger_keeps")
        connection.execute("DROP TRIGGER ledger_stays")
        connection.execute(tampering)
    with pytest.raises(Problem) as caught:
        half.ledger.verify()
    assert caught.value.exit_code is ExitCode.VERIFICATION
    with pytest.raises(Problem):
        debit(half.ledger, 4)


def test_a_missing_or_damaged_state_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with pytest.raises(Problem) as caught:
        StateDatabase(path)
    assert "backup" in caught.value.remedy
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(Problem):
        StateDatabase(path)
    assert path.read_bytes().startswith(b"not a database")


@given(st.dates(datetime.date(2026, 1, 31), datetime.date(2040, 1, 1)), st.integers(1, 36))
def test_periods_cover_every_moment_once(day: datetime.date, months: int) -> None:
    loss = policy(loss={"period_start": datetime.date(2026, 1, 31), "period_months": months}).loss
    moment = int(datetime.datetime.combine(day, datetime.time(13), datetime.UTC).timestamp())
    start, end = loss.period_of(moment)
    assert start <= moment < end
    assert loss.period_of(start) == loss.period_of(end - 1) == (start, end)
    assert loss.period_of(end)[0] == end


def test_before_the_first_period_nothing_is_spent(half: PrivacyHalf) -> None:
    with pytest.raises(Problem) as caught:
        debit(half.ledger, 1, at=NOON - 400 * 86_400)
    assert caught.value.exit_code is ExitCode.REFUSED


def test_a_state_file_that_was_emptied_is_not_a_fresh_ledger(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    StateDatabase(path, create=True).close()
    path.write_bytes(b"")
    with pytest.raises(Problem) as caught:
        StateDatabase(path)
    assert "backup" in caught.value.remedy
