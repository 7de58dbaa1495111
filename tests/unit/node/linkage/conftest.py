"""Linkage of a few records, hundreds of times."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from splink.internals import comparison_level, settings
from splink.internals.input_column import SqlglotColumnTreeBuilder


@pytest.fixture(scope="package", autouse=True)
def parsed_once() -> Iterator[None]:
    """Splink reads the same SQL over and over: half of the time of a small linkage."""
    column = SqlglotColumnTreeBuilder.from_raw_column_name_or_column_reference
    column_once = functools.cache(column)  # it cannot be changed
    used_once = functools.cache(comparison_level.get_columns_used_from_sql)

    def used(*given: Any, **more: Any) -> list[str]:
        return list(used_once(*given, **more))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            SqlglotColumnTreeBuilder,
            "from_raw_column_name_or_column_reference",
            staticmethod(column_once),
        )
        patch.setattr(comparison_level, "get_columns_used_from_sql", used)
        patch.setattr(settings, "get_columns_used_from_sql", used)
        yield
