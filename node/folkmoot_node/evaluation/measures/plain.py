"""Figures as values that JSON can hold."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """A figure as dictionaries, lists, strings and numbers.

    Args:
        value: A frozen dataclass of figures, or what stands in one.

    Returns:
        Keys as the attributes are named; dates as ISO 8601; None for numbers that are none.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
