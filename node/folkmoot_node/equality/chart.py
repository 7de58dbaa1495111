"""A picture of the shares of protected groups in each band."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from folkmoot_node.equality.report import EqualityReport
from folkmoot_node.equality.statistics import CharacteristicFigures, shares
from folkmoot_operator.pictures import save_chart
from folkmoot_operator.problems import ExitCode, Problem

_WIDTH, _ROW = 150, 22
_INK, _GRID = "#444", "#e4e4e4"


def write_chart(report: EqualityReport, path: Path) -> None:
    """Draws, for each characteristic and band, the share of each group with its interval.

    The file is readable by this account alone.

    Raises:
        Problem: If the libraries that draw are not installed, or the file cannot be written.
    """
    if not any(one.groups for one in report.figures):
        raise Problem(
            "no group has enough households to be drawn",
            where="--plot",
            remedy="See what the audit says without --plot",
            exit_code=ExitCode.DATA,
        )
    save_chart(lambda: _chart(report), path, ("folkmoot-node", "audit"), private=True)


def _chart(report: EqualityReport) -> Any:
    """An Altair chart; its methods are typed as giving anything."""
    import altair

    rows = [_row(one) for one in report.figures if one.groups]
    title = altair.TitleParams(
        "Share of each group in each band",
        subtitle=[
            f"{report.policy}, {report.reference_date.isoformat()}: {report.households:,} "
            "households. Lines are 95 % intervals (Wilson).",
            f"Groups of fewer than {report.smallest} households are shown together.",
        ],
        anchor="start",
        offset=20,
    )
    return altair.vconcat(*rows, title=title).configure_view(stroke=None)


def _row(figures: CharacteristicFigures) -> Any:
    """One characteristic: a panel for each band, a line for each group."""
    import altair

    groups = [group.group for group in figures.groups]
    bands = [band.band for band in figures.groups[0].bands]
    base = altair.Chart(altair.InlineData(values=shares([figures]))).encode(
        y=altair.Y("group:N", title=None, sort=groups)
    )
    line = base.mark_rule(color=_INK, strokeWidth=2).encode(
        x=altair.X(
            "low:Q", title="share of the group", axis=altair.Axis(format=".0%", gridColor=_GRID)
        ),
        x2="high:Q",
    )
    point = base.mark_point(filled=True, size=60, color=_INK, opacity=1).encode(x="share:Q")
    panel = altair.layer(line, point).properties(width=_WIDTH, height=_ROW * len(groups))
    # Bands differ much in size; groups are compared within a band.
    return panel.facet(
        column=altair.Column("band:N", sort=bands, title=f"{figures.field}: band"),
    ).resolve_scale(x="independent")
