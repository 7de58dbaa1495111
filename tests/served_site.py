"""The region's site as `folkmoot-coordinator serve` runs it, for tests that attack or stop it."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from folkmoot_coordinator.viewer.permissions import PERMISSIONS
from folkmoot_coordinator.viewer.settings import site_settings
from folkmoot_web.site import open_state
from tests.ports import free_port
from tests.web_site import PASSWORD, Browser

if TYPE_CHECKING:
    from folkmoot_coordinator.home import Home
    from tests.wire.coordinator.conftest import ServeProcess

MODULE = "folkmoot_coordinator.viewer.serve_viewer"
PATIENCE = 60.0
"""Seconds within which what is waited for must come about, on a machine that is busy."""


def viewer_table(**keys: str) -> str:
    """The table [viewer] of coordinator.toml, with a free port.

    Args:
        keys: Further keys, as TOML.
    """
    lines = {"listen": f'"127.0.0.1:{free_port()}"', **keys}
    return "\n[viewer]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


@dataclass
class ServedSite:
    """A site that another process serves.

    Attributes:
        home: The coordinator's folder.
        address: Its origin.
    """

    home: Home
    address: str
    _browsers: list[Browser] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, home: Home) -> ServedSite:
        """The site whose settings are in a folder."""
        return cls(home, site_settings(home, home.settings()).origin)

    def add_account(self, name: str, *roles: str) -> None:
        """Adds an account that has chosen its password."""
        settings = site_settings(self.home, self.home.settings())
        state = open_state(settings, PERMISSIONS, home=self.home.path)
        state.database.prepare()
        link = state.accounts.add(name, name.title(), roles, by="test")
        assert state.accounts.choose_password(link.rpartition("/")[2], PASSWORD) is not None
        state.database.close()

    def browser(self) -> Browser:
        """A browser of its own, open until `close`."""
        self._browsers.append(Browser(self))  # type: ignore[arg-type]  # its address is enough
        return self._browsers[-1]

    def close(self) -> None:
        """Closes all browsers."""
        for each in self._browsers:
            each.close()

    def reader(self) -> Browser:
        """A browser in which somebody has signed in who may read."""
        self.add_account("reader", "reader")
        browser = self.browser()
        assert browser.sign_in("reader").status_code == 303
        return browser

    def health(self) -> tuple[int, str]:
        """Status and text of `/health`; 0 if nothing answers."""
        try:
            answer = httpx2.get(f"{self.address}/health", timeout=10)
        except httpx2.HTTPError:
            return 0, ""
        return answer.status_code, answer.text

    def wait_until(self, status: int) -> None:
        """Waits until `/health` has a status."""
        end = time.monotonic() + PATIENCE
        while (found := self.health())[0] != status:
            assert time.monotonic() < end, f"/health says {found}, not {status}"
            time.sleep(0.1)


def viewer_of(process: ServeProcess) -> int | None:
    """Id of the process that serves the site; None if there is none."""
    for pid in process.all_pids()[1:]:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if MODULE.encode() in words:
            return pid
    return None


def kill_viewer(process: ServeProcess) -> int:
    """Kills the process that serves the site; returns its id."""
    end = time.monotonic() + PATIENCE
    while (pid := viewer_of(process)) is None:
        assert time.monotonic() < end, "there is no viewer"
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return pid
