"""An amended policy and a running series: the same rules go on, and others are told of first."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from monthly import FIRST, answer, in_series, learn, permit, read, score_with
from region import RISK_POLICY
from stage import Stage

from folkmoot.counting_rules import counting_digest
from folkmoot.refusal import RefusalReason
from folkmoot.rounds import Round
from folkmoot_node.answering.answer import answer_round
from folkmoot_node.home import NodeHome, open_home
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import Done, run_inside

ONE_MORE = RISK_POLICY + '\n[attributes.owing]\nfield = "council_tax_arrears"\nbreaks = [500]\n'
HARMLESS = {
    "an attribute more": ONE_MORE,
    "another retention": RISK_POLICY + "\n[retention]\nscores_days = 60\n",
    "another owner and action": RISK_POLICY.replace("A tester", "B").replace("Telephone", "Visit"),
    "numbers and tables written otherwise": RISK_POLICY.replace("= 100", "= 1_00.0") + "\n# end\n",
}
HARMFUL = {
    "another weight": RISK_POLICY.replace("weight = 100", "weight = 90"),
    "another threshold": RISK_POLICY.replace("from = 40", "from = 39.5"),
    "another band": RISK_POLICY.replace('name = "none"', 'name = "low"'),
    "its own attribute redefined": RISK_POLICY.replace("[attributes.lsoa]", "[attributes.area]"),
}


def by_rules(position: int, policy: str = RISK_POLICY) -> Round:
    """A round of a series that names the rules by which it counts."""
    round_ = in_series(position)
    assert round_.series is not None
    digest = counting_digest(policy, round_.names_counted)
    return replace(round_, series=replace(round_.series, counting_digest=digest))


@pytest.fixture
def node(stage: Stage) -> Iterator[NodeHome]:
    permit(stage.home)
    with open_home(stage.home) as home:
        read(answer(stage, home, by_rules(1)))
        yield home


def amend(home: Path, policy: str) -> None:
    (home / "risk-policy.toml").write_text(policy)


def command(stage: Stage, *arguments: str) -> Done:
    return run_inside("folkmoot-node", *arguments, "--home", stage.home)


def sign_again(stage: Stage, *arguments: str) -> Done:
    return command(stage, "policy", "sign", "--signer", "A. Khan", *arguments)


@pytest.mark.parametrize("policy", HARMLESS.values(), ids=HARMLESS)
def test_a_series_goes_on_under_a_policy_that_counts_by_the_same_rules(
    stage: Stage, node: NodeHome, policy: str
) -> None:
    amend(stage.home, policy)
    assert "leaves" not in sign_again(stage).said(None)
    score_with(stage.home, FIRST)
    read(answer(stage, node, by_rules(2)))


@pytest.mark.parametrize("policy", HARMFUL.values(), ids=HARMFUL)
def test_a_change_of_its_rules_ends_a_series_and_is_told_at_signing(
    stage: Stage, node: NodeHome, policy: str
) -> None:
    amend(stage.home, policy)
    signature = (stage.home / "release-policy.toml.sig").read_bytes()
    told = sign_again(stage)
    assert told.code == ExitCode.USAGE
    assert "leaves series 555555555555 (Test), after round 1 of 3" in told.stderr
    assert "--yes" in told.stderr
    assert (stage.home / "release-policy.toml.sig").read_bytes() == signature
    signed = sign_again(stage, "--yes")
    assert (signed.code, "leaves series" in signed.stderr) == (0, True)
    assert (stage.home / "release-policy.toml.sig").read_bytes() != signature


def test_scores_by_other_rules_are_not_released_to_a_series(stage: Stage, node: NodeHome) -> None:
    amend(stage.home, HARMFUL["another weight"])
    score_with(stage.home, FIRST)
    assert answer(stage, node, by_rules(2)).reason is RefusalReason.POLICY_DIGEST


def test_a_series_that_names_a_file_still_compares_the_file(stage: Stage, node: NodeHome) -> None:
    other = in_series(2, round_id="9" * 32)
    assert other.series is not None
    other = replace(other, series=replace(other.series, series_id="6" * 32))
    learn(stage, node, other)
    amend(stage.home, ONE_MORE)
    score_with(stage.home, FIRST)
    found = answer_round(node, node.round_book().resolve(other.round_id))
    assert found is not None
    assert found.reason is RefusalReason.POLICY_DIGEST


def test_a_series_waits_for_scores_by_a_policy_with_its_rules(stage: Stage, node: NodeHome) -> None:
    amend(stage.home, HARMFUL["another weight"])
    score_with(stage.home, FIRST)
    amend(stage.home, ONE_MORE)
    with pytest.raises(Problem, match="by another policy"):
        answer(stage, node, by_rules(2))
    score_with(stage.home, FIRST)
    read(answer(stage, node, by_rules(2)))


def test_a_series_cannot_change_the_rules_by_which_it_counts(stage: Stage, node: NodeHome) -> None:
    changed = by_rules(2, HARMFUL["another weight"])
    assert answer(stage, node, changed).reason is RefusalReason.ROUND_INVALID


@pytest.mark.parametrize(
    "key, value, said",
    [
        ("purposes", '["flooding"]', "purpose 'winter_support'"),
        ("attributes", '["band"]', "attribute 'lsoa'"),
        ("per_series", "499", "at most 499"),
        ("per_series", None, "no loss.per_series"),
        ("maximum_cells", "1", "cells"),
        ("maximum_delta", "1e-9", "delta"),
        ("sunset", "SOON", "end on SOON"),
        ("period_start", "2099-01-01", "begins on 2099-01-01"),
    ],
)
def test_what_a_release_policy_ends_is_told_at_signing(
    stage: Stage, node: NodeHome, key: str, value: str | None, said: str
) -> None:
    soon = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=30)
    policy = stage.home / "release-policy.toml"
    lines = [line for line in policy.read_text().splitlines() if not line.startswith(f"{key} =")]
    if value is not None:
        at = lines.index("[loss]") + (1 if key.startswith("per") else 0)
        lines.insert(at, f"{key} = {value}".replace("SOON", str(soon)))
    policy.write_text("\n".join(lines) + "\n")
    told = sign_again(stage)
    assert told.code == ExitCode.USAGE, told
    assert said.replace("SOON", str(soon)) in told.stderr


def test_nothing_is_asked_where_no_series_runs(stage: Stage) -> None:
    permit(stage.home)
    amend(stage.home, HARMFUL["another weight"])
    assert sign_again(stage).said()


def test_a_node_of_no_region_and_with_a_broken_policy_is_signed_for(stage: Stage) -> None:
    amend(stage.home, "not a policy")
    assert sign_again(stage).said()
    for path in (stage.home / "keys").glob("node*"):
        path.unlink()
    assert sign_again(stage).said()


def test_score_tells_of_a_series_that_a_changed_policy_ends(stage: Stage, node: NodeHome) -> None:
    amend(stage.home, HARMFUL["another weight"])
    tried = command(stage, "score", "--try")
    assert tried.code == 0
    assert "leaves series 555555555555" in tried.stderr
    amend(stage.home, ONE_MORE)
    assert "leaves series" not in command(stage, "score", "--try").stderr
