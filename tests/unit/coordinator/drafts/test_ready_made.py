"""Ready-made questions: files that `round plan` takes, and forms with the same question."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.workload import Marginal
from folkmoot_coordinator.drafts.offer import Offer, OfferedAttribute, offered_attributes
from folkmoot_coordinator.drafts.ready_made import (
    Template,
    equality_question,
    outcomes_question,
    possible_outcomes,
    protected_groups,
)
from folkmoot_coordinator.publication.outcome_round import offered_groups, offered_outcomes
from folkmoot_coordinator.rounds.question import read_question
from folkmoot_coordinator.rounds.round_making import make_round
from folkmoot_operator.problems import ExitCode, Problem
from tests.commands import Done, run_inside
from tests.enrolled import enrol
from tests.viewer_region import (
    BOLTON,
    BURY,
    TRAFFORD,
    ViewerRegion,
    policy_digest,
    viewer_region,
)
from tests.viewer_visits import Visit, fields_of, plain, viewer_site

OFFERED = {
    "band": ("none", "low", "high"),
    "sex": ("female", "male", "unknown"),
    "age_band": ("under_65", "65_and_over"),
    "tenure": ("owner", "social", "private"),
    "need_found": ("no", "yes", "unknown"),
    "lsoa": (),
}


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    """Trafford does not know ages."""
    with viewer_region(tmp_path_factory.mktemp("ready"), with_boundaries=False) as made:
        import time

        made.clock.now = int(time.time())
        for council in (BOLTON, BURY):
            enrol(made, council, OFFERED)
        enrol(made, TRAFFORD, {k: v for k, v in OFFERED.items() if k != "age_band"})
        yield made


@pytest.fixture(scope="module")
def offer(region: ViewerRegion) -> Offer:
    return offered_attributes(region.database, region.clock())


@pytest.fixture(scope="module")
def ana(region: ViewerRegion) -> Iterator[Visit]:
    with viewer_site(region) as site:
        yield site.visit("ana", ["analyst"])


def run(region: ViewerRegion, *words: object) -> Done:
    return run_inside("folkmoot-coordinator", "round", *words, "--home", region.home.path)


def test_groups_and_outcomes_are_found_by_name_and_codes(offer: Offer) -> None:
    assert protected_groups(offer) == ("age_band", "sex")
    assert possible_outcomes(offer) == ("need_found",)


@pytest.mark.parametrize(
    ("name", "is_protected"),
    [
        ("age", True),
        ("head_age_band", True),
        ("aged_65", True),
        ("ethnic_group", True),
        ("nationality", True),
        ("marital_status", True),
        ("agency", False),
        ("agent_found", False),
        ("racecourse_nearby", False),
        ("damage", False),
    ],
)
def test_a_name_says_that_it_is_about_a_protected_characteristic(
    name: str, is_protected: bool
) -> None:
    one = OfferedAttribute(name, {"a": (BOLTON,), "b": (BOLTON,)}, (BOLTON,))
    assert bool(protected_groups(Offer({name: one}, {}, (), {}))) is is_protected


@pytest.mark.parametrize("template", list(Template))
def test_the_file_can_be_planned_and_its_answer_read(
    region: ViewerRegion, tmp_path: Path, template: Template
) -> None:
    policy, out = tmp_path / "risk \N{HOUSE BUILDING}.toml", tmp_path / "round.toml"
    policy.write_bytes(b'name = "P"\n')
    said = run(region, "template", template, "--by", "sex", "--policy", policy, "--out", out).said()
    assert "round plan" in said
    round_ = make_round(read_question(out), (), region.clock()).round_
    assert round_.councils == (BOLTON, BURY, TRAFFORD)
    assert round_.purpose == "winter_support"
    facts = json.loads(run(region, "plan", out, "--households", 300_000, "--json").said())
    assert not [one for one in facts["doubts"] if "does not offer" in one]
    assert "sex" in offered_groups(round_)
    commands = re.findall(r"#   folkmoot-coordinator (.*)", out.read_text())
    if template is Template.EQUALITY:
        assert commands == ["equality latest --by sex"]
        assert round_.workload.marginals == (Marginal(("sex", "band")),)
    else:
        assert commands == ["validate latest --outcome need_found --by sex"]
        [outcome] = offered_outcomes(round_)
        assert (outcome.name, outcome.groups) == ("need_found", ("sex",))
        assert round_.workload.attribute("need_found").codes == ("no", "yes")
        assert offered_groups(round_)[-1] == "need_found", "an event is no group to begin with"


def test_a_file_is_written_whole_and_through_no_link(region: ViewerRegion, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "round.toml", tmp_path / "elsewhere.toml"
    words = ("template", "equality", "--by", "sex", "--out", out)
    out.write_text("before\n" * 1_000)
    run(region, *words).said()
    assert "before" not in out.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["round.toml"]
    elsewhere.write_text("precious\n")
    out.unlink()
    out.symlink_to(elsewhere)
    assert "is a link" in run(region, *words).said(ExitCode.USAGE)
    assert elsewhere.read_text() == "precious\n"


def test_councils_that_lack_an_attribute_are_not_asked_and_named(region: ViewerRegion) -> None:
    text = run(region, "template", "equality", "--policy", "p.toml").said()
    assert f"Not asked, because they do not offer all of it: {TRAFFORD}" in text
    assert f'councils = ["{BOLTON}", "{BURY}"]' in text


def test_factors_are_asked_in_pairs_for_weights(offer: Offer) -> None:
    found = outcomes_question(offer, "need_found", ["sex"], ["tenure", "age_band"])
    assert list(found.marginals) == [
        ("band", "need_found"),
        ("sex", "band", "need_found"),
        ("tenure", "need_found"),
        ("age_band", "need_found"),
        ("tenure", "age_band"),
    ]
    assert (
        "weights latest --outcome need_found --factor tenure --factor age_band" in found.reads[-1]
    )


def test_what_is_not_on_offer_is_named(offer: Offer) -> None:
    with pytest.raises(Problem, match="'sexx' is no attribute") as refused:
        equality_question(offer, ["sexx"])
    assert "Did you mean 'sex'?" in str(refused.value.remedy)
    with pytest.raises(Problem, match="does not have the codes"):
        outcomes_question(offer, "tenure")
    with pytest.raises(Problem, match="in the question already"):
        outcomes_question(offer, "need_found", ["need_found"])
    for make in (equality_question, outcomes_question):
        with pytest.raises(Problem, match="no council has said yet") as refused:
            make(Offer({}, {}, (), {}))
        assert refused.value.exit_code is ExitCode.REFUSED


def test_the_site_offers_them_and_fills_in_the_form(
    region: ViewerRegion, ana: Visit, offer: Offer
) -> None:
    page = ana.get("/ask")
    links = re.findall(r'href="(/ask\?template=[^"]+)"', page)
    assert len(links) == 2
    for link, made in zip(links, (equality_question(offer), outcomes_question(offer)), strict=True):
        filled = ana.get(link.replace("&amp;", "&"))
        fields = fields_of(filled, "/ask")
        assert fields["title"] == [made.title]
        assert set(fields["councils"]) == set(made.councils)
        tables = [set(fields.get(f"table_{n}", ())) for n in range(1, 13)]
        assert [one for one in tables if one] == list(map(set, made.marginals))
        for name, codes in made.attributes.items():
            assert fields[f"codes_{name}"] == list(codes)
        sent = fields | {"other_policy": policy_digest().hex(), "action": "show"}
        shown = plain(ana.send("/ask", "/ask", sent, 200).text)  # type: ignore[arg-type]
        assert "What to expect" in shown
    ana.get("/ask?template=zebra", expect=404)
    assert "cannot be asked yet" in ana.get("/ask?template=outcomes&outcome=tenure", expect=404)
