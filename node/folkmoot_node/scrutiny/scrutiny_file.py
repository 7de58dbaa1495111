"""`scrutiny.toml`: what no program knows of a node, answered and signed by people.

Every key may be left out. What is left out is a missing answer, and facts and documents say so.
"""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from folkmoot_node.home import NodeHome
from folkmoot_node.policies.signed_document import SignedKind, check_signature
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.settings.slug import Slug
from folkmoot_operator.plain_text import is_plain
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings, nearest, parse, read
from folkmoot_sdk.schema import ProtectedCharacteristic

FILE_NAME = "scrutiny.toml"


def _plain(text: str) -> str:
    """A text without signs that steer how it is shown: what is read is what stands there."""
    if not is_plain(text):
        raise ValueError("has control characters in it: write it without them")
    return text


def _one_line(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise ValueError("is one line: write it without line breaks")
    return text


Text = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_plain)]
Line = Annotated[
    str, Field(min_length=1, max_length=300), AfterValidator(_plain), AfterValidator(_one_line)
]
Address = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=500)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class Owner(Settings):
    """Table `[owner]`: the one person who answers for the tool."""

    name: Line | None = Field(None, description="Name of the senior responsible owner")
    role: Line | None = Field(None, description="Role of the senior responsible owner")
    department: Line | None = Field(None, description="Department of the council")
    team: Line | None = Field(None, description="Team that runs the tool")
    region: Line | None = Field(None, description="Region of the country that the council is in")


class Contact(Settings):
    """Table `[contact]`: where people outside the council ask."""

    email: Email | None = Field(None, description="Email address for questions")
    website: Address | None = Field(None, description="Page of the council about the tool")
    rights: Text | None = Field(None, description="How residents use their rights")
    told: Text | None = Field(None, description="How residents are told that they are scored")
    data_protection_officer: Line | None = Field(
        None, description="How to reach the data protection officer"
    )


class Rationale(Settings):
    """Table `[rationale]`: why there is the tool."""

    summary: Text | None = Field(None, description="What the tool does, in two or three sentences")
    one_sentence: Line | None = Field(None, description="What the tool does, in one sentence")
    benefits: Text | None = Field(None, description="What good the tool does")
    previous_process: Text | None = Field(None, description="How this was done before")
    alternatives: Text | None = Field(None, description="Alternatives, and why not they")
    necessity: Text | None = Field(None, description="Why the processing is necessary")
    proportionality: Text | None = Field(None, description="Why it is proportionate")
    expectations: Text | None = Field(None, description="Whether residents would expect it")
    phase: Literal["pre-deployment", "pilot", "production", "retired"] | None = Field(
        None, description="Phase that the tool is in"
    )
    in_use_since: datetime.date | None = Field(None, description="Day since when the tool is used")


class Use(Settings):
    """Table `[use]`: how people decide with it."""

    integration: Text | None = Field(None, description="How scores enter into decisions")
    human_review: Text | None = Field(None, description="How people review what the tool says")
    training: Text | None = Field(None, description="Training that its users must have")
    appeals: Text | None = Field(None, description="How residents ask for a review")
    sharing: Text | None = Field(None, description="With whom data are shared, and under what")
    access: Text | None = Field(None, description="Who may see the data, and where they are held")
    maintenance: Text | None = Field(None, description="Who looks after the tool, and how often")


class Supplier(Settings):
    """One `[[procurement.suppliers]]` table: a third party that is involved.

    Attributes:
        name: Its name.
        role: What it does.
        company_number: At Companies House.
        procedure: How it was procured.
        data_access: Which data it may see, and on what terms.
    """

    name: Line
    role: Text
    company_number: Annotated[str, Field(pattern=r"^[A-Z0-9]{8}$")] | None = None
    procedure: Text | None = None
    data_access: Text | None = None


class Procurement(Settings):
    """Table `[procurement]`: who was paid for it."""

    third_party: bool | None = Field(None, description="Whether third parties are involved")
    suppliers: tuple[Supplier, ...] | None = Field(None, description="Third parties involved")
    cost_to_set_up: Line | None = Field(None, description="What it cost to set up")
    cost_per_year: Line | None = Field(None, description="What it costs in a year")

    @model_validator(mode="after")
    def _agree(self) -> Procurement:
        if self.third_party is False and self.suppliers:
            raise ValueError("third_party: is false, but suppliers are named")
        return self


class Consultation(Settings):
    """Table `[consultation]`: who was asked."""

    residents: Text | None = Field(None, description="How residents were consulted, or why not")
    staff: Text | None = Field(None, description="How staff were consulted")
    processors: Text | None = Field(None, description="How processors and suppliers were consulted")
    experts: Text | None = Field(None, description="Which experts were consulted")
    outcome: Text | None = Field(None, description="What was changed after consultation")
    reviewed_by: Line | None = Field(None, description="Who reviewed the responses")
    departure: Text | None = Field(
        None, description="Why the decision departs from what people said, or that it does not"
    )


class Risk(Settings):
    """One `[[risks]]` table: what could go wrong for residents, and what is done about it.

    Attributes:
        risk: What could go wrong, and for whom.
        likelihood: How likely that is, with nothing done about it.
        severity: How bad it would be.
        overall: The risk by both, with nothing done about it.
        mitigation: What is done about it.
        effect: What that does to the risk.
        residual: The risk that remains.
        approved_by: Who approved the measure.
    """

    risk: Text
    likelihood: Literal["remote", "possible", "probable"]
    severity: Literal["minimal", "significant", "severe"]
    overall: Literal["low", "medium", "high"] | None = None
    mitigation: Text | None = None
    effect: Literal["eliminated", "reduced", "accepted"] | None = None
    residual: Literal["low", "medium", "high"] | None = None
    approved_by: Line | None = None


class Dpia(Settings):
    """Table `[dpia]`: what a data protection impact assessment asks besides."""

    need: Text | None = Field(None, description="Why an assessment is needed")
    relationship: Text | None = Field(None, description="What the council is to those scored")
    vulnerable: Text | None = Field(
        None, description="Whether children or other vulnerable people are among them"
    )
    concerns: Text | None = Field(None, description="Concerns and security faults of the past")
    technology: Text | None = Field(None, description="How new the technology is")
    public_concern: Text | None = Field(None, description="Issues of public concern")
    codes: Text | None = Field(None, description="Codes of conduct and certificates")
    other_uses: Text | None = Field(None, description="How other uses are prevented")
    processors: Text | None = Field(None, description="How processors are made to comply")
    transfers: Text | None = Field(None, description="Whether data go to other countries")


class DpoAdvice(Settings):
    """Table `[dpo_advice]`: what the data protection officer advised."""

    officer: Line | None = Field(None, description="Name of the data protection officer")
    title: Line | None = Field(None, description="Job title of the data protection officer")
    given_on: datetime.date | None = Field(None, description="When the officer advised")
    advice: Text | None = Field(None, description="What the officer advised")
    decision: Literal["accepted", "overruled"] | None = Field(
        None, description="Whether the advice was accepted"
    )
    decided_by: Line | None = Field(None, description="Who accepted or overruled the advice")
    reasons: Text | None = Field(None, description="Why the advice was overruled")


class SignOff(Settings):
    """Table `[sign_off]`: who approved what, and when it is looked at again."""

    measures_by: Line | None = Field(None, description="Who approved the measures")
    measures_on: datetime.date | None = Field(None, description="When measures were approved")
    residual_by: Line | None = Field(None, description="Who accepted the risks that remain")
    residual_on: datetime.date | None = Field(None, description="When these risks were accepted")
    kept_under_review_by: Line | None = Field(None, description="Who keeps this under review")
    review_on: datetime.date | None = Field(None, description="When this is reviewed next")


class Impact(Settings):
    """Table `[equality.impacts.CHARACTERISTIC]`: what the tool means for one group.

    Attributes:
        impact: For people with the characteristic.
        reason: Why, and by what evidence.
        action: What is done about it.
    """

    impact: Literal["positive", "negative", "none", "unknown"]
    reason: Text
    action: Text | None = None


class EqualityAnswers(Settings):
    """Table `[equality]`: the equality impact assessment, where people have to judge.

    Attributes:
        impacts: By protected characteristic.
    """

    aim: Text | None = Field(None, description="What the policy is to achieve for equality")
    discrimination: Text | None = Field(
        None, description="How discrimination, harassment and victimisation are prevented"
    )
    good_relations: Text | None = Field(
        None, description="How relations between groups are fostered"
    )
    evidence: Text | None = Field(None, description="Evidence that was looked at, and its gaps")
    engagement: Text | None = Field(None, description="Which groups were engaged, and how")
    decision: Literal["no change", "adjust", "continue", "stop"] | None = Field(
        None, description="What was decided after the assessment"
    )
    justification: Text | None = Field(None, description="Why that was decided")
    monitoring: Text | None = Field(None, description="How the impact is monitored")
    signed_off_by: Line | None = Field(None, description="Who signed the assessment off")
    impacts: dict[ProtectedCharacteristic, Impact] = {}


class EvaluationAnswers(Settings):
    """Table `[evaluation]`: how the council knows whether the score finds need."""

    report: Path | None = Field(
        None, description="File with the newest back-test, as `evaluate --json` prints it"
    )
    accuracy: Text | None = Field(None, description="What is known of how often it is wrong")


class SourceAnswers(Settings):
    """Table `[sources.NAME]`: under what law and terms the council uses one source."""

    lawful_basis: Text | None = Field(None, description="Lawful basis for using the source")
    special_category: Text | None = Field(None, description="Condition for special category data")
    licence: Text | None = Field(None, description="Licence or agreement under which it is used")
    collected: Text | None = Field(None, description="How and why it was collected")
    quality: Text | None = Field(None, description="Known gaps and faults of the source")


def _one_owner(value: Any) -> Any:
    if isinstance(value, list):
        names = [str(one.get("name", "?")) if isinstance(one, dict) else "?" for one in value]
        raise ValueError(
            f"{len(value)} owners are named ({'; '.join(names)}); one person answers for the tool: "
            "write one table [owner]"
        )
    return value


class ScrutinyDocument(Settings):
    """The file, as written.

    Attributes:
        schema_version: Version of this file's layout.
        council: GSS code of the council whose it is.
        version: Number that grows with each version that is signed.
        risks: For residents.
        sources: By name of the source in `node.toml`.
    """

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    council: str
    version: Annotated[int, Field(ge=1)]
    owner: Annotated[Owner, BeforeValidator(_one_owner)] = Owner()
    contact: Contact = Contact()
    rationale: Rationale = Rationale()
    use: Use = Use()
    procurement: Procurement = Procurement()
    consultation: Consultation = Consultation()
    risks: tuple[Risk, ...] = ()
    dpia: Dpia = Dpia()
    dpo_advice: DpoAdvice = DpoAdvice()
    sign_off: SignOff = SignOff()
    equality: EqualityAnswers = EqualityAnswers()
    evaluation: EvaluationAnswers = EvaluationAnswers()
    sources: dict[Slug, SourceAnswers] = {}


@dataclass(frozen=True, slots=True)
class SignedAnswers:
    """Answers whose signature was checked.

    Attributes:
        document: The answers.
        digest: SHA-256 of the file, 32 bytes.
        signer: Who signed, as they wrote it.
        signed_at: When, as they wrote it: ISO 8601.
    """

    document: ScrutinyDocument
    digest: bytes
    signer: str
    signed_at: str


SCRUTINY_FILE = SignedKind("scrutiny file", 'folkmoot-node scrutiny sign --signer "NAME, ROLE"')
"""What is signed, and how."""


def scrutiny_path(config: NodeConfig) -> Path:
    """Where the answers are."""
    return config.home / FILE_NAME


def load_unsigned(config: NodeConfig) -> tuple[ScrutinyDocument, bytes]:
    """Reads the answers without looking at their signature.

    Returns:
        The answers and the SHA-256 of the file, 32 bytes.

    Raises:
        Problem: Exit code SETTINGS, naming each key that is wrong or unknown, another council's
            file, or a source that `node.toml` does not have.
    """
    path = scrutiny_path(config)
    content = read(path)
    document = parse(ScrutinyDocument, content, str(path))
    if document.council != config.council:
        raise _wrong(
            path,
            f"belongs to {document.council}, this node is {config.council}",
            "Use this council's answers",
        )
    names = [source.name for source in config.sources]
    for name in document.sources:
        if name not in names:
            near = nearest(name, names)
            raise _wrong(
                path,
                f"sources.{name}: node.toml has no such source"
                + (f"; did you mean {near!r}?" if near else ""),
                "Name a source of node.toml, or remove the table",
            )
    return document, hashlib.sha256(content).digest()


def load_signed(node: NodeHome) -> SignedAnswers:
    """Reads the answers, and checks that they are as they were signed.

    Raises:
        Problem: Exit code SETTINGS, if the file or its signature is missing, wrong, or by a key
            whose signature does not count.
    """
    document, digest = load_unsigned(node.config)
    trusted = node.trusted_signer()
    path = scrutiny_path(node.config)
    checked = check_signature(SCRUTINY_FILE, path, digest, trusted.key, str(trusted))
    return SignedAnswers(document, digest, checked.signer, checked.signed_at)


def _wrong(path: Path, problem: str, remedy: str) -> Problem:
    return Problem(problem, where=str(path), remedy=remedy, exit_code=ExitCode.SETTINGS)
