"""ROUND.toml."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from folkmoot.counting_rules import counting_digest
from folkmoot.geography import GssCode
from folkmoot.privacy import Epsilon, Rho
from folkmoot.rounds import Mechanism, Round
from folkmoot_coordinator.clock import HOUR
from folkmoot_coordinator.rounds.question import read_question
from folkmoot_coordinator.rounds.round_making import make_round
from folkmoot_operator.problems import ExitCode, Problem

NOW = 1_800_000_000
ENROLLED = [GssCode("E08000002"), GssCode("E08000001")]
TEXT = """\
title = "Winter support, December"
purpose = "winter_support"
policy = "risk-policy.toml"
councils = ["E08000001", "E08000002"]
minimum_councils = 2
rho = 0.2
delta = 1e-6
deadline_hours = 24
[[attributes]]
name = "band"
codes = ["none", "low", "medium", "high"]
[[attributes]]
name = "lsoa"
areas = "areas.csv"
[[marginals]]
attributes = ["band", "lsoa"]
weight = 2
[[marginals]]
attributes = ["band"]
"""
AREAS = "council,area\nE08000001,E01000002\nE08000002,E01000003\nE08000001,E01000001\n"
POLICY = b"schema = 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "risk-policy.toml").write_bytes(POLICY)
    (tmp_path / "areas.csv").write_text(AREAS)
    return tmp_path


def read(folder: Path, text: str = TEXT) -> Round:
    path = folder / "round.toml"
    path.write_text(text)
    return make_round(read_question(path), ENROLLED, NOW).round_


def problem(folder: Path, text: str = TEXT) -> Problem:
    with pytest.raises(Problem) as caught:
        read(folder, text)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert caught.value.remedy
    return caught.value


def test_the_file_becomes_a_round(folder: Path) -> None:
    round_ = read(folder)
    assert round_.councils == ("E08000001", "E08000002")
    assert round_.loss == Rho.of("0.2")
    assert round_.delta.pico == 10**6
    assert round_.policy_digest == hashlib.sha256(POLICY).digest()
    assert (round_.opened_at, round_.deadline) == (NOW, NOW + 24 * HOUR)
    assert round_.workload.attribute("lsoa").by_council == {
        "E08000001": ("E01000002", "E01000001"),
        "E08000002": ("E01000003",),
    }
    assert [marginal.weight for marginal in round_.workload.marginals] == [2, 1]
    assert read(folder).round_id != round_.round_id


def test_all_means_those_enrolled(folder: Path) -> None:
    text = TEXT.replace('["E08000001", "E08000002"]', '"all"')
    assert read(folder, text).councils == ("E08000001", "E08000002")
    path = folder / "round.toml"
    with pytest.raises(Problem, match="no council has enrolled"):
        make_round(read_question(path), [], NOW)


def test_areas_of_councils_not_invited_are_passed_over(folder: Path) -> None:
    (folder / "areas.csv").write_text(AREAS + "E08000009,E01000009\n\n")
    assert "E08000009" not in read(folder).workload.attribute("lsoa").by_council


def test_pure_differential_privacy_is_asked_for_by_epsilon(folder: Path) -> None:
    pure = 'mechanism = "discrete_laplace"\nepsilon = 0.5'
    round_ = read(folder, TEXT.replace("rho = 0.2", pure))
    assert round_.mechanism is Mechanism.DISCRETE_LAPLACE
    assert (round_.epsilon, round_.loss) == (Epsilon.of("0.5"), Rho.of("0.125"))
    for wrong in ("epsilon = 0.5", 'mechanism = "discrete_laplace"', f"{pure}\nrho = 0.125"):
        with pytest.raises(Problem, match="epsilon with the discrete Laplace"):
            read(folder, TEXT.replace("rho = 0.2", wrong))


def test_areas_may_lie_in_larger_ones(folder: Path) -> None:
    text = TEXT.replace(
        'name = "lsoa"',
        'name = "ward"\nareas = "wards.csv"\n[[attributes]]\nname = "lsoa"\nwithin = "ward"',
    )
    (folder / "wards.csv").write_text("council,area\nE08000001,W1\nE08000002,W2\n")
    (folder / "areas.csv").write_text(
        "council,area,within\nE08000001,E01000002,W1\nE08000001,E01000001,W1\nE08000002,E01000003,W2\n"
    )
    lsoa = read(folder, text).workload.attribute("lsoa")
    assert lsoa.others
    assert lsoa.within == "ward"
    assert dict(lsoa.parents) == {"E01000001": "W1", "E01000002": "W1", "E01000003": "W2"}
    (folder / "areas.csv").write_text(
        "council,area,within\nE08000001,E01000002,W2\nE08000002,E01000003,W2\n"
    )
    with pytest.raises(Problem, match="code E01000002 lies in 'W2', which is not listed"):
        read(folder, text)
    (folder / "areas.csv").write_text(AREAS)
    with pytest.raises(Problem, match="the header is not council,area,within"):
        read(folder, text)


@pytest.mark.parametrize(
    ("given", "deadline"),
    [
        ("deadline_minutes = 0.5", NOW + 30),
        ("deadline = 2030-01-01T00:00:00Z", 1_893_456_000),
        ("deadline = 2030-01-01T00:00:00+01:00", 1_893_452_400),
    ],
)
def test_ways_to_give_a_deadline(folder: Path, given: str, deadline: int) -> None:
    assert read(folder, TEXT.replace("deadline_hours = 24", given)).deadline == deadline


def test_a_policy_digest_may_stand_for_the_file(folder: Path) -> None:
    text = TEXT.replace('policy = "risk-policy.toml"', f'policy_digest = "{"ab" * 32}"')
    assert read(folder, text).policy_digest == b"\xab" * 32


@pytest.mark.parametrize(
    ("old", "new", "problem_says", "remedy_says"),
    [
        ('["band"]', '["bands"]', "attribute 'bands' is not declared", "Did you mean 'band'?"),
        ("purpose =", "purpos =", "did you mean 'purpose'?", ""),
        ("rho = 0.2", "rho = 0", "too small", ""),
        ("rho = 0.2", "rho = -1", "is not a privacy loss", ""),
        ("rho = 0.2", 'rho = "0.0000000001"', "is not a privacy loss", ""),
        ("delta = 1e-6", "delta = 1", "is not a delta", ""),
        ("delta = 1e-6", "delta = 1e-13", "is not a delta", ""),
        ("minimum_councils = 2", "minimum_councils = 3", "minimum_councils", "1 to 2"),
        ('"winter_support"', '"Winter support"', "is not an identifier", ""),
        ('"E08000002"]', '"Bury"]', "is not a GSS code", ""),
        ('"E08000002"]', '"E08000001"]', "round.councils: is empty, repeated", ""),
        ('"E08000002"]', '"E08000003"]', "has no area of E08000003", "do not invite"),
        ("deadline_hours = 24", "deadline_hours = 0", "deadline_hours", ""),
        ("deadline_hours = 24", "", "give one of deadline_hours", ""),
        ("deadline_hours = 24", "deadline = 2020-01-01T00:00:00Z", "not after the opening", ""),
        ('areas = "areas.csv"', 'areas = "absent.csv"', "cannot be read", "council,area"),
        ('areas = "areas.csv"', "", "give either codes or areas", ""),
        ('"risk-policy.toml"', '"absent.toml"', "policy cannot be read", "policy_digest"),
        ('policy = "risk-policy.toml"', "", "give either policy", ""),
        ("weight = 2", "weight = 0", "weight", "1 to 4294967295"),
        ("[[attributes]]\nname =", "[[attribute]]\nname =", "did you mean 'attributes'?", ""),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(
    folder: Path, old: str, new: str, problem_says: str, remedy_says: str
) -> None:
    assert old in TEXT
    found = problem(folder, TEXT.replace(old, new))
    assert problem_says in found.problem
    assert remedy_says in found.remedy


@pytest.mark.parametrize(
    ("areas", "where", "says"),
    [
        ("area,council\n", "areas.csv, line 1", "header"),
        ("council,area\nE08000001,a,b\n", "areas.csv, line 2", "3 fields"),
        ("council,area\nE08000001,a\nBolton,b\n", "areas.csv, line 3", "not a GSS code"),
        ("council,area\nE08000001,x y\nE08000002,z\n", "round.toml", "is not a code"),
        ("council,area\nE08000001,x\nE08000002,x\n", "round.toml", "belongs to two councils"),
        ("council,area\nE08000001,x\nE08000001,x\nE08000002,y\n", "round.toml", "repeated"),
    ],
)
def test_a_wrong_file_of_areas_is_named_with_its_line(
    folder: Path, areas: str, where: str, says: str
) -> None:
    (folder / "areas.csv").write_text(areas)
    found = problem(folder)
    assert found.where.endswith(where)
    assert says in found.problem


def test_a_file_of_areas_in_another_encoding_is_a_problem(folder: Path) -> None:
    (folder / "areas.csv").write_bytes("council,area\nE08000001,é".encode("utf-16"))
    assert "cannot be read" in problem(folder).problem


def test_names_and_editions_of_codes_are_kept_beside_the_round(folder: Path) -> None:
    """From the file of areas, and from the round's file, which goes first."""
    (folder / "areas.csv").write_text(
        "council,area,name\nE08000001,E01000001,Astley\nE08000001,E01000002,\n"
        "E08000002,E01000003,Tottington\nE08000009,E01000009,Elsewhere\n"
    )
    named = 'codes = ["none", "low", "medium", "high"]\nvintage = "2026"\n[attributes.names]\n'
    text = TEXT.replace(
        'codes = ["none", "low", "medium", "high"]\n', f'{named}high = "Telephone call"\n'
    ).replace(
        'areas = "areas.csv"\n',
        'areas = "areas.csv"\n[attributes.names]\n'
        'E01000001 = "Astley Bridge"\n"(other)" = "Abroad"\n',
    )
    path = folder / "round.toml"
    path.write_text(text)
    found = make_round(read_question(path), ENROLLED, NOW)
    assert found.code_names.names == {
        "band": {"high": "Telephone call"},
        "lsoa": {
            "E01000001": "Astley Bridge",
            "E01000003": "Tottington",
            "(other)": "Abroad",
        },
    }
    assert found.code_names.vintages == {"band": "2026"}
    assert found.round_.workload == read(folder).workload, "they are not in the question"
    path.write_text(text.replace("high = ", "hihg = "))
    with pytest.raises(Problem, match="'hihg', which is not one of its codes") as caught:
        make_round(read_question(path), ENROLLED, NOW)
    assert "Did you mean 'high'?" in caught.value.remedy


def test_within_that_is_not_used_is_doubted(folder: Path) -> None:
    rows = "\n".join(f"{line},W" for line in AREAS.splitlines()[1:])
    (folder / "areas.csv").write_text(f"council,area,within\n{rows}\n")
    path = folder / "round.toml"
    path.write_text(TEXT)
    [doubt] = make_round(read_question(path), ENROLLED, NOW).doubts
    assert "areas.csv has a column `within`, which is not used" in doubt
    (folder / "areas.csv").write_text(AREAS)
    assert make_round(read_question(path), ENROLLED, NOW).doubts == ()


SERIES = """\
[series]
rounds = 12
until = 2028-01-01
[series.event]
attribute = "band"
codes = ["high"]
"""
RULES = b"""\
[[factors]]
factor = "a"
weight = 10
[[bands]]
name = "none"
from = 0
[attributes.lsoa]
field = "lsoa"
"""


def test_a_series_names_the_rules_of_its_policy_file(folder: Path) -> None:
    policy = folder / "risk-policy.toml"
    policy.write_bytes(RULES)
    series = read(folder, TEXT + SERIES).series
    assert series is not None
    assert series.counting_digest == counting_digest(RULES.decode(), ("band", "lsoa"))
    policy.write_bytes(RULES + b"[attributes.age]\nfield = 'age'\n")
    again = read(folder, TEXT + SERIES).series
    assert again is not None
    assert again.counting_digest == series.counting_digest
    assert read(folder).series is None, "and a round by itself reads no policy"


def test_a_series_that_names_a_digest_compares_the_file(folder: Path) -> None:
    text = TEXT.replace('policy = "risk-policy.toml"', f'policy_digest = "{"ab" * 32}"')
    series = read(folder, text + SERIES).series
    assert series is not None
    assert series.counting_digest is None


def test_a_series_needs_a_policy_that_can_be_read(folder: Path) -> None:
    assert "is not a risk stratification policy" in problem(folder, TEXT + SERIES).problem
