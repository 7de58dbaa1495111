"""What templates of casework have besides those of the kit."""

from __future__ import annotations

import datetime
from typing import Any

from jinja2 import Environment

from folkmoot_node.casework.pages.sections import SECTIONS
from folkmoot_node.casework.uk_time import uk_day_text, uk_moment


def local_moment(seconds: float) -> str:
    """A moment for people: `1 December 2026 at 14:30`."""
    return f"{uk_moment(seconds):%-d %B %Y at %H:%M}"


def date_text(iso: str) -> str:
    """A date for people, from ISO 8601: `1 December 2026`."""
    return f"{datetime.date.fromisoformat(iso):%-d %B %Y}"


def many(count: int, one: str, several: str = "") -> str:
    """`1 case`, `2 cases`, `no cases`."""
    return f"{count or 'no'} {one if count == 1 else several or one + 's'}"


def add_helpers(environment: Environment) -> None:
    """Adds the sections of a case, and filters for dates and numbers; dates are those of the UK."""
    helpers: dict[str, Any] = {
        "local_moment": local_moment,
        "day": uk_day_text,
        "date_text": date_text,
        "many": many,
    }
    environment.filters.update(helpers)
    environment.globals["case_sections"] = SECTIONS
