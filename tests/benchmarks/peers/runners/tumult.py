"""Tumult Analytics on local Spark. Loss: rho. The public cells are given as a key set."""

from __future__ import annotations

import os
import sys
from typing import Any

from peers.task import Histogram, Task, run


def prepare(task: Task) -> Histogram:
    """Starts Spark and a session whose budget pays for every histogram of the task."""
    from pyspark.sql import SparkSession
    from tmlt.analytics import AddOneRow, KeySet, QueryBuilder, RhoZCDPBudget, Session

    # Spark starts Python workers, which must be of this environment.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", task.scratch)
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    session = Session.from_dataframe(
        privacy_budget=RhoZCDPBudget(task.rho * (task.runs + 1)),
        source_id="households",
        dataframe=spark.read.parquet(task.data).select("cell"),
        protected_change=AddOneRow(),
    )
    keys = KeySet.from_dict({"cell": list(range(task.cells))})
    query = QueryBuilder("households").groupby(keys).count(name="households")

    def evaluate() -> Any:
        return session.evaluate(query, RhoZCDPBudget(task.rho)).collect()

    return Histogram(evaluate, lambda rows: {row["cell"]: row["households"] for row in rows})


if __name__ == "__main__":
    run(prepare)
