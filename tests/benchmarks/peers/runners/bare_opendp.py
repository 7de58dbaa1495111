"""The floor: one column read and counted, and OpenDP's vector measurement called once.

No accounting, no store, one thread for the noise. The Gaussian's loss is rho.
"""

from __future__ import annotations

import math

from peers.task import Histogram, Task, run


def prepare(task: Task) -> Histogram:
    """Makes the measurement."""
    import numpy as np
    import polars as pl
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_gaussian
    from opendp.metrics import l2_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    measurement = make_gaussian(
        vector_domain(atom_domain(T="i64")),
        l2_distance(T="i64"),
        scale=math.sqrt(1 / (2 * task.rho)),
    )

    def count_and_measure() -> list[int]:
        cell = pl.read_parquet(task.data, columns=["cell"])["cell"].to_numpy()
        counts = np.bincount(cell, minlength=task.cells)
        noisy: list[int] = measurement(counts.tolist())
        return noisy

    return Histogram(count_and_measure, lambda noisy: dict(enumerate(noisy)))


if __name__ == "__main__":
    run(prepare)
