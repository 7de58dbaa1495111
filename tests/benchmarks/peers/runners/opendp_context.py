"""OpenDP's Context with Polars. Loss: rho. The public cells are given as keys.

Counts are asked for with a sign; by default OpenDP moves those below zero to zero.
"""

from __future__ import annotations

from typing import Any

from peers.task import Histogram, Task, run


def prepare(task: Task) -> Histogram:
    """Scans the file lazily; each histogram has a context of its own."""
    import opendp.prelude as dp
    import polars as pl

    dp.enable_features("contrib")
    rows = pl.scan_parquet(task.data)
    keys = pl.LazyFrame({"cell": range(task.cells)}, schema={"cell": pl.Int64})

    def query() -> Any:
        context = dp.Context.compositor(
            data=rows,
            privacy_unit=dp.unit_of(contributions=1),
            privacy_loss=dp.loss_of(rho=task.rho),
            split_evenly_over=1,
        )
        counted = (
            context.query().select("cell").group_by("cell").agg(dp.len(signed=True)).with_keys(keys)
        )
        return counted.release().collect()

    return Histogram(query, lambda frame: dict(frame.select("cell", "len").iter_rows()))


if __name__ == "__main__":
    run(prepare)
