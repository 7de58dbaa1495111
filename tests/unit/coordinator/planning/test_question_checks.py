"""What will not be answered is told before it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from folkmoot.catalogue import Catalogue
from folkmoot.privacy import Rho
from folkmoot.rounds import Mechanism
from folkmoot.series import Series, SeriesEvent
from folkmoot_coordinator import cli
from folkmoot_coordinator.planning.question_checks import doubts_of_catalogues, doubts_of_policy
from tests.unit.coordinator.conftest import BOLTON, BURY, TRAFFORD, small_round

ROUND = small_round()  # rho 0.5, band and lsoa
GAUSSIAN = frozenset({Mechanism.DISCRETE_GAUSSIAN})
BOTH = (BOLTON, BURY)
ATTRIBUTES = {"band": ("low", "high"), "lsoa": ()}
POLICY = """\
purpose = "winter_support"
sunset = 2099-01-01
[[bands]]
name = "low"
[[bands]]
name = "high"
[attributes.lsoa]
field = "lsoa"
"""


def catalogues(councils: Iterable[str] = BOTH, **changes: object) -> dict[str, Catalogue]:
    known = {
        council: Catalogue(
            council,
            ATTRIBUTES,
            frozenset({"winter_support"}),
            GAUSSIAN,
            per_round=Rho.of("1"),
            per_period=Rho.of("2"),
            lifetime=Rho.of("4"),
            sunset=date(2099, 1, 1),
        )
        for council in BOTH
    }
    return {
        council: replace(one, **changes) if council in councils else one
        for council, one in known.items()
    }


def test_what_every_council_offers_is_not_doubted() -> None:
    assert doubts_of_catalogues(ROUND, catalogues(mechanisms=GAUSSIAN)) == ()
    assert doubts_of_catalogues(ROUND, {}) == ()
    other = {TRAFFORD: replace(catalogues()[BURY], council=TRAFFORD, purposes=frozenset({"other"}))}
    assert doubts_of_catalogues(ROUND, catalogues() | other) == (), "it is not invited"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"purposes": frozenset({"winter_suport"})}, "Did you mean winter_suport?"),
        ({"purposes": frozenset({"winter_suport"})}, "the purpose winter_support, so would"),
        ({"per_round": Rho.of("0.4")}, "a round of rho 0.5, so would refuse"),
        ({"attributes": {"band": ("low", "high")}}, "the attribute lsoa"),
        ({"attributes": {"band": ("low", "hi"), "lsoa": ()}}, "the code high of band"),
        ({"mechanisms": frozenset({Mechanism.DISCRETE_LAPLACE})}, "mechanism discrete_gaussian"),
    ],
)
def test_what_councils_do_not_offer_is_named(changes: dict[str, object], says: str) -> None:
    [nobody] = doubts_of_catalogues(ROUND, catalogues(**changes))
    assert nobody.startswith("Nobody whose catalogue is known")
    assert says in nobody
    [one] = doubts_of_catalogues(ROUND, catalogues([BURY], **changes))
    assert one.startswith("E08000002 does not")
    assert BOLTON not in one


def test_a_series_is_held_against_its_own_cap() -> None:
    series = Series("5" * 32, 1, 4, SeriesEvent("band", ("high",)), ROUND.deadline + 10**7)
    asked = replace(ROUND, series=series)
    [none] = doubts_of_catalogues(asked, catalogues())
    assert "None allows any series" in none
    [low] = doubts_of_catalogues(asked, catalogues(per_series=Rho.of("0.3")))
    assert "a series of rho 0.5" in low
    assert "The highest cap is rho 0.3" in low
    assert doubts_of_catalogues(asked, catalogues(per_series=Rho.of("0.5"))) == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("winter_support", "summer", "is for the purpose summer, the round for winter_support"),
        (
            "2099-01-01",
            "2027-01-14",
            "ends on 2027-01-14, and answers may be",
        ),
        ('name = "high"', 'name = "hih"', "has no band high, so nobody answers. Did you mean hih?"),
        ("attributes.lsoa", "attributes.lsoas", "Did you mean lsoas? It defines band, lsoas"),
        ("purpose =", "purpose", "is not a policy"),
    ],
)
def test_the_policy_file_alone_says_something(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    file = tmp_path / "risk-policy.toml"
    file.write_text(POLICY)
    assert doubts_of_policy(ROUND, file.read_bytes(), file.name) == ()
    assert old in POLICY
    file.write_text(POLICY.replace(old, new))
    [found] = doubts_of_policy(ROUND, file.read_bytes(), file.name)
    assert says in found


def test_a_policy_of_another_kind_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "risk-policy.toml"
    file.write_text("schema = 7\nbands = 3\nattributes = 'x'\nsunset = 'never'\n")
    assert doubts_of_policy(ROUND, file.read_bytes(), file.name) == ()


def winter(folder: Path, within: str) -> Path:
    (folder / "risk-policy.toml").write_text(POLICY)
    (folder / "lsoas.csv").write_text("council,area,within\nE08000001,L1,W1\nE08000001,L2,W1\n")
    (folder / "wards.csv").write_text("council,area,name\nE08000001,W1,Astley\n")
    file = folder / "winter.toml"
    file.write_text(
        f"""purpose = "winter_support"
policy = "risk-policy.toml"
councils = ["E08000001"]
minimum_councils = 1
rho = 0.2
delta = 1e-6
deadline_hours = 24
[[attributes]]
name = "ward"
areas = "wards.csv"
[[attributes]]
name = "lsoa"
areas = "lsoas.csv"
{within}
[[marginals]]
attributes = ["lsoa"]
"""
    )
    return file


def test_within_that_was_forgotten_is_told_at_round_plan(tmp_path: Path) -> None:
    def said(within: str, *more: str) -> str:
        words = ["round", "plan", str(winter(tmp_path, within)), *more]
        done = CliRunner().invoke(cli.app, words)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    text = " ".join(said("").split())
    assert "councils are asked: - lsoas.csv has a column `within`, which is not used" in text
    assert "To check before" not in said('within = "ward"')
    assert len(json.loads(said("", "--json"))["doubts"]) == 1
    assert json.loads(said('within = "ward"', "--json"))["doubts"] == []
