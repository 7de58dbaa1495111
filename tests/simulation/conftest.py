"""One small region for all simulations of a module."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from region import Region
from scenery import Scenery, make_scenery


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    region = Region(tmp_path_factory.mktemp("region"))
    region.start()
    yield region
    region.stop()


@pytest.fixture(scope="session")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenery]:
    """Originals of homes, and wires, for simulations inside this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("folkmoot_coordinator.server.HOUSEKEEPING_SECONDS", 3_600.0)
        patch.setattr("folkmoot.codec.CELLS_PER_CHUNK", 4)
        scenery = make_scenery(tmp_path_factory.mktemp("scenery"))
        patch.setattr("folkmoot_node.store.open_store", scenery.open_store)
        with scenery.closing:
            yield scenery
