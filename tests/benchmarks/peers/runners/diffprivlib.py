"""diffprivlib's histogram. Loss: pure DP at `pure_epsilon`, its only kind.

Its geometric noise is truncated at zero, so counts of empty and small cells are biased
upwards.
"""

from __future__ import annotations

from typing import Any

from peers.task import Histogram, Task, run


def prepare(task: Task) -> Histogram:
    """Reads the column into an array."""
    import pyarrow.parquet as pq
    from diffprivlib.tools import histogram as private_histogram

    column = pq.read_table(task.data, columns=["cell"])["cell"].to_numpy()

    def count() -> Any:
        counted, _ = private_histogram(
            column, epsilon=task.pure_epsilon, bins=task.cells, range=(0, task.cells)
        )
        return counted

    return Histogram(count, lambda counted: dict(enumerate(counted)))


if __name__ == "__main__":
    run(prepare)
