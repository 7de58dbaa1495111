"""Four doors into the site, and in each the four kinds of page: learn, do, look up, understand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

TUTORIAL, HOW_TO, REFERENCE, EXPLANATION = "Tutorial", "How-to", "Reference", "Explanation"
KINDS = (TUTORIAL, HOW_TO, REFERENCE, EXPLANATION)
"""As in Diátaxis: what a reader wants at the moment decides where a page stands."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where one group of readers comes in.

    Attributes:
        name: Name of the folder.
        title: What is on the door.
        readers: For whom it is.
        pages: Pages of each kind, as paths in the site. Each page stands in one place.
        beside: Pages that stand behind another door, and are of use here too, by kind.
    """

    name: str
    title: str
    readers: str
    pages: dict[str, tuple[str, ...]]
    beside: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def index(self) -> str:
        """The page behind the door."""
        return f"{self.name}/index.md"


DOORS = (
    Door(
        "council",
        "Council",
        "You run a node, or answer for what it does: IT, data teams, service managers, "
        "caseworkers, the data protection officer.",
        {
            TUTORIAL: ("docs/first-day.md", "walkthrough.md", "docs/casework-example.md"),
            HOW_TO: (
                "docs/installing.md",
                "docs/services.md",
                "deploy/README.md",
                "docs/running.md",
                "docs/certificates.md",
                "docs/looking-after.md",
                "docs/signals.md",
                "docs/backup.md",
                "docs/sources.md",
                "docs/linkage.md",
                "docs/evaluation.md",
                "docs/fitting.md",
                "docs/casework-setup.md",
                "docs/casework-cases.md",
                "docs/casework-cohorts.md",
                "docs/casework-referrals.md",
                "docs/casework-rights.md",
            ),
            REFERENCE: (
                "reference/node-settings.md",
                "reference/risk-policy.md",
                "reference/release-policy.md",
                "reference/casework-policy.md",
                "reference/cohort-file.md",
                "reference/evaluation-file.md",
                "reference/fit-file.md",
                "reference/scrutiny-file.md",
                "reference/trusted-keys.md",
                "reference/folkmoot-node.md",
                "reference/exit-codes.md",
                "node/README.md",
            ),
            EXPLANATION: ("docs/casework-authority.md", "docs/data-protection.md"),
        },
        {EXPLANATION: ("docs/guarantee.md", "docs/threats.md", "docs/limitations.md")},
    ),
    Door(
        "region",
        "Region",
        "You run the coordinator, ask councils questions, or work with the tables that come of it.",
        {
            TUTORIAL: ("rehearsal/README.md",),
            HOW_TO: ("docs/site.md", "docs/analysis.md", "docs/validation.md"),
            REFERENCE: (
                "reference/coordinator-settings.md",
                "reference/round-file.md",
                "reference/sum-file.md",
                "reference/folkmoot-coordinator.md",
                "reference/folkmoot-rehearse.md",
                "reference/wire.md",
                "coordinator/README.md",
                "proto/README.md",
            ),
            EXPLANATION: ("docs/continual-release.md",),
        },
        {
            TUTORIAL: ("walkthrough.md",),
            HOW_TO: (
                "docs/installing.md",
                "docs/services.md",
                "deploy/README.md",
                "docs/certificates.md",
                "docs/looking-after.md",
                "docs/signals.md",
                "docs/backup.md",
            ),
            REFERENCE: ("reference/exit-codes.md",),
            EXPLANATION: ("docs/guarantee.md", "docs/threats.md", "docs/limitations.md"),
        },
    ),
    Door(
        "vendor",
        "Vendor",
        "You write plugins: sources of records, or reasons why a household may need help.",
        {
            TUTORIAL: ("plugins/sdk/README.md",),
            HOW_TO: (
                "docs/plugins.md",
                "examples/README.md",
                "examples/duckdb-partner-source/README.md",
                "examples/onnx-model-factor/README.md",
                "plugins/extracts/README.md",
                "plugins/council_records/README.md",
                "plugins/gazetteer/README.md",
                "plugins/household_factors/README.md",
                "plugins/nhs_shielding/README.md",
                "plugins/notifications/README.md",
                "plugins/open_areas/README.md",
                "plugins/savvi/README.md",
                "plugins/sql/README.md",
            ),
            REFERENCE: (
                "reference/sdk.md",
                "reference/factors.md",
                "reference/sources.md",
                "reference/mapping-files.md",
                "reference/folkmoot-plugin.md",
                "plugins/sdk/CHANGELOG.md",
            ),
            EXPLANATION: ("plugins/kit/README.md",),
        },
        {REFERENCE: ("reference/exit-codes.md",), EXPLANATION: ("docs/threats.md",)},
    ),
    Door(
        "scrutiny",
        "Scrutiny",
        "You ask whether it is right and safe: councillors, auditors, researchers, reviewers of "
        "the code, residents.",
        {
            TUTORIAL: ("tests/spec/README.md",),
            HOW_TO: ("docs/scrutiny.md", "docs/checking.md", "CONTRIBUTING.md"),
            REFERENCE: (
                "GLOSSARY.md",
                "docs/architecture.md",
                "docs/decisions/README.md",
                "operator/README.md",
                "web/README.md",
                "documentation/README.md",
                "tests/benchmarks/peers/README.md",
                "CHANGELOG.md",
            ),
            EXPLANATION: (
                "docs/guarantee.md",
                "docs/threats.md",
                "docs/limitations.md",
                "SECURITY.md",
            ),
        },
        {
            TUTORIAL: ("walkthrough.md",),
            REFERENCE: ("reference/wire.md", "reference/release-policy.md"),
            EXPLANATION: ("docs/casework-authority.md", "docs/continual-release.md"),
        },
    ),
)


def placed() -> Iterator[str]:
    """Every page that has a place, as paths in the site."""
    for door in DOORS:
        for pages in door.pages.values():
            yield from pages
