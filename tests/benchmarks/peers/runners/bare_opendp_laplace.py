"""The floor under pure DP: as `bare_opendp`, with the discrete Laplace at `pure_epsilon`."""

from __future__ import annotations

from peers.task import Histogram, Task, run


def prepare(task: Task) -> Histogram:
    """Makes the measurement."""
    import numpy as np
    import polars as pl
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_laplace
    from opendp.metrics import l1_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    measurement = make_laplace(
        vector_domain(atom_domain(T="i64")), l1_distance(T="i64"), scale=1 / task.pure_epsilon
    )

    def count_and_measure() -> list[int]:
        cell = pl.read_parquet(task.data, columns=["cell"])["cell"].to_numpy()
        counts = np.bincount(cell, minlength=task.cells)
        noisy: list[int] = measurement(counts.tolist())
        return noisy

    return Histogram(count_and_measure, lambda noisy: dict(enumerate(noisy)))


if __name__ == "__main__":
    run(prepare)
