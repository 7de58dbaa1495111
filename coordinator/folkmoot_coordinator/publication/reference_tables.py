"""Tables beside the published one: its code lists, and what the errors of sums follow from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from folkmoot.attributes import OTHER, Attribute
from folkmoot.geography import GssCode
from folkmoot.hierarchy import Axis
from folkmoot.rounds import Round
from folkmoot.strategy import Plan, names_of
from folkmoot.workload import Marginal
from folkmoot_coordinator.publication.estimable import Moment
from folkmoot_coordinator.rounds.code_names import CodeNames

CODES, NOISE = "codes", "noise"
_OTHER_NAME = "none of the other codes"

DESCRIPTIONS = {
    CODES: {
        "attribute": "attribute of the round",
        "code": "its code, as in the published table",
        "name": "what people call it; empty where it is not known",
        "council": "council whose code it is; empty where all councils share it",
        "council_name": "its name; empty where it is not known",
        "within": "attribute in whose codes it lies; empty if it lies in none",
        "parent": "code of `within` in which it lies",
        "parent_name": "name of that",
        "vintage": "edition of the code list; empty where it is not known",
        "group": "code of the next larger level that was counted, in which it lies; empty where "
        "none was counted",
        "group_size": "number of the council's codes in the same group, itself included; empty "
        "where no marginal uses the attribute",
    },
    NOISE: {
        "council": "council that released",
        "component": "attributes joined by *, or total; each marginal is the sum of the components "
        "over its attributes and those in which they lie",
        "tau_squared": "scale of the component's noise, squared, in households squared",
    },
}
"""Columns of the tables beside the published one."""

METHOD = (
    "Cells share noise, so standard errors of sums and differences do not follow from those of "
    "their cells alone. `export --sum FILE` states them. To compute them: councils are "
    "independent of each other. Within a council the estimate of a marginal is the sum of "
    "independent components, one for each set of attributes of it, with one level of each chain of "
    "nested attributes. For weights w of the cells of a marginal, let u be the weights that a "
    "component's cells get: each w times 1 / group_size for every level between them, for an "
    "attribute that the component leaves out down from the whole council, added up. The "
    "component's part of the variance is tau_squared times u' K u, where K is the Kronecker "
    "product over its attributes of (1 - 1/m)(I - J/m) within each group of m = group_size codes, "
    "and nothing between groups (I: identity, J: all ones). Covariances of two sums are u' K v. "
    "`docs/analysis.md` has a script."
)


def code_list(round_: Round, code_names: CodeNames, councils: Mapping[str, str]) -> pl.DataFrame:
    """Every code of a round, and where it lies.

    Args:
        round_: The question.
        code_names: Names and editions, as far as they are known.
        councils: Names of councils by GSS code, as far as they are known.

    Returns:
        A row for each code, with the columns of `DESCRIPTIONS["codes"]`: text, and `group_size`
        (Int64); null where that says "empty".
    """
    rows: dict[str, list[str | int | None]] = {name: [] for name in DESCRIPTIONS[CODES]}
    for attribute in round_.workload.attributes:
        names, above = code_names.of(attribute.name), code_names.of(attribute.within)
        for council in round_.councils if attribute.is_area else (None,):
            grouped = _groups(round_.workload.axes(council or round_.councils[0]), attribute)
            for code in attribute.codes_of(council):
                parent = attribute.parent_of(code) if attribute.within else None
                group, size = grouped.get(code, (None, None))
                found = (
                    attribute.name,
                    code,
                    names.get(code, _OTHER_NAME if code == OTHER else None),
                    council,
                    councils.get(council) if council else None,
                    attribute.within or None,
                    parent,
                    above.get(parent, _OTHER_NAME if parent == OTHER else None) if parent else None,
                    code_names.vintages.get(attribute.name),
                    group,
                    size,
                )
                for column, value in zip(rows.values(), found, strict=True):
                    column.append(value)
    kinds = {name: pl.Int64() if name == "group_size" else pl.String() for name in rows}
    return pl.DataFrame(rows, schema=kinds)


def _groups(axes: Iterable[Axis], attribute: Attribute) -> dict[str, tuple[str | None, int | None]]:
    """For each code of an attribute that is counted the group it is in, and its size."""
    for axis in axes:
        above: Sequence[str | None] = (None,)
        for level in axis.levels:
            if level.attribute == attribute.name:
                groups = (above[parent] for parent in level.parents)
                return dict(
                    zip(level.codes, zip(groups, level.group_sizes, strict=True), strict=True)
                )
            above = level.codes
    return {}


def noise(
    plans: Mapping[GssCode, Plan],
    factors: Mapping[Moment, Mapping[GssCode, float]],
) -> pl.DataFrame:
    """The scale of the noise of each component of each council's estimates.

    Args:
        plans: By council.
        factors: By what a figure is about, for each council that is in it by how much the
            variance is larger than the plan's.

    Returns:
        Columns `council`, `component` (String), `tau_squared` (Float64); in a series before them
        `month` (Int64) and `measure` (String). None is null.
    """
    rows: list[dict[str, str | int | float]] = []
    for moment, councils in factors.items():
        about: dict[str, str | int | float] = {}
        if moment.month is not None and moment.measure is not None:
            about = {"month": moment.month, "measure": moment.measure.value}
        for council, factor in councils.items():
            plan = plans[council]
            rows += [
                {
                    **about,
                    "council": council,
                    "component": Marginal(names_of(plan.axes, part.depths)).name,
                    "tau_squared": part.tau_squared * factor,
                }
                for part in plan.components
            ]
    return pl.DataFrame(rows, infer_schema_length=None)
