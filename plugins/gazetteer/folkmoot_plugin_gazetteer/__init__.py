"""Folkmoot data source `gazetteer`: the residential properties of a council's LLPG."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_sdk import DataSource, hookimpl


@hookimpl
def folkmoot_data_sources() -> Sequence[type[DataSource]]:
    """Registers the source."""
    # Polars takes a while to import; listing plugins should not wait for every library.
    from folkmoot_plugin_gazetteer.source import Gazetteer

    return [Gazetteer]
