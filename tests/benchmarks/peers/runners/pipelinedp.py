"""PipelineDP on its local backend. Loss: (epsilon, delta) with Gaussian noise.

The public cells are given as partitions. Each row is declared to be one household
(`contribution_bounds_already_enforced`), so that it need not bound contributions.
"""

from __future__ import annotations

from typing import Any

from peers.task import Histogram, Task, run


def prepare(task: Task) -> Histogram:
    """Reads the file into a list of cells."""
    import pipeline_dp
    import pyarrow.parquet as pq

    rows = pq.read_table(task.data, columns=["cell"])["cell"].to_pylist()
    cells = list(range(task.cells))
    extractors = pipeline_dp.DataExtractors(
        partition_extractor=lambda cell: cell, value_extractor=lambda cell: 1
    )
    parameters = pipeline_dp.AggregateParams(
        noise_kind=pipeline_dp.NoiseKind.GAUSSIAN,
        metrics=[pipeline_dp.Metrics.COUNT],
        max_partitions_contributed=1,
        max_contributions_per_partition=1,
        contribution_bounds_already_enforced=True,
    )

    def aggregate() -> Any:
        accountant = pipeline_dp.NaiveBudgetAccountant(
            total_epsilon=task.epsilon, total_delta=task.delta
        )
        engine = pipeline_dp.DPEngine(accountant, pipeline_dp.LocalBackend())
        counted = engine.aggregate(rows, parameters, extractors, public_partitions=cells)
        accountant.compute_budgets()
        return list(counted)  # nothing is computed before

    return Histogram(aggregate, lambda counted: {cell: made.count for cell, made in counted})


if __name__ == "__main__":
    run(prepare)
