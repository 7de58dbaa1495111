"""What every test may use."""

from __future__ import annotations

import gc
import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.absent import absent
from tests.plugins_here import PLACES, plugins_here
from tests.postgresql import PostgreSQL, missing, postgresql_server

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = int(os.environ.get("FOLKMOOT_EXAMPLES", "1"))
"""How many times as many examples Hypothesis tries; `make night` tries many."""
NIGHT = "FOLKMOOT_NIGHT" in os.environ
"""Whether cases marked `night` run too; `make night` sets it."""
LONG = (ROOT / "tests" / "statistical", ROOT / "tests" / "simulation")
"""Folders of tests that take minutes: they come first, so that no process ends alone with one."""
SLOW_FOLDERS = tuple(
    ROOT / "tests" / name
    for name in (
        "attack",
        "browser",
        "packaging",
        "simulation",
        "unit/coordinator/viewer",
        "unit/node/casework",
        "unit/node/linkage",
        "wire",
    )
)
"""Folders whose tests are slow together, if not one by one: `make test` leaves them out."""

os.environ.pop("COLUMNS", None)
"""Tables are as wide as where nobody asks for a width, as who runs several tests at once does."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell starts what runs in the background; tests break programs off by this signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)

gc.disable()
"""Until all tests are collected: they stay, and the collector would walk them again and again."""

settings.register_profile(
    "folkmoot",
    deadline=None,  # a busy machine is not a fault
    max_examples=100 * EXAMPLES,
)
settings.load_profile("folkmoot")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the night's cases to the night, begins with long tests, and multiplies the examples
    of tests that say how many they try.
    """
    if not NIGHT:
        later = [item for item in items if item.get_closest_marker("night")]
        config.hook.pytest_deselected(items=later)
        items[:] = [item for item in items if not item.get_closest_marker("night")]
    for item in items:
        if any(folder in item.path.parents for folder in SLOW_FOLDERS):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: not any(folder in item.path.parents for folder in LONG))
    if EXAMPLES == 1:
        return
    seen = set()
    for item in items:
        test = getattr(item, "obj", None)
        test = getattr(test, "__func__", test)
        own = getattr(test, "_hypothesis_internal_use_settings", None)
        if own is not None and test not in seen:
            seen.add(test)  # parametrised tests share one function
            test._hypothesis_internal_use_settings = settings(
                own, max_examples=own.max_examples * EXAMPLES
            )


def pytest_collection_finish() -> None:
    """Turns the collector of garbage on, for what the tests themselves make."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def shipped_plugins_here(request: pytest.FixtureRequest) -> Iterator[None]:
    """Plugins of the node run in this process in tests that are about something else."""
    is_confined = request.node.get_closest_marker("confined") is not None
    if is_confined or not any(p in (request.path, *request.path.parents) for p in PLACES):
        yield
        return
    with plugins_here():
        yield


@pytest.fixture(autouse=True)
def umask() -> Iterator[int]:
    """The umask of who runs the tests: a command that is run inside a test closes new files."""
    before = os.umask(0o022)
    os.umask(before)
    yield before
    os.umask(before)


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Puts logging back: a program that a test runs here says where its log goes."""
    names = (None, "folkmoot_operator", "folkmoot_web", "folkmoot_node", "folkmoot_coordinator")
    loggers = [logging.getLogger(name) for name in names]
    before = [(one, one.handlers[:], one.level) for one in loggers]
    yield
    for one, handlers, level in before:
        one.handlers[:] = handlers
        one.setLevel(level)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other accounts may enter; pytest closes its own whenever one starts."""
    with tempfile.TemporaryDirectory(prefix="folkmoot-open-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder


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
        absent(reason)
    with postgresql_server() as server:
        yield server
