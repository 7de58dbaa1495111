"""Names in settings that people choose and programs read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""Lower-case letters, digits and underscores."""
