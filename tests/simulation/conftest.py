"""One small region for all simulations of a module."""

from __future__ import annotations

import functools
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from region import TRAFFORD, Region
from scenery import Scenery, make_scenery


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    region = Region(tmp_path_factory.mktemp("region"))
    region.start()
    yield region
    region.stop()


@pytest.fixture(scope="session")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Region:
    """A region at rest with a node of Trafford, enrolled and scored: to be copied."""
    region = Region(tmp_path_factory.mktemp("enrolled"))
    region.start()
    try:
        region.new_node(TRAFFORD)
    finally:
        region.stop()
    return region


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenery]:
    """Originals of homes, and wires, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch_for_speed(patch)
        scenery = make_scenery(tmp_path_factory.mktemp("scenery"))
    with scenery.closing:
        yield scenery


@pytest.fixture
def scenery(originals: Scenery, monkeypatch: pytest.MonkeyPatch) -> Scenery:
    """The originals for one simulation inside this process.

    What it patches is put back after each test: other tests run in the same process.
    """
    patch_for_speed(monkeypatch)
    # Where it is called: a module that another test has imported holds the function itself.
    monkeypatch.setattr("folkmoot_node.store.use.open_store", originals.open_store)
    monkeypatch.setattr("folkmoot_node.sources.connect.load_plugins", originals.load_plugins)
    return originals


def patch_for_speed(patch: pytest.MonkeyPatch) -> None:
    """Small chunks, so that releases have several, and no housekeeping meanwhile.

    Settings and policies are read thousands of times, and are a few texts: each is parsed once.
    """
    patch.setattr("tomllib.loads", functools.lru_cache(256)(tomllib.loads))
    patch.setattr("folkmoot_coordinator.server.server.HOUSEKEEPING_SECONDS", 3_600.0)
    patch.setattr("folkmoot.answer_codec.CELLS_PER_CHUNK", 4)
