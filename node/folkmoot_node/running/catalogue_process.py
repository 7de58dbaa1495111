"""The catalogue, made by a process of its own: the one that adds noise loads no plugin."""

from __future__ import annotations

import os
import subprocess
import time

from folkmoot.catalogue import MAXIMUM_CATALOGUE, Catalogue
from folkmoot.catalogue_codec import decode_catalogue
from folkmoot_node.home import NodeHome
from folkmoot_node.running.scheduler import WORKER
from folkmoot_operator import child_process
from folkmoot_operator.problems import ExitCode, Problem

AGAIN_SECONDS = 300.0
"""How long after a catalogue could not be made it is tried again."""
_WAIT_SECONDS = 120.0


class CatalogueProcess:
    """Makes catalogues in processes of their own, not too often; for one thread."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._not_before = 0.0

    def __call__(self, home: NodeHome) -> Catalogue | None:
        """The catalogue of a node.

        Returns:
            None where it cannot be made yet, or was tried in vain a moment ago.

        Raises:
            Problem: If the process failed.
            ContractError: If what it made is no catalogue.
        """
        if time.monotonic() < self._not_before:
            return None
        self._not_before = time.monotonic() + AGAIN_SECONDS
        folder = home.config.home
        child = child_process.start(
            (*WORKER, "catalogue", str(folder)), os.environ, folder, output=subprocess.PIPE
        )
        try:
            made, _ = child.communicate(timeout=_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            made = b""
        finally:
            child_process.stop(child, 1)
        if child.returncode != 0 or len(made) > MAXIMUM_CATALOGUE:
            raise Problem(
                f"the process that makes it failed (exit code {child.returncode})",
                remedy="See `folkmoot-node doctor`",
                exit_code=ExitCode.FAULT,
            )
        if not made:
            return None
        self._not_before = 0.0
        return decode_catalogue(made)
