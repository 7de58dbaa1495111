"""Folkmoot data sources about areas, from published tables and licensed segmentations."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_sdk import DataSource, hookimpl


@hookimpl
def folkmoot_data_sources() -> Sequence[type[DataSource]]:
    """Registers the sources."""
    # Polars takes a while to import; listing plugins should not wait for every library.
    from folkmoot_plugin_open_areas.classification import OutputAreaClassification
    from folkmoot_plugin_open_areas.crime import PoliceCrime
    from folkmoot_plugin_open_areas.indices import IndicesOfDeprivation
    from folkmoot_plugin_open_areas.segmentation import AreaSegmentation

    return [IndicesOfDeprivation, OutputAreaClassification, PoliceCrime, AreaSegmentation]
