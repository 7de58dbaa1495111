"""SmartNoise SQL over pandas. Loss: (epsilon, delta) with its Gaussian mechanism.

It takes no public cells: a cell is in the answer if its noisy count is above a threshold,
for which delta is spent once more. Each row is declared to be one household, so that it
need not bound contributions.
"""

from __future__ import annotations

from typing import Any

from peers.task import Histogram, Task, run


def prepare(task: Task) -> Histogram:
    """Reads the file into a data frame, and makes a private reader."""
    import pandas as pd
    from snsql import Mechanism, Privacy, Stat, from_df

    rows = pd.read_parquet(task.data, columns=["cell"])
    privacy = Privacy(epsilon=task.epsilon, delta=task.delta)
    privacy.mechanisms.map[Stat.count] = Mechanism.gaussian
    privacy.mechanisms.map[Stat.threshold] = Mechanism.gaussian
    table = {
        "row_privacy": True,
        "rows": len(rows),
        "cell": {"type": "int", "lower": 0, "upper": task.cells - 1},
    }
    reader = from_df(rows, privacy=privacy, metadata={"": {"benchmark": {"households": table}}})

    def execute() -> Any:
        return reader.execute(
            "SELECT cell, COUNT(*) AS households FROM benchmark.households GROUP BY cell"
        )

    # The first row holds the names of the columns.
    return Histogram(execute, lambda answer: dict(answer[1:]))


if __name__ == "__main__":
    run(prepare)
