"""Where a rehearsal keeps what, so that one can look into all of it afterwards."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_rehearsal.councils import Council

RESULTS_FILE = "rehearsal.json"
README_FILE = "README.txt"
NODES_README_FILE = "README-nodes.txt"
"""Of a rehearsal without a coordinator; written as `README_FILE`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of a rehearsal.

    Attributes:
        root: The folder.
    """

    root: Path

    @property
    def coordinator(self) -> Path:
        """The coordinator's home."""
        return self.root / "coordinator"

    @property
    def invitations(self) -> Path:
        """Invitations as the region sent them."""
        return self.root / "invitations"

    @property
    def rounds(self) -> Path:
        """Round files, with the policy and the areas they name."""
        return self.root / "rounds"

    @property
    def published(self) -> Path:
        """What the region publishes."""
        return self.root / "published"

    @property
    def logs(self) -> Path:
        """What every command wrote."""
        return self.root / "logs"

    @property
    def results(self) -> Path:
        """The outcome, for programs; its presence marks the folder of a rehearsal."""
        return self.root / RESULTS_FILE

    @property
    def view_command(self) -> str:
        """What opens the region's site."""
        command = Path(sys.executable).with_name("folkmoot-rehearse")
        return shlex.join([str(command), "--view", "--out", str(self.root)])

    def home(self, council: Council) -> Path:
        """A council's node."""
        return self.root / "councils" / council.code

    def truth(self, council: Council) -> Path:
        """What is true of a council's synthetic residents; no node reads it."""
        return self.root / "truth" / council.code

    def scored(self, council: Council) -> Path:
        """A council's scored households, Parquet, which its node wrote out on request."""
        return self.truth(council) / "scored.parquet"

    def invitation(self, council: Council) -> Path:
        """The invitation file of a council."""
        return self.invitations / f"invitation-{council.code}.toml"

    def prepare(self, *, replace: bool) -> None:
        """Makes the folder, empty but for its marker.

        Args:
            replace: Remove an earlier rehearsal that is there.

        Raises:
            Problem: If something is there that may not be removed.
        """
        if self.root.exists() and any(self.root.iterdir()):
            earlier = self.results.is_file()
            if not (replace and earlier):
                raise Problem(
                    "holds an earlier rehearsal" if earlier else "is not empty",
                    where=str(self.root),
                    remedy="Add --replace to remove it, or choose another folder"
                    if earlier
                    else "Choose another folder",
                    exit_code=ExitCode.USAGE,
                )
            shutil.rmtree(self.root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.results.write_text(json.dumps({"state": "unfinished"}) + "\n", "utf-8")

    def write_readme(self, council: Council, *, nodes_alone: bool = False) -> None:
        """Explains the folder, with commands for one council as an example.

        Args:
            council: The council.
            nodes_alone: Whether there are nodes alone, and no coordinator.
        """
        name = NODES_README_FILE if nodes_alone else README_FILE
        shipped = resources.files("folkmoot_rehearsal") / "documents" / name
        text = shipped.read_text("utf-8")
        for mark, value in (
            ("@ROOT@", str(self.root.resolve())),
            ("@COMMANDS@", str(Path(sys.executable).parent)),
            ("@CODE@", str(council.code)),
            ("@NAME@", council.name),
            ("@VIEW@", self.view_command),
        ):
            text = text.replace(mark, value)
        (self.root / README_FILE).write_text(text, "utf-8")
