"""Folkmoot data source `harbour_rents`: a housing association's nightly rent export."""

from collections.abc import Sequence

from folkmoot_sdk import DataSource, hookimpl


@hookimpl
def folkmoot_data_sources() -> Sequence[type[DataSource]]:
    # DuckDB and pyarrow are imported only by whoever reads.
    from harbour_rents.source import HarbourRents

    return [HarbourRents]
