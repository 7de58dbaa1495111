"""From an extract that nobody has seen before to scores, by the commands of the node alone."""

import json

import pytest

from tests.commands import run_inside

POLICY = """
schema = 1
name = "Winter support"
purpose = "winter_support"
legal_basis = "Local Government Act 2000, section 2"
owner = "Head of Revenues"
sunset = 2099-03-31

[[factors]]
factor = "financial_hardship"
weight = 100

[[bands]]
name = "none"
from = 0
action = "No action"
[[bands]]
name = "high"
from = 45
action = "Telephone call"
"""


@pytest.fixture
def home(tmp_path):
    made = tmp_path / "node"
    run_inside(
        "folkmoot-node", "init", "--home", made, "--council", "E08000009", "--name", "T"
    ).said()
    (made / "risk-policy.toml").write_text(POLICY)
    with (made / "node.toml").open("a") as file:
        file.write(
            '\n[[sources]]\nname = "council_tax"\nkind = "extracts"\n[sources.options]\n'
            'mapping = "mappings/council_tax.toml"\nfolder = "extracts"\n'
        )
    (made / "extracts").mkdir(exist_ok=True)
    return made


def extract(home, name, *, owed="600.00", broken=0):
    lines = ["Council tax arrears,,", "", "UPRN,Council Tax Arrears,Council Tax Support"]
    lines += [f"{100010000000 + at},{owed},{'YN'[at % 2]}" for at in range(200)]
    lines += [f"{100010000300 + at},much,Y" for at in range(broken)]
    lines += ["Total,120000.00,", "Report run 01/10/2026 by system"]
    (home / "extracts" / name).write_text("\n".join(lines))


def score(home, expect=0):
    return run_inside(
        "folkmoot-node", "score", "--home", home, "--reference-date", "2026-11-28", "--json"
    ).said(expect)


def test_draft_then_score(home):
    extract(home, "council_tax_2026-10.csv")
    mapping = home / "mappings" / "council_tax.toml"
    command = ["sources", "draft", home / "extracts" / "council_tax_2026-10.csv", "--out", mapping]
    said = run_inside("folkmoot-node", *command).said()
    assert "look for QUESTION" in said
    assert "is there already" in run_inside("folkmoot-node", *command).said(2)
    run_inside("folkmoot-node", *command, "--force").said()
    summary = json.loads(score(home))
    assert summary["households"] == 200
    [source] = summary["sources"]
    assert source["rejected"] == 0
    assert sum(source["left_out"].values()) == 3
    explained = run_inside("folkmoot-node", "explain", "100010000007", "--home", home).said()
    assert "600" in explained

    extract(home, "council_tax_2026-09.csv", owed="700.00")
    [source] = json.loads(score(home))["sources"]
    assert [file["name"] for file in source["files"]] == ["council_tax_2026-10.csv"]
    assert len(source["notes"]) == 1
    said = run_inside("folkmoot-node", "score", "--home", home, "--reference-date", "2026-11-28")
    assert "council_tax_2026-09.csv is not read" in said.said().replace("\n", " ")


def test_a_stop_says_what_could_not_be_read(home):
    extract(home, "council_tax.csv")
    mapping = home / "mappings" / "council_tax.toml"
    run_inside(
        "folkmoot-node", "sources", "draft", home / "extracts" / "council_tax.csv", "--out", mapping
    ).said()
    extract(home, "council_tax.csv", broken=3)
    said = run_inside("folkmoot-node", "score", "--home", home, "--reference-date", "2026-11-28")
    shown = " ".join(said.said().split())
    assert "not read: Council Tax Arrears: 3 times: is not a number" in shown
    extract(home, "council_tax.csv", broken=30)
    said = score(home, expect=4)
    assert "30 records could not be read, or not wholly:" in said
    assert "Council Tax Arrears: 30 times: is not a number" in said


def test_a_draft_is_printed_and_its_kind_must_draft(home):
    extract(home, "council_tax.csv")
    file = home / "extracts" / "council_tax.csv"
    printed = run_inside("folkmoot-node", "sources", "draft", file).said()
    assert 'uprn = "UPRN"' in printed
    refused = run_inside("folkmoot-node", "sources", "draft", file, "--kind", "sql").said(3)
    assert "has nothing to draft" in refused
