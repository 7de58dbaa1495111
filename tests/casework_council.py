"""A council that works with its scores: a node that has scored, and its casework site.

Households are made by hand, so that tests know each of them: see `Household` and `HOUSEHOLDS`.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from folkmoot_node.casework.authority.permissions import CaseworkPermissions
from folkmoot_node.casework.authority.policy import SAMPLE
from folkmoot_node.casework.authority.signed_policy import load_own_policy
from folkmoot_node.casework.authority.signing import sign_casework_policy
from folkmoot_node.casework.desk import Desk, desk_of_app, open_casework_state, open_desk
from folkmoot_node.casework.initialise import initialise
from folkmoot_node.casework.site import build_casework
from folkmoot_node.casework.site_settings import site_settings
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.federation.identity import KeyFiles, create_policy_key
from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.policies.acceptance import Acceptance
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.sources.connect import load_plugins
from folkmoot_node.store.encrypted_file import create_key
from folkmoot_operator.moments import day
from folkmoot_web.visitors import Visitor
from tests.council_files import source_tables, tax_mapping, winter_policy
from tests.ports import free_port
from tests.web_site import Clock, RunningSite, listening

COUNCIL = "E08000009"
AREAS = ("E01005061", "E01005062", "E01005063")
FIRST = 10_000_000_001
"""UPRN of the first household."""
ROLES = ("caseworker", "manager", "protection_officer", "auditor")
"""Of the sample policy; each has an account named after it: `manager@example.gov.uk`."""
SUNSET = datetime.date(2099, 3, 31)
"""Last day of both policies: commands of tests go by the machine's clock, the site by `Clock`."""
SENSITIVE = "childrens_services"
"""A source that only some roles may see."""

_MAPPING = (
    tax_mapping("sum", "max", "first")
    + """
[fields.lsoa]
column = "LSOA"
type = "area"
combine = "first"
category = "geography"
"""
)
_SENSITIVE_MAPPING = """\
schema = 1
name = "childrens_services"
level = "household"
supplier = "Children's services"
files = ["childrens_services.csv"]
uprn = "UPRN"
record_date = { column = "As at", format = "%Y-%m-%d" }

[fields.children_services]
column = "Open"
type = "boolean"
true = ["Y"]
false = ["N"]
combine = "any"
category = "social_care"
absent = false
"""
_POLICY = (
    winter_policy(
        {"council_tax_arrears": 50, "isolation": 30, "child_need": 20}, sunset=str(SUNSET)
    )
    + """
[attributes.lsoa]
field = "lsoa"
"""
)
_NODE = f"""\
schema = 1
council = "{COUNCIL}"
name = "Trafford"
[scoring]
frame = "council_tax"
{source_tables("council_tax", SENSITIVE)}"""


@dataclass(frozen=True, slots=True)
class Household:
    """What records say of a household; None for an empty field.

    Attributes:
        arrears: Of council tax, in pounds.
        oldest: Age of the oldest person.
        people: How many live there.
        children: Whether children's services have an open case.
    """

    arrears: float | None = 0.0
    oldest: int | None = 40
    people: int | None = 2
    children: bool = False


HOUSEHOLDS = (
    Household(2_600, 78, 1),  # 0: arrears, old, alone
    Household(1_200, 66, 1),  # 1: arrears, just old enough, alone
    Household(1_000, 70, 1),  # 2: owes exactly 1,000
    Household(2_000, 70, 2),  # 3: not alone
    Household(3_000, 45, 1),  # 4: not old
    Household(None, 81, 1),  # 5: nobody knows what it owes
    Household(0, 81, 1),  # 6: owes nothing
    Household(500, 35, 4, children=True),  # 7: children's services
    Household(4_000, 30, 5, children=True),  # 8: both
    *(Household(50 * (at % 9), 25 + at % 60, 1 + at % 4) for at in range(31)),
)
"""Nine that differ, and 31 others, none of which is in need by all three conditions."""


@dataclass
class CaseworkCouncil:
    """A node that has scored, with casework.

    Attributes:
        home: The node's folder.
        households: In the order of their UPRNs, from `FIRST`.
        clock: The site's time.
    """

    home: Path
    households: list[Household] = field(default_factory=lambda: list(HOUSEHOLDS))
    clock: Clock = field(default_factory=Clock)

    @property
    def config(self) -> NodeConfig:
        """The settings."""
        return load_config(self.home)

    def uprn(self, at: int) -> int:
        """The UPRN of a household by its place."""
        return FIRST + at

    def write_extracts(self) -> None:
        """Writes the extracts of the households as they are now."""
        as_at = day(self.clock()).isoformat()
        rows = ["UPRN,Arrears,Oldest,People,LSOA,As at"]
        sensitive = ["UPRN,Open,As at"]
        for at, one in enumerate(self.households):
            known = (one.arrears, one.oldest, one.people)
            shown = ["" if value is None else value for value in known]
            rows.append(f"{self.uprn(at)},{shown[0]},{shown[1]},{shown[2]},{AREAS[at % 3]},{as_at}")
            if one.children:
                sensitive.append(f"{self.uprn(at)},Y,{as_at}")
        (self.home / "extracts" / "council_tax.csv").write_text("\n".join(rows) + "\n")
        (self.home / "extracts" / "childrens_services.csv").write_text("\n".join(sensitive) + "\n")

    def score(self, clock: Clock | None = None) -> None:
        """Scores the extracts; a person has accepted the sources, whose few records mean little.

        Args:
            clock: When it is done; the machine's if None, by which commands judge how old it is.
        """
        config = self.config
        accepted = {
            source.name: Acceptance(
                source=source.name, reason="a test", until=day(self.clock()), by="tester"
            )
            for source in config.sources
        }
        score(
            config,
            load_plugins(config),
            load_policy(config.risk_policy),
            today=day(self.clock()),
            clock=clock or time.time,
            judged=Judged(None, accepted),
        )

    def outlast_policy(self, days: int = 1) -> None:
        """Sets the site's clock to the beginning of a day after the policies' last one."""
        over = SUNSET + datetime.timedelta(days)
        begins = datetime.datetime.combine(over, datetime.time(), datetime.UTC)
        self.clock.now = int(begins.timestamp())

    def desk(self) -> Desk:
        """Casework as commands open it."""
        return open_desk(self.config, clock=self.clock)

    def sign(self) -> None:
        """Signs the casework policy as it is now."""
        config = self.config
        state = open_casework_state(config, load_own_policy(config), clock=self.clock)
        sign_casework_policy(config, state, "A. Khan, Data Protection Officer")
        state.database.close()

    def visitor(self, desk: Desk, role: str) -> Visitor:
        """Somebody with a role, as pages know them."""
        permissions = CaseworkPermissions(desk.known.policy, desk.clock).of((role,))
        return Visitor(1, f"{role}@example.gov.uk", role.title(), (role,), permissions, "session")


def make_council(
    folder: Path, *, households: Sequence[Household] = HOUSEHOLDS, policy: str = SAMPLE
) -> CaseworkCouncil:
    """A council that has scored its households and set casework up.

    Args:
        folder: Where the node's home is made.
        households: In the order of their UPRNs.
        policy: The casework policy, with `{council}` and `{sunset}`.
    """
    home = folder / "home"
    for name in ("extracts", "mappings"):
        (home / name).mkdir(parents=True)
    home.chmod(0o700)
    (home / "mappings" / "council_tax.toml").write_text(_MAPPING)
    (home / "mappings" / "childrens_services.toml").write_text(_SENSITIVE_MAPPING)
    (home / "risk-policy.toml").write_text(_POLICY)
    (home / "node.toml").write_text(_NODE)
    (home / "casework-policy.toml").write_text(
        policy.format(council=COUNCIL, sunset=SUNSET).replace(
            "sensitive_sources = []", f'sensitive_sources = ["{SENSITIVE}"]'
        )
    )
    council = CaseworkCouncil(home, list(households))
    create_key(council.config.key_file)
    create_policy_key(KeyFiles.of(home))
    StateDatabase(council.config.state_path, create=True).close()
    council.write_extracts()
    council.score()
    initialise(home, listen=f"127.0.0.1:{free_port()}")
    council.sign()
    return council


@contextmanager
def serving_council(council: CaseworkCouncil, *, new: bool = True) -> Iterator[RunningSite]:
    """Serves a council's casework from a thread of this process until the end.

    Each role of the sample policy has an account named after it.

    Args:
        council: The council.
        new: False for a copy of one that was served, and so has the accounts.
    """
    config = council.config
    app = build_casework(config, clock=council.clock)
    web = site_settings(config)
    with listening(app, web, config.casework_folder):
        site = RunningSite(web.origin, app.state.site, council.clock, app)
        for role in sorted(desk_of_app(app).known.policy.roles) if new else ():
            site.add_account(f"{role}@example.gov.uk", role)
        yield site
