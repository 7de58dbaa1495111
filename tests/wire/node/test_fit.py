"""A policy is fitted by the real command, from dated extracts, and then scores by it are tried."""

from __future__ import annotations

import hashlib
import json

import pytest

from folkmoot_node.home import open_home
from folkmoot_node.policies.risk_policy import load_policy
from tests.commands import run_inside
from tests.fitted_council import EFFECTS, EVALUATION, FIT, HOUSEHOLDS, POLICY, make_council


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_council(tmp_path_factory.mktemp("fit"))


def fit(home, *arguments, expect=0, file="fit.toml"):
    return run_inside("folkmoot-node", "fit", home / file, "--home", home, *arguments).said(expect)


def actions(home):
    with open_home(home) as node:
        assert not list(node.egress.departures())
        return [entry.body for entry in node.audit.entries() if "fit_sha256" in entry.body]


def test_a_policy_is_proposed_recorded_and_may_be_tried(home, tmp_path):
    out, page = tmp_path / "proposed.toml", tmp_path / "report.html"
    before = (home / "risk-policy.toml").read_bytes()
    said = fit(home, "--out", out, "--html", page)
    for words in ("council_tax_arrears", "reads a protected characteristic", "is not in force"):
        assert words in said
    assert "would be in another band" in page.read_text()
    for path in (out, page):
        assert path.stat().st_mode & 0o077 == 0, "both tell of residents"

    proposed = load_policy(out)
    weight = {entry.factor: entry.weight for entry in proposed.factors}
    assert weight.keys() == {"council_tax_arrears", "rent_arrears"}
    assert weight["council_tax_arrears"] > 1.5 * weight["rent_arrears"]
    assert "weight = 40" not in proposed.text
    assert "# as in 2019" in proposed.text
    assert (home / "risk-policy.toml").read_bytes() == before, "nothing is put into force"

    fitted, written = actions(home)[-2:]
    assert (fitted["action"], written["action"]) == ("policy fitted", "policy proposed")
    assert written["proposed_sha256"] == proposed.digest.hex()
    assert written["run"] == fitted["run"]
    assert written["run"] in proposed.text

    run_inside("folkmoot-node", "score", "--home", home, "--policy", out, "--try").said()


def test_the_same_seed_gives_the_same_and_json_has_what_the_text_has(home, tmp_path):
    first, second = (
        json.loads(fit(home, "--out", tmp_path / f"{at}.toml", "--json", "--seed", "7"))
        for at in range(2)
    )
    assert (first.pop("file"), second.pop("file")) == (
        str(tmp_path / "0.toml"),
        str(tmp_path / "1.toml"),
    )
    assert first == second
    assert (tmp_path / "0.toml").read_text() == first["text"]
    assert {one["factor"] for one in first["factors"]} == {*EFFECTS, "isolation"}
    assert sum(map(sum, first["moves"])) == first["households"] == HOUSEHOLDS
    assert len(first["judged"]) == 1


def test_protected_inputs_are_used_only_where_the_file_says_so(home, tmp_path):
    (home / "other.toml").write_text(FIT + 'protected_inputs = true\nkeep = ["isolation"]\n')
    found = json.loads(fit(home, "--out", tmp_path / "p.toml", "--json", file="other.toml"))
    assert found["protected"] == ["isolation"]


@pytest.mark.parametrize(
    "text,code,says",
    [
        ('leave_out = ["rent_arrear"]', 3, "rent_arrear"),
        ('keep = ["isolation"]', 3, "protected"),
        ('outcome = "evictions"', 3, "evictions"),
        ('[[recall]]\nfield = "ethnic_group"\ncapacity = 200\nleast = 1', 5, "no weights"),
        ('[[recall]]\nfield = "religion"\ncapacity = 200\nleast = 0.1', 3, "not held"),
    ],
)
def test_what_cannot_be_met_is_refused_and_nothing_is_written(home, tmp_path, text, code, says):
    (home / "other.toml").write_text(f"{FIT}{text}\n")
    said = fit(home, "--out", tmp_path / "p.toml", expect=code, file="other.toml")
    assert says in said
    assert "Remedy" in said
    assert not (tmp_path / "p.toml").exists()


def test_while_the_node_is_paused_nothing_is_fitted(home, tmp_path):
    run_inside("folkmoot-node", "pause", "--reason", "an incident", "--home", home).said()
    try:
        assert "resume" in fit(home, "--out", tmp_path / "proposed.toml", expect=5)
        assert not (tmp_path / "proposed.toml").exists()
    finally:
        run_inside("folkmoot-node", "resume", "--reason", "it is over", "--home", home).said()


def test_a_file_that_is_there_stays(home, tmp_path):
    out = tmp_path / "p.toml"
    out.write_text("mine")
    assert "is there already" in fit(home, "--out", out, expect=2)
    assert out.read_text() == "mine"


def test_the_page_does_not_take_the_place_of_the_policy(home, tmp_path):
    out = tmp_path / "p.toml"
    assert "--html" in fit(home, "--out", out, "--html", out, expect=2)
    assert not out.exists()


def test_dates_of_which_none_can_be_judged_are_refused_before_anything_is_read(home, tmp_path):
    (home / "near.toml").write_text(EVALUATION.replace("2025-04-30", "2025-04-29"))
    (home / "other.toml").write_text('schema = 1\nevaluation = "near.toml"\n')
    looks = len(actions(home))
    said = fit(home, "--out", tmp_path / "p.toml", expect=3, file="other.toml")
    assert "2025-04-30 or later" in said
    assert len(actions(home)) == looks


def test_a_policy_whose_weights_cannot_be_replaced_is_refused_before_anything_is_read(
    home, tmp_path
):
    (home / "quoted.toml").write_text(POLICY.replace("from = 45", '"from" = 45'))
    (home / "of-quoted.toml").write_text('policy = "quoted.toml"\n' + EVALUATION)
    (home / "other.toml").write_text('schema = 1\nevaluation = "of-quoted.toml"\n')
    looks = len(actions(home))
    said = fit(home, "--out", tmp_path / "p.toml", expect=3, file="other.toml")
    assert "lines of their own" in " ".join(said.split())
    assert len(actions(home)) == looks


def test_a_factor_that_knows_the_outcome_is_refused(home, tmp_path):
    """A council records arrears of those whom it has evicted, and dates them back."""
    homes, housing = (home / "extracts" / f"{name}.csv" for name in ("homes", "housing"))
    kept = homes.read_text()
    evicted = {
        line.split(",")[0]
        for line in housing.read_text().splitlines()[1:]
        if line.split(",")[2] < "2025-04-30"
    }
    rows = [line.split(",") for line in kept.splitlines()]
    for row in rows[1:]:
        row[3] = "5000" if row[0] in evicted else "0"
    try:
        homes.write_text("\n".join(map(",".join, rows)) + "\n")
        said = fit(home, "--out", tmp_path / "p.toml", expect=4)
    finally:
        homes.write_text(kept)
    assert "nearly equal the outcome" in said
    assert "rent_arrears, as known on 2025-01-31: it separates" in " ".join(said.split())


def test_publication_is_a_decision_of_a_named_person_and_sends_nothing(home, tmp_path):
    file = tmp_path / "proposed.toml"
    file.write_text("# Proposed\n")
    command = ["policy", "publish", file, "--home", home, "--by", "A. Khan,\n DPO", "--reason"]
    said = run_inside("folkmoot-node", *command, "Weights only").said()
    assert "does not cover this file" in said
    with open_home(home) as node:
        body = list(node.audit.entries())[-1].body
        assert not list(node.egress.departures())
    assert body["action"] == "publication decided"
    assert (body["decided_by"], body["reason"]) == ("A. Khan, DPO", "Weights only")
    assert body["file_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    for at, wrong in (
        ("--reason", "  "),
        ("--reason", "x" * 501),
        ("--by", " "),
        ("--by", "x" * 201),
    ):
        said = run_inside("folkmoot-node", *command, "Weights only", at, wrong).said(2)
        assert f"{at}: the " in said
        assert "Remedy: " in said
    file.unlink()
    assert "cannot be read" in run_inside("folkmoot-node", *command, "Weights only").said(3)


def doctor(home):
    found = json.loads(
        run_inside("folkmoot-node", "doctor", "--offline", "--json", "--home", home).said(None)
    )
    return [one for one in found if one["subject"] == "fitted policy"]


def status(home):
    return json.loads(run_inside("folkmoot-node", "status", "--json", "--home", home).said())


def test_a_fitted_policy_in_force_is_said_until_somebody_decides_to_publish_it(home, tmp_path):
    policy, out = home / "risk-policy.toml", tmp_path / "proposed.toml"
    present = policy.read_text()
    fit(home, "--out", out)
    release = home / "release-policy.toml"
    loss = "[loss]\nper_round = 1\nper_period = 1\nlifetime = 1"
    release.write_text(release.read_text().replace("[loss]", loss, 1))
    sign = ["folkmoot-node", "policy", "sign", "--signer", "A. Khan, DPO", "--home", home, "--yes"]
    try:
        assert doctor(home) == []
        assert status(home)["fitted_policy"] is None
        assert "Warning" not in run_inside(*sign).stderr, "the council's own policy"

        # As its owner puts it into force: with a name and a last day of its own.
        text = out.read_text().replace("Winter support", "Winter 2027").replace("2099", "2098")
        policy.write_text("\n".join(line for line in text.splitlines() if line[:1] != "#"))
        (said,) = doctor(home)
        assert said["state"] == "warn"
        assert "has the weights of the one that `fit` proposed" in said["detail"]
        assert "policy publish" in said["command"]
        assert "noisy counts" in said["remedy"]
        assert status(home)["fitted_policy"]["published"] is False
        assert "policy publish" in " ".join(one["command"] for one in status(home)["needs"])
        signed = run_inside(*sign)
        assert "Warning: the risk policy has the weights of" in " ".join(signed.stderr.split())
        assert "policy publish" in signed.stderr
        assert "Signed by" in signed.said(), "it is said, and the council decides"

        publish = ["policy", "publish", out, "--by", "A. Khan, DPO", "--reason", "Weights only"]
        run_inside("folkmoot-node", *publish, "--home", home).said()
        (said,) = doctor(home)
        assert said["state"] == "ok"
        assert "A. Khan, DPO decided" in said["detail"]
        assert status(home)["fitted_policy"]["decided_by"] == "A. Khan, DPO"
        assert "Warning" not in run_inside(*sign).stderr
    finally:
        policy.write_text(present)
