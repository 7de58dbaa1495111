"""The promise in plain English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from folkmoot.privacy import Rho, epsilon_at
from folkmoot_coordinator.publication.privacy_statement import privacy_statement

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office


def test_the_statement_carries_the_numbers_of_the_round(office: Office) -> None:
    round_ = office.open().round_
    text = privacy_statement(round_, releases=7)
    assert "rho = 0.5." in text
    assert f"epsilon = {epsilon_at(round_.loss, round_.delta):.3f} at delta = 1e-06" in text
    assert "7 councils released" in text
    assert "right at most 75 times in 100" in text  # (1 + sqrt(0.5 / 2)) / 2


def test_the_statement_says_who_is_covered_by_what(office: Office) -> None:
    """Group privacy: twice the households, four times the loss; councils: maximum, not sum."""
    round_ = office.open().round_
    text = privacy_statement(round_, releases=2)
    assert "rho = 2.0 for 2 households" in text or "rho = 2 for 2 households" in text
    assert f"epsilon = {epsilon_at(Rho.of(2), round_.delta):.3f}" in text
    assert "the largest of the councils' losses, not their sum" in text
    assert "moves between councils within the accounting period is covered by the sum" in text


def test_what_councils_publish_besides_is_not_covered(office: Office) -> None:
    text = privacy_statement(office.open().round_, releases=2)
    assert "such as a back-test of its policy or a policy fitted to its records, is not cov" in text
    assert "Nor is what the points of such a policy tell of these records" in text


def test_one_release_is_in_the_singular(office: Office) -> None:
    assert "1 council released" in privacy_statement(office.open().round_, releases=1)
