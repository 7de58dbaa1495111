"""The JSON documents of the API, and what the OpenAPI description says of them.

Times are UTC, as RFC 3339 writes them; figures are households.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Document(BaseModel):
    """A document; later versions may add members."""

    model_config = ConfigDict(extra="allow")


class TableLinks(Document):
    """A table of a round, and where it is."""

    table: str = Field(description="Its name in addresses, such as `band.lsoa`; or `total`")
    title: str
    marginal: str = Field(description="What was counted: attributes joined by `*`, or `total`")
    attributes: list[str]
    links: dict[str, str] = Field(description="Addresses by form")


class RoundLine(Document):
    """A round in the list of rounds."""

    round_id: str
    title: str
    purpose: str
    state: str = Field(description="`open`, `complete`, `partial` or `void`")
    opened_at: str
    deadline: str
    closed_at: str | None
    coverage: str = Field(description="Councils in the figures, such as `9 of 10 councils`")
    has_result: bool = Field(description="Whether it has statistics")
    withdrawn: dict[str, Any] | None = Field(
        description="Why its figures are wrong and must not be used; null where they stand"
    )
    series_id: str | None
    position: int | None = Field(description="In the series, from 1; null for a round by itself")
    link: str


class RoundList(Document):
    """A page of the list of rounds, newest first."""

    rounds: list[RoundLine]
    page: int
    pages: int
    entries: int = Field(description="Rounds on all pages")
    next: str | None = Field(description="Address of the next page")
    previous: str | None


class RoundDocument(Document):
    """One round."""

    round: RoundLine
    policy_digest: str = Field(description="SHA-256 of the risk stratification policy, hexadecimal")
    tables: list[TableLinks] = Field(description="Empty where there is no result")
    all_tables: dict[str, str] = Field(description="Addresses of all tables in one, by form")
    outcomes: list[OutcomeLink] = Field(description="Empty where bands cannot be judged")
    equality: list[GroupLink] = Field(description="Empty where bands are counted by no group")
    metadata: dict[str, Any] | None = Field(
        description="What `export` writes beside the figures: question, coverage, privacy, columns"
    )


class OutcomeLink(Document):
    """An attribute by which the bands of a round can be judged."""

    outcome: str = Field(description="Name of an attribute with the codes `no` and `yes`")
    groups: list[str] = Field(description="Attributes that `by` may name")
    link: str


class GroupLink(Document):
    """An attribute of groups by which the round says who is selected."""

    by: str = Field(description="Name of the attribute")
    link: str


class ValidationDocument(Document):
    """How well bands found those to whom an outcome happened."""

    round_id: str
    withdrawn: str | None
    coverage: str
    policy_digest: str
    outcome: str
    bands: list[str] = Field(description="Ascending")
    unknown_outcome: dict[str, float] | None = Field(
        description="Households without a known outcome, which are in no rate; null if left out"
    )
    region: list[dict[str, Any]] = Field(
        description="By band its rates with both 95% intervals; null where there are too few"
    )
    councils: dict[str, list[dict[str, Any]]] = Field(description="The same by council")
    agreement: list[dict[str, Any]] = Field(description="Each council against all others")
    by: str | None
    groups: dict[str, list[dict[str, Any]]]
    between_groups: list[dict[str, Any]]


class SelectionDocument(Document):
    """Who is in a band or a higher one, by group."""

    round_id: str
    withdrawn: str | None
    coverage: str
    policy_digest: str
    by: str
    bands: list[str] = Field(description="All but the lowest, ascending")
    comparisons: int = Field(description="For how many comparisons `differences` are corrected")
    region: dict[str, Any] = Field(
        description="`groups`: by group and band the share in the band or a higher one, with both "
        "95% intervals, null where there are too few; `differences`: each group against all others"
    )
    councils: dict[str, dict[str, Any]] = Field(description="The same by council")


class Row(Document):
    """One estimate; its other members are the codes of the table's attributes, and their names."""

    round_id: str
    policy_digest: str
    withdrawn: str | None
    level: str
    place: str
    place_name: str | None
    coverage: str | None
    marginal: str
    value: float
    standard_error: float
    lower: float
    upper: float
    coefficient_of_variation: float | None
    reliability: str


class StatisticDocument(Document):
    """A table of figures."""

    round_id: str
    title: str
    table: str
    policy_digest: str
    coverage: str
    withdrawn: str | None
    columns: dict[str, str] = Field(description="What each member of a row says")
    rows: list[Row]


class ProblemDocument(Document):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = ""
    where: str = Field("", description="The parameter or field that is wrong")
    remedy: str = ""
    instance: str
    correlation_id: str = Field(description="Also in the log of the site")
