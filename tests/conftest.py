"""What every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgresql import PostgreSQL, missing, postgresql_server

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("folkmoot", deadline=None)  # a busy machine is not a fault
settings.load_profile("folkmoot")


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of published data; tests that need it are skipped where it is missing."""
    folder = Path(os.environ.get("FOLKMOOT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"published data are not here ({folder}); set FOLKMOOT_DATA")
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server that listens on 127.0.0.1; tests skip where it is not installed."""
    if reason := missing():
        pytest.skip(reason)
    with postgresql_server() as server:
        yield server
