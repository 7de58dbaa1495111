"""Folkmoot data sources: the record systems that most councils have."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_sdk import DataSource, hookimpl


@hookimpl
def folkmoot_data_sources() -> Sequence[type[DataSource]]:
    """Registers one source for each record system."""
    # Polars takes a while to import; listing plugins should not wait for every library.
    from folkmoot_plugin_council_records.sources import SOURCES

    return SOURCES
