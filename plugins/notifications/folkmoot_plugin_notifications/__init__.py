"""Folkmoot data source `notifications`: dated notifications of people or properties."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_sdk import DataSource, hookimpl


@hookimpl
def folkmoot_data_sources() -> Sequence[type[DataSource]]:
    """Registers the source."""
    # Polars takes a while to import; listing plugins should not wait for every library.
    from folkmoot_plugin_notifications.source import NotificationSource

    return [NotificationSource]
