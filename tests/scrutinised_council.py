"""A council of which every fact is known: signed policies, scores, casework, an objection.

`python -m tests.scrutinised_council` writes the lines with which tests compare all facts.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from folkmoot_node.federation.identity import KeyFiles, load_policy_key
from folkmoot_node.home import open_home
from folkmoot_node.plugins.installed import node_version
from folkmoot_node.policies.release_policy import sign
from folkmoot_node.scrutiny.facts import FactBase
from folkmoot_node.scrutiny.gather.everything import gather
from folkmoot_node.scrutiny.showing import as_json
from folkmoot_node.scrutiny.sign_answers import sign_answers
from tests.casework_council import CaseworkCouncil, make_council
from tests.casework_opening import open_case
from tests.casework_rights import object_to
from tests.council_files import release_policy
from tests.evaluation_reports import ABOUT, found_of

LINES = Path(__file__).with_name("facts_of_council.jsonl")
SIGNER = "A. Khan, Data Protection Officer"
SIGNED_AT = 1_790_000_000
RELEASE_POLICY = release_policy(attributes=["band", "lsoa"], sunset="2099-03-31")
AUDITED = '\n[[equality]]\nfield = "oldest_age"\nbreaks = [40, 65]\n'
ANSWERS = """\
schema = 1
council = "E08000009"
version = 1

[owner]
name = "J. Okafor"
role = "Director of Communities"

[rationale]
necessity = "Letters reach those who owe; nobody else knows who is alone as well."

[dpo_advice]
officer = "A. Khan"
given_on = 2026-10-01
advice = "Do it, with a look at each household by a person."
decision = "accepted"

[[risks]]
risk = "A household is taken for one that needs no help"
likelihood = "possible"
severity = "significant"
mitigation = "Scores never close a case"
residual = "low"

[equality.impacts.age]
impact = "positive"
reason = "Older people who live alone are found sooner"

[evaluation]
report = "back-test.json"

[sources.council_tax]
lawful_basis = "Public task: Localism Act 2011, s.1"
"""


def scrutinised(folder: Path) -> CaseworkCouncil:
    """Makes the council."""
    council = make_council(folder)
    home = council.home
    with (home / "risk-policy.toml").open("a") as file:
        file.write(AUDITED)
    council.score()
    (home / "release-policy.toml").write_text(RELEASE_POLICY)
    key = load_policy_key(KeyFiles.of(home).policy_key)
    sign(home / "release-policy.toml", key, SIGNER, SIGNED_AT)
    report = {**ABOUT.as_json(), **found_of(2, 1500).as_json()}
    (home / "back-test.json").write_text(json.dumps(report))
    (home / "scrutiny.toml").write_text(ANSWERS)
    with open_home(home, clock=council.clock) as node:
        sign_answers(node, SIGNER)
    desk = council.desk()
    for role in ("caseworker", "manager"):
        desk.state.accounts.add(f"{role}@example.gov.uk", role.title(), [role], by="test")
    case = open_case(council, desk, 0)
    object_to(council, desk, case)
    desk.close()
    return council


def facts_of(council: CaseworkCouncil) -> FactBase:
    """All facts."""
    with open_home(council.home, clock=council.clock) as node:
        return gather(node)


def lines_of(base: FactBase, home: Path) -> Iterator[str]:
    """A line of JSON for each fact, with what differs between machines and days taken out."""
    changes = (
        (re.escape(str(home)), "HOME"),
        (r"\b[0-9a-f]{64}\b", "SHA-256"),
        (r"\b[0-9a-f]{32}\b", "ID"),
        (r"\b20\d\d-\d\d-\d\dT[0-9:+Z]+", "TIME"),
        (rf"\b{re.escape(node_version())}\b", "VERSION"),
    )
    for fact in as_json(base, base.facts, own=True)["facts"]:
        if fact["key"] in ("runs.last.kept_until", "runs.last.usable_until"):
            fact["value"] = "DAY"
        line = json.dumps(fact, ensure_ascii=False)
        for pattern, instead in changes:
            line = re.sub(pattern, instead, line)
        yield line


def main() -> None:
    """Writes the lines."""
    with tempfile.TemporaryDirectory() as folder:
        council = scrutinised(Path(folder))
        lines = lines_of(facts_of(council), council.home)
        LINES.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
