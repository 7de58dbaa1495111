"""One small region for all simulations of a module."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from region import Region


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    region = Region(tmp_path_factory.mktemp("region"))
    region.start()
    yield region
    region.stop()
