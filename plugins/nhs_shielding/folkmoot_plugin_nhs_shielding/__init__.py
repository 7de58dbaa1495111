"""Folkmoot data source `nhs_shielding`: the NHS shielded patient list, and lists like it."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_sdk import DataSource, hookimpl


@hookimpl
def folkmoot_data_sources() -> Sequence[type[DataSource]]:
    """Registers the source."""
    # Polars takes a while to import; listing plugins should not wait for every library.
    from folkmoot_plugin_nhs_shielding.source import ShieldingSource

    return [ShieldingSource]
