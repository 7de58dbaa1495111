"""Folkmoot data source `sql`: tables of a database, with a column mapping."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_sdk import DataSource, hookimpl


@hookimpl
def folkmoot_data_sources() -> Sequence[type[DataSource]]:
    """Registers the source."""
    # SQLAlchemy and Arrow take a while to import; listing plugins should not wait for them.
    from folkmoot_plugin_sql.source import SqlSource

    return [SqlSource]
