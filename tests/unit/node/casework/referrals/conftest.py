"""A council that refers."""

from __future__ import annotations

import pytest

from tests.casework_council import CaseworkCouncil
from tests.referring import Referring


@pytest.fixture
def referring(council: CaseworkCouncil) -> Referring:
    """Its desk, room and services."""
    return Referring(council, council.desk())
