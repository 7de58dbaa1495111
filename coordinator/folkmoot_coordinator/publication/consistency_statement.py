"""What a reader needs to know about presentable values, for printing beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot.workload import Marginal
from folkmoot_coordinator.aggregation.consistent_tables.bias import Bias
from folkmoot_coordinator.aggregation.consistent_tables.round_tables import Presentation
from folkmoot_coordinator.aggregation.statistic import GeographicLevel, Int64, RegionalStatistic

_METHOD = (
    "The column `presentable` holds whole numbers of households, none negative, whose sums "
    "agree: in each council any two marginals agree on what they share, along the geography and "
    "with the total, and the region's values are the sums of its councils'. Such numbers are "
    "for tables that people read. They cannot be unbiased: where noise took a count below 0 it "
    "is shown as 0 or more, and other counts as less for that, so that small counts come out too "
    "high on average and their neighbours too low. For sums of your own, comparisons and models "
    "use the column `value`. Presentable values are computed from the noisy figures alone and "
    "cost no privacy. Method: tables are fitted from few cells to many, each by least squares "
    "among those without negative cells that have the sums fixed before, and rounded keeping "
    "these sums."
)
_BIAS = (
    "How far presentable values are off, by simulation: the presentable values are taken for the "
    "truth, noise like the round's is added to them, and the result is made presentable again, "
    "for each of `draws` draws of noise with both signs. "
    "`bias` is the mean of presentable value less truth over the cells whose true count lies in "
    "`least` to `most`, with its standard error in `bias_error`; `rmse` is the root mean squared "
    "error of presentable values, `unbiased_rmse` that of the unbiased estimates, both in "
    "households. The scope `council` is about the councils' cells, which the region's areas are "
    "too; `region` is about the cells at that level that are sums over councils, of a marginal "
    "over areas those of `(other)` alone; `all_areas` is about the sums over all areas. "
    "`councils` says how many councils were simulated: of a region with more, "
    "so many are drawn at random, and what is said of the region's sums is scaled up from them, "
    "biases and variances in proportion."
)


def presentable_statement(
    round_: Round, statistics: Iterable[RegionalStatistic], digest: bytes
) -> dict[str, Any]:
    """How presentable values were made, how far they are off, and which marginals have none.

    Args:
        round_: The question.
        statistics: Its statistics.
        digest: The round's; the same round gets the same figures.
    """
    presentation = Presentation(round_)
    tables: dict[GssCode, dict[Marginal, Int64]] = {}
    for one in statistics:
        if one.level is GeographicLevel.COUNCIL and one.presentable is not None:
            tables.setdefault(GssCode(one.place), {})[one.marginal] = one.presentable
    report = presentation.bias(tables, digest)
    return {
        "method": _METHOD,
        "left_out": [
            {"marginal": marginal.name, "reason": why.name.lower(), "meaning": why.value}
            for marginal, why in presentation.left_out.items()
        ],
        "bias": {
            "method": _BIAS,
            "draws": report.draws,
            "councils": report.councils,
            "cells": [
                {"marginal": marginal.name} | _row(bias)
                for marginal, rows in report.rows.items()
                for bias in rows
            ],
        },
    }


def _row(bias: Bias) -> dict[str, Any]:
    return {
        "scope": bias.scope.value,
        "least": bias.least,
        "most": bias.most,
        "cells": bias.cells,
        "bias": round(bias.bias, 3),
        "bias_error": round(bias.bias_error, 3),
        "rmse": round(bias.rmse, 3),
        "unbiased_rmse": round(bias.unbiased_rmse, 3),
    }
