"""A head in a witness's folder counts for the moment that it was signed at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from folkmoot.privacy import Rho
from folkmoot_node.answering.witnesses import newest_head
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.ledger import Ledger
from folkmoot_node.evidence.witnessed_head import WitnessedHead
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.privacy_half import NOON, RELEASE_POLICY, TRAFFORD, policy


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """A share with heads of one second: after 9, 10 and 11 debits."""
    share, keys = tmp_path / "share", tmp_path / "keys"
    share.mkdir()
    keys.mkdir(mode=0o700)
    with StateDatabase(tmp_path / "state.sqlite", create=True) as state:
        for number in range(11):
            rho, loss = Rho.of("0.001"), policy().loss
            Ledger(state).debit(f"{number:032x}", b"d" * 32, rho, loss, RELEASE_POLICY, NOON)
            if number >= 8:
                head = WitnessedHead.sign(state, TRAFFORD, NOON, keys)
                stamp = head.at.replace(":", "")
                (share / f"{TRAFFORD}-{stamp}-{number + 1}.head").write_text(str(head))
    return share


def test_the_newest_is_the_one_with_most_entries(share: Path) -> None:
    head = newest_head(share, TRAFFORD)
    assert head is not None
    assert head.ledger.length == 11


def test_an_old_head_that_somebody_has_put_above_the_newest_is_refused(share: Path) -> None:
    old = next(share.glob("*-9.head"))
    shutil.copy(old, share / f"{TRAFFORD}-9999-01-01T000000Z-9.head")
    with pytest.raises(Problem, match="under another name") as refused:
        newest_head(share, TRAFFORD)
    assert refused.value.exit_code is ExitCode.VERIFICATION
