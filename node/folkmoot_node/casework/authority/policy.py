"""The casework policy: a document of the council that says who may do what with households."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from folkmoot_node.casework.authority.reading import REASONS, ExportPolicy, UnusualPolicy
from folkmoot_node.casework.authority.retention import RetentionPolicy, RightsPolicy
from folkmoot_node.casework.authority.rights import Right
from folkmoot_operator.settings import Settings, parse, read
from folkmoot_web.permissions import Permissions

SAMPLE = """\
# Who may do what in casework. Sign it: `folkmoot-node casework policy sign --signer "NAME, ROLE"`.
schema = 1
council = "{council}"
sunset = {sunset}
teams = ["Welfare rights", "Adult social care"]
# What workers may find that a household needs.
needs = ["Money and debt", "Food", "Heating and energy", "Housing", "Care and support at home",
    "Company and contact", "Getting online or getting about", "Health appointments", "Safety",
    "Something else"]
# Sources that only roles which name them may see in an opened case.
sensitive_sources = []

[openings]
minutes = 60           # how long an opened household stays open
per_day = 60           # openings by one person in a day
searches_per_day = 30  # searches by one person in a day
exports_per_day = 5    # files by one person in a day
counts_per_day = 100   # counts and runs of cohorts by one person in a day

# From what on the auditor is shown reading as unusual; see docs/casework-authority.md.
[unusual]
openings_per_hour = 20
counts_per_hour = 30

# Lists that may be written to a file, with what their purpose needs and no more.
[exports.work]
title = "Work in progress, for the managers' meeting"
columns = ["case", "purpose", "state", "team", "opened_on", "review_on"]

[retention]
closed_cases_days = 730    # cases, after they were closed
openings_days = 365        # who opened what; the log stays
cohort_runs_days = 365     # which households were in a run of a cohort
rights_days = 1095         # objections and requests, after they were answered

[rights]
# answer_days = 28         # by default one calendar month, the limit of the law
contact = ["The council's data protection officer"]    # as residents are told, line by line
decides = "a trained worker of the council"

[roles.caseworker]
may = ["lists", "open", "work", "refer"]

[roles.manager]
may = ["cohorts", "lists", "decide", "open", "work", "assign", "refer", "override",
    "services", "measure"]

[roles.protection_officer]
may = ["lists", "open", "rights", "restrict", "export", "measure"]

[roles.auditor]
may = ["audit", "measure"]

# Commands of the node (`explain`, `households`, `casework cohort`) write the same log. The node's
# account may run them, and the log says that it was that account; roles here instead, or [] for
# none.
[command_line]
# node_account = ["protection_officer"]
# [command_line.accounts]      # people, by the account with which they sign in at the machine
# jo = ["manager"]
"""
"""What `casework init` writes: a beginning, to be read and changed before it is signed."""


Need = Annotated[str, Field(min_length=1, max_length=100)]


class RolePolicy(Settings):
    """Table `[roles.NAME]`.

    Attributes:
        may: What somebody with the role may do.
        sources: Sensitive sources that it may see in an opened case.
    """

    may: tuple[Right, ...]
    sources: tuple[str, ...] = ()


class OpeningPolicy(Settings):
    """Table `[openings]`: how long a household stays open, and how many a person may open.

    Attributes:
        minutes: After which the reason has to be stated again.
        per_day: By one person in 24 hours.
        blind_first_look: Whether a worker records a view before the score is shown.
        reasons: Offered to choose from; own words can be added to each, or stand alone.
        searches_per_day: By one person in 24 hours.
        exports_per_day: By one person in 24 hours.
        export_rows: Most cases in one file.
        counts_per_day: Counts and runs of cohorts by one person in 24 hours.
    """

    minutes: Annotated[int, Field(ge=1, le=480)] = 60
    per_day: Annotated[int, Field(ge=1, le=10_000)] = 60
    blind_first_look: bool = False
    reasons: tuple[str, ...] = REASONS
    searches_per_day: Annotated[int, Field(ge=1, le=10_000)] = 30
    exports_per_day: Annotated[int, Field(ge=1, le=1_000)] = 5
    export_rows: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    counts_per_day: Annotated[int, Field(ge=1, le=10_000)] = 100


class CommandLinePolicy(Settings):
    """Table `[command_line]`: who may read households by commands of the node.

    Attributes:
        accounts: Roles by the account of the operating system with which somebody has signed in.
            Where there are any, a person who is not among them has no role.
        node_account: Roles of the node's own account, where nobody is known to have signed in;
            None: it may open, export and answer residents, without sensitive sources.
    """

    accounts: dict[str, tuple[str, ...]] = {}
    node_account: tuple[str, ...] | None = None


class MeasuresPolicy(Settings):
    """Table `[measures]`: how outcomes are measured.

    Attributes:
        quick_decision_seconds: Decisions about a household taken in less count as quick.
    """

    quick_decision_seconds: Annotated[int, Field(ge=1, le=3600)] = 30


class CaseworkPolicy(Settings):
    """The file, as written.

    There is no key that lets anybody approve what they have asked for themselves.

    Attributes:
        schema_version: Version of this file's layout.
        council: GSS code of the council whose it is.
        sunset: The last day on which households are opened under it.
        teams: Of the council.
        needs: What workers may find that a household needs; at least one, in the order of forms.
        sensitive_sources: Names of sources that only some roles may see.
        openings: Of households.
        measures: Of outcomes.
        retention: For how long casework keeps what it holds.
        rights: What residents are told, and when they are answered.
        exports: By name, the lists that may be written to a file.
        unusual: From what on reading is reported to the auditor.
        roles: By name, what its holders may do.
        command_line: Who may read households by commands.
    """

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    council: str
    sunset: datetime.date
    teams: tuple[str, ...] = ()
    needs: Annotated[tuple[Need, ...], Field(min_length=1)] = ("Something else",)
    sensitive_sources: tuple[str, ...] = ()
    openings: OpeningPolicy = OpeningPolicy()
    measures: MeasuresPolicy = MeasuresPolicy()
    retention: RetentionPolicy = RetentionPolicy()
    rights: RightsPolicy = RightsPolicy()
    exports: dict[str, ExportPolicy] = {}
    unusual: UnusualPolicy = UnusualPolicy()
    roles: Annotated[dict[str, RolePolicy], Field(min_length=1)]
    command_line: CommandLinePolicy = CommandLinePolicy()

    @model_validator(mode="after")
    def _needs_differ(self) -> CaseworkPolicy:
        if len(set(self.needs)) < len(self.needs):
            raise ValueError("needs: a need is named twice")
        return self

    @model_validator(mode="after")
    def _sources_are_sensitive(self) -> CaseworkPolicy:
        for name, role in self.roles.items():
            for source in role.sources:
                if source not in self.sensitive_sources:
                    raise ValueError(
                        f"roles.{name}.sources: {source!r} is not among sensitive_sources"
                    )
        return self

    @model_validator(mode="after")
    def _commands_have_roles_that_there_are(self) -> CaseworkPolicy:
        named = {f"accounts.{name}": roles for name, roles in self.command_line.accounts.items()}
        named["node_account"] = self.command_line.node_account or ()
        for key, roles in named.items():
            for role in roles:
                if role not in self.roles:
                    raise ValueError(f"command_line.{key}: there is no role {role!r}")
        return self

    def permissions(self) -> Permissions:
        """The roles as the site checks them."""
        return Permissions(Right, {name: role.may for name, role in self.roles.items()})

    def sources_of(self, roles: tuple[str, ...]) -> frozenset[str]:
        """The sensitive sources that somebody with these roles may see."""
        held = (self.roles[role].sources for role in roles if role in self.roles)
        return frozenset().union(*held)


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """A casework policy that was read.

    Attributes:
        policy: What it says.
        digest: SHA-256 of the file, 32 bytes.
    """

    policy: CaseworkPolicy
    digest: bytes


def load_policy(path: Path) -> KnownPolicy:
    """Reads a casework policy.

    Raises:
        Problem: Exit code SETTINGS, if it is missing or wrong.
    """
    content = read(path)
    policy = parse(CaseworkPolicy, content, str(path))
    return KnownPolicy(policy, hashlib.sha256(content).digest())
